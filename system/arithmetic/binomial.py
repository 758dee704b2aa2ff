"""Counts of bit streams: draws on the grid k/N with the binomial mean and variance.

A count is a lattice part and a three-point part. The first is ``step`` times a centred popcount of
8 fair bits, of variance 2 step^2; the second takes what is left of the mean and of the variance
N p (1 - p) on three whole numbers, placed as the nodes of a Gauss quadrature: about sqrt(3)
standard deviations apart, and shifted by the skew. So mean and variance are those of
Binomial(N, p), third and fourth moments about so, and no draw leaves 0..N. Above p = 1/2 the zeros
are counted. Nothing is looked up and nothing divided: the draw is one loop of some 50 operations
that compilers turn into vector instructions.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

LONGEST = 2**12
"""Longest stream for which the draws are tested."""
_LATTICE_BITS, _UNIFORM_BITS = 8, 24
_STEP = 0.6
"""Largest step in standard deviations: leaves the three points 28 % or more of the variance."""
_KEPT = 1.2
"""Standard deviations kept between the lattice and the nearer end of 0..N, for the three points."""


@dataclass(frozen=True)
class Counts:
    """Draws of the count of ones of a stream, over its ``length``.

    Mean and variance of a count are exact but for rounding: within 1e-6 N, and within 1e-5 of
    N p (1 - p) and 1e-6. Raises ValueError for a length outside 1..``LONGEST``.
    """

    length: int

    def __post_init__(self) -> None:
        if not 1 <= self.length <= LONGEST:
            raise ValueError(f"a stream length of {self.length} is outside 1..{LONGEST}")

    def draw(self, words: jax.Array, probability: jax.Array) -> jax.Array:
        """Counts over N of one stream for each probability in [0, 1], from as many random words.

        The upper 8 bits of a word make the lattice part, the lower 24 the three-point part.
        """
        level = (words & (2**_UNIFORM_BITS - 1)).astype(jnp.float32)
        level = (level + 0.5) * 2.0**-_UNIFORM_BITS
        if self.length == 1:
            return (level < probability).astype(jnp.float32)
        many = probability > 0.5
        rare = jnp.where(many, 1 - probability, probability)
        mean = self.length * rare
        variance = mean - mean * rare
        deviation = _root(variance)
        half = _LATTICE_BITS / 2
        room = _greater(mean - _KEPT * deviation, 0.0) * (1 / half)
        step = jnp.floor(_lesser(_STEP * deviation, room))
        rest = variance - half / 2 * step * step
        apart = _root(3 * rest)
        middle = _greater(jnp.floor(mean + 0.5), 1.0)
        below = _lesser(_greater(jnp.floor(apart + rare), 1.0), middle - half * step)
        above = _lesser(
            _greater(jnp.floor(apart + (1 - rare)), 1.0), self.length - middle - half * step
        )
        # Of the three points middle - below, middle, middle + above; weights times ``whole``.
        offset = mean - middle
        square = rest + offset * offset
        whole = above * below * (above + below)
        high = (square + below * offset) * below
        low = (square - above * offset) * above
        level = level * whole
        point = jnp.where(level < high, above, jnp.where(level > whole - low, -below, 0.0))
        ones = jax.lax.population_count(words >> _UNIFORM_BITS).astype(jnp.float32)
        count = middle + point + step * (ones - half)
        return jnp.where(many, self.length - count, count) * (1 / self.length)


def _root(x: jax.Array) -> jax.Array:
    """Square root within 3.5 %, by halving the exponent: only says where nodes stand.

    A true root would be slower and would be kept in an array of its own.
    """
    bits = jax.lax.bitcast_convert_type(x, jnp.int32)
    return jax.lax.bitcast_convert_type((bits >> 1) + 0x1FBD1DF6, jnp.float32)


# One comparison each; XLA's minimum and maximum also carry NaN and the sign of zero.
def _lesser(a: jax.Array, b: jax.Array | float) -> jax.Array:
    return jnp.where(a < b, a, b)


def _greater(a: jax.Array, b: jax.Array | float) -> jax.Array:
    return jnp.where(a > b, a, b)
