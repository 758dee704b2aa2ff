"""Spoilt images: what a sensor or a smudge makes of characters, at several strengths.

Pixels in [0, 1], shape (n, side, side); a strength of 0 leaves them as they are. Every image has
noise, pixels and places of its own from the generator, which follow from its position alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from formats.seeds import generator


def gaussian(images: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """Normal noise with a standard deviation of ``strength`` of full scale, clipped."""
    noise = random.standard_normal(images.shape, np.float32)
    return np.clip(images + np.float32(strength) * noise, 0, 1)


def salt_and_pepper(images: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """A share ``strength`` of the pixels becomes black or white, with equal chances."""
    drawn = random.random(images.shape, np.float32)
    spoilt = np.where(drawn < strength / 2, np.float32(0), np.float32(1))
    return np.where(drawn < strength, spoilt, images)


def occlusion(images: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """A black square, whose side is ``strength`` of the image's (rounded), anywhere inside."""
    count, side, _ = images.shape
    edge = round(strength * side)
    corner = np.floor(random.random((count, 2)) * (side - edge + 1)).astype(int)
    place = np.arange(side)
    inside = [(place >= corner[:, k, None]) & (place < corner[:, k, None] + edge) for k in range(2)]
    return np.where(inside[0][:, :, None] & inside[1][:, None, :], np.float32(0), images)


def blur(images: np.ndarray, strength: float, random: np.random.Generator) -> np.ndarray:
    """A Gaussian blur with a standard deviation of ``strength`` pixels, black around the image."""
    return ndimage.gaussian_filter(images, (0, strength, strength), mode="constant")


Corruption = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]
CORRUPTIONS: dict[str, tuple[Corruption, tuple[float, ...]]] = {
    "gaussian": (gaussian, (0.1, 0.2, 0.3, 0.5)),
    "salt_and_pepper": (salt_and_pepper, (0.05, 0.1, 0.2, 0.3)),
    "occlusion": (occlusion, (0.15, 0.25, 0.35, 0.5)),
    "blur": (blur, (0.5, 1.0, 1.5, 2.0)),
}
"""Each with its strengths, from little to much (our choice)."""


def corrupted(images: np.ndarray, name: str, strength: float, seed: int) -> np.ndarray:
    """Images spoilt in one way; the same for every network that is tested with the seed."""
    made, _ = CORRUPTIONS[name]
    return made(images, strength, generator(seed, "corruption", name))
