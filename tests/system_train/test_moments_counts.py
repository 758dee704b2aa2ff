"""The random parts of the moments: words, counts and noise, by listing the words."""

from __future__ import annotations

from math import comb

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import binom

from system.arithmetic.binomial import Counts
from system.arithmetic.noise import Tape, random_words

LEVELS = 2**13
"""Levels of the 24 bits of a word that pick one of three points, evenly spread; two thresholds
fall between them, so that a weight is met to 1/LEVELS."""
LENGTHS = [1, 2, 3, 5, 16, 31, 256, 4096]


def probabilities(length: int) -> np.ndarray:
    """Both ends, around each change of the nodes at small means, and in between."""
    means = [1e-4, 0.3, 0.999, 1.001, 1.499, 1.501, 2.499, 3, 5, 7.9, 8.1, 12, 20]
    few = np.array([0.0, 0.5, 1.0, 1e-7, 0.25, 0.4999, 0.61, 0.9, 0.999])
    return np.unique(np.minimum(np.append(few, np.array(means) / length), 1)).astype(np.float32)


def listed(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts (probabilities, popcounts, levels), and the chance of each popcount."""
    level = ((np.arange(LEVELS) + 0.5) * (2**24 / LEVELS)).astype(np.uint32)
    words = ((2 ** np.arange(9) - 1).astype(np.uint32)[:, None] << 24) | level
    draw = jax.jit(lambda p: Counts(length).draw(jnp.asarray(words), p))
    shares = np.array([draw(p) for p in probabilities(length)], float)
    assert np.allclose(shares, np.rint(shares * length) / length, rtol=2e-7, atol=0)
    return np.rint(shares * length), np.array([comb(8, k) for k in range(9)]) / 256


@pytest.mark.parametrize("length", LENGTHS)
def test_counts_have_the_mean_and_the_variance_of_a_binomial(length: int) -> None:
    """Tolerance: two thresholds met to half a level each, and distances of at most 2.4 sigma."""
    counts, chance = listed(length)
    assert counts.min() >= 0 and counts.max() <= length
    p = probabilities(length).astype(float)
    assert np.all(counts[p == 0] == 0) and np.all(counts[p == 1] == length)
    variance = length * p * (1 - p)
    reach = 1.5 + 2.4 * np.sqrt(variance)
    mean = counts.mean(-1) @ chance
    assert np.all(np.abs(mean - length * p) <= reach / LEVELS + 1e-6 * length)
    found = ((counts - (length * p)[:, None, None]) ** 2).mean(-1) @ chance
    assert np.all(np.abs(found - variance) <= 1.5 * reach**2 / LEVELS + 1e-5 * variance + 1e-6)


def test_counts_have_nearly_the_skew_and_the_kurtosis_of_a_binomial() -> None:
    """Not asked of them; but they should look like counts where there is more than one."""
    counts, chance = listed(256)
    p = probabilities(256).astype(float)
    wide = np.minimum(p, 1 - p) > 2.4 / 256
    sigma = np.sqrt(256 * p * (1 - p))
    standard = (counts - (256 * p)[:, None, None])[wide] / sigma[wide, None, None]
    skew, kurtosis = ((standard**k).mean(-1) @ chance for k in (3, 4))
    wanted = binom(256, p[wide]).stats("sk")
    assert np.all(np.abs(skew - wanted[0]) < 0.3)
    assert np.all(np.abs(kurtosis / (wanted[1] + 3) - 1) < 0.35)


def test_a_length_out_of_range_is_refused() -> None:
    for length in (0, 4097):
        with pytest.raises(ValueError, match="outside"):
            Counts(length)


def test_noise_has_mean_0_and_variance_1() -> None:
    """All popcounts of 24 bits with all values of 8; excess kurtosis as stated."""
    words = ((2 ** np.arange(25, dtype=np.uint64) - 1)[:, None] << 8) | np.arange(
        256, dtype=np.uint64
    )
    noise = np.asarray(Tape(jnp.asarray(words.ravel(), jnp.uint32)).normal(words.shape), float)
    chance = np.array([comb(24, k) for k in range(25)]) / 2**24
    moment = [(noise**k).mean(-1) @ chance for k in (1, 2, 3, 4)]
    assert moment[0] == pytest.approx(0, abs=1e-6) and moment[2] == pytest.approx(0, abs=1e-5)
    assert moment[1] == pytest.approx(1, abs=1e-6) and moment[3] == pytest.approx(2.92, abs=0.005)
    assert np.abs(noise).max() < 5.07


@pytest.mark.parametrize("count", [1, 2, 1001])
def test_words_are_those_of_jax(count: int) -> None:
    key = jax.random.fold_in(jax.random.key(7, impl="threefry2x32"), 3)
    ours = jax.jit(random_words, static_argnums=1)(key, count)
    assert np.array_equal(ours, jax.random.bits(key, (count,), jnp.uint32))
