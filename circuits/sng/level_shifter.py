"""Level shifter from the core supply to a higher one: cross-coupled PMOS over two NMOS.

Four transistors of the high voltage where the complement of the input is at hand, and a core
inverter where it is not. The NMOS, driven by the core supply only, must overcome the PMOS: hence
wide and short against narrow and long (sizes assumed). From 1.1 V they reach 2.5 and 3.3 V at every
corner; transistors of the 5-V class reach 5 V at the typical corner only (a design for that has an
intermediate supply), and half of that at the slow one.
"""

from __future__ import annotations

from PySpice.Spice.Netlist import SubCircuit

from circuits.part import Part, add_parts
from devices.technology import Technology

NMOS_WIDTH = 2e-6
"""m."""
PMOS_WIDTH = 0.4e-6
"""m."""
PMOS_LENGTHS = 8
"""Length of the PMOS in shortest lengths."""


def cross_coupled(
    technology: Technology,
    tag: str,
    inputs: tuple[str, str],
    outputs: tuple[str, str],
    rail: str,
    ground: str = "0",
    path: str = "io",
) -> tuple[Part, ...]:
    """The four transistors; ``outputs`` follow ``inputs`` (the input and its complement)."""
    (a, ab), (y, yb) = inputs, outputs
    nmos, pmos = ("nmos_io", "pmos_io") if path == "io" else ("nmos", "pmos")
    length = PMOS_LENGTHS * technology.transistors[pmos].length
    return (
        Part(f"{tag}n1", nmos, (yb, a, ground, ground), NMOS_WIDTH),
        Part(f"{tag}n2", nmos, (y, ab, ground, ground), NMOS_WIDTH),
        Part(f"{tag}p1", pmos, (yb, y, rail, rail), PMOS_WIDTH, length),
        Part(f"{tag}p2", pmos, (y, yb, rail, rail), PMOS_WIDTH, length),
    )


def level_shifter_parts(technology: Technology) -> tuple[Part, ...]:
    """Transistors of the cell ``level_shifter``: an inverter of core and four I/O transistors."""
    return (
        Part("in", "nmos", ("ab", "a", "vss", "vss")),
        Part("ip", "pmos", ("ab", "a", "vdd", "vdd")),
        *cross_coupled(technology, "s", ("a", "ab"), ("y", "yb"), "vddh", "vss"),
    )


def level_shifter(technology: Technology) -> SubCircuit:
    """The cell ``level_shifter``: pins ``a y vdd vddh vss``, y = a at the level of ``vddh``."""
    circuit = SubCircuit("level_shifter", "a", "y", "vdd", "vddh", "vss")
    add_parts(circuit, technology, level_shifter_parts(technology))
    return circuit
