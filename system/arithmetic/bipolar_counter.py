"""Bipolar streams, XNOR gates and exact counters, by the moments of the counts.

Given the counts, the mean product of two independent streams of N bits of +-1 has the mean a^ b^
and the variance (1 - a^^2)(1 - b^^2)/(N - 1) (hypergeometric; derived). Where the second stream is
not drawn, its bits of mean b give a^ b and (1 - b^2)/N, whatever the first. Streams of 1 bit have
no noise given the counts.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from system.arithmetic.bipolar import Bipolar


class BipolarCounter(Bipolar):
    """XNOR gates into exact counters."""

    adder = "exact-counter"

    def left(self, value: jax.Array, drawn: bool) -> jax.Array:
        return 1 - value * value if drawn else jnp.ones_like(value)

    def right(self, value: jax.Array, drawn: bool) -> jax.Array:
        return 1 - value * value

    def variance(
        self, mean: jax.Array, parts: jax.Array, terms: jax.Array | float, drawn: bool
    ) -> jax.Array:
        return parts / (max(self.length - 1, 1) if drawn else self.length)
