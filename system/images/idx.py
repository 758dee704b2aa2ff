"""IDX files (MNIST, EMNIST, Fashion-MNIST): 28x28 images and labels, gzipped or not, checked.

Format: http://yann.lecun.com/exdb/mnist/ (big-endian magic, dimensions, then unsigned bytes).
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from formats.errors import InputError

SIDE = 28
MOST_CLASSES = 62
"""Digits, capital and small letters (EMNIST by class)."""
MOST_IMAGES = 1_000_000
"""More than any published set of this kind; bounds what a broken or hostile file can expand to."""
NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_IMAGE_MAGIC, _LABEL_MAGIC = 0x00000803, 0x00000801


def idx_files(folder: Path) -> dict[str, Path]:
    """The four files by their plain names; raises :class:`InputError` where one is missing."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(folder, "no such folder; expected one with the four IDX files of MNIST")
    found = {}
    for name in (name for pair in NAMES.values() for name in pair):
        candidates = [folder / name, folder / f"{name}.gz"]
        existing = [path for path in candidates if path.is_file()]
        if not existing:
            raise InputError(folder, f"lacks {name} or {name}.gz")
        found[name] = existing[0]
    return found


def read_idx_folder(folder: Path) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """ "train" and "test": images (n, 28, 28) and labels (n,), unsigned bytes.

    Raises :class:`InputError` naming the file for a wrong magic number, other dimensions, a
    truncated, over-long or broken file, counts that differ, or more than 62 classes.
    """
    files = idx_files(folder)
    sets = {}
    for part, (image_name, label_name) in NAMES.items():
        images = _read(files[image_name], _IMAGE_MAGIC, (SIDE, SIDE))
        labels = _read(files[label_name], _LABEL_MAGIC, ())
        if len(images) != len(labels):
            raise InputError(
                files[label_name],
                f"holds {len(labels)} labels, {files[image_name].name} {len(images)} images",
            )
        if labels.max() >= MOST_CLASSES:
            raise InputError(
                files[label_name],
                f"holds the label {labels.max()}; expected 0 to {MOST_CLASSES - 1}",
            )
        sets[part] = (images, labels)
    return sets


def _read(path: Path, magic: int, sides: tuple[int, ...]) -> np.ndarray:
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if compressed else path.open("rb") as handle:
            return _parse(path, handle, magic, sides)  # type: ignore[arg-type]
    except (EOFError, zlib.error) as error:
        raise InputError(path, f"is not a whole gzip file ({error})") from error
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error


def _parse(path: Path, handle: BinaryIO, magic: int, sides: tuple[int, ...]) -> np.ndarray:
    header = handle.read(4 * (2 + len(sides)))
    if len(header) < 4 * (2 + len(sides)):
        raise InputError(path, f"is truncated: {len(header)} bytes, shorter than its header")
    found_magic, count, *found_sides = (int(word) for word in np.frombuffer(header, ">u4"))
    if found_magic != magic:
        raise InputError(path, f"has the magic number {found_magic:#010x}, expected {magic:#010x}")
    if tuple(found_sides) != sides:
        raise InputError(path, f"holds images of {found_sides} pixels, expected {list(sides)}")
    if not 1 <= count <= MOST_IMAGES:
        raise InputError(path, f"announces {count} items, expected 1 to {MOST_IMAGES}")
    expected = count * int(np.prod(sides, dtype=int))
    data = handle.read(expected + 1)
    if len(data) != expected:
        found = f"only {len(data)}" if len(data) < expected else "more"
        raise InputError(path, f"announces {count} items ({expected} bytes) but holds {found}")
    return np.frombuffer(data, np.uint8).reshape(count, *sides)
