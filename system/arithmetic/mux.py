"""Bipolar streams, XNOR gates and a MUX tree: one product bit is let through per clock.

A number x in [-1, 1] has P(bit = 1) = (1 + x)/2. With n products of mean values m_i, each clock's
output bit is +1 with the mean m = (1/n) sum m_i, independently of the other clocks, so the
estimate n x (mean of N bits of +-1) has the mean sum m_i and the variance n^2 (1 - m^2)/N: the
exact marginal of every output. The covariance between outputs that share operands or select lines
is not modelled. Padding is an ideal stream of value 0 (p = 1/2).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from system.arithmetic.base import Arithmetic, Operand, power_of_two_scale
from system.arithmetic.linear import Linear
from system.arithmetic.noise import Tape
from system.arithmetic.operands import Deviation, Generators


class BipolarMux(Arithmetic):
    """XNOR gates into a MUX tree; streams of ``length`` bits."""

    encoding = "bipolar"
    adder = "mux"

    def __init__(self, generators: Generators, length: int) -> None:
        self.generators = generators
        self.length = length

    def encode(self, values: jax.Array, devices: Deviation | None) -> Operand:
        assert devices is not None
        scale = power_of_two_scale(values)
        probability = self.generators.probability((1 + values / scale) / 2, devices)
        return Operand(jnp.ones(()), probability, scale)

    def forward(self, linear: Linear, x: Operand, w: Operand, tape: Tape) -> jax.Array:
        total = linear.forward(linear.unfold(_value(x)), _value(w))
        return x.scale * w.scale * self._selected(total, float(linear.fan_ins[0]), tape)

    def input_gradient(self, linear: Linear, d: Operand, w: Operand, tape: Tape) -> jax.Array:
        total = linear.input_gradient(_value(d), _value(w))
        terms = jnp.asarray(linear.input_gradient_terms)
        return d.scale * w.scale * self._selected(total, terms, tape)

    def weight_gradient(self, linear: Linear, x: Operand, d: Operand, tape: Tape) -> jax.Array:
        terms = float(linear.fan_ins[2])
        by_image = linear.weight_gradient_by_image(linear.unfold(_value(x)), _value(d))
        mean = jnp.sum(by_image, axis=0)
        variance = jnp.sum(terms**2 - by_image**2, axis=0) / self.length
        noise = jnp.sqrt(jnp.maximum(variance, 0)) * tape.normal(mean.shape)
        return x.scale * d.scale * (mean + noise)

    def _selected(self, total: jax.Array, terms: jax.Array | float, tape: Tape) -> jax.Array:
        variance = jnp.maximum(terms**2 - total**2, 0) / self.length
        return total + jnp.sqrt(variance) * tape.normal(total.shape)


def _value(operand: Operand) -> jax.Array:
    """Mean of the +-1 bits of each generator."""
    return 2 * operand.probability - 1
