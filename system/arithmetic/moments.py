"""Layers by the moments of their streams: realised operands plus conditional noise.

Given the counts of ones of all streams, the products of independent streams that share one of them
are uncorrelated. So drawing each shared stream's count once, and adding noise of the conditional
variance to each output, gives every output's mean and variance and its covariance with all others,
at the cost of two matrix products: of the realised values for the mean, and of a function of each
operand for the variance. What these functions are is up to the encoding and the adder (the files
beside this one). The noise, the sum of many products, is taken as nearly normal.

A stream that feeds one output only in all its life (a weight of a dense layer that lasts for one
image, or whose every use has a generator of its own) need not be drawn: its bits may be averaged
over.

This holds where the bits of every stream are exchangeable given their count and the streams
independent: not with device memory, and not where parameters compare with a common random number.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import jax
import jax.numpy as jnp

from system.arithmetic.base import Arithmetic, Operand
from system.arithmetic.binomial import Counts
from system.arithmetic.linear import Linear
from system.arithmetic.noise import Tape
from system.arithmetic.operands import Generators
from system.bitstream.ownership import BATCH, DEFAULT_RULES, StreamRules

_Bilinear = Callable[[jax.Array, jax.Array], jax.Array]
_Two = tuple[jax.Array, jax.Array]


class Moments(Arithmetic):
    """Streams of ``length`` bits; ``rules`` say whose the weights' streams are.

    Raises ValueError for rules under which streams depend on each other, and for a length
    :class:`Counts` refuses.
    """

    padding_probability: float | None = None
    """P(1) of the ideal streams around a convolution's images; None where padding adds nothing."""

    def __init__(
        self, generators: Generators, length: int, rules: StreamRules = DEFAULT_RULES
    ) -> None:
        refused = refusal(rules)
        if refused is not None:
            raise ValueError(refused)
        self.generators = generators
        self.length = length
        self.rules = rules
        self.counts = Counts(length)

    @abstractmethod
    def value(self, operand: Operand, share: jax.Array) -> jax.Array:
        """The number a share of ones stands for."""

    @abstractmethod
    def left(self, value: jax.Array, drawn: bool) -> jax.Array:
        """The first operand's part of the conditional variance.

        ``drawn`` says whether the second operand's streams are drawn too.
        """

    @abstractmethod
    def right(self, value: jax.Array, drawn: bool) -> jax.Array:
        """The second operand's part: of realised values, or of its means if not ``drawn``."""

    @abstractmethod
    def variance(
        self, mean: jax.Array, parts: jax.Array, terms: jax.Array | float, drawn: bool
    ) -> jax.Array:
        """Conditional variance of sums of ``terms`` products.

        ``parts`` is the sum of left times right over each output's products.
        """

    def forward(self, linear: Linear, x: Operand, w: Operand, tape: Tape) -> jax.Array:
        terms = float(linear.fan_ins[0])
        streams = self._padded(linear, x, tape)
        made = self._through_weights(linear, _from_padded(linear), streams, w, terms, tape)
        return jax.lax.optimization_barrier(x.scale * w.scale * made)

    def input_gradient(self, linear: Linear, d: Operand, w: Operand, tape: Tape) -> jax.Array:
        terms = jnp.asarray(linear.input_gradient_terms)
        streams = self._stream(d, tape)
        made = self._through_weights(linear, linear.input_gradient, streams, w, terms, tape)
        return jax.lax.optimization_barrier(d.scale * w.scale * made)

    def weight_gradient(self, linear: Linear, x: Operand, d: Operand, tape: Tape) -> jax.Array:
        activations, errors = self._padded(linear, x, tape), self._stream(d, tape)
        mean_and_parts = (
            (linear.taps(activations), errors),
            (linear.taps(self.left(activations, True)), self.right(errors, True)),
        )
        return x.scale * d.scale * self._over_images(linear, *mean_and_parts, tape)

    def _over_images(self, linear: Linear, values: _Two, parts: _Two, tape: Tape) -> jax.Array:
        """The weight gradient, summed over the images, from taps and errors."""
        mean = linear.weight_gradient(*values)
        terms = float(linear.fan_ins[2] * values[0].shape[0])
        return noisy(mean, self.variance(mean, linear.weight_gradient(*parts), terms, True), tape)

    def _through_weights(
        self,
        linear: Linear,
        product: _Bilinear,
        streams: jax.Array,
        w: Operand,
        terms: jax.Array | float,
        tape: Tape,
    ) -> jax.Array:
        """``product`` of realised activations or errors with weights of the right life."""
        images = streams.shape[0]
        lives = int(self.rules.lives(images)[-1]) + 1
        meets_once = linear.uses == 1 or self.rules.kind == "use"
        drawn = not (meets_once and lives == images)
        if drawn:
            uses = (linear.uses,) if self.rules.kind == "use" and linear.uses > 1 else ()
            shape = (lives, *uses, *linear.weight_shape)
            w = Operand(w.sign, jnp.broadcast_to(w.probability, shape), w.scale)
            weights = self._stream(w, tape)
        else:
            lives = 1
            weights = self.value(w, w.probability)[None]
        length = self._images_of_a_life(images, lives)
        mean = _life_by_life(product, streams, weights, length)
        left, right = self.left(streams, drawn), self.right(weights, drawn)
        parts = _life_by_life(product, left, right, length)
        return noisy(mean, self.variance(mean, parts, terms, drawn), tape)

    def _images_of_a_life(self, images: int, lives: int) -> int:
        return images if lives == 1 or self.rules.life == BATCH else self.rules.life

    def _stream(self, operand: Operand, tape: Tape) -> jax.Array:
        """The value of one realised stream per generator."""
        probability = operand.probability
        # Flat, so that XLA makes one long loop of it.
        words = tape.take((probability.size,))
        share = self.counts.draw(words, probability.reshape(-1)).reshape(probability.shape)
        # Without the barrier XLA repeats the draw in every product that reads it.
        return jax.lax.optimization_barrier(self.value(operand, share))

    def _padded(self, linear: Linear, x: Operand, tape: Tape) -> jax.Array:
        """Realised activations with what stands around them."""
        if self.padding_probability is None:
            return linear.pad(self._stream(x, tape))
        probability = linear.pad(x.probability, self.padding_probability)
        return self._stream(Operand(x.sign, probability, x.scale), tape)


def refusal(rules: StreamRules) -> str | None:
    """Why moments do not hold under these rules, or None."""
    if not rules.correlated:
        return None
    return (
        f"{rules.sharing_text} makes the streams of {rules.group} parameters depend on each other; "
        "the moments are those of independent streams: take the exact mode"
    )


def _from_padded(linear: Linear) -> _Bilinear:
    """The forward product of padded activations."""
    return lambda padded, w: linear.forward(linear.taps(padded), w)


def _life_by_life(product: _Bilinear, a: jax.Array, weights: jax.Array, images: int) -> jax.Array:
    """``product`` of ``a``, image by image, with weights (lives, ...).

    A life lasts for ``images`` images, the last one for what is left.
    """
    lives, total = weights.shape[0], a.shape[0]
    if lives == 1:
        return product(a, weights[0])
    whole = jnp.pad(a, ((0, lives * images - total), *((0, 0),) * (a.ndim - 1)))
    made = jax.vmap(product)(whole.reshape(lives, images, *a.shape[1:]), weights)
    return made.reshape(lives * images, *made.shape[2:])[:total]


def noisy(mean: jax.Array, variance: jax.Array, tape: Tape) -> jax.Array:
    """The mean with nearly normal noise of this variance; below 0 by rounding counts as 0."""
    return mean + jnp.sqrt(jnp.maximum(variance, 0)) * tape.normal(mean.shape)
