"""How weights and activations are represented: in two, three or 2^n levels, or in floating point.

Rounding has the gradient of the identity (the straight-through estimator of Bengio, Léonard,
Courville, arXiv 1308.3432 (2013), recalled); outside their range latent weights are held at its
ends (clipping as by Courbariaux et al., arXiv 1602.02830 (2016), recalled), and activations have
no gradient, as they are saturated before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import jax
import jax.numpy as jnp

MOST_BITS = 8
FORMS = f"binary, ternary, 2-bit to {MOST_BITS}-bit, or float"


@dataclass(frozen=True)
class Representation:
    """``levels`` equally spaced ones, both ends of the range among them; None for all numbers."""

    levels: int | None

    @classmethod
    def parse(cls, text: str) -> Representation:
        """From "binary", "ternary", "4-bit", "float"; ValueError for another text."""
        named = {"binary": 2, "ternary": 3, "float": None}
        if text in named:
            return cls(named[text])
        found = re.fullmatch(r"(\d+)-bit", text)
        if found is None or not 1 < int(found[1]) <= MOST_BITS:
            raise ValueError(f"is {text!r}; expected {FORMS}")
        return cls(2 ** int(found[1]))

    @property
    def is_float(self) -> bool:
        """Whether nothing is rounded."""
        return self.levels is None

    @property
    def plane_count(self) -> int:
        """Planes of signs that weights are made of; 0 in floating point."""
        if self.levels is None:
            return 0
        return 1 if self.levels <= 3 else (self.levels - 1).bit_length()

    def weights(self, latent: jax.Array) -> jax.Array:
        """Levels in [-1, 1] next to the latent weights; two levels are -1 and 1, 0 becomes 1."""
        if self.levels is None:
            return latent
        return _straight_through(latent, 2 * self._rounded((latent + 1) / 2) - 1)

    def activations(self, x: jax.Array, full: float) -> jax.Array:
        """Levels in [0, full] next to x, which lies in there."""
        if self.levels is None:
            return x
        return _straight_through(x, full * self._rounded(x / full))

    def planes(self, weights: jax.Array) -> tuple[tuple[float, ...], list[jax.Array]]:
        """Quantised weights as sums of signs: (scales, arrays of -1, 0 and 1).

        weights = sum_p scale_p plane_p. Ternary ones are one plane with zeros, those of 2^n levels
        n planes without. Raises ValueError for floating point.
        """
        if self.levels is None:
            raise ValueError("floating-point weights are not a sum of a few signs")
        if self.levels <= 3:
            return (1.0,), [jnp.round(weights)]
        top = self.levels - 1
        code = jnp.round((weights + 1) / 2 * top).astype(jnp.int32)
        places = range(self.plane_count)
        signs = [2.0 * ((code >> place) & 1) - 1 for place in places]
        return tuple(2**place / top for place in places), signs

    def _rounded(self, share: jax.Array) -> jax.Array:
        """Shares of the range rounded to a level; a half goes up."""
        assert self.levels is not None
        top = self.levels - 1
        return jnp.floor(jnp.clip(share, 0.0, 1.0) * top + 0.5) / top


def _straight_through(x: jax.Array, rounded: jax.Array) -> jax.Array:
    return x + jax.lax.stop_gradient(rounded - x)


@dataclass(frozen=True)
class Representations:
    """Of the image, the activations between layers, and the weights of first, inner, last layer."""

    image: Representation
    activation: Representation
    first: Representation
    inner: Representation
    last: Representation

    @classmethod
    def parse(
        cls, image: str, activation: str, first: str, inner: str, last: str
    ) -> Representations:
        """From their texts."""
        return cls(*map(Representation.parse, (image, activation, first, inner, last)))

    def weights_of(self, index: int, count: int) -> Representation:
        """That of the weights of layer ``index`` of ``count``; a single layer is the last."""
        if index == count - 1:
            return self.last
        return self.first if index == 0 else self.inner


FLOAT = Representations(*[Representation(None)] * 5)
"""Nothing is rounded."""
