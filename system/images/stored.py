"""A set of characters as its files hold it, and what every set must satisfy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from formats.errors import InputError

SMALLEST_SIDE, LARGEST_SIDE = 8, 64
MOST_CLASSES = 62
"""Digits, capital and small letters (EMNIST by class)."""
MOST_IMAGES = 1_000_000
"""More than any published set of this kind; bounds what a broken or hostile file can expand to."""
MOST_PIXELS = 2**30
"""In one part; 4 GiB once they are 32-bit numbers."""


@dataclass(frozen=True)
class Part:
    """Images of one purpose (training, test, or both still together).

    ``pixels`` (n, S, S) are unsigned bytes or floating-point numbers from 0 to ``white``,
    ``labels`` (n,) the whole numbers of the file; errors name the file by ``pixels_from`` and
    ``labels_from``.
    """

    pixels: np.ndarray
    labels: np.ndarray
    white: float
    pixels_from: str
    labels_from: str


@dataclass(frozen=True)
class StoredSet:
    """A whole set; ``test`` is None where the file leaves the split to us."""

    name: str
    train: Part
    test: Part | None


def check_shape(where: str | Path, shape: tuple[int, ...]) -> None:
    """Raise :class:`InputError` unless ``shape`` (n, S, S) is one we take."""
    count, height, width = shape
    if height != width:
        raise InputError(where, f"holds images of {height} x {width} pixels; expected square ones")
    if not SMALLEST_SIDE <= height <= LARGEST_SIDE:
        raise InputError(
            where,
            f"holds images of {height} x {width} pixels; expected sides of {SMALLEST_SIDE} to "
            f"{LARGEST_SIDE}",
        )
    check_count(where, count)
    if math.prod(shape) > MOST_PIXELS:
        raise InputError(
            where, f"holds {math.prod(shape)} pixels in all; expected at most {MOST_PIXELS}"
        )


def check_count(where: str | Path, count: int) -> None:
    """Raise :class:`InputError` for no or absurdly many items."""
    if not 1 <= count <= MOST_IMAGES:
        raise InputError(where, f"announces {count} items; expected 1 to {MOST_IMAGES}")


def check_pairs(part: Part) -> None:
    """Raise :class:`InputError` unless there is one label for each image."""
    if len(part.pixels) != len(part.labels):
        raise InputError(
            part.labels_from,
            f"holds {len(part.labels)} labels, but {Path(part.pixels_from).name} holds "
            f"{len(part.pixels)} images",
        )


def check_set(train: Part, test: Part) -> tuple[int, ...]:
    """The distinct labels of both parts in rising order: class c is the c-th of them.

    Raises :class:`InputError` where images and labels do not pair, the sides of both parts differ,
    there are fewer than 2 or more than 62 classes, or a test label never occurs in training (its
    images could never be named right).
    """
    for part in (train, test):
        check_pairs(part)
    sides = train.pixels.shape[1], test.pixels.shape[1]
    if sides[0] != sides[1]:
        raise InputError(
            test.pixels_from,
            f"has images of {sides[1]} pixels a side, but {Path(train.pixels_from).name} of "
            f"{sides[0]}; expected the same",
        )
    known = np.unique(train.labels)
    unknown = np.setdiff1d(test.labels, known)
    if unknown.size:
        raise InputError(
            test.labels_from,
            f"holds the labels {few(unknown)}, which no training image has, so that no network "
            "can learn them; leave their images out or add training images",
        )
    if known.size < 2:
        raise InputError(
            train.labels_from,
            f"holds the label {known[0]} only ({train.labels.size} images); expected two or more "
            "classes",
        )
    if known.size > MOST_CLASSES:
        raise InputError(
            train.labels_from,
            f"holds {known.size} different labels; expected at most {MOST_CLASSES}",
        )
    return tuple(int(label) for label in known)


def few(values: np.ndarray) -> str:
    """The first values as text for an error."""
    shown = ", ".join(str(value) for value in values[:5].tolist())
    return f"{shown}, ..." if values.size > 5 else shown
