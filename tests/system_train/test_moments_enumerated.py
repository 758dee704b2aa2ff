"""The moments of products given the counts, against all bit patterns and all selects.

Nothing is drawn: every pattern of every stream is listed and has its probability, so the numbers
must agree to rounding.
"""

from __future__ import annotations

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from system.arithmetic import BipolarCounter, BipolarMux, Generators, SignMagnitudeCounter
from system.arithmetic.moments import Moments

LENGTHS = [1, 2, 3]
PRODUCTS = 2
"""Products summed into each output."""
KINDS = [SignMagnitudeCounter, BipolarCounter, BipolarMux]


def patterns(length: int, streams: int, low: float) -> np.ndarray:
    """Values (patterns, streams, length) of all bits, 1 or ``low``."""
    bits = np.array(list(itertools.product([low, 1.0], repeat=streams * length)))
    return bits.reshape(-1, streams, length)


def outputs(kind: type[Moments], a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance over the selects of an output, for each pattern (patterns, products, N)."""
    made = a * b
    if kind is not BipolarMux:
        return made.sum(1).mean(-1), np.zeros(made.shape[0])
    selects = np.array(list(itertools.product(range(PRODUCTS), repeat=made.shape[-1])))
    chosen = made[:, selects, np.arange(made.shape[-1])]  # patterns, selects, clocks
    values = PRODUCTS * chosen.mean(-1)
    return values.mean(1), values.var(1)


def by_group(groups: np.ndarray, weight: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Weighted mean of the values of each group."""
    return np.bincount(groups, weight * values) / np.bincount(groups, weight)


def numbered(counts: np.ndarray) -> np.ndarray:
    """One number for each row of counts (whole numbers from -3 to 3), without gaps."""
    single = (counts + 3) @ 7.0 ** np.arange(counts.shape[1])
    return np.unique(single, return_inverse=True)[1]


def formula(
    arithmetic: Moments, a: np.ndarray, b: np.ndarray, drawn: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance from the realised values of a, and of b where that is drawn."""
    left = arithmetic.left(jnp.asarray(a, jnp.float32), drawn)
    right = arithmetic.right(jnp.asarray(b, jnp.float32), drawn)
    parts, mean = (np.asarray(left) * np.asarray(right)).sum(1), (a * b).sum(1)
    variance = arithmetic.variance(jnp.asarray(mean), jnp.asarray(parts), PRODUCTS, drawn)
    return mean, np.asarray(variance)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_mean_and_variance_given_both_counts(
    generators: Generators, kind: type[Moments], length: int
) -> None:
    low = 0.0 if kind is SignMagnitudeCounter else -1.0
    signs = np.array([1.0, -1.0, 1.0, 1.0]) if kind is SignMagnitudeCounter else np.ones(4)
    bits = patterns(length, 2 * PRODUCTS, low)
    groups, even = numbered(bits.sum(-1)), np.ones(bits.shape[0])
    signed = bits * signs[:, None]
    mean, variance = outputs(kind, signed[:, :PRODUCTS], signed[:, PRODUCTS:])
    wanted_mean = by_group(groups, even, mean)
    wanted = by_group(groups, even, variance + mean**2) - wanted_mean**2
    shares = np.array([by_group(groups, even, share) for share in signed.mean(-1).T]).T
    found_mean, found = formula(
        kind(generators, length), shares[:, :PRODUCTS], shares[:, PRODUCTS:], True
    )
    assert np.allclose(found_mean, wanted_mean, atol=1e-12)
    assert np.allclose(found, wanted, atol=1e-6)
    if length == 1 and kind is not BipolarMux:
        assert np.all(found == 0)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_mean_and_variance_where_only_the_first_operand_is_drawn(
    generators: Generators, kind: type[Moments], length: int
) -> None:
    low = 0.0 if kind is SignMagnitudeCounter else -1.0
    chance = np.array([0.2, 0.7])
    value = chance + low * (1 - chance)
    bits = patterns(length, 2 * PRODUCTS, low)
    a, b = bits[:, :PRODUCTS], bits[:, PRODUCTS:]
    weight = np.prod(np.where(b == 1, chance[:, None], 1 - chance[:, None]), axis=(1, 2))
    groups = numbered(a.sum(-1))
    mean, variance = outputs(kind, a, b)
    wanted_mean = by_group(groups, weight, mean)
    wanted = by_group(groups, weight, variance + mean**2) - wanted_mean**2
    shares = np.array([by_group(groups, weight, share) for share in a.mean(-1).T]).T
    found_mean, found = formula(kind(generators, length), shares, value[None], False)
    assert np.allclose(found_mean, wanted_mean, atol=1e-12)
    assert np.allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_that_share_a_stream_are_uncorrelated_given_the_counts(kind: type[Moments]) -> None:
    """Two outputs with common first operands; selects are each output's own."""
    low = 0.0 if kind is SignMagnitudeCounter else -1.0
    bits = patterns(3, 3 * PRODUCTS, low)
    groups, even = numbered(bits.sum(-1)), np.ones(bits.shape[0])
    a, b, c = (bits[:, i * PRODUCTS : (i + 1) * PRODUCTS] for i in range(3))
    first, second = outputs(kind, a, b)[0], outputs(kind, a, c)[0]
    together = by_group(groups, even, first * second)
    apart = by_group(groups, even, first) * by_group(groups, even, second)
    assert np.allclose(together, apart, atol=1e-12)
