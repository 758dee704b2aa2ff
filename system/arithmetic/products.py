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
    """The generators of one layer (None in floating point).

    Those of its activations, weights, errors and biases, and of the two constants of its update.
    """

    x: Deviation | None
    w: Deviation | None
    d: Deviation | None
    bias: Deviation | None = None
    constants: Deviation | None = None


class Scales(NamedTuple):
    """The scales of a layer's activations, weights and errors, powers of two, shape ()."""

    x: jax.Array
    w: jax.Array
    d: jax.Array


class Seen(NamedTuple):
    """What a batch showed of the activations, weights and errors of a layer, in this order.

    ``over`` and ``above`` (3,) are the shares of numbers beyond the scale and beyond half of it,
    ``levels`` the sums over the images of P(bit = 1) of each generator, in the shapes of the
    operands without their axis of images. Where the second of an operand's two products encodes it
    otherwise, ``second`` holds the sums of that encoding (else None).
    """

    over: jax.Array
    above: jax.Array
    levels: tuple[jax.Array, jax.Array, jax.Array]
    second: tuple[jax.Array | None, jax.Array | None, jax.Array | None] = (None, None, None)


@dataclass(frozen=True)
class Product:
    """A layer's products, each in an arithmetic of its own.

    ``needs_input_gradient`` is False for a layer whose input is the image.
    """

    linear: Linear
    forward: Arithmetic
    input_gradient: Arithmetic
    weight_gradient: Arithmetic
    needs_input_gradient: bool = True

    @classmethod
    def of(
        cls, arithmetic: Arithmetic, linear: Linear, needs_input_gradient: bool = True
    ) -> Product:
        """All three products in one arithmetic."""
        return cls(linear, arithmetic, arithmetic, arithmetic, needs_input_gradient)

    def words(self, images: int) -> tuple[int, int]:
        """Random words of a batch: forward, and both gradients together."""
        shapes = self.linear.input_shape, self.linear.weight_shape, self.linear.output_shape
        ahead, back = Counter(), Counter()

        def count() -> None:
            x, w, d = (
                Operand(jnp.zeros(shape), jnp.zeros(shape), jnp.ones(()))
                for shape in ((images, *shapes[0]), shapes[1], (images, *shapes[2]))
            )
            self.forward.forward(self.linear, x, w, ahead)
            if self.needs_input_gradient:
                self.input_gradient.input_gradient(self.linear, d, w, back)
            self.weight_gradient.weight_gradient(self.linear, x, d, back)

        jax.eval_shape(count)
        return ahead.used, back.used

    def probe(self, devices: Devices) -> Seen:
        """Zeros in the shapes of what a batch shows."""
        shapes = self.linear.input_shape, self.linear.weight_shape, self.linear.output_shape
        generators = devices.x, devices.w, devices.d
        levels = tuple(
            jnp.zeros(shape if device is None else device.ln_tau.shape)
            for shape, device in zip(shapes, generators, strict=True)
        )
        second = tuple(
            None if len(_streamed(kinds)) < 2 else level
            for level, kinds in zip(levels, self._users, strict=True)
        )
        return Seen(jnp.zeros(3), jnp.zeros(3), levels, second)  # type: ignore[arg-type]

    @property
    def _users(self) -> tuple[tuple[Arithmetic, ...], ...]:
        """The arithmetics that meet activations, weights and errors, in the order of products."""
        ahead = self.weight_gradient
        behind = (self.input_gradient,) if self.needs_input_gradient else ()
        return (self.forward, ahead), (self.forward, *behind), (*behind, ahead)

    def __call__(
        self,
        x: jax.Array,
        w: jax.Array,
        devices: Devices,
        scales: Scales,
        words: tuple[jax.Array, jax.Array],
        probe: Seen,
    ) -> jax.Array:
        """Outputs before the bias.

        The derivative with respect to x and w is what the hardware computes (0 for x without
        ``needs_input_gradient``). The "gradient" of ``probe`` (zeros) carries out what the batch
        showed.
        """
        return _differentiable(self, x, w, devices, scales, words, probe)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _differentiable(
    layer: Product,
    x: jax.Array,
    w: jax.Array,
    devices: Devices,
    scales: Scales,
    words: tuple[jax.Array, jax.Array],
    probe: Seen,
) -> jax.Array:
    return _ahead(layer, x, w, devices, scales, words, probe)[0]


_Encoded = dict[str, Operand]
"""An operand in each encoding that a product of it needs."""
_Kept = tuple[_Encoded, _Encoded, jax.Array, jax.Array, Devices, Scales, jax.Array]


def _ahead(
    layer: Product,
    x: jax.Array,
    w: jax.Array,
    devices: Devices,
    scales: Scales,
    words: tuple[jax.Array, jax.Array],
    probe: Seen,
) -> tuple[jax.Array, _Kept]:
    users = layer._users
    xs = _encoded(users[0], x, devices.x, scales.x)
    ws = _encoded(users[1], w, devices.w, scales.w)
    name = layer.forward.encoding
    outputs = layer.forward.forward(layer.linear, xs[name], ws[name], Tape(words[0]))
    seen_x, seen_w = shares_beyond(x, scales.x), shares_beyond(w, scales.w)
    return outputs, (xs, ws, seen_x, seen_w, devices, scales, words[1])


def _back(layer: Product, kept: _Kept, errors: jax.Array) -> tuple[Any, ...]:
    xs, ws, seen_x, seen_w, devices, scales, words = kept
    ahead, behind = layer.weight_gradient, layer.input_gradient
    ds = _encoded(layer._users[2], errors, devices.d, scales.d)
    tape, dx = Tape(words), None
    if layer.needs_input_gradient:
        dx = behind.input_gradient(layer.linear, ds[behind.encoding], ws[behind.encoding], tape)
    dw = ahead.weight_gradient(layer.linear, xs[ahead.encoding], ds[ahead.encoding], tape)
    shares = jnp.stack([seen_x, seen_w, shares_beyond(errors, scales.d)])
    probe = layer.probe(devices)
    names = [_streamed(kinds) for kinds in layer._users]
    levels = tuple(
        _level(operand, name[:1], part.shape)
        for operand, name, part in zip((xs, ws, ds), names, probe.levels, strict=True)
    )
    second = tuple(
        None if part is None else _level(operand, name[1:], part.shape)
        for operand, name, part in zip((xs, ws, ds), names, probe.second, strict=True)
    )
    seen = Seen(shares[:, 0], shares[:, 1], levels, second)  # type: ignore[arg-type]
    return dx, dw, None, None, None, seen


_differentiable.defvjp(_ahead, _back)


def _encoded(
    kinds: tuple[Arithmetic, ...], values: jax.Array, devices: Deviation | None, scale: jax.Array
) -> _Encoded:
    return {kind.encoding: kind.encode(values, devices, scale) for kind in kinds}


def shares_beyond(values: jax.Array, scale: jax.Array) -> jax.Array:
    """Shares (2,) of numbers beyond +-``scale``, and beyond half of it."""
    size = jnp.abs(values)
    over, above = (jnp.mean((size > part * scale).astype(jnp.float32)) for part in (1.0, 0.5))
    return jnp.stack([over, above])


def _streamed(kinds: tuple[Arithmetic, ...]) -> list[str]:
    """The different encodings of streams among them, in their order."""
    return [name for name in dict.fromkeys(kind.encoding for kind in kinds) if name != "float"]


def _level(encoded: _Encoded, name: list[str], shape: tuple[int, ...]) -> jax.Array:
    """Sums over images of P(bit = 1) in the encoding of this ``name``; ones without any."""
    if not name:
        return jnp.ones(shape)
    operand = encoded[name[0]]
    extra = operand.probability.ndim - len(shape)
    return jnp.sum(operand.probability, axis=tuple(range(extra)))
