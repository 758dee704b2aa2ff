"""Testbenches in which cells see what they see among other cells: real drivers, real loads.

Every input comes from an inverter, every output drives one or more. The drivers have a supply of
their own, and the charge that passes each pin is measured, so that the energy of a cell is told
apart from that of its neighbours:

    energy = V (charge from the supply) + V (charge into inputs while they are high or rise)
             - V (charge out of outputs while they are high or rise)

A net that is high or rises gets its charge through the pull-up of its driver, one that falls or is
low has the pull-down. Summed over the cells of a circuit, the charges on the nets between them
cancel: the sum is what the circuit takes from its supply, each net being paid for once, by the pins
on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PySpice.Spice.Netlist import Circuit, SubCircuit

from circuits.logic.gates import GATES
from circuits.simulator import Simulator, Waveforms
from circuits.sources import pwl
from devices.technology import Technology

FANOUT = 4
OPTIONS = "method=trap gmin=1e-15 chgtol=1e-17"
"""ngspice's own charge tolerance, 1e-14 C, exceeds the charges of these cells: with it energies
are up to 10 % off. With these they stay within 0.1 % in the mean, 1 % of the mean each, of those
at a step forty times finer."""

Edges = Mapping[str, Sequence[tuple[float, int]]]
"""Per input: (time, level); the first entry is the level from the start on."""


@dataclass(frozen=True)
class Pace:
    """How fast a technology is at its corner and temperature.

    ``fo4`` (s): delay of an inverter that drives four; ``period`` (s): time given to one input
    vector; ``slope`` (s): full rise or fall of the sources ahead of the drivers.
    """

    fo4: float

    @property
    def period(self) -> float:
        return 30 * self.fo4

    @property
    def slope(self) -> float:
        return self.fo4

    @property
    def step(self) -> float:
        """s; the longest time step."""
        return 2 * self.fo4


def measured_pace(simulator: Simulator, technology: Technology) -> Pace:
    """Simulate a chain of inverters, each with four inverters to drive."""
    circuit = _circuit("FO4", technology, [GATES["inv"].subcircuit(technology)])
    supply = technology.supply
    guess = 1e-9
    circuit.V("in", "n0", circuit.gnd, pwl([(0, 0), (guess, 0), (1.05 * guess, supply)]))
    for stage in range(4):
        for copy in range(1 if stage == 0 else FANOUT):
            out = f"n{stage + 1}" if copy == 0 else f"n{stage + 1}_{copy}"
            circuit.X(f"i{stage}_{copy}", "inv", f"n{stage}", out, "vdd", "0")
    waveforms = simulator.run(_text(circuit, guess / 100, 10 * guess, ("v(n1)", "v(n3)")))
    times = [crossings(waveforms, node, supply / 2)[0] for node in ("n1", "n3")]
    return Pace((times[1] - times[0]) / 2)


def driven_deck(
    title: str,
    technology: Technology,
    pace: Pace,
    subcircuits: Sequence[SubCircuit],
    inputs: Sequence[str],
    outputs: Sequence[str],
    edges: Edges,
    stop: float,
    load: int = 1,
    drivers: Mapping[str, int] | None = None,
) -> tuple[str, Circuit]:
    """Deck of the last of ``subcircuits``, its inputs driven and its outputs loaded by inverters.

    ``load`` inverters hang on every output; ``drivers`` (one where not given) drive an input.
    Saved: all nodes, the currents of pins (``i(v<pin>)``, into inputs, out of outputs) and
    ``i(vdd)``, the cell's supply.
    """
    circuit = _circuit(title, technology, subcircuits)
    supply = technology.supply
    if "inv" not in [subcircuit.name for subcircuit in subcircuits]:
        circuit.subcircuit(GATES["inv"].subcircuit(technology))
    circuit.V("aux", "vaux", circuit.gnd, supply)
    for pin in inputs:
        points = _ramps([(time, supply * (1 - level)) for time, level in edges[pin]], pace.slope)
        circuit.V(f"src_{pin}", f"src_{pin}", circuit.gnd, pwl(points))
        for copy in range((drivers or {}).get(pin, 1)):
            circuit.X(f"drv_{pin}_{copy}", "inv", f"src_{pin}", f"drv_{pin}", "vaux", "0")
        circuit.V(pin, f"drv_{pin}", pin, 0)
    for pin in outputs:
        circuit.V(pin, pin, f"load_{pin}", 0)
        for copy in range(load):
            circuit.X(f"load_{pin}_{copy}", "inv", f"load_{pin}", f"nc_{pin}_{copy}", "vaux", "0")
    circuit.X("dut", subcircuits[-1].name, *inputs, *outputs, "vdd", "0")
    return _text(circuit, pace.step, stop, ("all",)), circuit


def charges(waveforms: Waveforms, name: str, bounds: np.ndarray) -> np.ndarray:
    """Charge (C) that passes a current vector between successive times."""
    time, current = waveforms.time, waveforms[name]
    total = np.concatenate([[0.0], np.cumsum(np.diff(time) * (current[1:] + current[:-1]) / 2)])
    return np.diff(np.interp(bounds, time, total))


def energies(
    waveforms: Waveforms,
    technology: Technology,
    edges: Edges,
    outputs: Sequence[str],
    bounds: np.ndarray,
) -> np.ndarray:
    """Energy (J) between successive times, by the rule at the head of this file."""
    charge = -charges(waveforms, "i(vdd)", bounds)
    every = np.unique([time for steps in edges.values() for time, _ in steps])
    for pin, steps in edges.items():
        own = np.array([time for time, _ in steps])
        charge = charge + _paid(waveforms, pin, technology.supply, own, bounds)
    for pin in outputs:
        charge = charge - _paid(waveforms, pin, technology.supply, every, bounds)
    return charge * technology.supply


def _paid(
    waveforms: Waveforms, pin: str, supply: float, marks: np.ndarray, bounds: np.ndarray
) -> np.ndarray:
    """Charge (C) that passes a pin between ``bounds`` while it is high or on its way up.

    A way to the other level begins at the last of ``marks`` (times at which a source moved) before
    the node crosses half the supply; where it crosses twice without one between, at the turning
    point of the pulse.
    """
    time, voltage = waveforms.time, waveforms[f"v({pin})"]
    crossed = crossings(waveforms, pin, supply / 2)
    cuts = [time[0]]
    for before, after in zip([time[0], *crossed], crossed, strict=False):
        inside = marks[(marks >= before) & (marks < after)]
        if inside.size:
            cuts.append(inside[-1])
        else:
            first, last = np.searchsorted(time, (before, after))
            part = np.abs(voltage[first : max(last, first + 1)] - supply / 2)
            cuts.append(time[first + int(np.argmax(part))])
    level = np.empty(len(cuts), dtype=bool)
    level[0::2] = voltage[0] > supply / 2
    level[1::2] = not level[0]
    stops = np.unique([*cuts, *bounds])
    passed = charges(waveforms, f"i(v{pin})", stops)
    high = level[np.searchsorted(cuts, stops[:-1], side="right") - 1]
    total = np.concatenate([[0.0], np.cumsum(passed * high)])
    return np.diff(np.interp(bounds, stops, total))


def levels_at(
    waveforms: Waveforms, technology: Technology, node: str, at: np.ndarray
) -> np.ndarray:
    """Logic levels (0 or 1) of a node at given times."""
    values = np.interp(at, waveforms.time, waveforms[f"v({node})"])
    return (values > technology.supply / 2).astype(int)


def crossings(waveforms: Waveforms, node: str, level: float) -> np.ndarray:
    """All times (s) at which a node crosses a voltage, linear between time steps."""
    time, values = waveforms.time, waveforms[f"v({node})"] - level
    place = np.flatnonzero((values[:-1] < 0) != (values[1:] < 0))
    share = values[place] / (values[place] - values[place + 1])
    return time[place] + share * (time[place + 1] - time[place])


def leakage_deck(
    technology: Technology,
    subcircuit: SubCircuit,
    inputs: Sequence[str],
    outputs: Sequence[str],
    nodesets: Sequence[Mapping[str, int]] | None = None,
) -> str:
    """One copy of the cell in each input state, each with a supply ``vdd<copy>`` of its own.

    ``nodesets`` gives, for a cell with memory, copy by copy the levels of input pins and of inner
    nodes (names with "." come from inside the copy) from which the operating point starts.
    """
    circuit = _circuit(f"leakage of {subcircuit.name}", technology, [subcircuit])
    circuit.V("hi", "hi", circuit.gnd, technology.supply)
    count = len(inputs)
    if nodesets is None:
        states = range(2**count)
        nodesets = [
            {pin: (state >> (count - 1 - k)) & 1 for k, pin in enumerate(inputs)}
            for state in states
        ]
    starts = []
    for copy, nodes in enumerate(nodesets):
        circuit.V(f"dd{copy}", f"vdd{copy}", circuit.gnd, technology.supply)
        pins = ["hi" if nodes[pin] else "0" for pin in inputs]
        outs = [f"{pin}{copy}" for pin in outputs]
        circuit.X(f"dut{copy}", subcircuit.name, *pins, *outs, f"vdd{copy}", "0")
        for node, level in nodes.items():
            if node not in inputs:
                inner = f"xdut{copy}{node}" if node.startswith(".") else f"{node}{copy}"
                starts.append(f".nodeset v({inner})={level * technology.supply:.6g}")
    body = "\n".join([str(circuit), ".options gmin=1e-16 abstol=1e-15", ".save all", *starts])
    return f"{body}\n.tran 1n 2n\n.end\n"


def capacitor_deck(
    title: str,
    technology: Technology,
    subcircuit: SubCircuit,
    inputs: Sequence[str],
    outputs: Sequence[str],
    ramps: Mapping[str, Sequence[tuple[float, float]]],
    capacitance: float,
    stop: float,
    step: float,
) -> str:
    """Deck of one cell driven by ideal ramps (points of time, voltage), capacitors at outputs."""
    circuit = _circuit(title, technology, [subcircuit])
    for pin in inputs:
        circuit.V(pin, pin, circuit.gnd, pwl(ramps[pin]))
    for pin in outputs:
        circuit.C(pin, pin, circuit.gnd, capacitance)
    circuit.X("dut", subcircuit.name, *inputs, *outputs, "vdd", "0")
    return _text(circuit, step, stop, tuple(f"v({pin})" for pin in (*inputs, *outputs)))


def _circuit(title: str, technology: Technology, subcircuits: Sequence[SubCircuit]) -> Circuit:
    circuit = Circuit(title)
    circuit.raw_spice = technology.models_text() + "\n"
    for subcircuit in subcircuits:
        circuit.subcircuit(subcircuit)
    circuit.V("dd", "vdd", circuit.gnd, technology.supply)
    return circuit


def _text(circuit: Circuit, step: float, stop: float, saved: Sequence[str]) -> str:
    return (
        f"{circuit}\n.options {OPTIONS}\n.save {' '.join(saved)}\n"
        f".tran {step / 2:.6g} {stop:.12g} 0 {step:.6g}\n.end\n"
    )


def _ramps(steps: Sequence[tuple[float, float]], slope: float) -> list[tuple[float, float]]:
    """Points of a source that ramps to each level; a ramp cut short turns where it is."""
    points = [(0.0, float(steps[0][1]))]
    swing = max(abs(level - steps[0][1]) for _, level in steps) or 1.0
    for time, level in steps[1:]:
        if time < points[-1][0]:
            last, before = points.pop(), points[-1]
            share = (time - before[0]) / (last[0] - before[0])
            points.append((time, before[1] + share * (last[1] - before[1])))
        elif time > points[-1][0]:
            points.append((time, points[-1][1]))
        duration = slope * abs(level - points[-1][1]) / swing
        if duration > 0:
            points.append((points[-1][0] + duration, level))
    return points
