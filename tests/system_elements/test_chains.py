"""Exact moments of machines over finite streams, against all patterns and drawn streams."""

from __future__ import annotations

import numpy as np
import pytest

from system.bitstream import BitStream
from system.elements import chains, counted, counter_moments, machines
from system.elements.enumeration import independent_clocks, truth
from system.elements.laws import independent, pair
from system.elements.machine import Machine, run, run_definition
from tests.system_elements.patterns import (
    agree,
    all_bits,
    drawn,
    moments,
    some_law,
    symbols,
    weights,
)

ONE = [machines.stanh(4), machines.exponential(6, 2), machines.relu(4), machines.gain(2, 5)]
TWO = [machines.maximum(2), machines.minimum(3), machines.toggle_adder()]


def shares(machine: Machine, bits: np.ndarray) -> np.ndarray:
    """Share of ones the machine puts out for each pattern (P, streams, N)."""
    return np.asarray(run_definition(machine, symbols(bits))[0].mean(-1))


@pytest.mark.parametrize("machine", [*ONE, *TWO], ids=lambda m: m.name)
def test_mean_and_variance_are_those_of_all_patterns(machine: Machine) -> None:
    length = 10 if machine.inputs == 1 else 6
    law = np.array([0.35, 0.65]) if machine.inputs == 1 else some_law(2, 1)
    bits = all_bits(machine.inputs, length)
    out = shares(machine, bits)
    expected = moments(out, out, weights(bits, law))
    found = chains.moments(machine, chains.independent_source(law), length)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("first", [machines.stanh(4), machines.relu(4)], ids=lambda m: m.name)
def test_covariance_of_machines_that_share_a_correlated_input(first: Machine) -> None:
    second, length, law = machines.maximum(2), 4, some_law(3, 7)
    bits = all_bits(3, length)
    one, two = shares(first, bits[:, [1]]), shares(second, bits[:, [1, 2]])
    expected = moments(one, two, weights(bits, law))
    reads = chains.wired([1], 3), chains.wired([1, 2], 3)
    source = chains.independent_source(law)
    found = chains.shared_moments(first, second, source, length, reads)
    assert found == pytest.approx(expected, abs=1e-12)
    assert abs(expected[2]) > 1e-4


def markov_weights(bits: np.ndarray, p: float, lag1: float) -> np.ndarray:
    """Probability of each pattern (P, 1, N) of a Markov chain of bits, step by step."""
    x = bits[:, 0].astype(int)
    weight = np.where(x[:, 0] == 1, p, 1 - p)
    for t in range(1, x.shape[1]):
        one = p + lag1 * (x[:, t - 1] - p)
        weight = weight * np.where(x[:, t] == 1, one, 1 - one)
    return np.asarray(weight)


@pytest.mark.parametrize("machine", ONE, ids=lambda m: m.name)
@pytest.mark.parametrize("lag1", [-0.3, 0.5])
def test_streams_with_lag_1_correlation_are_exact_too(machine: Machine, lag1: float) -> None:
    length, p = 9, 0.6
    bits = all_bits(1, length)
    out = shares(machine, bits)
    expected = moments(out, out, markov_weights(bits, p, lag1))
    found = chains.moments(machine, chains.markov_source(p, lag1), length)
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_gate_of_two_streams_with_memory_read_with_errors() -> None:
    length, p, q, false_one, false_zero = 3, 0.6, 0.3, 0.1, 0.2
    a = chains.read_errors(chains.markov_source(p, 0.5), false_one, false_zero)
    b = chains.markov_source(q, 0.4)
    gate = chains.memoryless(truth(lambda x, y: x & y, 2))
    found = chains.moments(gate, chains.joined_sources(a, b), length)
    # All patterns of the stored bits, the errors and the other stream.
    bits = all_bits(3, length)
    stored, wrong, other = bits[:, [0]], bits[:, 1], bits[:, [2]]
    chance = np.where(stored[:, 0] == 1, false_zero, false_one)
    errors = np.where(wrong == 1, chance, 1 - chance).prod(-1)
    weight = errors * markov_weights(stored, p, 0.5) * markov_weights(other, q, 0.4)
    out = ((stored[:, 0] ^ wrong) & other[:, 0]).mean(-1)
    assert found == pytest.approx(moments(out, out, weight), abs=1e-12)


def test_a_gate_as_a_machine_has_the_moments_of_the_gate() -> None:
    law = some_law(2, 3)
    table = truth(lambda x, y: x | y, 2)
    found = chains.moments(chains.memoryless(table), chains.independent_source(law), 200)
    assert found == pytest.approx(independent_clocks(table, table, law, 200), abs=1e-12)


def test_a_batch_of_sources_is_each_of_them() -> None:
    p, lag1 = np.array([[0.2, 0.5, 0.9]]), np.array([[0.1], [0.4]])
    together = chains.moments(machines.stanh(6), chains.markov_source(p, lag1), 33)
    assert together.covariance.shape == (2, 3)
    for i in range(2):
        for j in range(3):
            one = chains.markov_source(p[0, j], lag1[i, 0])
            alone = chains.moments(machines.stanh(6), one, 33)
            assert together.first[i, j] == pytest.approx(alone.first, abs=1e-12)
            assert together.covariance[i, j] == pytest.approx(alone.covariance, abs=1e-12)


def test_the_long_run_is_the_stationary_mean() -> None:
    source = chains.markov_source(0.55, 0.3)
    machine = machines.stanh(8)
    long = chains.moments(machine, source, 40_000).first
    assert chains.stationary_mean(machine, source) == pytest.approx(long, abs=1e-3)


@pytest.mark.parametrize("machine", [*ONE, *TWO, machines.stanh(16)], ids=lambda m: m.name)
def test_drawn_streams_of_256_clocks_agree(machine: Machine) -> None:
    law = np.array([0.45, 0.55]) if machine.inputs == 1 else pair(0.5, 0.45, 0.3)
    out = run(machine, *drawn(law, 4000, 256, 21))[0].share()
    agree(out, out, chains.moments(machine, chains.independent_source(law), 256))


def test_drawn_stanh_and_max_that_share_a_stream_agree() -> None:
    law, first, second = some_law(2, 4), machines.stanh(6), machines.maximum(3)
    x, y = drawn(law, 4000, 100, 22)
    one, two = run(first, x)[0].share(), run(second, x, y)[0].share()
    source = chains.independent_source(law)
    reads = chains.wired([0], 2), chains.wired([0, 1], 2)
    agree(one, two, chains.shared_moments(first, second, source, 100, reads))


def test_btanh_and_two_that_share_activations_agree_with_all_patterns_and_drawn_counts() -> None:
    p, q, both = np.array([0.3, 0.8]), np.array([0.6, 0.7]), np.array([0.25, 0.65])
    law = counter_moments.clock_law_pair(p, q, both - p * q)
    machine, length = machines.btanh(2, 6), 3
    symbol = np.arange(9)
    reads = symbol % 3, symbol // 3
    source = chains.independent_source(law)
    found = chains.shared_moments(machine, machine, source, length, reads)
    paths = np.stack(np.meshgrid(*[symbol] * length, indexing="ij"), -1).reshape(-1, length)
    one, two = (run_definition(machine, r[paths])[0].mean(-1) for r in reads)
    assert found == pytest.approx(moments(one, two, law[paths].prod(-1)), abs=1e-12)
    seen = np.random.default_rng(5).choice(9, (4000, 200), p=law)
    one, two = (counted.run_btanh(r[seen], 2, 6)[0].share() for r in reads)
    agree(one, two, chains.shared_moments(machine, machine, source, 200, reads))


def test_another_starting_state_is_taken() -> None:
    machine = machines.stanh(4)
    source = chains.independent_source(independent(0.0))
    assert chains.moments(machine, source, 4, state=3).first == pytest.approx(2 / 4)
    assert chains.moments(machine, source, 4).first == pytest.approx(1 / 4)
    stream = BitStream.pack(np.zeros(4))
    assert run(machine, stream, state=np.int32(3))[0].count() == 2


def test_chains_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="have a lag-1 of"):
        chains.markov_source(0.9, -0.5)
    with pytest.raises(ValueError, match="4 symbols for a machine of 2"):
        chains.moments(machines.stanh(4), chains.independent_source(independent(0.5, 0.5)), 4)
    with pytest.raises(ValueError, match="expected 1024 or fewer"):
        chains.moments(machines.stanh(1026), chains.independent_source(independent(0.5)), 4)
