"""One layer's three products as a function JAX differentiates by the hardware's own products."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from system.arithmetic.base import Arithmetic, Operand
from system.arithmetic.linear import Linear
from system.arithmetic.noise import Counter, Tape
from system.arithmetic.operands import Deviation


class Devices(NamedTuple):
    """The generators of one layer: of its activations, weights and errors (None in exact runs)."""

    x: Deviation | None
    w: Deviation | None
    d: Deviation | None


@dataclass(frozen=True)
class Product:
    """A layer's products in one arithmetic.

    ``needs_input_gradient`` is False for the first layer, whose input is the image.
    """

    arithmetic: Arithmetic
    linear: Linear
    needs_input_gradient: bool = True

    def words(self, images: int) -> tuple[int, int]:
        """Random words of a batch: forward, and both gradients together."""
        shapes = self.linear.input_shape, self.linear.weight_shape, self.linear.output_shape
        ahead, back = Counter(), Counter()

        def count() -> None:
            x, w, d = (
                Operand(jnp.zeros(shape), jnp.zeros(shape), jnp.ones(()))
                for shape in ((images, *shapes[0]), shapes[1], (images, *shapes[2]))
            )
            self.arithmetic.forward(self.linear, x, w, ahead)
            self._gradients(x, w, d, back)

        jax.eval_shape(count)
        return ahead.used, back.used

    def __call__(
        self,
        x: jax.Array,
        w: jax.Array,
        devices: Devices,
        words: tuple[jax.Array, jax.Array],
        probe: jax.Array,
    ) -> jax.Array:
        """Outputs before the bias.

        The derivative with respect to x and w is what the hardware computes (0 for x without
        ``needs_input_gradient``). The "gradient" of ``probe``, three zeros, carries out the mean
        bit probabilities of activations, weights and errors.
        """
        return _differentiable(self, x, w, devices, words, probe)

    def _gradients(
        self, x: Operand, w: Operand, d: Operand, tape: Tape
    ) -> tuple[jax.Array | None, jax.Array]:
        dx = None
        if self.needs_input_gradient:
            dx = self.arithmetic.input_gradient(self.linear, d, w, tape)
        return dx, self.arithmetic.weight_gradient(self.linear, x, d, tape)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _differentiable(
    layer: Product,
    x: jax.Array,
    w: jax.Array,
    devices: Devices,
    words: tuple[jax.Array, jax.Array],
    probe: jax.Array,
) -> jax.Array:
    return _ahead(layer, x, w, devices, words, probe)[0]


_Kept = tuple[Operand, Operand, Devices, jax.Array]


def _ahead(
    layer: Product,
    x: jax.Array,
    w: jax.Array,
    devices: Devices,
    words: tuple[jax.Array, jax.Array],
    probe: jax.Array,
) -> tuple[jax.Array, _Kept]:
    encoded_x = layer.arithmetic.encode(x, devices.x)
    encoded_w = layer.arithmetic.encode(w, devices.w)
    outputs = layer.arithmetic.forward(layer.linear, encoded_x, encoded_w, Tape(words[0]))
    return outputs, (encoded_x, encoded_w, devices, words[1])


def _back(layer: Product, kept: _Kept, errors: jax.Array) -> tuple[Any, ...]:
    x, w, devices, words = kept
    d = layer.arithmetic.encode(errors, devices.d)
    dx, dw = layer._gradients(x, w, d, Tape(words))
    return dx, dw, None, None, jnp.stack([_mean(x), _mean(w), _mean(d)])


_differentiable.defvjp(_ahead, _back)


def _mean(operand: Operand) -> jax.Array:
    return jnp.mean(operand.probability)
