"""State machines: packed runs against the definition, and what they compute in the long run."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from system.bitstream import BitStream
from system.elements import chains, counted, counter_moments, machines
from system.elements.laws import independent, pair
from system.elements.machine import Machine, run, run_definition

MACHINES = {
    m.name: m
    for m in (
        machines.stanh(2),
        machines.stanh(8),
        machines.exponential(16, 3),
        machines.relu(8),
        machines.maximum(5),
        machines.minimum(3),
        machines.toggle_adder(),
        machines.gain(3, 20),
    )
}


def streams_of(machine: Machine, shape: tuple[int, ...], length: int, seed: int = 0) -> np.ndarray:
    """Bits (inputs, *shape, length) of mixed probability."""
    rng = np.random.default_rng(seed)
    p = rng.random((machine.inputs, *shape, 1))
    return np.asarray(rng.random((machine.inputs, *shape, length)) < p)


def symbols_of(bits: np.ndarray) -> np.ndarray:
    return np.asarray(sum(b.astype(int) << j for j, b in enumerate(bits)))


@pytest.mark.parametrize("length", [1, 3, 63, 64, 65, 200, 256])
@pytest.mark.parametrize("name", MACHINES)
def test_a_packed_run_is_the_definition_bit_for_bit(name: str, length: int) -> None:
    machine = MACHINES[name]
    for shape in ((), (1,), (7,), (3, 45)):
        bits = streams_of(machine, shape, length, length)
        out, state = run(machine, *(BitStream.pack(b) for b in bits))
        expected, reached = run_definition(machine, symbols_of(bits))
        assert out.shape == shape
        assert np.array_equal(out.unpack(), expected)
        assert np.array_equal(state, reached)


@pytest.mark.parametrize("name", MACHINES)
def test_pieces_of_a_stream_with_the_state_carried_are_the_whole(name: str) -> None:
    machine = MACHINES[name]
    bits = streams_of(machine, (6,), 300, 2)
    whole, last = run(machine, *(BitStream.pack(b) for b in bits))
    state, parts = None, []
    for low, high in ((0, 1), (1, 70), (70, 134), (134, 300)):
        part, state = run(machine, *(BitStream.pack(b[..., low:high]) for b in bits), state=state)
        parts.append(part.unpack())
    assert np.array_equal(np.concatenate(parts, -1), whole.unpack())
    assert state is not None
    assert np.array_equal(state, last)


def test_runs_are_the_same_for_any_number_of_threads() -> None:
    machine = machines.maximum(4)
    bits = streams_of(machine, (301,), 130, 3)
    results = []
    before = numba.get_num_threads()
    try:
        for threads in (1, before):
            numba.set_num_threads(threads)
            results.append(run(machine, *(BitStream.pack(b) for b in bits))[0].words)
    finally:
        numba.set_num_threads(before)
    assert np.array_equal(*results)


def test_one_stream_meets_many() -> None:
    machine = machines.maximum(300)
    bits = streams_of(machine, (5,), 100, 4)
    one, many = BitStream.pack(bits[0, 0]), BitStream.pack(bits[1])
    out, _ = run(machine, one, many)
    assert np.array_equal(out.count(), np.maximum(one.count(), many.count()))


@pytest.mark.parametrize("length", [1, 64, 90, 256])
@pytest.mark.parametrize(("fan_in", "states"), [(1, 4), (9, 18), (64, 100)])
def test_btanh_on_counts_is_the_definition_whole_and_in_pieces(
    fan_in: int, states: int, length: int
) -> None:
    counts = np.random.default_rng(fan_in).integers(0, fan_in + 1, (2, 5, length))
    machine = machines.btanh(fan_in, states)
    expected, reached = run_definition(machine, counts)
    out, state = counted.run_btanh(counts, fan_in, states)
    assert np.array_equal(out.unpack(), expected)
    assert np.array_equal(state, reached)
    if length > 1:
        cut = length // 3
        head, state = counted.run_btanh(counts[..., :cut], fan_in, states)
        tail, state = counted.run_btanh(counts[..., cut:], fan_in, states, state)
        assert np.array_equal(np.concatenate([head.unpack(), tail.unpack()], -1), expected)
        assert np.array_equal(state, reached)


X = np.linspace(-0.95, 0.95, 39)
INPUT = chains.independent_source(np.stack([(1 - X) / 2, (1 + X) / 2], -1))


@pytest.mark.parametrize("states", [2, 4, 8, 16, 32])
def test_stanh_is_tanh_of_artanh_exactly_and_near_the_published_tanh(states: int) -> None:
    """Stated error of tanh(K x/2): below 0.88/K^2 from K = 4 on (0.055 at 4, 0.0131 at 8)."""
    value = 2 * chains.stationary_mean(machines.stanh(states), INPUT) - 1
    assert value == pytest.approx(np.tanh(states / 2 * np.arctanh(X)), abs=1e-9)
    if states >= 4:
        error = np.abs(value - np.tanh(states * X / 2)).max()
        assert 0.75 / states**2 < error < 0.88 / states**2


def test_sexp_is_its_closed_form_and_near_the_published_exponential() -> None:
    states, gain = 16, 2
    ratio = (1 + X) / (1 - X)
    with np.errstate(invalid="ignore"):
        closed = (1 - ratio ** (states - gain)) / (1 - ratio**states)
    closed[np.isclose(X, 0)] = (states - gain) / states
    value = chains.stationary_mean(machines.exponential(states, gain), INPUT)
    assert value == pytest.approx(closed, abs=1e-9)
    small = (X > 0.25) & (X < 0.5)
    assert np.abs(value - np.exp(-2 * gain * X))[small].max() < 0.03


def test_relu_passes_large_numbers_and_stops_negative_ones() -> None:
    states = 16
    value = 2 * chains.stationary_mean(machines.relu(states), INPUT) - 1
    gate = (1 + np.tanh(states / 2 * np.arctanh(X))) / 2
    assert value == pytest.approx(X * gate, abs=1e-9)
    assert np.abs(value - np.maximum(X, 0)).max() < 0.5 / states


@pytest.mark.parametrize("both", [0.3, 0.4 * 0.6, 0.05])
def test_maximum_and_minimum_by_counter_have_a_geometric_difference(both: float) -> None:
    p, q, depth = 0.6, 0.4, 4
    law = pair(p, q, both)
    power = (law[1] / law[2]) ** np.arange(-depth, depth + 1)
    power /= power.sum()
    closed = power[depth + 1 :].sum() * p + power[:depth].sum() * q + power[depth] * (p + q - both)
    source = chains.independent_source(law)
    high = chains.stationary_mean(machines.maximum(depth), source)
    low = chains.stationary_mean(machines.minimum(depth), source)
    assert high == pytest.approx(closed, abs=1e-12)
    assert high + low == pytest.approx(p + q, abs=1e-12)


def test_a_deep_counter_gives_the_greater_and_the_lesser_count_exactly() -> None:
    rng = np.random.default_rng(5)
    p = rng.random((2, 200, 1))
    x, y = (BitStream.pack(rng.random((200, 100)) < q) for q in p)
    for machine, choose in (
        (machines.maximum(100), np.maximum),
        (machines.minimum(100), np.minimum),
    ):
        assert np.array_equal(run(machine, x, y)[0].count(), choose(x.count(), y.count()))


def test_the_toggle_adder_counts_half_the_sum_rounded_down() -> None:
    rng = np.random.default_rng(6)
    x, y = (BitStream.pack(rng.random((300, 77)) < rng.random((300, 1))) for _ in range(2))
    total = x.count() + y.count()
    assert np.array_equal(run(machines.toggle_adder(), x, y)[0].count(), total // 2)


def test_a_deep_gain_multiplies_and_saturates() -> None:
    p = np.array([0.05, 0.2, 0.3, 0.6])
    source = chains.independent_source(np.stack([1 - p, p], -1))
    value = chains.stationary_mean(machines.gain(3, 200), source)
    assert value == pytest.approx(np.minimum(1, 3 * p), abs=1e-4)


@pytest.mark.parametrize(("slope", "bound"), [(0.5, 0.005), (1.0, 0.0025), (2.0, 0.0015)])
def test_btanh_is_near_tanh_of_the_sum_of_its_inputs(slope: float, bound: float) -> None:
    """For 64 inputs; K = 2 n slope alone is ten times as far off."""
    n = 64
    machine = machines.btanh(n, machines.btanh_states(n, slope))
    plain = machines.btanh(n, round(2 * n * slope))
    off = []
    for total in np.array([-3, -1.5, -0.6, 0.0, 0.8, 1.2]) / slope:
        law = counter_moments.clock_law(np.full(n, (1 + total / n) / 2))
        source = chains.independent_source(law)
        values = [2 * chains.stationary_mean(m, source) - 1 for m in (machine, plain)]
        assert values[0] == pytest.approx(np.tanh(slope * total), abs=bound)
        off.append(abs(values[1] - np.tanh(slope * total)))
    assert max(off) > 4 * bound


def test_machines_and_inputs_that_do_not_fit_are_refused() -> None:
    stream = BitStream.pack(np.ones((2, 8)))
    with pytest.raises(ValueError, match="even number"):
        machines.stanh(5)
    with pytest.raises(ValueError, match="expected 1 to 7"):
        machines.exponential(8, 8)
    with pytest.raises(ValueError, match="1 streams: expected 2"):
        run(machines.maximum(2), stream)
    with pytest.raises(ValueError, match="do not meet"):
        run(machines.maximum(2), stream, BitStream.pack(np.ones((2, 9))))
    with pytest.raises(ValueError, match="states outside 0 to 7"):
        run(machines.stanh(8), stream, state=np.array([0, 8]))
    with pytest.raises(ValueError, match="2 or 4 symbols"):
        run(machines.btanh(4, 8), stream)
    with pytest.raises(ValueError, match="expected 0 to 3"):
        counted.run_btanh(np.array([4]), 3, 8)
    with pytest.raises(ValueError, match="to_numpy"):
        run(machines.stanh(8), stream.to_jax())
    with pytest.raises(ValueError, match="depends on the start"):
        source = chains.independent_source(independent(0.0, 0.0))
        chains.stationary_mean(machines.maximum(2), source)
