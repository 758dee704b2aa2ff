"""Which stream meets which in each product of a layer, as two tables of stream numbers.

All three products of a layer, dense or convolutional, are

    out[image, i, j] = sum over k of a[image, left[i, k]] * b[right[j, k]]

with a and b the streams of two operands:

- forward: a activations, b weights; i position, j output, k tap;
- input gradient: a errors, b weights; i input position, j channel, k output and tap;
- weight gradient: a activations, b errors of the same image; i tap, j output, k position.

A product that does not exist has ``left`` -1. One with the padding of a convolution has a number of
its own beyond those of the activations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np

from system.arithmetic.linear import Convolution, Dense, Linear

ProductName = Literal["forward", "input_gradient", "weight_gradient"]
NONE = -1
"""In a table: no product."""


@dataclass(frozen=True, eq=False)
class Meeting:
    """The tables ``left`` (I, K) and ``right`` (J, K), int32, of one product.

    ``a_units`` and ``b_units`` are the numbers of streams of an image's a and of b; ``padded`` more
    of a stand for the padding. ``shape`` is that of the result for one image.

    Each weight is used once for each of the layer's output positions, ``uses`` of them; ``use``
    (I, K) is the position a product belongs to (0 where there is no product).
    """

    left: np.ndarray
    right: np.ndarray
    a_units: int
    b_units: int
    padded: int
    shape: tuple[int, ...]
    uses: int
    use: np.ndarray

    @property
    def terms(self) -> np.ndarray:
        """Products summed into the outputs of each i (I,)."""
        return np.count_nonzero(self.left >= 0, axis=1)

    def without_padding(self) -> Meeting:
        """The same where padding contributes nothing, so that its products are left out."""
        left = np.where(self.left >= self.a_units, np.int32(NONE), self.left)
        return replace(self, left=np.ascontiguousarray(left), padded=0)

    def arranged(self, sums: np.ndarray) -> np.ndarray:
        """Results (..., I, J) in the shape of the layer."""
        if len(self.shape) == 2 and self.shape[0] == self.left.shape[0]:
            return sums
        # An image has its channels first.
        return np.ascontiguousarray(np.swapaxes(sums, -1, -2)).reshape(
            *sums.shape[:-2], *self.shape
        )


def meeting(linear: Linear, product: ProductName) -> Meeting:
    """The tables of a product of a layer; raises TypeError for a layer of another kind."""
    if isinstance(linear, Dense):
        return _dense(linear, product)
    if isinstance(linear, Convolution):
        return _convolution(linear, product)
    raise TypeError(f"a layer of type {type(linear).__name__}: expected Dense or Convolution")


@cache
def _dense(linear: Dense, product: ProductName) -> Meeting:
    inputs, outputs = _column(linear.inputs), _column(linear.outputs)
    numbers = np.arange(linear.inputs * linear.outputs, dtype=np.int32)
    weight = numbers.reshape(linear.inputs, linear.outputs)
    if product == "forward":
        return _made(inputs.T, weight.T, linear.inputs, weight.size, 0, linear.output_shape)
    if product == "input_gradient":
        return _made(outputs.T, weight, linear.outputs, weight.size, 0, linear.input_shape)
    return _made(inputs, outputs, linear.inputs, linear.outputs, 0, linear.weight_shape)


@cache
def _convolution(linear: Convolution, product: ProductName) -> Meeting:
    taps, outputs = linear.weight_shape
    units, positions = linear.channels * linear.size**2, linear.output_size**2
    weight = np.arange(taps * outputs, dtype=np.int32).reshape(taps, outputs)
    error = np.arange(outputs * positions, dtype=np.int32).reshape(outputs, positions)
    if product == "input_gradient":
        left = _errors_of_inputs(linear)
        by_channel = weight.reshape(linear.channels, linear.kernel**2, outputs)
        right = by_channel.transpose(0, 2, 1).reshape(linear.channels, -1)
        use = np.where(left >= 0, left % positions, 0)
        shape = linear.input_shape
        return _made(left, right, error.size, weight.size, 0, shape, positions, use)
    seen, padded = _inputs_of_outputs(linear)
    if product == "forward":
        use = np.broadcast_to(np.arange(positions)[:, None], (positions, taps))
        shape = linear.output_shape
        return _made(seen.T, weight.T, units, weight.size, padded, shape, positions, use)
    return _made(seen, error, units, error.size, padded, linear.weight_shape)


def _inputs_of_outputs(linear: Convolution) -> tuple[np.ndarray, int]:
    """Stream of the activation at each (tap, position), and how many there are of the padding."""
    units, edge = linear.channels * linear.size**2, linear.padding
    shape = (linear.channels, linear.size + 2 * edge, linear.size + 2 * edge)
    inside = np.zeros(shape, bool)
    inside[:, edge : edge + linear.size, edge : edge + linear.size] = True
    number = np.empty(shape, np.int32)
    number[inside] = np.arange(units)
    padded = int(np.count_nonzero(~inside))
    number[~inside] = units + np.arange(padded)
    window = (linear.kernel, linear.kernel)
    seen = np.lib.stride_tricks.sliding_window_view(number, window, (1, 2))
    return seen.transpose(0, 3, 4, 1, 2).reshape(linear.weight_shape[0], -1), padded


def _errors_of_inputs(linear: Convolution) -> np.ndarray:
    """Stream of the error that reaches each input position through each (output, tap)."""
    side, kernel = linear.output_size, linear.kernel
    place = np.arange(linear.size) + linear.padding
    along = place[:, None] - np.arange(kernel)  # (input row or column, its tap)
    here = (along >= 0) & (along < side)
    # Axes: row, column, output, row of the tap, column of the tap.
    rows, columns = along[:, None, None, :, None], along[None, :, None, None, :]
    output = np.arange(linear.outputs)[None, None, :, None, None]
    number = (output * side + rows) * side + columns
    exists = here[:, None, None, :, None] & here[None, :, None, None, :]
    return np.where(exists, number, NONE).reshape(linear.size**2, -1)


def _column(count: int) -> np.ndarray:
    return np.arange(count, dtype=np.int32)[:, None]


def _made(
    left: np.ndarray,
    right: np.ndarray,
    a_units: int,
    b_units: int,
    padded: int,
    shape: tuple[int, ...],
    uses: int = 1,
    use: np.ndarray | None = None,
) -> Meeting:
    if use is None:
        use = np.zeros(left.shape, np.int32)
    left, right, use = (np.ascontiguousarray(table, np.int32) for table in (left, right, use))
    return Meeting(left, right, a_units, b_units, padded, shape, uses, use)
