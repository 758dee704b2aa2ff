"""Bipolar streams: a number x in [-1, 1] has P(bit = 1) = (1 + x)/2, the bits stand for +-1.

The realised value of a stream with count A of N bits is a^ = 2 A/N - 1. Padding of a convolution
is an ideal stream of value 0, P(1) = 1/2, one for each place around the image.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from system.arithmetic.base import Operand
from system.arithmetic.moments import Moments
from system.arithmetic.operands import Deviation


class Bipolar(Moments):
    """What XNOR arithmetics share, whatever adds their products."""

    encoding = "bipolar"
    padding_probability = 0.5

    def encode(self, values: jax.Array, devices: Deviation | None, scale: jax.Array) -> Operand:
        assert devices is not None
        share = jnp.clip(values * (1 / scale), -1.0, 1.0)
        probability = self.generators.probability((1 + share) / 2, devices)
        return Operand(jnp.ones(()), probability, scale)

    def value(self, operand: Operand, share: jax.Array) -> jax.Array:
        return 2 * share - 1
