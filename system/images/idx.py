"""One IDX file (MNIST, EMNIST, Fashion-MNIST): square images or labels, gzipped or not, checked.

Format: http://yann.lecun.com/exdb/mnist/ (big-endian magic, dimensions, then unsigned bytes).
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from formats.errors import InputError
from system.images.stored import check_count, check_shape

IMAGES, LABELS = 0x00000803, 0x00000801
"""Magic numbers: unsigned bytes in three dimensions (n, S, S), or in one (n)."""


def read_idx(path: Path, magic: int) -> np.ndarray:
    """Its unsigned bytes: (n, S, S) for ``magic`` ``IMAGES``, (n,) for ``LABELS``.

    Raises :class:`InputError` naming the file for another magic number, dimensions out of range,
    and a truncated, over-long or broken file.
    """
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if compressed else path.open("rb") as handle:
            return _parse(path, handle, magic)  # type: ignore[arg-type]
    except (EOFError, zlib.error) as error:
        raise InputError(path, f"is not a whole gzip file ({error})") from error
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error


def _parse(path: Path, handle: BinaryIO, magic: int) -> np.ndarray:
    size = 4 * (1 + magic % 256)  # the last byte of a magic number counts the dimensions
    header = handle.read(size)
    if len(header) < size:
        raise InputError(path, f"is truncated: {len(header)} bytes, shorter than its header")
    found, *shape = (int(word) for word in np.frombuffer(header, ">u4"))
    if found != magic:
        content = "images" if magic == IMAGES else "labels"
        raise InputError(
            path,
            f"has the magic number {found:#010x}; expected {magic:#010x} ({content} in unsigned "
            "bytes)",
        )
    if magic == IMAGES:
        check_shape(path, tuple(shape))
    else:
        check_count(path, shape[0])
    expected = math.prod(shape)
    data = handle.read(expected + 1)
    if len(data) != expected:
        held = f"only {len(data)}" if len(data) < expected else "more"
        raise InputError(path, f"announces {shape[0]} items ({expected} bytes) but holds {held}")
    return np.frombuffer(data, np.uint8).reshape(shape)
