"""The flip-flop by clock and data: one energy for each toggle from each state."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import replace

import numpy as np

from characterization.extract.logic.results import LogicFault, RegisterCharacter
from circuits.logic.gates import GATES
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
from circuits.ratings import stresses
from circuits.simulator import Simulator
from devices.technology import Technology

State = tuple[int, int, int]
"""clk, q, d."""
CLOCK, DATA = 0, 1
EVENTS = ("clk", "d")


def after(state: State, event: int) -> State:
    """The state after the clock (0) or the data (1) toggles."""
    clk, q, d = state
    if event == DATA:
        return clk, q, 1 - d
    return 1 - clk, d if clk == 0 else q, d


def every_toggle() -> list[tuple[State, int]]:
    """A walk that holds each toggle from each state at least once, the nearest new one next."""
    wanted: set[tuple[State, int]] = {
        ((clk, q, d), event) for clk, q, d, event in itertools.product((0, 1), repeat=4)
    }
    walk: list[tuple[State, int]] = []
    state: State = (0, 0, 0)
    while wanted:
        found = _shortest(state, wanted)
        walk += found
        wanted -= set(found)
        state = after(*walk[-1])
    return walk


def characterise_flip_flop(
    simulator: Simulator, technology: Technology, pace: Pace | None = None
) -> RegisterCharacter:
    """Measure the flip-flop; raises :class:`LogicFault` where the data are not taken."""
    pace = pace or measured_pace(simulator, technology)
    light, heavy = (_measured(simulator, technology, pace, load) for load in (1, FANOUT))
    return replace(
        light,
        clock_to_output=np.stack([light.clock_to_output[:, 0], heavy.clock_to_output[:, 0]], 1),
        loads=(light.loads[0], heavy.loads[0]),
    )


def _measured(
    simulator: Simulator, technology: Technology, pace: Pace, load: int
) -> RegisterCharacter:
    gate = GATES["dff"]
    cell = gate.subcircuit(technology)
    leakage = _leakage(simulator, technology)
    # One clock with d = 0 first: whatever the latches held, q is 0 then.
    warm: list[tuple[State, int]] = [((0, 0, 0), CLOCK), ((1, 0, 0), CLOCK)]
    walk = warm + every_toggle()
    states = [walk[0][0], *(after(*step) for step in walk)]
    edges: dict[str, list[tuple[float, int]]] = {"d": [(0.0, 0)], "clk": [(0.0, 0)]}
    for index, state in enumerate(states[1:], start=1):
        for pin, level in (("clk", state[0]), ("d", state[2])):
            if level != edges[pin][-1][1]:
                edges[pin].append((index * pace.period, level))
    stop = len(states) * pace.period
    deck, circuit = driven_deck(
        "flip-flop", technology, pace, [cell], gate.inputs, gate.outputs, edges, stop, load
    )
    waveforms = simulator.run(deck)
    bounds = np.arange(len(states) + 1) * pace.period
    levels = dict(zip(("clk", "q", "d"), np.array(states).T, strict=True))
    found = levels_at(waveforms, technology, "q", bounds[1:] - 0.02 * pace.period)
    if not np.array_equal(found[1:], levels["q"][1:]):
        raise LogicFault(f"dff: does not take its data in {technology.name}")
    total = energies(waveforms, technology, edges, gate.outputs, bounds)
    into = {pin: charges(waveforms, f"i(v{pin})", bounds) for pin in (*gate.inputs, "q")}
    half = technology.supply / 2
    moments = {pin: crossings(waveforms, pin, half) for pin in ("clk", "q")}
    sums, visits = np.zeros((2, 2, 2, 2)), np.zeros((2, 2, 2, 2))
    delays: tuple[list[float], list[float]] = ([], [])
    taken: dict[str, list[float]] = {pin: [] for pin in (*gate.inputs, "q")}
    for index, (state, event) in enumerate(walk, start=1):
        if index <= len(warm):
            continue
        new = after(state, event)
        sums[(*state, event)] += total[index] - leakage[new] * pace.period
        visits[(*state, event)] += 1
        pin = EVENTS[event]
        sign = 1 if new[0 if event == CLOCK else 2] else -1
        taken[pin].append(sign * float(into[pin][index]))
        if new[1] != state[1]:
            taken["q"].append(float(into["q"][index]) * (new[1] - state[1]))
            start, end = (
                next(t for t in moments[node] if bounds[index] <= t < bounds[index + 1])
                for node in ("clk", "q")
            )
            delays[1 - new[1]].append(float(end - start))
    energy = sums / visits
    return RegisterCharacter(
        hold=float(np.mean([energy[0, b, b, 0] + energy[1, b, b, 0] for b in (0, 1)])),
        toggle=float(
            np.mean(
                [
                    energy[1, b, b, 1] + energy[1, b, 1 - b, 0] + energy[0, b, 1 - b, 0]
                    for b in (0, 1)
                ]
            )
        ),
        leakage=float(leakage.mean()),
        worst=stresses(circuit, waveforms, technology)[0],
        energy=energy,
        state_leakage=leakage,
        clock_to_output=np.array([[np.mean(delays[0])], [np.mean(delays[1])]]),
        loads=(float(np.mean(taken["q"])) / technology.supply,) * 2,
        pin_capacitance=np.array([np.mean(taken[pin]) for pin in gate.inputs]) / technology.supply,
    )


def _leakage(simulator: Simulator, technology: Technology) -> np.ndarray:
    """Leakage (W) by clk, q, d; the latches are put into their state by the start of the search."""
    gate = GATES["dff"]
    cell = gate.subcircuit(technology)
    states = list(itertools.product((0, 1), repeat=3))
    starts = []
    for clk, q, d in states:
        master = q if clk else d
        inner = {".m": master, ".mn": 1 - master, ".mf": master, ".r": 1 - q, ".rf": 1 - q}
        starts.append({"clk": clk, "d": d, "q": q, **inner})
    deck = leakage_deck(technology, cell, gate.inputs, gate.outputs, starts)
    quiet = simulator.run(deck)
    leakage = np.zeros((2, 2, 2))
    for copy, state in enumerate(states):
        if (quiet[f"v(q{copy})"][0] > technology.supply / 2) != bool(state[1]):
            raise LogicFault(f"dff: does not hold q = {state[1]} in {technology.name}")
        leakage[state] = max(0.0, -quiet[f"i(vdd{copy})"][0] * technology.supply)
    return leakage


def _shortest(start: State, wanted: set[tuple[State, int]]) -> list[tuple[State, int]]:
    queue: deque[tuple[State, list[tuple[State, int]]]] = deque([(start, [])])
    seen = {start}
    while queue:
        state, steps = queue.popleft()
        for event in (CLOCK, DATA):
            if (state, event) in wanted:
                return [*steps, (state, event)]
        for event in (CLOCK, DATA):
            new = after(state, event)
            if new not in seen:
                seen.add(new)
                queue.append((new, [*steps, (state, event)]))
    raise AssertionError("every state can be reached")
