"""The logic cells at transistor level: truth, walks, the paces and the charges of their benches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from characterization.extract.logic.walks import bits, direct, split, walk
from circuits.logic.arithmetic import summed_columns
from circuits.logic.cell import LogicCell, digits, number
from circuits.logic.gates import GATES
from circuits.logic.stimulus import (
    Pace,
    charges,
    driven_deck,
    energies,
    levels_at,
    measured_pace,
)
from circuits.ratings import stresses
from circuits.simulator import Simulator
from devices.technology import CMOS40LP

COMBINATIONAL = [name for name in GATES if name != "dff"]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def pace(simulator: Simulator) -> Pace:
    return measured_pace(simulator, CMOS40LP)


@pytest.mark.parametrize("inputs", [1, 2, 3])
def test_each_ordered_pair_of_states_occurs_once(inputs: int) -> None:
    walked = Counter((a, c) for a, _, c in direct(inputs))
    assert len(walked) == 4**inputs
    assert set(walked.values()) == {1}


@pytest.mark.parametrize("inputs", [1, 2])
def test_each_pair_of_states_follows_each_other_state_once(inputs: int) -> None:
    path = direct(inputs, 3)
    assert all(a[2] == b[0] for a, b in pairwise(path))
    triples = Counter((a[0], a[2], b[2]) for a, b in pairwise([*path, path[0]]))
    assert len(triples) == 8**inputs
    assert set(triples.values()) == {1}


@pytest.mark.parametrize(("inputs", "splits", "pulses"), [(2, 8, 8), (3, 96, 24)])
def test_a_walk_holds_every_split_change_and_every_pulse(
    inputs: int, splits: int, pulses: int
) -> None:
    paths = split(inputs)
    assert sum(a != c for a, _, c in paths) == splits
    assert sum(a == c for a, _, c in paths) == pulses
    walked = walk(paths)
    assert set(paths) <= set(walked)
    assert all(a[2] == b[0] for a, b in pairwise(walked))


@pytest.mark.parametrize("name", COMBINATIONAL)
def test_gates_compute_their_truth_within_ratings(
    simulator: Simulator, pace: Pace, name: str
) -> None:
    gate = GATES[name]
    assert gate.function is not None
    states = range(2 ** len(gate.inputs))
    vectors = [bits(state, len(gate.inputs)) for state in (*states, *reversed(states))]
    edges = {
        pin: [(index * pace.period, vector[k]) for index, vector in enumerate(vectors)]
        for k, pin in enumerate(gate.inputs)
    }
    deck, circuit = driven_deck(
        name,
        CMOS40LP,
        pace,
        [gate.subcircuit(CMOS40LP)],
        gate.inputs,
        gate.outputs,
        edges,
        len(vectors) * pace.period,
    )
    waveforms = simulator.run(deck)
    ends = (np.arange(len(vectors)) + 0.98) * pace.period
    for k, pin in enumerate(gate.outputs):
        expected = [gate.function(*vector)[k] for vector in vectors]
        assert levels_at(waveforms, CMOS40LP, pin, ends).tolist() == expected
    assert not stresses(circuit, waveforms, CMOS40LP)[0].violated


def test_fan_out_of_four_delay_is_that_of_the_published_card(pace: Pace) -> None:
    """42 ps with the published predictive 45-nm low-power card, at 1.1 V; ours within 10 %."""
    assert pace.fo4 == pytest.approx(42e-12, rel=0.1)


def test_a_slower_corner_is_slower(simulator: Simulator, pace: Pace) -> None:
    slow = measured_pace(simulator, CMOS40LP.at("ss"))
    fast = measured_pace(simulator, CMOS40LP.at("ff"))
    assert fast.fo4 < pace.fo4 < slow.fo4


def test_charges_between_cells_cancel(simulator: Simulator, pace: Pace) -> None:
    """Two inverters apart and as one cell: the energies add up to that of both supplies."""
    inverter = GATES["inv"].subcircuit(CMOS40LP)
    pair = LogicCell(
        name="pair",
        inputs=("a",),
        outputs=("y",),
        instances=(("inv", ("a", "m")), ("inv", ("m", "y"))),
        description="two inverters",
    )
    edges = {"a": [(0.0, 0), (pace.period, 1), (2 * pace.period, 0)]}
    bounds = np.array([1.0, 3.0]) * pace.period
    deck, _ = driven_deck(
        "pair", CMOS40LP, pace, [inverter, pair.subcircuit()], ("a",), ("y",), edges, bounds[-1]
    )
    waveforms = simulator.run(deck)
    (whole,) = energies(waveforms, CMOS40LP, edges, ("y",), bounds)
    # Over a full cycle the supply pays C V^2 for both inner nets; the load's own C V^2 is not ours.
    (supplied,) = -charges(waveforms, "i(vdd)", bounds) * CMOS40LP.supply
    assert 0 < whole < supplied + 3e-15
    steps = energies(waveforms, CMOS40LP, edges, ("y",), np.array([1.0, 2.0, 3.0]) * pace.period)
    assert steps.sum() == pytest.approx(whole, rel=1e-9)


@pytest.mark.parametrize("count", [3, 5, 8])
def test_a_column_is_counted(count: int) -> None:
    column = [f"x{k}" for k in range(count)]
    gates, total = summed_columns("n", [column])
    cell = LogicCell(
        name="count",
        inputs=tuple(column),
        outputs=tuple(total),
        instances=tuple(gates),
        description="parallel counter",
    )
    every = {node: (np.arange(2**count) >> k) & 1 for k, node in enumerate(column)}
    found = number(cell.evaluate(every), total)
    assert np.array_equal(found, sum(every.values()))
    assert digits(5, ["a", "b", "c"]) == {"a": 1, "b": 0, "c": 1}
