"""A numpy archive of characters (``.npz``), read array by array without pickle.

Two layouts, told apart by the names of the arrays; others in the file are ignored:

- ``x_train``, ``y_train``, ``x_test``, ``y_test`` (as in the ``mnist.npz`` of Keras);
- ``images``, ``labels``: one heap, split by :mod:`system.images.sets`.

Images are (n, S, S) or (n, S, S, 1), unsigned bytes from 0 to 255 or floating-point numbers from 0
to 1; labels are (n,) integers of any type.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from formats.arrays import archive, array_names, array_of, header_of
from formats.errors import InputError
from system.images.stored import MOST_PIXELS, Part, StoredSet, check_count, check_shape

SPLIT = ("x_train", "y_train", "x_test", "y_test")
HEAP = ("images", "labels")
_LARGEST = 4 * MOST_PIXELS
"""Bytes of one array."""


def read_npz(path: Path) -> StoredSet:
    """The set in an archive; raises :class:`InputError` naming file and array."""
    with archive(path) as opened:
        return _read(path, opened)


def _read(path: Path, opened: zipfile.ZipFile) -> StoredSet:
    held = array_names(opened)
    layouts = [layout for layout in (SPLIT, HEAP) if set(layout) <= set(held)]
    if len(layouts) != 1:
        raise InputError(
            path,
            f"holds the arrays {', '.join(sorted(held)[:10]) or '(none)'}; expected either "
            f"{', '.join(SPLIT)} or {' and '.join(HEAP)}",
        )
    parts = [
        _part(path, opened, *layouts[0][first : first + 2])
        for first in range(0, len(layouts[0]), 2)
    ]
    return StoredSet(path.name, parts[0], parts[1] if len(parts) > 1 else None)


def _part(path: Path, opened: zipfile.ZipFile, images: str, labels: str) -> Part:
    pixels_from, labels_from = f"{path}, {images}", f"{path}, {labels}"
    pixels = _images(pixels_from, opened, images)
    white = 255.0 if pixels.dtype == np.uint8 else 1.0
    return Part(pixels, _labels(labels_from, opened, labels), white, pixels_from, labels_from)


def _images(where: str, opened: zipfile.ZipFile, name: str) -> np.ndarray:
    header = header_of(where, opened, name)
    shape = header.shape[:3] if header.shape[3:] == (1,) else header.shape
    if len(shape) != 3:
        raise InputError(
            where, f"has the shape {header.shape}; expected (n, side, side) or (n, side, side, 1)"
        )
    check_shape(where, shape)
    if header.dtype != np.uint8 and header.dtype.kind != "f":
        raise InputError(
            where,
            f"has the type {header.dtype}; expected uint8 (0 to 255) or floating point (0 to 1)",
        )
    if header.size > _LARGEST:
        raise InputError(
            where, f"holds {header.size} bytes; expected at most {_LARGEST}: store it as uint8"
        )
    pixels = array_of(where, opened, name, _LARGEST).reshape(shape)
    if header.dtype.kind == "f":
        if not np.isfinite(pixels).all():
            raise InputError(where, "holds a value that is not finite; expected 0 to 1")
        if pixels.min() < 0 or pixels.max() > 1:
            raise InputError(
                where,
                f"holds values from {pixels.min():g} to {pixels.max():g}; expected 0 to 1 in "
                "floating point (0 to 255 as uint8)",
            )
    return pixels


def _labels(where: str, opened: zipfile.ZipFile, name: str) -> np.ndarray:
    header = header_of(where, opened, name)
    if len(header.shape) != 1 or header.dtype.kind not in "iu":
        raise InputError(
            where,
            f"has the shape {header.shape} and the type {header.dtype}; expected (n,) integers, "
            "one label for each image",
        )
    check_count(where, header.shape[0])
    labels = array_of(where, opened, name, _LARGEST)
    if labels.max() > np.iinfo(np.int64).max:
        raise InputError(where, f"holds the label {labels.max()}; expected at most 2^63 - 1")
    return labels.astype(np.int64)
