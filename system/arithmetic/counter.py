"""Sign-magnitude streams, AND gates and exact counters, by the moments of the counts.

Two independent streams with counts A and B of N bits, a^ = A/N, b^ = B/N, agree in 1 in a share
of mean a^ b^ and variance a^(1 - a^) b^(1 - b^)/(N - 1) (hypergeometric). Products that share one
stream are uncorrelated given the counts, so drawing each shared stream's count once gives every
output's mean, its variance and its covariance with the others. A stream that feeds a single output
within an image (a weight of a dense layer) need not be drawn: given A the count of the product is
Binomial(A, p), of mean a^ p and variance a^ p (1 - p)/N. The sum of many products is taken as
normal about its mean. XOR of the signs steers the counter up or down.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from system.arithmetic.base import Arithmetic, Operand, power_of_two_scale
from system.arithmetic.binomial import binomial_counts
from system.arithmetic.linear import Linear
from system.arithmetic.noise import Tape
from system.arithmetic.operands import Deviation, Generators


class SignMagnitudeCounter(Arithmetic):
    """AND gates into exact counters; streams of ``length`` bits (at least 2)."""

    encoding = "sign-magnitude"
    adder = "exact-counter"

    def __init__(self, generators: Generators, length: int) -> None:
        self.generators = generators
        self.length = length
        self.counts = binomial_counts(length)

    def encode(self, values: jax.Array, devices: Deviation | None) -> Operand:
        assert devices is not None
        scale = power_of_two_scale(values)
        probability = self.generators.probability(jnp.abs(values) / scale, devices)
        sign = jnp.where(values < 0, -1.0, 1.0)
        return jax.lax.optimization_barrier(Operand(sign, probability, scale))

    def forward(self, linear: Linear, x: Operand, w: Operand, tape: Tape) -> jax.Array:
        taps = linear.unfold(self._stream(x, tape))
        if linear.weights_shared:
            drawn = self._stream(_per_image(w, taps.shape[0]), tape)
            mean = linear.forward(taps, drawn)
            variance = linear.forward(_spread(taps), _spread(drawn)) / (self.length - 1)
        else:
            mean = linear.forward(taps, w.sign * w.probability)
            variance = linear.forward(jnp.abs(taps), _spread(w.probability)) / self.length
        return x.scale * w.scale * _noisy(mean, variance, tape)

    def input_gradient(self, linear: Linear, d: Operand, w: Operand, tape: Tape) -> jax.Array:
        error = self._stream(d, tape)
        if linear.weights_shared:
            drawn = self._stream(_per_image(w, error.shape[0]), tape)
            mean = linear.input_gradient(error, drawn)
            variance = linear.input_gradient(_spread(error), _spread(drawn)) / (self.length - 1)
        else:
            mean = linear.input_gradient(error, w.sign * w.probability)
            variance = linear.input_gradient(jnp.abs(error), _spread(w.probability)) / self.length
        return d.scale * w.scale * _noisy(mean, variance, tape)

    def weight_gradient(self, linear: Linear, x: Operand, d: Operand, tape: Tape) -> jax.Array:
        taps = linear.unfold(self._stream(x, tape))
        error = self._stream(d, tape)
        mean = linear.weight_gradient(taps, error)
        variance = linear.weight_gradient(_spread(taps), _spread(error)) / (self.length - 1)
        return x.scale * d.scale * _noisy(mean, variance, tape)

    def _stream(self, operand: Operand, tape: Tape) -> jax.Array:
        """Signed share of ones of one realised stream per generator."""
        words = tape.take(operand.probability.shape)
        # Without the barrier XLA repeats the draw in every product that reads it.
        return jax.lax.optimization_barrier(
            operand.sign * self.counts.draw(words, operand.probability)
        )


def _per_image(w: Operand, images: int) -> Operand:
    """Weights repeated over the images: each draws its own streams."""
    shape = (images, *w.probability.shape)
    return Operand(w.sign, jnp.broadcast_to(w.probability, shape), w.scale)


def _spread(share: jax.Array) -> jax.Array:
    """a (1 - a) of the magnitude."""
    magnitude = jnp.abs(share)
    return magnitude * (1 - magnitude)


def _noisy(mean: jax.Array, variance: jax.Array, tape: Tape) -> jax.Array:
    return mean + jnp.sqrt(variance) * tape.normal(mean.shape)
