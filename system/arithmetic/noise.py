"""Random words for one step, made by one call and handed out in order.

One call for all the streams of a step instead of one for each keeps the compiled program small.
The words are those of JAX's own generator, Threefry-2x32 with 20 rounds (Salmon et al., SC11
(2011)), the same on every platform; evaluated in one pass instead of JAX's loop over rounds, which
goes through memory in each.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

_ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)
_PARITY = np.uint32(0x1BD11BDA)
_ROUNDS = 20
_LATTICE_BITS, _UNIFORM_BITS = 24, 8
_VARIANCE = _LATTICE_BITS / 4 + (1 - 4.0**-_UNIFORM_BITS) / 12


def random_words(key: jax.Array, count: int) -> jax.Array:
    """``count`` (below 2^32) uint32 words of a threefry2x32 key: those of ``jax.random.bits``.

    They are those of JAX's default, partitionable way of counting: word i is the exclusive or of
    both words of the block (0, i).
    """
    first, second = jax.random.key_data(key)
    keys = first, second, first ^ second ^ _PARITY
    x, y = jnp.broadcast_to(keys[0], (count,)), jax.lax.iota(jnp.uint32, count) + keys[1]
    for group in range(_ROUNDS // 4):
        for rotation in _ROTATIONS[group % 2]:
            x = x + y
            y = ((y << rotation) | (y >> (32 - rotation))) ^ x
        x = x + keys[(group + 1) % 3]
        y = y + keys[(group + 2) % 3] + np.uint32(group + 1)
    # Without the barrier XLA makes the words anew wherever they are read.
    return jax.lax.optimization_barrier(x ^ y)


class Tape:
    """Hands out 32-bit words of an array in order; ``used`` says how many are gone."""

    def __init__(self, words: jax.Array) -> None:
        self.words = words
        self.used = 0

    def take(self, shape: tuple[int, ...]) -> jax.Array:
        """The next words, in this shape."""
        start, self.used = self.used, self.used + math.prod(shape)
        return self.words[start : self.used].reshape(shape)

    def normal(self, shape: tuple[int, ...]) -> jax.Array:
        """Nearly normal variates, one word each, of mean 0 and variance 1 (exactly).

        The popcount of 24 bits and a uniform variate of 8 that fills the gaps between counts:
        excess kurtosis -0.08, within 5.07 sigma.
        """
        words = self.take(shape)
        ones = jax.lax.population_count(words >> _UNIFORM_BITS).astype(jnp.float32)
        part = (words & (2**_UNIFORM_BITS - 1)).astype(jnp.float32) * 2.0**-_UNIFORM_BITS
        centre = _LATTICE_BITS / 2 + (1 - 2.0**-_UNIFORM_BITS) / 2
        return (ones + part - centre) * (1 / math.sqrt(_VARIANCE))


class Counter(Tape):
    """A tape without words that only counts them."""

    def __init__(self) -> None:
        self.used = 0

    def take(self, shape: tuple[int, ...]) -> jax.Array:
        self.used += math.prod(shape)
        return jnp.zeros(shape, jnp.uint32)
