"""Gates: their moments against all bit patterns of short streams, and drawn streams."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import pytest

from system.bitstream import BIPOLAR, SIGN_MAGNITUDE, UNIPOLAR, BitStream
from system.elements import converters, gate_moments, gates
from system.elements.enumeration import given_counts, independent_clocks, truth
from system.elements.gates import Gate, Signed
from system.elements.laws import both_of_scc, independent, joined, pair
from tests.system_elements.patterns import (
    agree,
    all_bits,
    conditional,
    drawn,
    moments,
    packed,
    some_law,
    weights,
)

Element = Callable[[BitStream, BitStream], BitStream]
CIRCUITS: dict[str, tuple[Gate, Element]] = {
    "and": (gates.AND, lambda x, y: gates.multiply(x, y, UNIPOLAR)),
    "xnor": (gates.XNOR, lambda x, y: gates.multiply(x, y, BIPOLAR)),
    "or": (gates.OR, gates.maximum),
    "xor": (gates.XOR, gates.absolute_difference),
}
PAIRS = [(f, g) for f in CIRCUITS for g in CIRCUITS]


@pytest.mark.parametrize("name", CIRCUITS)
def test_a_gates_polynomial_is_its_truth_table(name: str) -> None:
    gate, element = CIRCUITS[name]
    x, y = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    polynomial = gate.constant + gate.first * x + gate.second * y + gate.both * x * y
    assert np.array_equal(truth(element, 2), polynomial)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_moments_of_two_gates_that_share_a_stream_are_those_of_all_patterns(
    first: str, second: str
) -> None:
    (f, make_f), (g, make_g) = CIRCUITS[first], CIRCUITS[second]
    length, a, b, c, both = 5, 0.3, 0.6, 0.45, 0.4
    law = joined(np.array([1 - a, a]), pair(b, c, both))
    bits = all_bits(3, length)
    x, y, z = packed(bits)
    one, two = make_f(x, y).share(), make_g(x, z).share()
    mean_f, mean_g, covariance = moments(one, two, weights(bits, law))
    others = both - b * c
    assert gate_moments.mean(f, a, b) == pytest.approx(mean_f, abs=1e-12)
    assert gate_moments.mean(g, a, c) == pytest.approx(mean_g, abs=1e-12)
    closed = gate_moments.covariance(f, g, a, b, c, length, others)
    assert closed == pytest.approx(covariance, abs=1e-12)
    enumerated = independent_clocks(
        truth(lambda x, y, z: make_f(x, y), 3), truth(lambda x, y, z: make_g(x, z), 3), law, length
    )
    assert enumerated == pytest.approx((mean_f, mean_g, covariance), abs=1e-12)


@pytest.mark.parametrize("name", CIRCUITS)
@pytest.mark.parametrize("scc", [-1.0, -0.4, 0.0, 0.7, 1.0])
def test_mean_and_variance_of_a_gate_of_correlated_streams(name: str, scc: float) -> None:
    gate, element = CIRCUITS[name]
    length, a, b = 7, 0.35, 0.6
    both = float(both_of_scc(a, b, scc))
    bits = all_bits(2, length)
    out = element(*packed(bits)).share()
    mean, _, variance = moments(out, out, weights(bits, pair(a, b, both)))
    assert gate_moments.mean(gate, a, b, both - a * b) == pytest.approx(mean, abs=1e-12)
    closed = gate_moments.variance(gate, a, b, length, both - a * b)
    assert closed == pytest.approx(variance, abs=1e-12)


def test_gates_of_fully_correlated_streams_compare_them() -> None:
    a, b = np.array([0.2, 0.7, 0.5]), np.array([0.6, 0.1, 0.5])
    covariance = both_of_scc(a, b, 1.0) - a * b
    assert gate_moments.mean(gates.OR, a, b, covariance) == pytest.approx(np.maximum(a, b))
    assert gate_moments.mean(gates.AND, a, b, covariance) == pytest.approx(np.minimum(a, b))
    assert gate_moments.mean(gates.XOR, a, b, covariance) == pytest.approx(np.abs(a - b))


def test_streams_from_one_random_number_are_compared_without_error() -> None:
    low, high = np.array([30, 90, 64]), np.array([80, 20, 64])
    numbers = np.random.default_rng(2).permutation(100)
    x, y = (converters.binary_to_stochastic(v, numbers) for v in (low, high))
    assert np.array_equal(gates.maximum(x, y).count(), np.maximum(low, high))
    assert np.array_equal(gates.minimum(x, y).count(), np.minimum(low, high))
    assert np.array_equal(gates.absolute_difference(x, y).count(), np.abs(low - high))


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_moments_given_counts_are_those_of_all_patterns_with_these_counts(
    first: str, second: str
) -> None:
    (f, make_f), (g, make_g) = CIRCUITS[first], CIRCUITS[second]
    length = 6
    alone, together = np.array([4, 2]) / length, np.array([2, 0, 1, 3]) / length
    bits = all_bits(3, length)
    weight = conditional(bits, [[0], [1, 2]], [alone, together])
    x, y, z = packed(bits)
    expected = moments(make_f(x, y).share(), make_g(x, z).share(), weight)
    tables = (
        truth(lambda x, y, z: make_f(x, y), 3),
        truth(lambda x, y, z: make_g(x, z), 3),
    )
    assert given_counts(*tables, [alone, together], length) == pytest.approx(expected, abs=1e-12)
    others = together[3] - (together[1] + together[3]) * (together[2] + together[3])
    closed = gate_moments.covariance_given_counts(f, g, alone[1], others, length)
    assert closed == pytest.approx(expected[2], abs=1e-12)


@pytest.mark.parametrize("name", CIRCUITS)
def test_variance_given_two_counts_is_hypergeometric(name: str) -> None:
    gate, element = CIRCUITS[name]
    length, a, b = 7, 3 / 7, 5 / 7
    bits = all_bits(2, length)
    weight = conditional(bits, [[0], [1]], [np.array([1 - a, a]), np.array([1 - b, b])])
    out = element(*packed(bits)).share()
    expected = moments(out, out, weight)
    assert gate_moments.mean(gate, a, b) == pytest.approx(expected[0], abs=1e-12)
    closed = gate_moments.variance_given_counts(gate, a, b, length)
    assert closed == pytest.approx(expected[2], abs=1e-12)


def test_products_of_three_streams_that_share_one_are_uncorrelated_given_the_counts() -> None:
    shares = [np.array([1 - k / 8, k / 8]) for k in (3, 5, 6)]
    tables = truth(lambda x, y, z: x & y, 3), truth(lambda x, y, z: x & z, 3)
    assert given_counts(*tables, shares, 8).covariance == pytest.approx(0, abs=1e-14)
    law = independent(*(s[1] for s in shares))
    free = independent_clocks(*tables, law, 8).covariance
    a, b, c = (float(s[1]) for s in shares)
    assert free == pytest.approx(a * (1 - a) * b * c / 8)


def test_or_of_three_streams_has_the_moments_of_all_patterns() -> None:
    length = 4
    p, share = np.array([0.2, 0.5, 0.7]), np.array([0.25, 0.5, 0.25])
    bits = all_bits(3, length)
    out = gates.or_add(BitStream.pack(bits)).share()
    mean, _, variance = moments(out, out, weights(bits, independent(*p)))
    assert gate_moments.or_mean(p) == pytest.approx(mean, abs=1e-12)
    assert gate_moments.or_variance(p, length) == pytest.approx(variance, abs=1e-12)
    laws = [np.array([1 - s, s]) for s in share]
    mean, _, variance = moments(out, out, conditional(bits, [[0], [1], [2]], laws))
    assert gate_moments.or_mean(share) == pytest.approx(mean, abs=1e-12)
    closed = gate_moments.or_variance_given_counts(share, length)
    assert closed == pytest.approx(variance, abs=1e-12)


def test_ors_that_meet_lane_by_lane_have_the_covariance_of_all_patterns() -> None:
    p, q, both = np.array([0.3, 0.6]), np.array([0.5, 0.2]), np.array([0.25, 0.05])
    law = joined(*(pair(*values) for values in zip(p, q, both, strict=True)))
    bits = all_bits(4, 3)
    x0, y0, x1, y1 = packed(bits)
    expected = moments((x0 | x1).share(), (y0 | y1).share(), weights(bits, law))[2]
    closed = gate_moments.or_covariance(p, q, both - p * q, 3)
    assert closed == pytest.approx(expected, abs=1e-12)


def test_drawn_streams_of_256_clocks_agree_with_the_enumerated_moments() -> None:
    law = some_law(3, 11)
    x, y, z = drawn(law, 4000, 256, 12)
    for f in CIRCUITS.values():
        tables = truth(lambda x, y, z, f=f: f[1](x, y), 3), truth(lambda x, y, z: x & z, 3)
        agree(f[1](x, y).share(), (x & z).share(), independent_clocks(*tables, law, 256))


def test_signed_products_multiply_signs_and_relu_drops_negative_numbers() -> None:
    rng = np.random.default_rng(3)
    bits = rng.integers(0, 2, (2, 4, 70))
    sign = np.array([[1.0, -1, 1, -1], [1, 1, -1, -1]])
    for convert, array in ((BitStream.to_numpy, np.asarray), (BitStream.to_jax, jnp.asarray)):
        x, y = (Signed(convert(BitStream.pack(b)), array(s)) for b, s in zip(bits, sign, strict=1))
        product = gates.multiply_signed(x, y)
        expected = (sign[0] * sign[1]) * (bits[0] & bits[1]).mean(-1)
        assert np.asarray(product.value()) == pytest.approx(expected)
        relu = gates.rectify_signed(product)
        assert np.asarray(relu.value()) == pytest.approx(np.maximum(expected, 0))
    with pytest.raises(ValueError, match="expected unipolar or bipolar"):
        gates.multiply(x.magnitude, y.magnitude, SIGN_MAGNITUDE)


def test_laws_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected 0\.2 to 0\.6"):
        pair(0.6, 0.6, 0.7)
    with pytest.raises(ValueError, match="expected -1 to 1"):
        both_of_scc(0.5, 0.5, 1.1)
    with pytest.raises(ValueError, match="sum of 1"):
        independent_clocks(np.zeros(2), np.zeros(2), np.array([0.5, 0.6]), 4)
    with pytest.raises(ValueError, match="multiples of 1/5"):
        given_counts(np.zeros(2), np.zeros(2), [np.array([0.5, 0.5])], 5)
    with pytest.raises(ValueError, match=r"expected \(4,\)"):
        independent_clocks(np.zeros(2), np.zeros(4), independent(0.5, 0.5), 4)
