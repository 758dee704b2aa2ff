"""A characterised gate or flip-flop at its place in a cell: its tables at the loads it drives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from characterization.extract.logic.results import GateCharacter, Path3, RegisterCharacter
from circuits.logic.cell import REGISTER, LogicCell
from circuits.logic.gates import GATES

Gates = Mapping[str, GateCharacter]


@dataclass(frozen=True)
class PlacedGate:
    """A gate at its loads: numbers of its nodes, and its tables as lists."""

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    results: list[tuple[int, ...]]
    energy: list[list[float]]
    plain: list[list[float]]
    delay: list[list[list[float]]]
    plain_delay: list[list[list[float]]]
    hazard: list[list[list[list[float]]]]
    leakage: list[float]
    skews: list[float]
    skewed: dict[Path3, list[float]]
    reaction: dict[Path3, list[tuple[str, list[float]]]]
    """For each output "width" of a pulse, "time" of a change after the first one, or "none"."""
    overlap: list[list[float]]


@dataclass(frozen=True)
class PlacedRegister:
    """A flip-flop at its load: numbers of its nodes, delays (s) to a fall and a rise of q."""

    data: int
    clock: int
    output: int
    energy: list
    delays: tuple[float, float]
    leakage: list


def node_loads(
    cell: LogicCell, gates: Gates, register: RegisterCharacter | None
) -> dict[str, float]:
    """Capacitance (F) of the pins on each node; an output of the cell drives one inverter more."""
    loads: dict[str, float] = {}
    for name, nodes in cell.instances:
        pins = nodes[:2] if name == REGISTER else nodes[: len(GATES[name].inputs)]
        if name == REGISTER:
            assert register is not None, "the character of the registers is needed"
            capacitance = register.pin_capacitance
        else:
            capacitance = gates[name].pin_capacitance
        for node, value in zip(pins, capacitance, strict=True):
            loads[node] = loads.get(node, 0.0) + float(value)
        for node in nodes[len(pins) :]:
            loads.setdefault(node, 0.0)
    inverter = next(iter(gates.values())).light.capacitance
    for node in cell.outputs:
        loads[node] = loads.get(node, 0.0) + inverter
    return loads


def placed_delay(gate: GateCharacter, loads: list[float]) -> np.ndarray:
    """Delays (s) by state before, state after and output, at the load (F) of each output."""
    span = gate.heavy.capacitance - gate.light.capacitance
    weight = (np.array(loads) - gate.light.capacitance) / span
    delay = gate.light.delay + weight * (gate.heavy.delay - gate.light.delay)
    return np.maximum(delay, 0.1 * gate.light.delay)


def placed_gate(
    name: str, numbers: tuple[int, ...], gate: GateCharacter, loads: list[float]
) -> PlacedGate:
    model = GATES[name]
    assert model.function is not None
    count = len(model.inputs)
    span = gate.heavy.capacitance - gate.light.capacitance
    weight = float(np.mean((np.array(loads) - gate.light.capacitance) / span))
    energy = gate.light.energy + weight * (gate.heavy.energy - gate.light.energy)
    states = range(2**count)
    bits = [tuple((state >> (count - 1 - k)) & 1 for k in range(count)) for state in states]
    results = [model.function(*word) for word in bits]
    skewed = {path: values.tolist() for path, values in gate.skewed.items()}
    return PlacedGate(
        inputs=numbers[:count],
        outputs=numbers[count:],
        results=results,
        energy=energy.tolist(),
        plain=gate.light.energy.tolist(),
        delay=_filled(placed_delay(gate, loads)).tolist(),
        plain_delay=_filled(gate.light.delay.copy()).tolist(),
        hazard=_at_load(gate, gate.light.hazard, gate.heavy.hazard, loads).tolist(),
        leakage=gate.leakage.tolist(),
        skews=[0.0, *gate.skews.tolist()],
        skewed={path: [gate.light.energy[path[0], path[2]], *row] for path, row in skewed.items()},
        reaction={path: _reaction(gate, path, results) for path in gate.moments},
        overlap=[[0.0, *row] for row in gate.overlap.tolist()],
    )


def _at_load(
    gate: GateCharacter, light: np.ndarray, heavy: np.ndarray, loads: list[float]
) -> np.ndarray:
    """Times of pulses, state before x state after x output x 2, at the load (F) of each output."""
    span = gate.heavy.capacitance - gate.light.capacitance
    weight = ((np.array(loads) - gate.light.capacitance) / span)[:, None]
    return light + weight * (heavy - light)


def _filled(delay: np.ndarray) -> np.ndarray:
    """A state that is only passed through has no delay of its own: the mean of its fellows."""
    for output in range(delay.shape[2]):
        table = delay[:, :, output]
        for after in range(table.shape[1]):
            known = table[:, after][~np.isnan(table[:, after])]
            table[np.isnan(table[:, after]), after] = known.mean() if known.size else 0.0
    return delay


def _reaction(
    gate: GateCharacter, path: Path3, results: list[tuple[int, ...]]
) -> list[tuple[str, list[float]]]:
    first, between, last = path
    found: list[tuple[str, list[float]]] = []
    for k, level in enumerate(results[last]):
        begin, end = gate.moments[path][:, k, 0], gate.moments[path][:, k, 1]
        direct = float(gate.light.delay[first, last, k])
        if level != results[first][k] and not np.isnan([direct, *end]).any():
            found.append(("time", [direct, *end.tolist()]))
        elif level == results[first][k] != results[between][k]:
            hazard = gate.light.hazard[first, last, k]
            found.append(("width", _widths(gate.skews, end - begin, float(hazard[1] - hazard[0]))))
        else:
            found.append(("none", []))
    return found


def _widths(skews: np.ndarray, measured: np.ndarray, direct: float) -> list[float]:
    """Widths (s) of an output pulse over skew 0 and ``skews``; negative where there is none.

    ``direct``: of the pulse when both changes coincide, NaN where there is none.

    Below the shortest skew that lets a pulse through, the line through it and the next one.
    """
    if not np.isnan(direct):
        return [direct, *np.nan_to_num(measured).tolist()]
    there = np.flatnonzero(~np.isnan(measured))
    if there.size < 2:
        return [0.0, *np.nan_to_num(measured).tolist()]
    first, second = there[:2]
    rate = (measured[second] - measured[first]) / (skews[second] - skews[first])
    line = measured[first] + rate * (skews - skews[first])
    widths = np.where(np.isnan(measured), np.minimum(line, 0.0), measured)
    return [min(0.0, float(measured[first] - rate * skews[first])), *widths.tolist()]


def register_delays(register: RegisterCharacter, load: float) -> tuple[float, float]:
    """Delay (s) from the clock to a rise and a fall of the output that drives ``load`` (F)."""
    light, heavy = register.loads
    weight = (load - light) / (heavy - light)
    rise, fall = register.clock_to_output @ np.array([1 - weight, weight])
    return float(rise), float(fall)


def placed_register(
    numbers: tuple[int, ...], register: RegisterCharacter, load: float
) -> PlacedRegister:
    data, clock, output = numbers
    rise, fall = register_delays(register, load)
    return PlacedRegister(
        data,
        clock,
        output,
        register.energy.tolist(),
        (fall, rise),
        register.state_leakage.tolist(),
    )
