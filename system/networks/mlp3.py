"""The perceptron of 784-256-128-10 for images of 28x28 pixels and 10 classes: three layers."""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np

from system.arithmetic import Dense
from system.networks.between import flatten, saturate
from system.networks.layer import Layer, Run

HIDDEN = 256, 128


class MLP3(eqx.Module):
    """Two hidden layers of saturating units."""

    hidden1: Layer
    hidden2: Layer
    output: Layer

    @classmethod
    def initial(cls, generator: np.random.Generator, side: int, classes: int) -> MLP3:
        """Fresh parameters."""
        first, second = HIDDEN
        return cls(
            Layer.initial("hidden1", Dense(side**2, first), generator, True),
            Layer.initial("hidden2", Dense(first, second), generator),
            Layer.initial("output", Dense(second, classes), generator),
        )

    def __call__(self, images: jax.Array, run: Run) -> jax.Array:
        x = saturate(self.hidden1(flatten(images), run))
        return self.output(saturate(self.hidden2(x, run)), run)
