"""Testbenches of logic cells: input vectors in, energy per vector and static leakage out.

The energy of a period is what the cell draws from its supply plus what its own input pins take
from their drivers (V x the charge they deliver), the outputs unloaded; so gates compose by
addition, each net being paid for once, by the pins on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySpice.Spice.Netlist import Circuit, SubCircuit

from circuits.simulator import Waveforms
from circuits.sources import pwl
from devices.technology import Technology

PERIOD = 1e-9
"""s; one input vector."""
SLOPE = 40e-12
"""s; rise and fall time of inputs, near the gates' own."""


def every_transition(inputs: int) -> list[tuple[int, ...]]:
    """Input vectors in which each ordered pair of states follows directly exactly once.

    A closed walk over the complete graph with loops (a de Bruijn sequence of order 2); it has
    states^2 + 1 vectors.
    """
    states = 2**inputs
    unused = {state: list(range(states)) for state in range(states)}
    stack, walk = [0], []
    while stack:  # Hierholzer's algorithm
        if unused[stack[-1]]:
            stack.append(unused[stack[-1]].pop())
        else:
            walk.append(stack.pop())
    bits = [format(state, f"0{inputs}b") for state in reversed(walk)]
    return [tuple(int(bit) for bit in word) for word in bits]


def vector_deck(
    title: str,
    technology: Technology,
    subcircuits: Sequence[SubCircuit],
    inputs: Sequence[str],
    outputs: Sequence[str],
    vectors: Sequence[Sequence[int]],
) -> tuple[str, Circuit]:
    """Deck of the last of ``subcircuits`` driven by ``vectors``, one a period; and its circuit.

    Node names are the pin names; the supply is ``vdd``.
    """
    circuit = Circuit(title)
    circuit.raw_spice = technology.models_text() + "\n"
    for subcircuit in subcircuits:
        circuit.subcircuit(subcircuit)
    circuit.V("vdd", "vdd", circuit.gnd, technology.supply)
    for position, pin in enumerate(inputs):
        levels = [technology.supply * vector[position] for vector in vectors]
        circuit.V(pin, pin, circuit.gnd, pwl(_steps(levels)))
    circuit.X("dut", subcircuits[-1].name, *inputs, *outputs, "vdd", "0")
    stop = len(vectors) * PERIOD
    deck = (
        f"{circuit}\n.options method=gear gmin=1e-15\n.save all\n"
        f".tran {PERIOD / 100:.6g} {stop:.12g} 0 {PERIOD / 50:.6g}\n.end\n"
    )
    return deck, circuit


def energy_per_vector(
    waveforms: Waveforms, technology: Technology, inputs: Sequence[str], count: int
) -> np.ndarray:
    """Energy (J) of each of ``count`` periods: supply plus input pins."""
    time = waveforms.time
    power = -waveforms["i(vvdd)"] * technology.supply
    for pin in inputs:
        power = power + np.maximum(-waveforms[f"i(v{pin})"], 0.0) * technology.supply
    total = np.concatenate([[0.0], np.cumsum(np.diff(time) * (power[1:] + power[:-1]) / 2)])
    edges = np.arange(count + 1) * PERIOD
    return np.diff(np.interp(edges, time, total))


def settled_bits(waveforms: Waveforms, technology: Technology, node: str, count: int) -> np.ndarray:
    """Logic value of a node at the end of each period."""
    times = (np.arange(count) + 0.98) * PERIOD
    return (
        np.interp(times, waveforms.time, waveforms[f"v({node})"]) > technology.supply / 2
    ).astype(int)


def leakage_deck(
    technology: Technology, subcircuit: SubCircuit, inputs: Sequence[str], outputs: Sequence[str]
) -> str:
    """One copy of the cell in each input state, each with a supply ``vdd<state>`` of its own."""
    circuit = Circuit(f"leakage of {subcircuit.name}")
    circuit.raw_spice = technology.models_text() + "\n"
    circuit.subcircuit(subcircuit)
    circuit.V("hi", "hi", circuit.gnd, technology.supply)
    for state in range(2 ** len(inputs)):
        circuit.V(f"d{state}", f"vdd{state}", circuit.gnd, technology.supply)
        bits = format(state, f"0{len(inputs)}b")
        pins = ["hi" if bit == "1" else "0" for bit in bits]
        outs = [f"{pin}{state}" for pin in outputs]
        circuit.X(f"dut{state}", subcircuit.name, *pins, *outs, f"vdd{state}", "0")
    return f"{circuit}\n.options gmin=1e-17 abstol=1e-17\n.save all\n.tran 1n 2n\n.end\n"


def first_crossing(waveforms: Waveforms, node: str, level: float, after: float) -> float | None:
    """First time (s) after ``after`` at which a node crosses ``level``, None where it does not."""
    time, values = waveforms.time, waveforms[f"v({node})"] - level
    place = np.flatnonzero((values[:-1] * values[1:] <= 0) & (time[1:] > after))
    if place.size == 0:
        return None
    i = place[0]
    change = values[i + 1] - values[i]
    return float(time[i] if change == 0 else time[i] - values[i] * (time[i + 1] - time[i]) / change)


def _steps(levels: Sequence[float]) -> list[tuple[float, float]]:
    points = [(0.0, float(levels[0]))]
    for index in range(1, len(levels)):
        if levels[index] != levels[index - 1]:
            start = index * PERIOD
            points += [(start, levels[index - 1]), (start + SLOPE, levels[index])]
    return points
