"""Delay and output slew of a gate over input slew and output load, as a timing library has them.

Measured with ideal ramps at one input and capacitors at the outputs, in every state of the other
inputs in which the output follows.
"""

from __future__ import annotations

import numpy as np

from characterization.extract.logic.results import LogicFault, Path3, Timing
from characterization.extract.logic.walks import bits, walk
from circuits.logic.gates import Gate
from circuits.logic.stimulus import Pace, capacitor_deck, crossings, levels_at
from circuits.simulator import Simulator, Waveforms
from devices.technology import Technology

SLEWS = (1.0, 3.0, 9.0)
"""Full input ramps, in FO4 delays."""
LOADS = (1.0, 4.0, 12.0)
"""Output loads, in inputs of an inverter."""

Arc = tuple[str, str, str, str]
"""Input, output, edge of the output, edge of the input ("rise" or "fall")."""


def characterise_timing(
    simulator: Simulator,
    technology: Technology,
    gate: Gate,
    pace: Pace,
    inverter_input: float,
) -> Timing:
    """Measure a combinational gate; ``inverter_input`` (F) is the input of an inverter.

    Raises :class:`LogicFault` where an output does not settle to its truth.
    """
    slews = tuple(share * pace.fo4 for share in SLEWS)
    loads = tuple(share * inverter_input for share in LOADS)
    toggles = [
        (state, state ^ (1 << k), state ^ (1 << k))
        for state in range(2 ** len(gate.inputs))
        for k in range(len(gate.inputs))
    ]
    path = walk(toggles)
    period = 2 * pace.period + max(slews)
    decks = [
        _deck(technology, gate, path, slew, load, period, pace.step)
        for slew in slews
        for load in loads
    ]
    shape = (len(slews), len(loads))
    arcs: dict[Arc, tuple[np.ndarray, np.ndarray]] = {}
    for place, waveforms in enumerate(simulator.map(decks)):
        cell = np.unravel_index(place, shape)
        for arc, delay, slew in _measured(technology, gate, path, period, waveforms):
            tables = arcs.setdefault(arc, (np.full(shape, -np.inf), np.full(shape, -np.inf)))
            tables[0][cell] = max(tables[0][cell], delay)
            tables[1][cell] = max(tables[1][cell], slew)
    return Timing(slews, loads, arcs)


def _deck(
    technology: Technology,
    gate: Gate,
    path: list[Path3],
    slew: float,
    load: float,
    period: float,
    step: float,
) -> str:
    count, supply = len(gate.inputs), technology.supply
    ramps = {}
    for k, pin in enumerate(gate.inputs):
        points = [(0.0, supply * bits(path[0][0], count)[k])]
        for index, (before, _, after) in enumerate(path, start=1):
            old, new = bits(before, count)[k], bits(after, count)[k]
            if old != new:
                start = index * period
                points += [(start, supply * old), (start + slew, supply * new)]
        ramps[pin] = points
    return capacitor_deck(
        f"timing of {gate.name}",
        technology,
        gate.subcircuit(technology),
        gate.inputs,
        gate.outputs,
        ramps,
        load,
        (len(path) + 1) * period,
        step,
    )


def _measured(
    technology: Technology, gate: Gate, path: list[Path3], period: float, waveforms: Waveforms
) -> list[tuple[Arc, float, float]]:
    assert gate.function is not None
    count, supply = len(gate.inputs), technology.supply
    nodes = (*gate.inputs, *gate.outputs)
    crossed = {
        (pin, share): crossings(waveforms, pin, share * supply)
        for pin in nodes
        for share in (0.1, 0.5, 0.9)
    }
    found = []
    for index, (before, _, after) in enumerate(path, start=1):
        old, new = bits(before, count), bits(after, count)
        (moved,) = (k for k in range(count) if old[k] != new[k])
        low, high = index * period, (index + 1) * period
        for place, pin in enumerate(gate.outputs):
            level = gate.function(*new)[place]
            if levels_at(waveforms, technology, pin, np.array([high - 0.02 * period]))[0] != level:
                raise LogicFault(f"{gate.name}: output {pin} is wrong in {technology.name}")
            if gate.function(*old)[place] == level:
                continue

            def last(node: str, share: float, low: float = low, high: float = high) -> float:
                times = crossed[node, share]
                return float(times[(times >= low) & (times < high)][-1])

            source = gate.inputs[moved]
            edges = ("fall", "rise")
            arc = (source, pin, edges[level], edges[new[moved]])
            slew = abs(last(pin, 0.9) - last(pin, 0.1))
            found.append((arc, last(pin, 0.5) - last(source, 0.5), slew))
    return found
