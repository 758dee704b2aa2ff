"""Which numbers meet in the three products of a linear layer: dense, or 5x5-style convolution.

Both are bilinear maps between activations x, weights w and errors d. ``unfold`` lays the
activations out as taps, so that each product is a plain matrix product; the arithmetics apply the
same maps to means and to variances. Weights have the shape (taps, outputs), taps ordered
(channel, row, column). Axes: b image, k tap, o output channel, p position.
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
    def macs(self) -> int:
        """Multiplications of one image, the same in each of the three products."""

    @property
    def fan_ins(self) -> tuple[int, int, int]:
        """Largest number of products summed into one output: forward, input and weight gradient."""

    @property
    def input_gradient_terms(self) -> np.ndarray:
        """Products summed into each input's gradient."""

    def unfold(self, x: jax.Array) -> jax.Array:
        """Activations as taps."""

    def forward(self, taps: jax.Array, w: jax.Array) -> jax.Array:
        """Outputs from taps; ``w`` may have a leading image axis where weights are shared."""

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
    def macs(self) -> int:
        return self.output_size**2 * self.weight_shape[0] * self.outputs

    @property
    def fan_ins(self) -> tuple[int, int, int]:
        most = int(self.input_gradient_terms.max())
        return (self.weight_shape[0], most, self.output_size**2)

    @cached_property
    def input_gradient_terms(self) -> np.ndarray:
        taps = _places(1, self.size + 2 * self.padding, self.kernel)
        met = np.bincount(taps.ravel()).reshape((self.size + 2 * self.padding,) * 2)
        inside = slice(self.padding, self.padding + self.size)
        terms = (self.outputs * met[inside, inside]).astype(np.float32)
        return np.broadcast_to(terms, self.input_shape)

    def unfold(self, x: jax.Array) -> jax.Array:
        edge = (self.padding, self.padding)
        padded = jnp.pad(x, ((0, 0), (0, 0), edge, edge))
        places = _places(self.channels, padded.shape[-1], self.kernel)
        # One gather: slices would make XLA repeat the work before them once for each tap.
        return padded.reshape(x.shape[0], -1).at[:, places].get(mode="promise_in_bounds")

    def forward(self, taps: jax.Array, w: jax.Array) -> jax.Array:
        equation = "bkp,bko->bop" if w.ndim == 3 else "bkp,ko->bop"
        return jnp.einsum(equation, taps, w).reshape(-1, *self.output_shape)

    def input_gradient(self, d: jax.Array, w: jax.Array) -> jax.Array:
        flat = d.reshape(*d.shape[:2], -1)
        equation = "bop,bko->bkp" if w.ndim == 3 else "bop,ko->bkp"
        side, k = self.output_size, self.kernel
        taps = jnp.einsum(equation, flat, w).reshape(-1, self.channels, k, k, side, side)
        # Each tap's errors go back to where they came from: shifted by its row, then its column.
        by_column = _total(
            jnp.pad(taps[:, :, row], (*((0, 0),) * 3, (row, k - 1 - row), (0, 0)))
            for row in range(k)
        )
        whole = _total(
            jnp.pad(by_column[:, :, column], (*((0, 0),) * 3, (column, k - 1 - column)))
            for column in range(k)
        )
        inside = slice(self.padding, self.padding + self.size)
        return whole[:, :, inside, inside]

    def weight_gradient(self, taps: jax.Array, d: jax.Array) -> jax.Array:
        return jnp.sum(self.weight_gradient_by_image(taps, d), axis=0)

    def weight_gradient_by_image(self, taps: jax.Array, d: jax.Array) -> jax.Array:
        return jnp.einsum("bkp,bop->bko", taps, d.reshape(*d.shape[:2], -1))


def _places(channels: int, size: int, kernel: int) -> np.ndarray:
    """Index in an image of each (channel and tap, position)."""
    index = np.arange(channels * size * size).reshape(channels, size, size)
    windows = np.lib.stride_tricks.sliding_window_view(index, (kernel, kernel), (1, 2))
    return windows.transpose(0, 3, 4, 1, 2).reshape(channels * kernel**2, -1)


def _total(parts: Iterable[jax.Array]) -> jax.Array:
    return reduce(jnp.add, parts)
