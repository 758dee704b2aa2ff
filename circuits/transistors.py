"""Transistors of a technology placed into a circuit."""

from __future__ import annotations

from PySpice.Spice.Netlist import Circuit, SubCircuit

from devices.technology import Technology

DIFFUSION = 70e-9
"""m; length of a source or drain region for junction area and perimeter; assumed."""


def add_mosfet(
    circuit: SubCircuit | Circuit,
    technology: Technology,
    role: str,
    name: str,
    nodes: tuple[str, str, str, str],
    width: float | None = None,
    length: float | None = None,
) -> None:
    """One transistor; ``nodes`` are drain, gate, source, bulk; ``role`` a key of the technology."""
    transistor = technology.transistors[role]
    if width is None:
        width = technology.nmos_width if transistor.polarity == "nmos" else technology.pmos_width
    area, perimeter = width * DIFFUSION, 2 * (width + DIFFUSION)
    circuit.MOSFET(
        name,
        *nodes,
        model=transistor.model,
        width=width,
        length=length or transistor.length,
        drain_area=area,
        source_area=area,
        drain_perimeter=perimeter,
        source_perimeter=perimeter,
    )
