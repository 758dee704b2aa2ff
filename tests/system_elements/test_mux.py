"""MUX trees: which input goes through, and the moments of the sums."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from circuits.mac.mux_tree import mux_tree as circuit
from system.bitstream import BitStream
from system.elements import gate_moments, mux, mux_moments
from system.elements.enumeration import given_counts, independent_clocks, truth
from system.elements.gates import AND
from system.elements.laws import independent, joined, pair
from tests.system_elements.patterns import (
    agree,
    all_bits,
    conditional,
    moments,
    packed,
    some_law,
    weights,
)


def stack(*streams: BitStream) -> BitStream:
    return BitStream(np.stack([s.words for s in streams], axis=-2), streams[0].length)


def tree(inputs: int, shared: bool = False):  # type: ignore[no-untyped-def]
    """The tree as a function of its inputs and then its selects."""

    def element(*streams: BitStream) -> BitStream:
        return mux.mux_tree(stack(*streams[:inputs]), stack(*streams[inputs:]), shared)

    return element


@pytest.mark.parametrize("inputs", [2, 3, 4, 5, 6])
def test_every_input_goes_through_equally_often_whatever_their_number(inputs: int) -> None:
    p = mux.select_probabilities(inputs)
    assert p.size == inputs - 1
    table = truth(tree(inputs), 2 * inputs - 1)
    for chosen in range(inputs):
        law = independent(*(float(i == chosen) for i in range(inputs)), *p)
        mean = independent_clocks(table, table, law, 9).first
        assert mean == pytest.approx(1 / inputs, abs=1e-14)


def test_selects_of_a_power_of_two_are_fair_and_those_of_three_are_not() -> None:
    assert np.array_equal(mux.select_probabilities(8), np.full(7, 0.5))
    assert mux.select_probabilities(3) == pytest.approx([1 / 2, 1 / 3])


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("inputs", [2, 4, 8])
def test_the_tree_is_the_circuits_gate_by_gate(inputs: int, shared: bool) -> None:
    cell = circuit("unipolar", inputs, shared)
    names = [n for n in cell.inputs if n.startswith("sel")]
    rng = np.random.default_rng(inputs)
    bits = {n: rng.integers(0, 2, 130) for n in cell.inputs}
    expected = cell.evaluate(bits)["y"]
    products = np.stack([bits[f"a{i}"] & bits[f"b{i}"] for i in range(inputs)])
    selects = np.stack([bits[n] for n in names])
    for convert in (BitStream.to_numpy, BitStream.to_jax):
        streams, chosen = (convert(BitStream.pack(b)) for b in (products, selects))
        assert np.array_equal(mux.mux_tree(streams, chosen, shared).unpack(), expected)


def test_an_odd_tree_runs_in_jax_too() -> None:
    bits = np.random.default_rng(0).integers(0, 2, (2, 9, 70))
    streams, selects = BitStream.pack(bits[:, :5]), BitStream.pack(bits[0, 5:])
    out = mux.mux_tree(streams, selects)
    assert out.shape == (2,)
    in_jax = mux.mux_tree(streams.to_jax(), selects.to_jax())
    assert isinstance(in_jax.words, jnp.ndarray)
    assert np.array_equal(in_jax.unpack(), out.unpack())


@pytest.mark.parametrize("shared", [False, True])
def test_moments_of_a_sum_are_those_of_all_patterns(shared: bool) -> None:
    length, inputs = (2, 4) if shared else (3, 3)
    selects = [0.5, 0.5] if shared else list(mux.select_probabilities(inputs))
    streams = inputs + len(selects)
    bits = all_bits(streams, length)
    out = tree(inputs, shared)(*packed(bits)).share()
    law = some_law(inputs, 5)
    p = np.array([law[(np.arange(law.size) >> i) & 1 == 1].sum() for i in range(inputs)])
    mean, _, variance = moments(out, out, weights(bits, joined(law, independent(*selects))))
    assert mux_moments.mean(p) == pytest.approx(mean, abs=1e-12)
    assert mux_moments.variance(p, length) == pytest.approx(variance, abs=1e-12)


def test_two_sums_with_a_common_input_and_the_same_selects_or_their_own() -> None:
    length, p, q, both = 3, np.array([0.3, 0.8]), np.array([0.3, 0.5]), 0.45
    law = joined(independent(p[0]), pair(p[1], q[1], both), independent(0.5))
    bits = all_bits(4, length)
    common, x, w, select = packed(bits)
    one, two = mux.mux(common, x, select), mux.mux(common, w, select)
    same = moments(one.share(), two.share(), weights(bits, law))[2]
    matrix = np.array([[p[0] * (1 - p[0]), 0], [0, both - p[1] * q[1]]])
    closed = mux_moments.covariance_same_selects(p, q, np.diag(matrix), length)
    assert closed == pytest.approx(same, abs=1e-12)

    bits = all_bits(5, length)
    common, x, w, select, other = packed(bits)
    one, two = mux.mux(common, x, select), mux.mux(common, w, other)
    law = joined(law, independent(0.5))
    own = moments(one.share(), two.share(), weights(bits, law))[2]
    assert mux_moments.covariance_own_selects(matrix, length) == pytest.approx(own, abs=1e-12)
    assert same > own > 0


def test_moments_given_counts_are_those_of_all_patterns_with_these_counts() -> None:
    length, select = 4, np.array([0.5, 0.5])
    a, b, c = 0.25, 0.75, 0.5
    shares = [np.array([1 - s, s]) for s in (a, b, c)]
    bits = all_bits(4, length)
    x, y, w, chosen = packed(bits)
    one, two = mux.mux(x, y, chosen).share(), mux.mux(x, w, chosen).share()
    # The selects are fair and independent, so every pattern of theirs weighs the same.
    weight = conditional(bits, [[0], [1], [2]], shares)
    variance = moments(one, one, weight)[2]
    closed = mux_moments.variance_given_counts(np.array([a, b]), length)
    assert closed == pytest.approx(variance, abs=1e-12)
    overlaps = np.array([[a, a * c], [b * a, b * c]])
    closed = mux_moments.covariance_same_selects_given_counts(np.diag(overlaps), overlaps, length)
    assert closed == pytest.approx(moments(one, two, weight)[2], abs=1e-12)
    table = truth(mux.mux, 3)
    balanced = given_counts(table, table, [*shares[:2], select], length).covariance
    assert balanced != pytest.approx(variance), "selects of a fixed count are not fair coins"


def test_sums_of_products_given_the_counts_of_their_operands() -> None:
    length = 3
    a, b, c, d, e = 1 / 3, 2 / 3, 2 / 3, 1 / 3, 1 / 3
    bits = all_bits(6, length)
    shares = [np.array([1 - s, s]) for s in (a, b, c, d, e)]
    weight = conditional(bits, [[0], [1], [2], [3], [4]], shares)
    x, y, z, u, v, chosen = packed(bits)
    one, two = mux.mux(x & y, z & u, chosen).share(), mux.mux(x & v, z & u, chosen).share()
    p, q = np.array([a * b, c * d]), np.array([a * e, c * d])
    spread = gate_moments.variance_given_counts(AND, np.array([a, c]), np.array([b, d]), length)
    closed = mux_moments.variance_given_counts(p, length, spread)
    assert closed == pytest.approx(moments(one, one, weight)[2], abs=1e-12)
    overlaps = np.outer(p, q)
    overlaps[0, 0], overlaps[1, 1] = a * b * e, c * d
    spreads = np.diag([0, spread[1]])
    closed = mux_moments.covariance_same_selects_given_counts(
        np.diag(overlaps), overlaps, length, spreads
    )
    assert closed == pytest.approx(moments(one, two, weight)[2], abs=1e-12)


def test_sums_with_own_selects_vary_together_by_their_products_alone_given_the_counts() -> None:
    length, a, b, c = 3, 1 / 3, 2 / 3, 1 / 3
    bits = all_bits(5, length)
    weight = conditional(bits, [[0], [1], [2]], [np.array([1 - s, s]) for s in (a, b, c)])
    x, y, z, one, two = packed(bits)
    f, g = mux.mux(x & y, z, one).share(), mux.mux(x & y, z, two).share()
    spread = gate_moments.variance_given_counts(AND, a, b, length)
    closed = mux_moments.covariance_own_selects_given_counts(np.diag([spread, 0]))
    assert closed == pytest.approx(moments(f, g, weight)[2], abs=1e-12)


def test_scaled_difference_halves_a_minus_b() -> None:
    a, b, length = 0.3, 0.9, 4
    bits = all_bits(3, length)
    value = 2 * mux.scaled_difference(*packed(bits)).share() - 1
    mean, _, variance = moments(value, value, weights(bits, independent(a, b, 0.5)))
    assert mean == pytest.approx(((2 * a - 1) - (2 * b - 1)) / 2)
    p = np.array([a, 1 - b])
    assert variance == pytest.approx(4 * mux_moments.variance(p, length))


def test_a_drawn_sum_of_25_products_agrees() -> None:
    rng = np.random.default_rng(8)
    p = rng.random(25)
    streams = BitStream.pack(rng.random((2000, 25, 200)) < p[:, None])
    selects = rng.random((2000, 24, 200)) < mux.select_probabilities(25)[:, None]
    out = mux.mux_tree(streams, BitStream.pack(selects)).share()
    mean, variance = mux_moments.mean(p), mux_moments.variance(p, 200)
    agree(out, out, (mean, mean, variance))


def test_selects_that_do_not_fit_are_refused() -> None:
    streams = BitStream.pack(np.zeros((3, 8)))
    with pytest.raises(ValueError, match="expected 2"):
        mux.mux_tree(streams, streams)
    with pytest.raises(ValueError, match="power of two"):
        mux.mux_tree(streams, streams, shared=True)
    with pytest.raises(ValueError, match="2 or more"):
        mux.select_probabilities(1)
