"""Random words for one step, made by one call and handed out in order.

One generator call for all the streams of a step instead of one for each keeps the compiled program
small; the words come from JAX's threefry generator, so they are the same on every platform.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp


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
        """Standard normal variates, one word each (24 bits of it, so within 5.4 sigma)."""
        centred = (self.take(shape) >> 8).astype(jnp.float32) - (2**23 - 0.5)
        return math.sqrt(2) * jax.lax.erf_inv(centred * 2.0**-23)


class Counter(Tape):
    """A tape without words that only counts them."""

    def __init__(self) -> None:
        self.used = 0

    def take(self, shape: tuple[int, ...]) -> jax.Array:
        self.used += math.prod(shape)
        return jnp.zeros(shape, jnp.uint32)
