"""Sign-magnitude streams, AND gates and exact counters, by the moments of the counts.

Two independent streams with counts A and B of N bits, a^ = A/N, b^ = B/N, agree in 1 in a share
of mean a^ b^ and variance a^(1 - a^) b^(1 - b^)/(N - 1) (hypergeometric; derived). Where B is not
drawn, the count of the product given A is Binomial(A, p), of mean a^ p and variance a^ p (1 - p)/N.
XOR of the signs steers the counter up or down. Streams of 1 bit have no noise given the counts.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from system.arithmetic.base import Operand
from system.arithmetic.moments import Moments
from system.arithmetic.operands import Deviation


class SignMagnitudeCounter(Moments):
    """AND gates into exact counters."""

    encoding = "sign-magnitude"
    adder = "exact-counter"

    def encode(self, values: jax.Array, devices: Deviation | None, scale: jax.Array) -> Operand:
        assert devices is not None
        share = jnp.abs(values) * (1 / scale)
        share = jnp.where(share < 1, share, 1.0)
        probability = self.generators.probability(share, devices)
        sign = jnp.where(values < 0, -1.0, 1.0)
        return jax.lax.optimization_barrier(Operand(sign, probability, scale))

    def value(self, operand: Operand, share: jax.Array) -> jax.Array:
        return operand.sign * share

    def left(self, value: jax.Array, drawn: bool) -> jax.Array:
        return _spread(value) if drawn else jnp.abs(value)

    def right(self, value: jax.Array, drawn: bool) -> jax.Array:
        return _spread(value)

    def variance(
        self, mean: jax.Array, parts: jax.Array, terms: jax.Array | float, drawn: bool
    ) -> jax.Array:
        return parts / (max(self.length - 1, 1) if drawn else self.length)


def _spread(value: jax.Array) -> jax.Array:
    """a (1 - a) of the magnitude."""
    magnitude = jnp.abs(value)
    return magnitude * (1 - magnitude)
