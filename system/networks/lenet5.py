"""LeNet-5: 61,706 parameters and 416,520 products per image of 28x28 pixels and 10 classes.

After LeCun et al., Proc. IEEE 86, 2278 (1998), in its common modern form: full connection between
the convolutions, max pooling, rectified linear units that saturate, and a linear output.
"""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np

from system.arithmetic import Convolution, Dense
from system.networks.between import flatten, max_pool, saturate
from system.networks.layer import Layer, Run

SMALLEST = 14
"""Least side of an image that two convolutions and poolings leave something of."""


class LeNet5(eqx.Module):
    """Two convolutions with pooling, three dense layers."""

    conv1: Layer
    conv2: Layer
    fc1: Layer
    fc2: Layer
    fc3: Layer

    @classmethod
    def initial(cls, generator: np.random.Generator, side: int, classes: int) -> LeNet5:
        """Fresh parameters; ValueError for images too small."""
        if side < SMALLEST:
            raise ValueError(
                f"lenet5 takes images of {SMALLEST}x{SMALLEST} pixels or more, not {side}x{side}"
            )
        half = side // 2
        left = (half - 4) // 2
        return cls(
            Layer.initial("conv1", Convolution(1, side, 6, 5, padding=2), generator, True),
            Layer.initial("conv2", Convolution(6, half, 16, 5), generator),
            Layer.initial("fc1", Dense(16 * left**2, 120), generator),
            Layer.initial("fc2", Dense(120, 84), generator),
            Layer.initial("fc3", Dense(84, classes), generator),
        )

    def __call__(self, images: jax.Array, run: Run) -> jax.Array:
        x = saturate(max_pool(self.conv1(images[:, None], run)))
        x = flatten(saturate(max_pool(self.conv2(x, run))))
        x = saturate(self.fc1(x, run))
        return self.fc3(saturate(self.fc2(x, run)), run)
