"""Gates by input transition: energy, delay, leakage, and what changes that do not coincide cost.

The tables of a gate are measured in a circuit like the one it will stand in (stimulus.py): driven
by inverters, with one and with four inverters to drive, and with the inputs changing together or
one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySpice.Spice.Netlist import Circuit

from characterization.extract.logic.results import (
    GateCharacter,
    LoadTable,
    LogicFault,
    Path3,
)
from characterization.extract.logic.walks import bits, chunks, direct, split, walk
from circuits.logic.gates import Gate
from circuits.logic.stimulus import (
    FANOUT,
    Pace,
    charges,
    crossings,
    driven_deck,
    energies,
    leakage_deck,
    levels_at,
    measured_pace,
)
from circuits.ratings import Stress, stresses
from circuits.simulator import Simulator, Waveforms
from devices.technology import Technology

SKEWS = (0.35, 0.7, 1.3, 2.4)
"""Distances of two input changes, in mean delays of the gate; the last is taken as separate."""
SMALL = 2
"""Inputs up to which each transition is measured after every state."""


@dataclass(frozen=True)
class _Visit:
    """One transition of a walk: energy (J), charges (C) into pins and out of outputs.

    ``delay`` (s) by output, from the mean of the inputs; ``moments`` (s): first and last crossing
    of each output after the first change.
    """

    energy: float
    pin_charge: np.ndarray
    load_charge: np.ndarray
    delay: np.ndarray
    moments: np.ndarray


_Visits = dict[Path3, list[_Visit]]


def characterise_gate(
    simulator: Simulator, technology: Technology, gate: Gate, pace: Pace | None = None
) -> GateCharacter:
    """Measure a gate; raises :class:`LogicFault` if an output is wrong.

    ``pace`` spares its measurement where many gates are characterised.
    """
    assert gate.function is not None
    pace = pace or measured_pace(simulator, technology)
    count = len(gate.inputs)
    cell = gate.subcircuit(technology)
    quiet = simulator.run(leakage_deck(technology, cell, gate.inputs, gate.outputs))
    currents = [-quiet[f"i(vdd{k})"][0] for k in range(2**count)]
    leakage = np.maximum(np.array(currents) * technology.supply, 0.0)
    worst: list[Stress] = []

    def visited(path: list[Path3], skew: float, load: int) -> _Visits:
        return _measure(simulator, technology, pace, gate, path, skew, load, leakage, worst)

    # A stack remembers more than one state: small gates are walked with every state before each.
    every = direct(count, 3 if count <= SMALL else 2)
    light, heavy = (visited(every, 0.0, load) for load in (1, FANOUT))
    tables = [_load_table(visits, gate, technology) for visits in (light, heavy)]
    delay = tables[0].delay
    slopes = (tables[1].delay - delay) / (tables[1].capacitance - tables[0].capacitance)
    skews = np.array(SKEWS if count > 1 else []) * float(np.nanmean(delay))
    parts = split(count) if count > 1 else []
    runs = [visited(walk(parts), float(skew), 1) for skew in skews]
    skewed = {path: np.array([run[path][0].energy for run in runs]) for path in parts}
    return GateCharacter(
        energy=tables[0].energy,
        leakage=leakage,
        delay=float(np.nanmax(delay)),
        worst=max(worst, key=lambda stress: stress.voltage / stress.rating),
        delay_unloaded=float(np.nanmax(delay - slopes * tables[0].capacitance)),
        light=tables[0],
        heavy=tables[1],
        pin_capacitance=_pin_capacitance(light, count, technology.supply),
        skews=skews,
        skewed=skewed,
        moments={path: np.array([run[path][0].moments for run in runs]) for path in parts},
        overlap=_overlap(tables[0].energy, skewed, skews.size),
    )


def _measure(
    simulator: Simulator,
    technology: Technology,
    pace: Pace,
    gate: Gate,
    path: list[Path3],
    skew: float,
    load: int,
    leakage: np.ndarray,
    worst: list[Stress],
) -> _Visits:
    parts = chunks(path)
    decks = [_deck(technology, pace, gate, part, skew, load) for part in parts]
    found: _Visits = {}
    results = simulator.map([deck for deck, _ in decks])
    for part, (_, circuit), waveforms in zip(parts, decks, results, strict=True):
        for step, visit in _visits(technology, pace, gate, part, skew, waveforms, leakage):
            found.setdefault(step, []).append(visit)
        worst.append(stresses(circuit, waveforms, technology)[0])
    return found


def _deck(
    technology: Technology, pace: Pace, gate: Gate, part: Sequence[Path3], skew: float, load: int
) -> tuple[str, Circuit]:
    return driven_deck(
        f"{gate.name}, {load} to drive",
        technology,
        pace,
        [gate.subcircuit(technology)],
        gate.inputs,
        gate.outputs,
        _edges(pace, gate, part, skew),
        (len(part) + 1) * pace.period,
        load,
    )


def _edges(
    pace: Pace, gate: Gate, part: Sequence[Path3], skew: float
) -> dict[str, list[tuple[float, int]]]:
    """One part of a walk, a path in each period; a period of rest comes first."""
    count = len(gate.inputs)
    edges = {}
    for k, pin in enumerate(gate.inputs):
        edges[pin] = [(0.0, bits(part[0][0], count)[k])]
        for index, (before, between, after) in enumerate(part, start=1):
            start = index * pace.period
            for when, x, y in ((start, before, between), (start + skew, between, after)):
                if bits(x, count)[k] != bits(y, count)[k]:
                    edges[pin].append((when, bits(y, count)[k]))
    return edges


def _visits(
    technology: Technology,
    pace: Pace,
    gate: Gate,
    part: Sequence[Path3],
    skew: float,
    waveforms: Waveforms,
    leakage: np.ndarray,
) -> list[tuple[Path3, _Visit]]:
    assert gate.function is not None
    count = len(gate.inputs)
    states = [part[0][0], *(path[2] for path in part)]
    outputs = np.array([gate.function(*bits(state, count)) for state in states])
    bounds = np.arange(len(states) + 1) * pace.period
    for k, pin in enumerate(gate.outputs):
        levels = levels_at(waveforms, technology, pin, bounds[1:] - 0.02 * pace.period)
        if not np.array_equal(levels, outputs[:, k]):
            raise LogicFault(f"{gate.name}: output {pin} is wrong in {technology.name}")
    edges = _edges(pace, gate, part, skew)
    energy = energies(waveforms, technology, edges, gate.outputs, bounds)
    energy = energy - leakage[states] * pace.period
    into = np.array([charges(waveforms, f"i(v{pin})", bounds) for pin in gate.inputs])
    out = np.array([charges(waveforms, f"i(v{pin})", bounds) for pin in gate.outputs])
    half = technology.supply / 2
    crossed = {pin: crossings(waveforms, pin, half) for pin in (*gate.inputs, *gate.outputs)}
    found: list[tuple[Path3, _Visit]] = []
    for index, path in enumerate(part, start=1):
        low, high = bounds[index], bounds[index + 1]
        inside = {pin: t[(t >= low) & (t < high)] for pin, t in crossed.items()}
        arrived = [inside[pin][0] for pin in gate.inputs if inside[pin].size]
        moments = np.full((len(gate.outputs), 2), np.nan)
        for k, pin in enumerate(gate.outputs):
            if inside[pin].size and arrived:
                moments[k] = inside[pin][[0, -1]] - min(arrived)
        late = np.mean(arrived) - min(arrived) if arrived else 0.0
        moved = outputs[index - 1] != outputs[index]
        delay = np.where(moved, moments[:, 1] - late, np.nan)
        visit = _Visit(float(energy[index]), into[:, index], out[:, index], delay, moments)
        found.append((path, visit))
    return found


def _load_table(visits: _Visits, gate: Gate, technology: Technology) -> LoadTable:
    assert gate.function is not None
    count = len(gate.inputs)
    states = 2**count
    energy = np.full((states, states), np.nan)
    delay = np.full((states, states, len(gate.outputs)), np.nan)
    hazard = np.full((states, states, len(gate.outputs), 2), np.nan)
    taken = []
    for (before, _, after), found in visits.items():
        energy[before, after] = np.mean([visit.energy for visit in found])
        delay[before, after] = np.mean([visit.delay for visit in found], axis=0)
        still = np.isnan(delay[before, after])
        hazard[before, after, still] = np.mean([visit.moments[still] for visit in found], axis=0)
        rises = np.array(gate.function(*bits(after, count))) - np.array(
            gate.function(*bits(before, count))
        )
        taken += [visit.load_charge[k] for k in np.flatnonzero(rises == 1) for visit in found]
    return LoadTable(float(np.mean(taken)) / technology.supply, energy, delay, hazard)


def _pin_capacitance(visits: _Visits, count: int, supply: float) -> np.ndarray:
    """Charge into each pin over a rise and out of it over a fall, by twice the supply (F)."""
    taken: list[list[float]] = [[] for _ in range(count)]
    for (before, _, after), found in visits.items():
        for k in range(count):
            step = bits(after, count)[k] - bits(before, count)[k]
            if step:
                taken[k] += [step * float(visit.pin_charge[k]) for visit in found]
    return np.array([np.mean(values) for values in taken]) / supply


def _overlap(energy: np.ndarray, skewed: dict[Path3, np.ndarray], skews: int) -> np.ndarray:
    """Least-squares share by skew, for changes that merge (row 0) and pulses (row 1)."""
    rows = []
    for pulse in (False, True):
        paths = [path for path in skewed if (path[0] == path[2]) == pulse]
        apart = np.array([energy[a, b] + energy[b, c] - energy[a, c] for a, b, c in paths])
        extra = np.array([skewed[a, b, c] - energy[a, c] for a, b, c in paths])
        rows.append(apart @ extra / (apart @ apart) if paths else np.ones(skews))
    return np.array(rows)
