"""The wide LeNet: convolutions with 16 and 32 outputs, a dense layer of 128 units, a dense output.

80,016 weights and 1,116,416 products for an image of 28x28 pixels and 10 classes: in pairs of
devices 160,032 of them, the size that simulators of memristive networks are compared at.
"""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np

from system.arithmetic import Convolution, Dense
from system.networks.between import flatten, max_pool, saturate
from system.networks.layer import Layer, Run

SMALLEST = 16
CHANNELS, KERNEL, HIDDEN = (16, 32), 5, 128


class WideLeNet(eqx.Module):
    """Two convolutions with pooling, two dense layers."""

    conv1: Layer
    conv2: Layer
    fc1: Layer
    fc2: Layer

    @classmethod
    def initial(cls, generator: np.random.Generator, side: int, classes: int) -> WideLeNet:
        """Fresh parameters; ValueError for images too small."""
        if side < SMALLEST:
            raise ValueError(
                f"lenet-wide takes images of {SMALLEST}x{SMALLEST} pixels or more, not "
                f"{side}x{side}"
            )
        first, second = CHANNELS
        half = (side - KERNEL + 1) // 2
        left = (half - KERNEL + 1) // 2
        return cls(
            Layer.initial("conv1", Convolution(1, side, first, KERNEL), generator, True),
            Layer.initial("conv2", Convolution(first, half, second, KERNEL), generator),
            Layer.initial("fc1", Dense(second * left**2, HIDDEN), generator),
            Layer.initial("fc2", Dense(HIDDEN, classes), generator),
        )

    def __call__(self, images: jax.Array, run: Run) -> jax.Array:
        x = saturate(max_pool(self.conv1(images[:, None], run)))
        x = flatten(saturate(max_pool(self.conv2(x, run))))
        return self.fc2(saturate(self.fc1(x, run)), run)
