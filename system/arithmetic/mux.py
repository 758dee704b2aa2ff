"""Bipolar streams, XNOR gates and a MUX tree: one product bit is let through per clock.

Each output chooses, with select lines of its own, one of its n products anew in each clock, so that
n times the mean of N such bits of +-1 estimates the sum of the products. Given the counts of the
operands, with realised values a_k and b_k, the mean of the bits has the mean m = (1/n) sum a_k b_k
and the variance (derived: two clocks that choose the same product meet the correlation
(N a^2 - 1)/(N - 1) of two bits of one stream)

    (1 - m^2)/N + (1/(N n^2)) sum (g (1 - a^2)(1 - b^2) - (1 - a^2) - (1 - b^2)),
    g = (2 N - 1)/(N - 1),

and outputs are uncorrelated given the counts, whichever streams they share. With u = 1 - a^2 - 1/g
and v alike for b the last sum is g sum (u v) - n/g: one matrix product. Where the second operand is
not drawn, its bits of mean b leave (1 - m^2)/N - (1/(N n^2)) sum (1 - a^2) b^2. Select lines that
several outputs share make their choices alike, which these moments do not hold: exact mode only.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from system.arithmetic.bipolar import Bipolar
from system.arithmetic.linear import Linear
from system.arithmetic.moments import noisy
from system.arithmetic.noise import Tape

_Two = tuple[jax.Array, jax.Array]


class BipolarMux(Bipolar):
    """XNOR gates into a MUX tree with select lines of its own for every output."""

    adder = "mux"

    def left(self, value: jax.Array, drawn: bool) -> jax.Array:
        return 1 - value * value - (self._shift if drawn else 0.0)

    def right(self, value: jax.Array, drawn: bool) -> jax.Array:
        return 1 - value * value - self._shift if drawn else value * value

    def variance(
        self, mean: jax.Array, parts: jax.Array, terms: jax.Array | float, drawn: bool
    ) -> jax.Array:
        return (terms**2 - mean**2 + self._together(parts, terms, drawn)) / self.length

    def _over_images(self, linear: Linear, values: _Two, parts: _Two, tape: Tape) -> jax.Array:
        """Each image's sum over positions is one output; the images are added in binary."""
        terms = float(linear.fan_ins[2])
        mean = linear.weight_gradient_by_image(*values)
        variance = self.variance(mean, linear.weight_gradient_by_image(*parts), terms, True)
        return noisy(jnp.sum(mean, 0), jnp.sum(variance, 0), tape)

    @property
    def _shift(self) -> float:
        """1/g, and 0 for streams of one bit, of which no two clocks can choose."""
        return (self.length - 1) / (2 * self.length - 1)

    def _together(self, parts: jax.Array, terms: jax.Array | float, drawn: bool) -> jax.Array:
        """What clocks that choose the same product add, times N."""
        if self.length == 1:
            return jnp.zeros_like(parts)
        return parts / self._shift - terms * self._shift if drawn else -parts
