"""A differential pair: two devices written independently, compared with each other when read.

The bit is 1 where the device A is in LRS and B in HRS. Equal states are a tie, which resistances
and the comparator's offset decide (``circuits.sng.chain.pair_probability``). Two LRS do so only if
the sinks draw their sense nodes well below the supply less the threshold of the comparator's PMOS,
with several times the current of a single device's sink (``sink_length``); otherwise the comparator
does not decide and the latch keeps the bit before. Both devices have their own path and write
voltage and share the control lines; nodes of B end in ``_b``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySpice.Spice.Netlist import Circuit

from circuits.part import Part, add_parts
from circuits.sng.cell import add_common, add_device
from circuits.sng.design import SngDesign
from circuits.sng.parts import path_parts, sense_parts
from devices.cbram import CBRAM
from devices.subcircuit import subcircuit
from devices.technology import Technology

SUFFIXES = ("", "_b")
"""Of the nodes of A and B."""


def pair_parts(design: SngDesign, technology: Technology) -> tuple[Part, ...]:
    """All transistors of the pair."""
    paths = [part for suffix in SUFFIXES for part in path_parts(design, technology, suffix)]
    return (*paths, *sense_parts(design, "sn_b"))


def sng_pair_circuit(
    device: CBRAM,
    technology: Technology,
    design: SngDesign,
    write_voltages: Sequence[Sequence[float]],
    set_thresholds: Sequence[Sequence[float]],
    reset_thresholds: Sequence[Sequence[float]],
    vt_shifts: Mapping[str, float] | None = None,
) -> Circuit:
    """The pair over some cycles; voltages (V) and thresholds in force have shape (2, cycles).

    Use :func:`circuits.sng.cell.sng_deck` for its transient. Raises ValueError where lengths
    differ, and for a conditional RESET: the comparison does not tell the state of either device.
    """
    if design.conditional_reset:
        raise ValueError("conditional_reset: a differential pair does not know each device's bit")
    d = design.resolved(technology)
    circuit = Circuit(f"differential SNG, {device.name}, {technology.name}")
    circuit.raw_spice = subcircuit(device) + technology.models_text()
    highest = max(max(voltages) for voltages in write_voltages)
    add_common(circuit, technology, d, highest, d.first_state)
    for suffix, voltages, sets, resets in zip(
        SUFFIXES, write_voltages, set_thresholds, reset_thresholds, strict=True
    ):
        add_device(circuit, d, suffix, voltages, sets, resets, d.first_state)
    add_parts(circuit, technology, pair_parts(d, technology), vt_shifts)
    return circuit
