"""The small convolutional network: two layers, for small images and quick trials."""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np

from system.arithmetic import Convolution, Dense
from system.networks.between import flatten, max_pool, saturate
from system.networks.layer import Layer, Run

CHANNELS, KERNEL = 8, 5
SMALLEST = 4


class CNN2(eqx.Module):
    """A convolution with pooling, and a dense output."""

    conv: Layer
    fc: Layer

    @classmethod
    def initial(cls, generator: np.random.Generator, side: int, classes: int) -> CNN2:
        """Fresh parameters; ValueError for images too small."""
        if side < SMALLEST:
            raise ValueError(
                f"cnn2 takes images of {SMALLEST}x{SMALLEST} pixels or more, not {side}x{side}"
            )
        seen = Convolution(1, side, CHANNELS, KERNEL, padding=KERNEL // 2)
        return cls(
            Layer.initial("conv", seen, generator, True),
            Layer.initial("fc", Dense(CHANNELS * (side // 2) ** 2, classes), generator),
        )

    def __call__(self, images: jax.Array, run: Run) -> jax.Array:
        return self.fc(flatten(saturate(max_pool(self.conv(images[:, None], run)))), run)
