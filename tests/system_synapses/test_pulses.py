"""Updates: their mean is the gradient times the rate, their pulses are counted, devices stop."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from devices.synapse import PRESETS
from system.arithmetic import Convolution, Dense
from system.arithmetic.noise import Tape
from system.synapses import pulses
from system.synapses.coincidence import Factors, Requested, by_coincidence, coincidences
from system.synapses.crossbars import Crossbar, network_of, read, step_of, values_of
from system.synapses.words import blocks, paired_words, scrambled, uniform

by_gradient = jax.jit(pulses.by_gradient, static_argnums=0)
recentred = jax.jit(pulses.recentred, static_argnums=0)
many_pulses = jax.jit(pulses.many_pulses, static_argnums=0)
taking_turns = jax.jit(by_coincidence, static_argnums=0)
words_of = jax.jit(paired_words, static_argnums=1)

PLAIN = PRESETS["limited-15-32"]()
LOW, HIGH = (np.float32(end.value) for end in (PLAIN.g_min, PLAIN.g_max))
MIDDLE = (LOW + HIGH) / 2
COUNT = 100_000


def key(number: int) -> jax.Array:
    return jax.random.key(number, impl="threefry2x32")


def test_words_are_those_of_the_published_generator() -> None:
    """Known answers of Random123 1.09 for threefry2x32 with 13 rounds (recalled)."""
    for words, counter, expected in (
        ((0, 0), (0, 0), (0x9D1C5EC6, 0x8BD50731)),
        ((2**32 - 1,) * 2, (2**32 - 1,) * 2, (0xFD36D048, 0x2D17272C)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xBA3E4725, 0xF27D669E)),
    ):
        first, second = (jnp.uint32(word) for word in words)
        made = blocks(first, second, np.full(1, counter[0], np.uint32), counter[1])
        assert tuple(int(part[0]) for part in made) == expected


def test_a_word_that_decided_gives_an_independent_normal() -> None:
    """Among words below 1 % the scrambled ones are normal; z-scores below 4.5."""
    words = words_of(key(0), 1_000_000)
    chosen = np.asarray(words)[np.asarray(uniform(words)) < 0.01]
    assert abs(chosen.size - 10_000) < 4.5 * math.sqrt(10_000)
    normal = np.asarray(Tape(scrambled(jnp.asarray(chosen))).normal(chosen.shape))
    assert abs(normal.mean()) < 4.5 / math.sqrt(chosen.size)
    assert abs(normal.std() - 1) < 4.5 / math.sqrt(2 * chosen.size)
    assert abs(np.corrcoef(normal, chosen)[0, 1]) < 4.5 / math.sqrt(chosen.size)


def held_in_the_middle(cells: int, shape: tuple[int, ...] = (COUNT,)) -> tuple[jax.Array, ...]:
    return (np.full(shape, MIDDLE),) * cells


@pytest.mark.parametrize("cells", ["pair", "single"])
@pytest.mark.parametrize("sigma", [0.0, 0.5])
@pytest.mark.parametrize("request_", [0.03, -0.4, 1.0])
def test_the_mean_update_is_what_was_asked_for(cells: str, sigma: float, request_: float) -> None:
    """100,000 weights; 4.5 standard errors (false alarm below 1e-5 each)."""
    synapse = PLAIN.assuming(sigma_step=sigma)
    crossbar = Crossbar("a", "weight", (COUNT,), 2.0, cells)
    held = held_in_the_middle(2 if cells == "pair" else 1)
    ends = ((LOW,) * len(held), (HIGH,) * len(held))
    made = by_gradient(
        synapse, held, *ends, np.full(COUNT, request_, np.float32), words_of(key(1), COUNT)
    )
    change = np.asarray(read(crossbar, synapse, made.conductances), float) / step_of(
        crossbar, synapse
    )
    p = abs(request_)
    variance = p * (1 + sigma**2) - p**2
    assert abs(change.mean() - request_) < 4.5 * math.sqrt(variance / COUNT) + 1e-5
    writes = sum(np.asarray(part) for part in made.writes)
    assert writes.max() <= 1
    assert abs(writes.mean() - p) < 4.5 * math.sqrt(p * (1 - p) / COUNT) + 1e-12
    moved = np.asarray(made.conductances[0] != held[0])
    assert np.array_equal(moved, np.asarray(made.writes[0]) == 1)


def test_a_pair_shares_pulses_between_its_devices_in_opposite_directions() -> None:
    held = held_in_the_middle(2)
    made = by_gradient(
        PLAIN,
        held,
        (LOW,) * 2,
        (HIGH,) * 2,
        np.full(COUNT, 0.5, np.float32),
        words_of(key(2), COUNT),
    )
    plus, minus = (np.asarray(part) for part in made.conductances)
    assert np.all(plus >= MIDDLE) and np.all(minus <= MIDDLE)
    hits = [np.asarray(part).sum() for part in made.writes]
    assert int(made.potentiated) == hits[0]
    assert abs(hits[0] - hits[1]) < 4.5 * math.sqrt(sum(hits))


def test_devices_at_an_end_and_stuck_ones_stay() -> None:
    shape = (1000,)
    request = np.full(shape, 1.0, np.float32)
    words = words_of(key(3), 1000)
    top = (np.full(shape, HIGH),)
    made = by_gradient(PLAIN, top, (LOW,), (HIGH,), request, words)
    np.testing.assert_allclose(made.conductances[0], HIGH, rtol=1e-6)
    assert int(jnp.sum(made.writes[0])) == 1000  # the pulse is spent all the same
    stuck = (np.full(shape, MIDDLE),)
    made = by_gradient(PLAIN, stuck, stuck, stuck, request, words)
    assert np.array_equal(made.conductances[0], stuck[0])


def test_saturating_devices_move_along_their_own_law() -> None:
    synapse = PLAIN.assuming(nonlinearity=2.0)
    up, down = synapse.branches
    state = np.linspace(0.1, 0.8, 50)
    held = (LOW + (HIGH - LOW) * state,)
    for rising, expected in ((1.0, up.mean(state)), (-1.0, 1 - down.mean(1 - state))):
        made = by_gradient(
            synapse, held, (LOW,), (HIGH,), np.full(50, rising, np.float32), words_of(key(4), 50)
        )
        found = (np.asarray(made.conductances[0]) - LOW) / (HIGH - LOW)
        np.testing.assert_allclose(found, expected, atol=3e-6)


def test_many_pulses_are_as_many_single_ones() -> None:
    synapse = PLAIN.assuming(nonlinearity=1.0)
    state = 0.3
    for _ in range(4):
        state = synapse.branches[0].mean(state)
    for _ in range(2):
        state = 1 - synapse.branches[1].mean(1 - state)
    start = LOW + (HIGH - LOW) * np.full(1, 0.3)
    made = many_pulses(
        synapse.branches, start, LOW, HIGH, (np.full(1, 4.0), np.full(1, 2.0)), (0.0, 0.0)
    )
    assert float((made[0] - LOW) / (HIGH - LOW)) == pytest.approx(state, abs=3e-6)


def test_recentring_keeps_the_weight_and_counts_its_pulses() -> None:
    plus, minus = np.array([1.0, 0.9, 0.0]), np.array([0.8, 0.7, 0.1])
    held = tuple(LOW + (HIGH - LOW) * part for part in (plus, minus))
    made = recentred(PLAIN, held, (LOW,) * 2, (HIGH,) * 2, words_of(key(5), 3))
    after = [(np.asarray(part) - LOW) / (HIGH - LOW) for part in made.conductances]
    np.testing.assert_allclose(after[0] - after[1], plus - minus, atol=1e-6)
    assert np.abs((after[0] + after[1]) / 2 - 0.5)[[0, 2]].max() < 0.5 / 31
    assert np.asarray(made.writes[0]).tolist() == [12, 0, 14]  # 0.4 x 31; not saturated; 0.45 x 31


@pytest.mark.parametrize("linear", [Dense(4, 3), Convolution(1, 4, 3, 2)])
def test_coincidences_are_on_average_the_outer_product(linear: Any) -> None:
    """4,000 batches; each weight within 4.5 standard errors, errors from the draws themselves."""
    rng = np.random.default_rng(3)
    positions = () if isinstance(linear, Dense) else (linear.uses,)
    taps = jnp.asarray(rng.normal(size=(2, linear.weight_shape[0], *positions)), jnp.float32)
    errors = jnp.asarray(rng.normal(size=(2, *linear.output_shape)), jnp.float32)
    factors = Factors(taps, errors)

    def drawn(number: jax.Array) -> Requested:
        return coincidences(
            linear, factors, jnp.float32(0.2), 10, jax.random.fold_in(key(6), number)
        )

    made = jax.jit(jax.vmap(drawn))(jnp.arange(4000))
    net = np.asarray(made.up - made.down, float)
    expected = -0.2 * np.asarray(linear.weight_gradient(taps, errors))
    error = net.std(axis=0) / math.sqrt(len(net)) + 1e-9
    assert np.abs((net.mean(axis=0) - expected) / error).max() < 4.5
    assert np.asarray(made.up).min() >= 0 and np.asarray(made.down).min() >= 0


def test_one_pair_of_streams_coincides_binomially() -> None:
    """One input, one output, 10 bits: chi-square of 20,000 counts, false alarm 1e-4."""
    factors = Factors(np.full((1, 1), 0.5), np.full((1, 1), -0.8))

    def drawn(number: jax.Array) -> jax.Array:
        words = jax.random.fold_in(key(7), number)
        return coincidences(Dense(1, 1), factors, jnp.float32(5.0), 10, words).up[0, 0]

    found = np.bincount(np.asarray(jax.jit(jax.vmap(drawn))(jnp.arange(20_000))).astype(int))
    expected = stats.binom.pmf(np.arange(6), 10, 5.0 * 0.5 * 0.8 / 10) * 20_000
    seen = np.append(found[:5], found[5:].sum())
    expected[5] = 20_000 - expected[:5].sum()
    assert stats.chisquare(seen, expected).pvalue > 1e-4


def test_devices_of_a_pair_take_turns_with_coincidences() -> None:
    held = held_in_the_middle(2, (3,))
    requested = Requested(np.array([2.0, 0.0, 1.0]), np.array([0.0, 3.0, 1.0]))
    words = words_of(key(8), 3)
    for turn, cell, sign in ((0, 0, 1), (1, 1, -1)):
        made = taking_turns(
            PLAIN, held, (LOW,) * 2, (HIGH,) * 2, requested, jnp.asarray(turn), words
        )
        steps = (np.asarray(made.conductances[cell]) - MIDDLE) / (HIGH - LOW) * 31
        np.testing.assert_allclose(steps, sign * np.array([2, -3, 0]), atol=1e-4)
        assert np.asarray(made.writes[cell]).tolist() == [2, 3, 2]
        assert not np.asarray(made.writes[1 - cell]).any()
        assert np.array_equal(made.conductances[1 - cell], held[1 - cell])


@pytest.mark.parametrize("cells", ["pair", "single"])
def test_first_programming_is_near_the_first_weights(make_bench: Any, cells: str) -> None:
    """Random rounding leaves each device within a step, and no error on average."""
    bench = make_bench(cells)
    course = bench.course
    network = network_of(
        course.template, course.crossbars, course.synapse, bench.start.conductances
    )
    for crossbar, found, wanted in zip(
        course.crossbars, values_of(network), values_of(course.template), strict=True
    ):
        error = np.asarray(found - wanted) / step_of(crossbar, course.synapse)
        assert np.abs(error).max() < (2 if cells == "pair" else 1) + 1e-3
        assert abs(error.mean()) < 4.5 * 0.71 / math.sqrt(error.size)
