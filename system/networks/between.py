"""What stands between layers: comparisons of the counters' binary numbers."""

from __future__ import annotations

import jax
import jax.numpy as jnp

SATURATION = 2.0
"""Largest activation (assumed). A power of two, so that the streams of the next layer use their
whole range instead of leaving it to rare large values: bit probabilities stay well above 1/N."""


def saturate(x: jax.Array) -> jax.Array:
    """Rectified linear units that saturate, where a counter stops."""
    return jnp.clip(x, 0.0, SATURATION)


def max_pool(x: jax.Array) -> jax.Array:
    """2x2 maxima of channels-first images; an odd last row and column are left out."""
    images, channels, rows, columns = x.shape
    even = x[:, :, : rows // 2 * 2, : columns // 2 * 2]
    return even.reshape(images, channels, rows // 2, 2, columns // 2, 2).max(axis=(3, 5))


def flatten(x: jax.Array) -> jax.Array:
    """All numbers of an image in a row."""
    return x.reshape(x.shape[0], -1)
