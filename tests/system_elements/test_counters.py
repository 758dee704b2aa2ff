"""Exact and approximate counters: counts, moments and the law of the approximate one's error."""

from __future__ import annotations

from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest

from circuits.logic.cell import number
from circuits.mac.counter import approximate_error, counter_mac
from system.bitstream import BitStream
from system.elements import apc_moments, counter_moments, counters, gate_moments
from system.elements.enumeration import given_counts, truth
from system.elements.gates import AND, Signed, multiply_signed
from system.elements.laws import independent, joined, pair
from tests.system_elements.patterns import (
    agree,
    all_bits,
    conditional,
    drawn,
    moments,
    some_law,
    symbols,
    weights,
)


def lanes(bits: np.ndarray) -> BitStream:
    """Patterns (P, n, N) as streams of shape (P, n)."""
    return BitStream.pack(bits)


def approximate_of(bits: np.ndarray) -> np.ndarray:
    """The approximate count of bits (..., n, N), written out pair by pair."""
    total = np.zeros((*bits.shape[:-2],), int)
    for k in range(bits.shape[-2] // 2):
        x, y = bits[..., 2 * k, :].astype(int), bits[..., 2 * k + 1, :].astype(int)
        total += 2 * (np.maximum(x, y) if k % 2 else x * y).sum(-1)
    if bits.shape[-2] % 2:
        total += bits[..., -1, :].astype(int).sum(-1)
    return total


@pytest.mark.parametrize("length", [1, 63, 64, 65, 200])
@pytest.mark.parametrize("n", [1, 2, 3, 31, 64])
def test_the_count_of_each_clock_is_the_sum_of_its_bits(length: int, n: int) -> None:
    bits = np.random.default_rng(n).random((2, 3, n, length)) < 0.7
    streams = BitStream.pack(bits)
    counts = counters.clock_counts(streams)
    assert np.array_equal(counts, bits.sum(-2))
    assert np.array_equal(counts, counters.clock_counts_definition(streams))
    assert np.array_equal(counts.sum(-1), counters.exact_count(streams))


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7, 9])
def test_the_approximate_count_takes_and_and_or_in_turn_in_numpy_and_jax(n: int) -> None:
    bits = np.random.default_rng(n).integers(0, 2, (4, n, 90))
    for convert in (BitStream.to_numpy, BitStream.to_jax):
        count = counters.approximate_count(convert(BitStream.pack(bits)))
        assert np.array_equal(np.asarray(count), approximate_of(bits))


@pytest.mark.parametrize("adder", ["exact-counter", "approximate-counter"])
def test_signed_counts_are_those_of_the_circuit_gate_by_gate(adder: str) -> None:
    n, length = 4, 40
    cell = counter_mac("sign-magnitude", n, adder, length)
    rng = np.random.default_rng(6)
    bits = rng.integers(0, 2, (2, n, length))
    sign = rng.choice([-1, 1], (2, n))
    names = [[f"{name}{i}" for i in range(n)] for name in ("a", "b", "sa", "sb")]
    rows = [*bits[0], *bits[1]]
    vectors = []
    for t in range(length):
        vector = {"run": 1, "clk": 0}
        vector |= dict(zip(names[0] + names[1], (int(row[t]) for row in rows), strict=True))
        vector |= dict(zip(names[2] + names[3], (int(s < 0) for s in sign.ravel()), strict=True))
        vectors.append(vector)
    history = cell.run([*vectors, vectors[-1]])
    negative = int((sign[0] * sign[1] < 0).sum())
    stored = number(history[-1], cell.outputs)
    if adder == "approximate-counter" and len(cell.outputs) < cell.width:
        stored *= 2
    product = multiply_signed(*(Signed(BitStream.pack(b), s) for b, s in zip(bits, sign, strict=1)))
    exact = int((sign[0] * sign[1] * (bits[0] & bits[1]).sum(-1)).sum())
    if adder == "exact-counter":
        assert counters.signed_count(product) == exact
        assert stored - length * negative == exact
    else:
        assert counters.signed_approximate_count(product) == stored - length * negative


def test_signed_counts_in_jax_are_those_in_numpy() -> None:
    rng = np.random.default_rng(4)
    magnitude, sign = BitStream.pack(rng.integers(0, 2, (3, 6, 77))), rng.choice([-1, 1], (3, 6))
    ours = Signed(magnitude, sign)
    jax = Signed(magnitude.to_jax(), jnp.asarray(sign))
    expected = (sign * magnitude.count()).sum(-1)
    assert np.array_equal(counters.signed_count(ours), expected)
    assert np.array_equal(np.asarray(counters.signed_count(jax)), expected)
    approximate = counters.signed_approximate_count(ours)
    assert np.array_equal(np.asarray(counters.signed_approximate_count(jax)), approximate)


def test_moments_of_signed_sums_are_those_of_all_patterns() -> None:
    length, sign, other = 3, np.array([1.0, -1.0]), np.array([-1.0, -1.0])
    p, q, both = np.array([0.3, 0.6]), np.array([0.5, 0.8]), np.array([0.25, 0.45])
    law = joined(*(pair(*v) for v in zip(p, q, both, strict=True)))
    bits = all_bits(4, length)
    one, two = bits[:, [0, 2]].sum(-1) @ sign, bits[:, [1, 3]].sum(-1) @ other
    expected = moments(one, two, weights(bits, law))
    assert counter_moments.mean(p, length, sign) == pytest.approx(expected[0], abs=1e-12)
    assert counter_moments.mean(q, length, other) == pytest.approx(expected[1], abs=1e-12)
    lanes_covariance = both - p * q
    closed = counter_moments.covariance(lanes_covariance, length, sign, other)
    assert closed == pytest.approx(expected[2], abs=1e-12)
    variance = moments(one, one, weights(bits, law))[2]
    assert counter_moments.variance(p, length) == pytest.approx(variance, abs=1e-12)


def test_variance_of_correlated_bits_is_that_of_all_patterns() -> None:
    length, sign, law = 4, np.array([1.0, -1.0, 1.0]), some_law(3, 2)
    bits = all_bits(3, length)
    total = bits.sum(-1) @ sign
    patterns = (np.arange(8)[:, None] >> np.arange(3)) & 1
    covariances = np.cov(patterns.T, aweights=law, bias=True)
    expected = moments(total, total, weights(bits, law))[2]
    closed = counter_moments.variance_correlated(covariances, length, sign)
    assert closed == pytest.approx(expected, abs=1e-12)


def test_sums_of_products_have_the_moments_of_all_patterns_given_their_counts() -> None:
    length, sign = 4, np.array([1.0, -1.0])
    a, b = np.array([0.25, 0.5]), np.array([0.5, 0.75])
    bits = all_bits(4, length)
    products = bits[:, [0, 1]] & bits[:, [2, 3]]
    total = products.sum(-1) @ sign
    laws = [np.array([1 - s, s]) for s in (*a, *b)]
    expected = moments(total, total, conditional(bits, [[0], [1], [2], [3]], laws))[2]
    closed = counter_moments.variance_given_counts(a, b, length)
    assert closed == pytest.approx(expected, abs=1e-12)


def test_outputs_that_share_activations_have_the_covariance_of_all_patterns() -> None:
    length = 4
    shares = np.array([1, 0, 1, 2]) / length
    a, sign, other = 0.75, -1.0, 1.0
    bits = all_bits(3, length)
    one, two = ((bits[:, 0] & bits[:, k]).sum(-1) * s for k, s in ((1, sign), (2, other)))
    weight = conditional(bits, [[0], [1, 2]], [np.array([1 - a, a]), shares])
    others = shares[3] - (shares[1] + shares[3]) * (shares[2] + shares[3])
    closed = counter_moments.covariance_given_counts(
        np.array([a]), np.array([others]), length, np.array([sign]), np.array([other])
    )
    expected = moments(one, two, weight)[2]
    assert closed == pytest.approx(expected, abs=1e-12)
    assert expected != 0


def test_the_law_of_one_clocks_count_is_that_of_all_patterns() -> None:
    p, q, both = np.array([0.2, 0.9, 0.5]), np.array([0.4, 0.6, 0.5]), np.array([0.1, 0.55, 0.3])
    bits = all_bits(3, 1)[..., 0]
    weight = weights(all_bits(3, 1), independent(*p))
    expected = [weight[bits.sum(-1) == k].sum() for k in range(4)]
    assert counter_moments.clock_law(p) == pytest.approx(expected)
    bits = all_bits(6, 1)[..., 0]
    law = joined(*(pair(*v) for v in zip(p, q, both, strict=True)))
    weight = weights(all_bits(6, 1), law)
    count = bits[:, ::2].sum(-1) + 4 * bits[:, 1::2].sum(-1)
    expected = [weight[count == k].sum() for k in range(16)]
    assert counter_moments.clock_law_pair(p, q, both - p * q) == pytest.approx(expected)


@pytest.mark.parametrize(("n", "length"), [(2, 4), (4, 3), (5, 2), (7, 2)])
def test_approximate_counts_have_the_mean_and_variance_of_all_patterns(n: int, length: int) -> None:
    p = np.random.default_rng(n).random(n)
    bits = all_bits(n, length)
    count = counters.approximate_count(lanes(bits))
    mean, _, variance = moments(count, count, weights(bits, independent(*p)))
    assert apc_moments.mean(p, length) == pytest.approx(mean, abs=1e-12)
    assert apc_moments.variance(p, length) == pytest.approx(variance, abs=1e-12)
    shares = np.arange(1, n + 1) % (length + 1) / length
    laws = [np.array([1 - s, s]) for s in shares]
    weight = conditional(bits, [[i] for i in range(n)], laws)
    variance = moments(count, count, weight)[2]
    closed = apc_moments.variance_given_counts(shares, length)
    assert closed == pytest.approx(variance, abs=1e-12)


def test_approximate_counts_of_pairs_of_correlated_bits() -> None:
    length, p, both = 3, np.array([0.3, 0.6, 0.5, 0.7]), np.array([0.25, 0.4])
    law = joined(*(pair(p[2 * k], p[2 * k + 1], both[k]) for k in (0, 1)))
    bits = all_bits(4, length)
    count = counters.approximate_count(lanes(bits))
    within = both - p[::2] * p[1::2]
    mean, _, variance = moments(count, count, weights(bits, law))
    assert apc_moments.mean(p, length, within) == pytest.approx(mean, abs=1e-12)
    assert apc_moments.variance(p, length, within) == pytest.approx(variance, abs=1e-12)
    error = count - bits.sum((-2, -1))
    values, chance = apc_moments.error_law(p, length, within)
    weight = weights(bits, law)
    assert chance == pytest.approx([weight[error == v].sum() for v in values], abs=1e-12)


@pytest.mark.parametrize("n", [4, 5])
def test_approximate_counts_whose_lanes_meet_have_the_covariance_of_all_patterns(n: int) -> None:
    rng = np.random.default_rng(n)
    p, q = rng.random(n), rng.random(n)
    both = np.minimum(p, q) * 0.9 + 0.1 * np.maximum(p + q - 1, 0)
    law = joined(*(pair(*v) for v in zip(p, q, both, strict=True)))
    bits = all_bits(2 * n, 1)
    one, two = (counters.approximate_count(lanes(bits[:, k::2])) for k in (0, 1))
    expected = moments(one, two, weights(bits, law))[2]
    assert apc_moments.covariance(p, q, both - p * q, 1) == pytest.approx(expected, abs=1e-12)
    assert apc_moments.covariance(p, q, both - p * q, 9) == pytest.approx(9 * expected)
    own = apc_moments.covariance(p, p, p * (1 - p), 7)
    assert own == pytest.approx(apc_moments.variance(p, 7))


def test_the_error_law_of_one_clock_is_the_circuits_and_adds_up_over_clocks() -> None:
    p = np.random.default_rng(1).random(8)
    values, law = apc_moments.error_law(p)
    expected = approximate_error(p)
    assert np.array_equal(values, expected[0])
    assert law == pytest.approx(expected[1])
    values, law = apc_moments.error_law(p, 30)
    assert law.sum() == pytest.approx(1)
    error = apc_moments.mean(p, 30) - counter_moments.mean(p, 30)
    assert values @ law == pytest.approx(error)
    differ = p[::2] * (1 - p[1::2]) + p[1::2] * (1 - p[::2])
    assert values**2 @ law - error**2 == pytest.approx(30 * (differ * (1 - differ)).sum())


def test_signed_products_that_share_activations_through_an_approximate_counter() -> None:
    """The chain a layer needs: products, signs, steered bits, pairs; against all patterns."""
    a, b, c = (np.array(v) for v in ([0.3, 0.8], [0.6, 0.5], [0.9, 0.4]))
    first, second = np.array([1, -1]), np.array([-1, -1])
    bits = all_bits(6, 1)
    x, y, z = (BitStream.pack(bits[:, k : k + 2]) for k in (0, 2, 4))
    one, two = (
        counters.signed_approximate_count(Signed(x & s, np.broadcast_to(r, (len(bits), 2))))
        for s, r in ((y, first), (z, second))
    )
    law = independent(*a, *b, *c)
    expected = moments(one, two, weights(bits, law))
    p, q = (apc_moments.steered_probability(a * v, s) for v, s in ((b, first), (c, second)))
    shared = first * second * gate_moments.clock_covariance(AND, AND, a, b, c)
    negative = 1
    assert apc_moments.mean(p, 1) - negative == pytest.approx(expected[0], abs=1e-12)
    assert apc_moments.covariance(p, q, shared, 1) == pytest.approx(expected[2], abs=1e-12)


def test_drawn_counts_of_256_clocks_agree_with_the_moments() -> None:
    p = np.random.default_rng(2).random(6)
    streams = drawn(independent(*p), 4000, 256, 9)
    stacked = BitStream(np.stack([s.words for s in streams], 1), 256)
    for count, module in (
        (counters.exact_count(stacked), counter_moments),
        (counters.approximate_count(stacked), apc_moments),
    ):
        mean, variance = module.mean(p, 256), module.variance(p, 256)
        agree(count.astype(float), count.astype(float), (mean, mean, variance))


def test_an_approximate_pair_given_counts_through_the_truth_table() -> None:
    a, b = 3 / 8, 6 / 8
    table = truth(lambda x, y: x | y, 2)
    shares = [np.array([1 - s, s]) for s in (a, b)]
    exact = given_counts(table, table, shares, 8).covariance * (2 * 8) ** 2
    lone = apc_moments.variance_given_counts(np.array([0.0, 0.0, a, b]), 8)
    assert lone == pytest.approx(exact)


def test_streams_that_cannot_be_counted_are_refused() -> None:
    one = BitStream.pack(np.zeros((1, 8)))
    with pytest.raises(ValueError, match="2 or more"):
        counters.approximate_count(one)
    with pytest.raises(ValueError, match="to_numpy"):
        counters.clock_counts(one.to_jax())
    assert symbols(np.array([[[1, 0], [1, 1]]])).tolist() == [[3, 2]]


@pytest.mark.parametrize("signs", [(1, 1, 1, 1), (1, -1, -1, -1), (-1, -1, 1, -1)])
def test_approximate_counts_of_products_given_the_counts_of_their_operands(
    signs: tuple[int, ...],
) -> None:
    """AND pairs, OR pairs and an odd lane, pair by pair against the truth tables."""
    n, length = 5, 8
    rng = np.random.default_rng(17)
    a, b, c = rng.integers(1, length, (3, n)) / length
    first, second = (np.array([*signs[k : k + 2], 1, -1, s]) for k, s in ((0, 1), (2, -1)))
    lanes = apc_moments.product_lanes(a, b, c, length, first, second)
    own = apc_moments.product_lanes(a, b, None, length, first)
    expected, variance = 0.0, 0.0
    for members, weight in (([0, 1], 2), ([2, 3], 2), ([4], 1)):
        shares = [np.array([1 - s, s]) for k in members for s in (a[k], b[k], c[k])]

        def output(*bits: BitStream, sign: np.ndarray, other: int, m: list[int]) -> BitStream:
            x = [bits[3 * j] & bits[3 * j + other] for j in range(len(m))]
            x = [y if sign[k] > 0 else ~y for y, k in zip(x, m, strict=True)]
            if len(m) == 1:
                return x[0]
            return x[0] & x[1] if m[0] == 0 else x[0] | x[1]

        f, g = (
            truth(partial(output, sign=s, other=o, m=members), 3 * len(members))
            for s, o in ((first, 1), (second, 2))
        )
        scale = (weight * length) ** 2
        expected += scale * given_counts(f, g, shares, length).covariance
        variance += scale * given_counts(f, f, shares, length).covariance
    found = apc_moments.covariance_given_counts(lanes, length)
    assert found == pytest.approx(expected, abs=1e-10)
    assert apc_moments.covariance_given_counts(own, length) == pytest.approx(variance, abs=1e-10)
    assert apc_moments.mean(lanes.second, length) == pytest.approx(
        apc_moments.mean(apc_moments.steered_probability(a * c, second), length)
    )
