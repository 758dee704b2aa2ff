"""Energy of composed cells: by table of their inputs, over streams, and against one transient."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from characterization.extract.logic.events import EventCell
from characterization.extract.logic.path import longest_path
from characterization.extract.logic.placed import Gates, node_loads, placed_delay
from characterization.extract.logic.results import LogicFault, RegisterCharacter
from characterization.extract.logic.walks import bits
from circuits.logic.cell import LogicCell
from circuits.logic.gates import GATES
from circuits.logic.stimulus import FANOUT, Pace, driven_deck, energies, levels_at
from circuits.ratings import Stress, stresses
from circuits.simulator import Simulator
from devices.technology import Technology

LARGEST_TABLE = 8
"""Inputs up to which a cell's transitions are tabled: 65,536 of them."""
PERIOD_MARGIN = 1.5
"""Least period of a composed cell, in longest paths."""


@dataclass(frozen=True)
class CompositionCheck:
    """Sums over gates against one transient of the whole cell, over the same vectors.

    Relative differences of the energy: ``events`` with skew and glitches, ``zero_delay`` from the
    settled states alone. ``spread``: standard deviation of the difference of single vectors, by
    the mean energy. ``mean_energy`` (J) of a vector, by the transient, without leakage.
    """

    events: float
    zero_delay: float
    spread: float
    mean_energy: float
    vectors: int
    transistors: int
    worst: Stress


def transition_table(cell: LogicCell, gates: Gates) -> np.ndarray:
    """Energy (J) of a cell without registers, inputs before x inputs after, as for a gate.

    Raises ValueError for a cell with registers or with more than 8 inputs.
    """
    if cell.registers or len(cell.inputs) > LARGEST_TABLE:
        raise ValueError(
            f"{cell.name}: a table is made of cells without registers and with at most "
            f"{LARGEST_TABLE} inputs; sum its energy over streams"
        )
    simulated = EventCell(cell, gates)
    arrivals = _arrivals(cell, gates, None)
    words = [bits(state, len(cell.inputs)) for state in range(2 ** len(cell.inputs))]
    rest = [cell.evaluate(dict(zip(cell.inputs, word, strict=True))) for word in words]
    table = np.zeros((len(words), len(words)))
    for (i, before), (j, after) in itertools.permutations(enumerate(rest), 2):
        table[i, j] = _step(simulated, cell, arrivals, 0.0, before, after, 0.0)
    return table


def stream_energies(
    cell: LogicCell,
    gates: Gates,
    register: RegisterCharacter | None,
    vectors: Sequence[Mapping[str, int]],
    period: float,
    history: Sequence[Mapping[str, int]] | None = None,
) -> np.ndarray:
    """Energy (J), without leakage, of each step from one of ``vectors`` to the next.

    In a cell with registers the clock rises at the start of a step, the inputs follow after the
    delay of a register, as if they came from one, and the clock falls after half a ``period`` (s).
    ``history``: the node values, where they are known.
    """
    history = history or cell.run(vectors)
    simulated = EventCell(cell, gates, register)
    arrivals, follow = _arrivals(cell, gates, register), _follow(register, cell)
    return np.array(
        [
            _step(simulated, cell, arrivals, follow, before, after, period)
            for before, after in itertools.pairwise(history)
        ]
    )


def least_period(
    cell: LogicCell, gates: Gates, register: RegisterCharacter | None, pace: Pace
) -> float:
    """A period (s) within which the cell settles; the clock's high phase is half of it."""
    needed = PERIOD_MARGIN * longest_path(cell, gates, register).delay
    return max(pace.period, 2 * needed if cell.registers else needed)


def composition_check(
    simulator: Simulator,
    technology: Technology,
    pace: Pace,
    cell: LogicCell,
    gates: Gates,
    register: RegisterCharacter | None,
    vectors: Sequence[Mapping[str, int]],
    warm: int = 1,
) -> CompositionCheck:
    """Simulate the whole cell at transistor level and compare; the first ``warm`` steps do not
    count (registers start anywhere). Raises :class:`LogicFault` where an output is wrong."""
    period = least_period(cell, gates, register, pace)
    history = cell.run(vectors)
    low = [{**values, **_clock(cell, 0)} for values in history]
    edges = _edges(cell, register, history, period)
    deck, circuit = driven_deck(
        cell.name,
        technology,
        pace,
        [*(GATES[name].subcircuit(technology) for name in cell.gates), cell.subcircuit()],
        cell.inputs,
        cell.outputs,
        edges,
        len(vectors) * period,
        drivers=input_drivers(cell, gates, register),
    )
    waveforms = simulator.run(deck)
    bounds = np.arange(len(vectors) + 1) * period
    for pin in cell.outputs:
        found = levels_at(waveforms, technology, pin, bounds[1:] - 0.02 * period)
        if not np.array_equal(found[warm:], [values[pin] for values in low[warm:]]):
            raise LogicFault(f"{cell.name}: output {pin} is wrong in {technology.name}")
    whole = energies(waveforms, technology, edges, cell.outputs, bounds)[1:]
    simulated = EventCell(cell, gates, register)
    still = np.array([simulated.leakage(simulated.settled(values)) for values in low[1:]])
    whole = whole - still * period
    events = stream_energies(cell, gates, register, vectors, period, history)
    zero = np.array([zero_delay(cell, gates, register, *pair) for pair in itertools.pairwise(low)])
    whole, events, zero = whole[warm:], events[warm:], zero[warm:]
    return CompositionCheck(
        events=float(events.sum() / whole.sum() - 1),
        zero_delay=float(zero.sum() / whole.sum() - 1),
        spread=float(np.std(events - whole) / whole.mean()),
        mean_energy=float(whole.mean()),
        vectors=whole.size,
        transistors=transistor_count(cell, technology),
        worst=stresses(circuit, waveforms, technology)[0],
    )


def zero_delay(
    cell: LogicCell,
    gates: Gates,
    register: RegisterCharacter | None,
    before: Mapping[str, int],
    after: Mapping[str, int],
) -> float:
    """Energy (J) of one step from the settled states alone: neither skew nor glitches."""
    total = 0.0
    for name, nodes in cell.instances:
        if name == "dff":
            assert register is not None
            d, _, q = nodes
            total += register.energy[0, before[q], before[d], 0]
            if before[d] != after[d]:
                total += register.energy[1, after[q], before[d], 1]
            total += register.energy[1, after[q], after[d], 0]
            continue
        pins = nodes[: len(GATES[name].inputs)]
        old, new = (int("".join(str(v[pin]) for pin in pins), 2) for v in (before, after))
        total += gates[name].energy[old, new]
    return float(total)


def transistor_count(cell: LogicCell, technology: Technology) -> int:
    """Transistors of a cell."""
    sizes = {name: len(GATES[name].subcircuit(technology)._elements) for name in cell.gates}
    return sum(sizes[name] * count for name, count in cell.gates.items())


def random_vectors(
    cell: LogicCell,
    generator: np.random.Generator,
    count: int,
    probabilities: Mapping[str, float] | None = None,
    hold: Sequence[str] = (),
    clear: int = 1,
) -> list[dict[str, int]]:
    """Independent input bits, P(1) = 1/2 where not given, vector by vector.

    Pins in ``hold`` keep their first bit. ``run``, where the cell has it, is 0 in the first
    ``clear`` vectors and 1 from then on.
    """
    given = probabilities or {}
    pins = [pin for pin in cell.data_inputs if pin != "run"]
    drawn = generator.random((count, len(pins))) < [given.get(pin, 0.5) for pin in pins]
    columns = {pin: drawn[:, k].astype(int) for k, pin in enumerate(pins)}
    for pin in hold:
        columns[pin] = np.full(count, columns[pin][0])
    if "run" in cell.data_inputs:
        columns["run"] = (np.arange(count) >= clear).astype(int)
    return [{pin: int(bit[k]) for pin, bit in columns.items()} for k in range(count)]


def _clock(cell: LogicCell, level: int) -> dict[str, int]:
    return {} if cell.clock is None else {cell.clock: level}


def _follow(register: RegisterCharacter | None, cell: LogicCell) -> float:
    """Time (s) from the clock to the inputs, in a cell with registers."""
    if not cell.registers:
        return 0.0
    assert register is not None
    return float(register.clock_to_output[:, 0].mean())


def input_drivers(
    cell: LogicCell, gates: Gates, register: RegisterCharacter | None
) -> dict[str, int]:
    """Inverters side by side on each input, so that none drives more than four."""
    loads = node_loads(cell, gates, register)
    unit = gates["inv"].light.capacitance
    return {pin: max(1, math.ceil(loads.get(pin, 0.0) / (FANOUT * unit))) for pin in cell.inputs}


def _arrivals(
    cell: LogicCell, gates: Gates, register: RegisterCharacter | None
) -> dict[str, tuple[float, float]]:
    """Delay (s) of each input's drivers, for a fall and a rise of the input."""
    loads, drivers = node_loads(cell, gates, register), input_drivers(cell, gates, register)
    found = {}
    for pin in cell.inputs:
        delay = placed_delay(gates["inv"], [loads.get(pin, 0.0) / drivers[pin]])
        found[pin] = (float(delay[0, 1, 0]), float(delay[1, 0, 0]))
    return found


def _step(
    simulated: EventCell,
    cell: LogicCell,
    arrivals: Mapping[str, tuple[float, float]],
    follow: float,
    before: Mapping[str, int],
    after: Mapping[str, int],
    period: float,
) -> float:
    changes = [
        (follow + arrivals[pin][after[pin]], pin, after[pin])
        for pin in cell.data_inputs
        if before[pin] != after[pin]
    ]
    if cell.clock is not None:
        fall, rise = arrivals[cell.clock]
        changes += [(rise, cell.clock, 1), (period / 2 + fall, cell.clock, 0)]
    return simulated.step(simulated.settled({**before, **_clock(cell, 0)}), changes)


def _edges(
    cell: LogicCell,
    register: RegisterCharacter | None,
    history: Sequence[Mapping[str, int]],
    period: float,
) -> dict[str, list[tuple[float, int]]]:
    follow = _follow(register, cell)
    edges = {pin: [(0.0, history[0][pin])] for pin in cell.data_inputs}
    if cell.clock is not None:
        edges[cell.clock] = [(0.0, 0)]
    for index, (before, after) in enumerate(itertools.pairwise(history), start=1):
        start = index * period
        if cell.clock is not None:
            edges[cell.clock] += [(start, 1), (start + period / 2, 0)]
        for pin in cell.data_inputs:
            if before[pin] != after[pin]:
                edges[pin].append((start + follow, after[pin]))
    return edges
