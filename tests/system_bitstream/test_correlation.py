"""Correlation of packed streams against plain bits, all arrangements, and the published examples.

Statistical tests use fixed seeds; the bounds on standard scores have a false-alarm rate below 1e-6.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from system.bitstream import BitStream
from system.bitstream.correlation import (
    Autocorrelation,
    all_pairs,
    autocorrelation,
    pairs,
    scc_moments,
)


def stream(text: str) -> BitStream:
    return BitStream.pack(np.array([[int(c) for c in word] for word in text.split()]))


def arrangements(length: int, ones: int) -> np.ndarray:
    """All bit patterns with so many ones."""
    rows = list(combinations(range(length), ones))
    bits = np.zeros((len(rows), length), np.uint8)
    for row, places in zip(bits, rows, strict=True):
        row[list(places)] = 1
    return bits


@pytest.mark.parametrize(
    ("x", "y", "scc", "pearson"),
    [
        ("11110000", "11110000", 1.0, 1.0),
        ("11110000", "00001111", -1.0, -1.0),
        ("11110000", "11001100", 0.0, 0.0),
        ("11110000", "11000000", 1.0, 1 / np.sqrt(3)),
        ("11110000", "00000011", -1.0, -1 / np.sqrt(3)),
        ("11111100", "00111111", -1.0, -1 / 3),
    ],
)
def test_scc_is_1_at_most_overlap_and_minus_1_at_least_whatever_the_counts(
    x: str, y: str, scc: float, pearson: float
) -> None:
    pair = pairs(stream(x), stream(y))
    assert pair.scc.item() == pytest.approx(scc)
    assert pair.pearson.item() == pytest.approx(pearson)


@pytest.mark.parametrize("length", [5, 64, 65, 130, 1000])
def test_pairs_and_matrix_equal_numpys_correlation_of_the_bits(length: int) -> None:
    bits = np.random.default_rng(length).integers(0, 2, (6, length))
    bits[2] = bits[0] & bits[1]
    bits[3] = 1 - bits[0]
    bits[5] = 1
    matrix = all_pairs(BitStream.pack(bits))
    with np.errstate(invalid="ignore"):
        expected = np.corrcoef(bits)
    assert np.allclose(matrix.pearson, expected, atol=1e-12, equal_nan=True)
    assert np.allclose(matrix.covariance, np.cov(bits, bias=True), atol=1e-12)
    one = pairs(BitStream.pack(bits[:3]), BitStream.pack(bits[3:]))
    assert np.array_equal(one.scc, np.diagonal(matrix.scc[:3, 3:]), equal_nan=True)
    assert matrix.scc[0, 3] == -1 and np.isnan(matrix.scc[0, 5])


@pytest.mark.parametrize(("first", "second"), [(3, 4), (2, 2), (7, 6), (1, 8)])
def test_moments_of_independent_pairs_are_those_of_all_arrangements(
    first: int, second: int
) -> None:
    x, y = BitStream.pack(arrangements(9, first)), BitStream.pack(arrangements(9, second))
    every = pairs(x.reshape(-1, 1), y.reshape(1, -1))
    mean, variance = scc_moments(9, first, second)
    assert mean == pytest.approx(every.scc.mean(), abs=1e-12)
    assert variance == pytest.approx(every.scc.var(), abs=1e-12)
    assert every.z.mean() == pytest.approx(0, abs=1e-12)
    assert every.z.var() == pytest.approx(1, abs=1e-12)


def test_a_constant_stream_has_no_scc() -> None:
    with pytest.raises(ValueError, match="both values"):
        scc_moments(8, 8, 3)


@pytest.mark.parametrize("probability", [None, 0.3])
@pytest.mark.parametrize("length", [70, 128, 129, 500])
def test_autocorrelation_equals_that_of_the_unpacked_bits(
    length: int, probability: float | None
) -> None:
    bits = np.random.default_rng(length).integers(0, 2, (2, 3, length))
    lags = [1, 2, 63, 64, 65, length - 1]
    found = autocorrelation(BitStream.pack(bits), lags, probability)
    p = bits.mean(-1, keepdims=True) if probability is None else probability
    y = bits - p
    for place, lag in enumerate(lags):
        plain = (y[..., :-lag] * y[..., lag:]).mean(-1) / np.squeeze(p * (1 - p) + 0 * y[..., :1])
        assert np.allclose(found.value[..., place], plain, atol=1e-12)


@pytest.mark.parametrize(("length", "ones"), [(9, 4), (10, 2), (11, 10), (8, 4)])
def test_mean_and_variance_without_correlation_are_those_of_all_arrangements(
    length: int, ones: int
) -> None:
    lags = list(range(1, length))
    found = autocorrelation(BitStream.pack(arrangements(length, ones)), lags)
    assert np.allclose(found.expected[0], found.value.mean(0), atol=1e-12)
    assert np.allclose(found.stderr[0], found.value.std(0), atol=1e-7)


def test_with_p_given_the_moments_are_those_of_all_patterns_weighted_by_p() -> None:
    length, p = 10, 0.3
    bits = (np.arange(2**length)[:, None] >> np.arange(length)) & 1
    weight = p ** bits.sum(1) * (1 - p) ** (length - bits.sum(1))
    found = autocorrelation(BitStream.pack(bits), length - 1, p)
    mean = weight @ found.value
    assert np.allclose(mean, 0, atol=1e-12)
    assert np.allclose(np.sqrt(weight @ found.value**2), found.stderr[0], atol=1e-12)


def test_z_values_of_independent_bits_are_standard_and_a_wrong_p_is_no_correlation() -> None:
    bits = np.random.default_rng(5).random((400, 999)) < 0.2
    z = autocorrelation(BitStream.pack(bits), 8).z
    assert abs(z.mean()) < 5 / np.sqrt(z.size)
    assert abs(z.var() - 1) < 5 * np.sqrt(2 / z.size)


def test_a_markov_chain_shows_its_correlation_at_every_lag() -> None:
    rng, rho, length = np.random.default_rng(6), 0.3, 40_000
    keep, fresh = rng.random((20, length)) < rho, rng.random((20, length)) < 0.5
    bits = fresh.copy()
    for t in range(1, length):
        bits[:, t] = np.where(keep[:, t], bits[:, t - 1], fresh[:, t])
    pooled = autocorrelation(BitStream.pack(bits), 4).pooled()
    assert isinstance(pooled, Autocorrelation) and pooled.value.shape == (4,)
    assert np.allclose(pooled.corrected, rho ** np.arange(1, 5), atol=6 * pooled.stderr)


def test_lags_and_probabilities_without_meaning_are_refused() -> None:
    bits = stream("10110")
    with pytest.raises(ValueError, match="from 1 to 4"):
        autocorrelation(bits, 5)
    with pytest.raises(ValueError, match="between 0 and 1"):
        autocorrelation(bits, 2, 1.0)
    with pytest.raises(ValueError, match="4 or more"):
        autocorrelation(stream("101"), 1)
    with pytest.raises(ValueError, match="one axis"):
        all_pairs(stream("101").reshape(1, 1))
    assert np.isnan(autocorrelation(stream("11111"), 1).value).all()
