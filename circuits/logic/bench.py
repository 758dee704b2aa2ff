"""Plain decks of logic cells for reading and running by hand: ideal sources, outputs unloaded.

What is measured for the tables is measured in ``stimulus.py``, among real drivers and loads.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySpice.Spice.Netlist import Circuit, SubCircuit

from circuits.logic.stimulus import OPTIONS
from circuits.sources import pwl
from devices.technology import Technology

PERIOD = 1e-9
"""s; one input vector."""
SLOPE = 40e-12
"""s; rise and fall time of inputs, near the gates' own."""


def vector_deck(
    title: str,
    technology: Technology,
    subcircuits: Sequence[SubCircuit],
    inputs: Sequence[str],
    outputs: Sequence[str],
    vectors: Sequence[Sequence[int]],
    period: float = PERIOD,
) -> tuple[str, Circuit]:
    """Deck of the last of ``subcircuits`` driven by ``vectors``, one a period (s); its circuit.

    Node names are the pin names; the supply is ``vdd``.
    """
    circuit = Circuit(title)
    circuit.raw_spice = technology.models_text() + "\n"
    for subcircuit in subcircuits:
        circuit.subcircuit(subcircuit)
    circuit.V("vdd", "vdd", circuit.gnd, technology.supply)
    for position, pin in enumerate(inputs):
        levels = [technology.supply * vector[position] for vector in vectors]
        circuit.V(pin, pin, circuit.gnd, pwl(_steps(levels, period)))
    circuit.X("dut", subcircuits[-1].name, *inputs, *outputs, "vdd", "0")
    stop = len(vectors) * period
    deck = (
        f"{circuit}\n.options {OPTIONS}\n.save all\n"
        f".tran {PERIOD / 100:.6g} {stop:.12g} 0 {PERIOD / 50:.6g}\n.end\n"
    )
    return deck, circuit


def _steps(levels: Sequence[float], period: float) -> list[tuple[float, float]]:
    points = [(0.0, float(levels[0]))]
    for index in range(1, len(levels)):
        if levels[index] != levels[index - 1]:
            start = index * period
            points += [(start, levels[index - 1]), (start + SLOPE, levels[index])]
    return points
