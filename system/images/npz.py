"""A numpy archive of characters (``.npz``), read array by array without pickle.

Two layouts, told apart by the names of the arrays; others in the file are ignored:

- ``x_train``, ``y_train``, ``x_test``, ``y_test`` (as in the ``mnist.npz`` of Keras);
- ``images``, ``labels``: one heap, split by :mod:`system.images.sets`.

Images are (n, S, S) or (n, S, S, 1), unsigned bytes from 0 to 255 or floating-point numbers from 0
to 1; labels are (n,) integers of any type.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from formats.errors import InputError
from system.images.stored import MOST_PIXELS, Part, StoredSet, check_count, check_shape

SPLIT = ("x_train", "y_train", "x_test", "y_test")
HEAP = ("images", "labels")
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError)
"""What zipfile and numpy raise for a damaged, encrypted or unknown content."""


def read_npz(path: Path) -> StoredSet:
    """The set in an archive; raises :class:`InputError` naming file and array."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(path, archive)
    except zipfile.BadZipFile as error:
        raise InputError(path, f"is no .npz archive ({error})") from error
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error


def _read(path: Path, archive: zipfile.ZipFile) -> StoredSet:
    held = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    layouts = [layout for layout in (SPLIT, HEAP) if set(layout) <= set(held)]
    if len(layouts) != 1:
        raise InputError(
            path,
            f"holds the arrays {', '.join(sorted(held)[:10]) or '(none)'}; expected either "
            f"{', '.join(SPLIT)} or {' and '.join(HEAP)}",
        )
    parts = [
        _part(path, archive, *layouts[0][first : first + 2])
        for first in range(0, len(layouts[0]), 2)
    ]
    return StoredSet(path.name, parts[0], parts[1] if len(parts) > 1 else None)


def _part(path: Path, archive: zipfile.ZipFile, images: str, labels: str) -> Part:
    pixels_from, labels_from = f"{path}, {images}", f"{path}, {labels}"
    pixels = _images(pixels_from, archive, images)
    white = 255.0 if pixels.dtype == np.uint8 else 1.0
    return Part(pixels, _labels(labels_from, archive, labels), white, pixels_from, labels_from)


@dataclass(frozen=True)
class _Header:
    shape: tuple[int, ...]
    dtype: np.dtype


def _images(where: str, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    header = _header(where, archive, name)
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
    size = math.prod(shape) * header.dtype.itemsize
    if size > 4 * MOST_PIXELS:
        raise InputError(
            where, f"holds {size} bytes; expected at most {4 * MOST_PIXELS}: store it as uint8"
        )
    pixels = _array(where, archive, name).reshape(shape)
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


def _labels(where: str, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    header = _header(where, archive, name)
    if len(header.shape) != 1 or header.dtype.kind not in "iu":
        raise InputError(
            where,
            f"has the shape {header.shape} and the type {header.dtype}; expected (n,) integers, "
            "one label for each image",
        )
    check_count(where, header.shape[0])
    labels = _array(where, archive, name)
    if labels.max() > np.iinfo(np.int64).max:
        raise InputError(where, f"holds the label {labels.max()}; expected at most 2^63 - 1")
    return labels.astype(np.int64)


def _header(where: str, archive: zipfile.ZipFile, name: str) -> _Header:
    """Shape and type as announced: sizes are checked before anything is allocated."""
    with _opened(where, archive, name) as handle:
        try:
            version = np.lib.format.read_magic(handle)
            if version not in _HEADERS:
                raise ValueError(f"format version {version[0]}.{version[1]}")
            shape, _, dtype = _HEADERS[version](handle)
        except _BROKEN as error:
            raise InputError(where, f"cannot be read ({error})") from error
    return _Header(shape, dtype)


def _array(where: str, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with _opened(where, archive, name) as handle:
        try:
            return np.lib.format.read_array(handle, allow_pickle=False)
        except _BROKEN as error:
            raise InputError(where, f"cannot be read ({error})") from error


def _opened(where: str, archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    try:
        return archive.open(f"{name}.npy")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InputError(where, f"cannot be read ({error})") from error
