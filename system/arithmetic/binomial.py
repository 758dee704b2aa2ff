"""Counts of bit streams: binomial draws on the grid k/N, fast enough for every stream of a step.

An alias table (Walker, Electronics Letters 10, 127, 1974) holds the binomial distribution at
``LEVELS`` + 1 probabilities, spaced evenly in sqrt(p) up to 1/2; p above 1/2 counts the zeros.
Between two levels one is picked at random so that the mean stays N p.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
from scipy.stats import binom

LEVELS = 512
LONGEST = 2**12
"""Longest stream the tables are made for."""
_THRESHOLD_BITS, _ALIAS_BITS = 16, 16
_HALF_WIDTH = 6.5
"""Half width of the tabulated support in standard deviations at p = 1/2 (beyond: 1e-10)."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Draws of Binomial(``length``, p) / ``length``.

    The mean is N p to 1e-5 N (at least 7 dither bits), the variance exceeds N p (1 - p) by at
    most the fraction N / LEVELS^2 (0.1 % at N = 256), every draw is a whole count in [0, N].
    """

    length: int
    bits: int
    first: np.ndarray
    table: np.ndarray

    def draw(self, words: jax.Array, probability: jax.Array) -> jax.Array:
        """Counts over N of one stream for each probability in [0, 1], from as many random words.

        A word is read as (cell, dither, threshold), 16 bits for the first two and 16 for the last.
        """
        rare = jnp.minimum(probability, 1 - probability)
        # Level j stands for j^2 / (2 LEVELS^2); the next one lies (2 j + 1) / (2 LEVELS^2) higher.
        squared = rare * (2 * LEVELS**2)
        level = jnp.minimum(jnp.sqrt(squared), LEVELS - 1).astype(jnp.int32)
        fraction = (squared - level * level) / (2 * level + 1)
        cell = (words >> (32 - self.bits)).astype(jnp.int32)
        dither_bits = 32 - _THRESHOLD_BITS - self.bits
        dither = ((words >> _THRESHOLD_BITS) & (2**dither_bits - 1)).astype(jnp.float32)
        level = level + (dither + 0.5 < fraction * 2**dither_bits)
        place = (level << self.bits) + cell
        entry = jnp.asarray(self.table).at[place].get(mode="promise_in_bounds")
        within = (words & (2**_THRESHOLD_BITS - 1)) < entry >> _ALIAS_BITS
        chosen = jnp.where(within, cell, (entry & (2**_ALIAS_BITS - 1)).astype(jnp.int32))
        count = chosen + jnp.asarray(self.first).at[level].get(mode="promise_in_bounds")
        count = jnp.where(probability > 0.5, self.length - count, count)
        return count.astype(jnp.float32) / self.length


@cache
def binomial_counts(length: int) -> Counts:
    """The tables for streams of ``length`` bits, 2 <= length <= LONGEST."""
    if not 2 <= length <= LONGEST:
        raise ValueError(f"a stream length of {length} is outside 2..{LONGEST}")
    width = min(length + 1, math.ceil(_HALF_WIDTH * math.sqrt(length)) + 2)
    bits = max(1, math.ceil(math.log2(width)))
    probability = np.arange(LEVELS + 1) ** 2 / (2 * LEVELS**2)
    first = np.maximum(0, np.floor(length * probability).astype(int) - 2**bits // 2)
    support = first[:, None] + np.arange(2**bits)
    mass = binom.pmf(support, length, probability[:, None])
    table = np.stack([_alias(row) for row in mass / mass.sum(axis=1, keepdims=True)])
    return Counts(length, bits, first.astype(np.int32), table.ravel())


def _alias(mass: np.ndarray) -> np.ndarray:
    """Pack Vose's alias table of a distribution over a power of two of cells."""
    size = mass.size
    scaled = (mass * size).tolist()
    threshold, alias = [1.0] * size, list(range(size))
    small = [cell for cell in range(size) if scaled[cell] < 1]
    large = [cell for cell in range(size) if scaled[cell] >= 1]
    while small and large:
        low, high = small.pop(), large[-1]
        threshold[low], alias[low] = scaled[low], high
        scaled[high] -= 1 - scaled[low]
        if scaled[high] < 1:
            small.append(large.pop())
    # A full cell points at itself, so that its threshold need not represent 1.
    full = 2**_THRESHOLD_BITS - 1
    share = np.rint(np.array(threshold) * 2**_THRESHOLD_BITS)
    packed = np.minimum(share, full).astype(np.uint32)
    return np.asarray((packed << _ALIAS_BITS) | np.array(alias, np.uint32))
