"""The multilayer perceptron: one hidden layer of 128 units (assumed size)."""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np

from system.arithmetic import Dense
from system.networks.between import flatten, saturate
from system.networks.layer import Layer, Run

HIDDEN = 128


class MLP(eqx.Module):
    """One hidden layer of saturating units."""

    hidden: Layer
    output: Layer

    @classmethod
    def initial(cls, generator: np.random.Generator, side: int, classes: int) -> MLP:
        """Fresh parameters."""
        return cls(
            Layer.initial("hidden", Dense(side**2, HIDDEN), generator, True),
            Layer.initial("output", Dense(HIDDEN, classes), generator),
        )

    def __call__(self, images: jax.Array, run: Run) -> jax.Array:
        return self.output(saturate(self.hidden(flatten(images), run)), run)
