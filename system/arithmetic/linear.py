"""Which numbers meet in the three products of a linear layer: dense, or 5x5-style convolution.

Both are bilinear maps between activations x, weights w and errors d. ``unfold`` lays the
activations out as taps, so that each product is a plain matrix product; the arithmetics apply the
same maps to means and to variances. Weights have the shape (taps, outputs), taps ordered
(channel, row, column); where each use of a weight has a number of its own they have an axis of
positions before. Axes: b image, k tap, o output channel, p position.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np


class Linear(Protocol):
    """The contract: shapes without the batch axis, the three products, and their counts."""

    @property
    def weights_shared(self) -> bool:
        """Whether one weight stream feeds several outputs within one image."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the activations of one image."""

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the outputs, and so of the errors, of one image."""

    @property
    def weight_shape(self) -> tuple[int, int]:
        """(taps, outputs)."""

    @property
    def uses(self) -> int:
        """How many products of one image need a weight, in each direction: output positions."""

    @property
    def macs(self) -> int:
        """Multiplications of one image, the same in each of the three products."""

    @property
    def fan_ins(self) -> tuple[int, int, int]:
        """Largest number of products summed into one output: forward, input and weight gradient."""

    @property
    def input_gradient_terms(self) -> np.ndarray:
        """Products summed into each input's gradient."""

    def pad(self, x: jax.Array, value: float = 0.0) -> jax.Array:
        """Activations with the padding around them; any leading axes."""

    def taps(self, padded: jax.Array) -> jax.Array:
        """Padded activations as taps; any leading axes."""

    def unfold(self, x: jax.Array) -> jax.Array:
        """Activations as taps, padded with zeros."""

    def forward(self, taps: jax.Array, w: jax.Array) -> jax.Array:
        """Outputs from taps."""

    def input_gradient(self, d: jax.Array, w: jax.Array) -> jax.Array:
        """Sum over outputs of error times weight, in the shape of the activations."""

    def weight_gradient(self, taps: jax.Array, d: jax.Array) -> jax.Array:
        """Sum over positions and images of tap times error."""

    def weight_gradient_by_image(self, taps: jax.Array, d: jax.Array) -> jax.Array:
        """The same before the sum over images."""


@dataclass(frozen=True)
class Dense:
    """Fully connected: each weight meets one input and feeds one output per image."""

    inputs: int
    outputs: int

    weights_shared = False
    uses = 1

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.inputs,)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (self.outputs,)

    @property
    def weight_shape(self) -> tuple[int, int]:
        return (self.inputs, self.outputs)

    @property
    def macs(self) -> int:
        return self.inputs * self.outputs

    @property
    def fan_ins(self) -> tuple[int, int, int]:
        return (self.inputs, self.outputs, 1)

    @property
    def input_gradient_terms(self) -> np.ndarray:
        return np.full(self.inputs, float(self.outputs), np.float32)

    def pad(self, x: jax.Array, value: float = 0.0) -> jax.Array:
        return x

    def taps(self, padded: jax.Array) -> jax.Array:
        return padded

    def unfold(self, x: jax.Array) -> jax.Array:
        return x

    def forward(self, taps: jax.Array, w: jax.Array) -> jax.Array:
        return taps @ w

    def input_gradient(self, d: jax.Array, w: jax.Array) -> jax.Array:
        return d @ w.T

    def weight_gradient(self, taps: jax.Array, d: jax.Array) -> jax.Array:
        return taps.T @ d

    def weight_gradient_by_image(self, taps: jax.Array, d: jax.Array) -> jax.Array:
        return taps[:, :, None] * d[:, None, :]


@dataclass(frozen=True)
class Convolution:
    """Square convolution with stride 1 on channels-first images; each weight meets every position.

    The products with the padding of the forward direction are counted (the usual 117,600 of
    LeNet-5's first layer). Those of the input gradient beyond the error's border do not exist.
    """

    channels: int
    size: int
    outputs: int
    kernel: int
    padding: int = 0

    weights_shared = True

    @property
    def output_size(self) -> int:
        """Side of the output image."""
        return self.size + 2 * self.padding - self.kernel + 1

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.channels, self.size, self.size)

    @property
    def output_shape(self) -> tuple[int, ...]:
        return (self.outputs, self.output_size, self.output_size)

    @property
    def weight_shape(self) -> tuple[int, int]:
        return (self.channels * self.kernel**2, self.outputs)

    @property
    def uses(self) -> int:
        return self.output_size**2

    @property
    def macs(self) -> int:
        return self.output_size**2 * self.weight_shape[0] * self.outputs

    @property
    def fan_ins(self) -> tuple[int, int, int]:
        most = int(self.input_gradient_terms.max())
        return (self.weight_shape[0], most, self.output_size**2)

    @cached_property
    def input_gradient_terms(self) -> np.ndarray:
        taps = _places(self.size + 2 * self.padding, self.kernel)
        met = np.bincount(taps.ravel()).reshape((self.size + 2 * self.padding,) * 2)
        inside = slice(self.padding, self.padding + self.size)
        terms = (self.outputs * met[inside, inside]).astype(np.float32)
        return np.broadcast_to(terms, self.input_shape)

    def pad(self, x: jax.Array, value: float = 0.0) -> jax.Array:
        return _bordered(x, (self.padding,) * 2, (self.padding,) * 2, value)

    def taps(self, padded: jax.Array) -> jax.Array:
        # First the columns of the kernel, then its rows: rows of a shifted copy lie side by side in
        # memory, so that the larger of the two copies moves whole pieces. The barrier keeps XLA
        # from picking single numbers, and from repeating what was before for each tap.
        k, side = self.kernel, self.output_size
        held = jax.lax.optimization_barrier(padded)
        shifted = jnp.stack([held[..., column : column + side] for column in range(k)], axis=-3)
        rows = jax.lax.optimization_barrier(shifted).reshape(*shifted.shape[:-2], -1)
        pieces = [rows[..., row * side : row * side + side**2] for row in range(k)]
        return jnp.stack(pieces, axis=-3).reshape(*padded.shape[:-3], -1, side**2)

    def unfold(self, x: jax.Array) -> jax.Array:
        return self.taps(self.pad(x))

    def forward(self, taps: jax.Array, w: jax.Array) -> jax.Array:
        # Weights for each image even where all have the same: then nothing large is transposed.
        if w.ndim == 3:
            made = jnp.einsum("bkp,pko->bop", taps, w)
        else:
            repeated = jnp.broadcast_to(w.T, (taps.shape[0], *w.T.shape))
            repeated = jax.lax.optimization_barrier(repeated)
            made = jnp.einsum("bok,bkp->bop", repeated, taps)
        return made.reshape(-1, *self.output_shape)

    def input_gradient(self, d: jax.Array, w: jax.Array) -> jax.Array:
        flat = d.reshape(*d.shape[:2], -1)
        if w.ndim == 3:
            taps = jnp.einsum("bop,pko->bkp", flat, w)
        else:
            taps = jnp.einsum("bko,bop->bkp", jnp.broadcast_to(w, (d.shape[0], *w.shape)), flat)
        side, k = self.output_size, self.kernel
        # Each tap's errors go back to where they came from: shifted by its row, then its column.
        taps = jax.lax.optimization_barrier(taps).reshape(-1, self.channels, k, k, side, side)
        by_column = jax.lax.optimization_barrier(
            _total(_bordered(taps[:, :, row], (row, k - 1 - row), (0, 0)) for row in range(k))
        )
        whole = _total(
            _bordered(by_column[:, :, column], (0, 0), (column, k - 1 - column))
            for column in range(k)
        )
        inside = slice(self.padding, self.padding + self.size)
        return whole[:, :, inside, inside]

    def weight_gradient(self, taps: jax.Array, d: jax.Array) -> jax.Array:
        return jnp.sum(self.weight_gradient_by_image(taps, d), axis=0)

    def weight_gradient_by_image(self, taps: jax.Array, d: jax.Array) -> jax.Array:
        return jnp.einsum("bkp,bop->bko", taps, d.reshape(*d.shape[:2], -1))


def _bordered(
    x: jax.Array, rows: tuple[int, int], columns: tuple[int, int], value: float = 0.0
) -> jax.Array:
    """The last two axes with a border of ``value``."""
    widths = ((0, 0),) * (x.ndim - 2) + (rows, columns)
    return jnp.pad(x, widths, constant_values=value)


def _places(size: int, kernel: int) -> np.ndarray:
    """Index in an image of each (tap, position)."""
    index = np.arange(size * size).reshape(size, size)
    windows = np.lib.stride_tricks.sliding_window_view(index, (kernel, kernel))
    return windows.transpose(2, 3, 0, 1).reshape(kernel**2, -1)


def _total(parts: Iterable[jax.Array]) -> jax.Array:
    return reduce(jnp.add, parts)
