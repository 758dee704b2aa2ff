"""Converters and the isolator."""

from __future__ import annotations

import numpy as np
import pytest

from system.bitstream import BitStream
from system.elements import converter_moments, converters
from system.elements.laws import independent, pair
from tests.system_elements.patterns import agree, all_bits, conditional, moments, packed, weights


def test_a_full_period_of_random_numbers_gives_every_value_exactly() -> None:
    numbers = np.random.default_rng(0).permutation(256)
    values = np.arange(257)
    stream = converters.binary_to_stochastic(values, numbers)
    assert stream.length == 256
    assert np.array_equal(converters.stochastic_to_binary(stream), values)


def test_numbers_from_one_row_are_nested_and_of_64_bits_compare_rightly() -> None:
    numbers = np.random.default_rng(1).integers(0, 1000, 90)
    low, high = converters.binary_to_stochastic(np.array([300, 700]), numbers)[:, ...].unpack()
    assert np.all(low <= high)
    value, random = np.array([2**62 + 1]), np.array([[2**62, 2**62 + 1]], np.uint64)
    assert converters.binary_to_stochastic(value, random).unpack().tolist() == [[1, 0]]


@pytest.mark.parametrize("scc", [-1.0, 0.0, 1.0])
def test_moments_of_two_numbers_compared_with_one_random_number(scc: float) -> None:
    values, length = np.array([3, 6]), 2
    draws = np.stack(np.meshgrid(*[np.arange(8)] * (2 * length), indexing="ij"), -1)
    draws = draws.reshape(-1, 2, length)
    second = {-1.0: 7 - draws[:, 0], 0.0: draws[:, 1], 1.0: draws[:, 0]}[scc]
    one = converters.binary_to_stochastic(values[:1], draws[:, 0]).share()
    two = converters.binary_to_stochastic(values[1:], second).share()
    expected = moments(one, two, np.full(len(draws), 1 / len(draws)))
    p, q = values / 8
    assert converter_moments.mean(p) == pytest.approx(expected[0])
    assert converter_moments.covariance(p, q, length, scc) == pytest.approx(expected[2], abs=1e-12)
    own = moments(one, one, np.full(len(draws), 1 / len(draws)))[2]
    assert converter_moments.variance(p, length) == pytest.approx(own)


@pytest.mark.parametrize("clocks", [1, 31, 32, 33, 63, 64, 65, 130, 300])
def test_the_isolator_delays_in_numpy_and_jax(clocks: int) -> None:
    bits = np.random.default_rng(clocks).integers(0, 2, (3, 200)).astype(np.uint8)
    expected = np.concatenate([np.zeros((3, clocks), np.uint8), bits], -1)[:, :200]
    for convert in (BitStream.to_numpy, BitStream.to_jax):
        out = converters.isolate(convert(BitStream.pack(bits)), clocks)
        assert np.array_equal(out.unpack(), expected)


@pytest.mark.parametrize("clocks", [1, 2, 5])
def test_a_stream_and_its_delay_have_the_moments_of_all_patterns(clocks: int) -> None:
    length, p = 8, 0.7
    bits = all_bits(1, length)
    weight = weights(bits, independent(p))
    (x,) = packed(bits)
    late = converters.isolate(x, clocks)
    expected = moments(x.share(), late.share(), weight)
    assert converter_moments.isolated_mean(p, length, clocks) == pytest.approx(expected[1])
    covariance = converter_moments.isolated_covariance(p, length, clocks)
    assert covariance == pytest.approx(expected[2])
    own = moments(late.share(), late.share(), weight)[2]
    assert converter_moments.isolated_variance(p, length, clocks) == pytest.approx(own)
    square = (x & late).share()
    mean, _, variance = moments(square, square, weight)
    assert converter_moments.square_mean(p, length, clocks) == pytest.approx(mean)
    assert converter_moments.square_variance(p, length, clocks) == pytest.approx(variance)


def test_drawn_squares_of_256_clocks_agree() -> None:
    x = BitStream.pack(np.random.default_rng(3).random((4000, 256)) < 0.6)
    square = (x & converters.isolate(x)).share()
    mean = converter_moments.square_mean(0.6, 256)
    agree(square, square, (mean, mean, converter_moments.square_variance(0.6, 256)))


def test_conditioning_keeps_only_patterns_with_the_counts() -> None:
    """The tests' own tool: two of three ones, all places equally likely."""
    bits = all_bits(2, 3)
    weight = conditional(bits, [[0, 1]], [pair(2 / 3, 1 / 3, 0.0)])
    assert (weight > 0).sum() == 3
    assert np.all(bits[weight > 0].sum(-1) == [2, 1])


def test_numbers_that_are_no_integers_are_refused() -> None:
    with pytest.raises(ValueError, match="values of type float64"):
        converters.binary_to_stochastic(np.array([0.5]), np.arange(4))
    with pytest.raises(ValueError, match="1 or more"):
        converters.isolate(BitStream.pack(np.ones(4)), 0)
