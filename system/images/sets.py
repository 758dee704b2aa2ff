"""Training and test characters of one run, from wherever they come."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from formats.errors import InputError
from formats.paths import is_file, is_folder
from formats.provenance import sha256_file, sha256_folder
from system.images.idx_folder import find_idx_files, read_idx_folder
from system.images.npz import read_npz
from system.images.packaged import DEFAULT, PACKAGED, Packaged
from system.images.stored import Part, StoredSet, check_set, few
from system.images.subsets import rows_of, split, stratified


@dataclass(frozen=True)
class Images:
    """Pixels in [0, 1], float32 (n, side, side); labels int32 (n,), classes 0 to classes - 1.

    Class c is called ``original_labels[c]`` in the files (EMNIST's letters: 1 to 26). The numbering
    is that of the whole set, whichever subset was taken.
    """

    name: str
    sha256: str
    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    original_labels: tuple[int, ...]

    @property
    def classes(self) -> int:
        """Number of different labels."""
        return len(self.original_labels)

    @property
    def side(self) -> int:
        """Pixels of a side."""
        return int(self.train.shape[1])


def image_source(text: str | None, folder: Path) -> str | Path | None:
    """What a file in ``folder`` means by ``text``: a packaged set's name, or a path from there."""
    return text if text is None or text in PACKAGED else folder / text


def source_sha256(source: str | Path | None) -> str:
    """Hash of the files the images come from, without reading them as images."""
    found = _find(source)
    if isinstance(found, Packaged):
        return sha256_file(found.path)
    if found.is_dir():
        return sha256_folder(found, find_idx_files(found).names)
    return sha256_file(found)


def load_images(
    source: str | Path | None = None,
    train_count: int | None = None,
    test_count: int | None = None,
) -> Images:
    """The images of ``source``.

    ``source`` is "mnist5k" (also None) or "digits", sets that come with the installed packages, or
    the path of a folder of IDX files or of an ``.npz`` file. A text that is one of the two names
    always means the packaged set; a folder of that name is written ``./digits`` or as a Path.
    Counts below the available ones take stratified subsets. Raises :class:`InputError`.
    """
    stored = _read(_find(source))
    train, test = split(stored.train) if stored.test is None else (stored.train, stored.test)
    labels = check_set(train, test)
    train = _subset(train, train_count, "train", stored.name)
    test = _subset(test, test_count, "test", stored.name)
    absent = np.setdiff1d(labels, train.labels)
    if absent.size:
        raise InputError(
            "--train-images",
            f"is {train_count}, which leaves no image of the labels {few(absent)} of "
            f"{stored.name}; expected enough for all {len(labels)} classes",
        )
    return Images(
        stored.name,
        source_sha256(source),
        _scaled(train),
        _numbered(train, labels),
        _scaled(test),
        _numbered(test, labels),
        labels,
    )


def _find(source: str | Path | None) -> Packaged | Path:
    name = DEFAULT if source is None else source
    if isinstance(name, str) and name in PACKAGED:
        return PACKAGED[name]
    path = Path(name)
    if is_folder(path) or (is_file(path) and path.suffix == ".npz"):
        return path
    problem = "is a file, but no .npz" if is_file(path) else "no such folder or file"
    raise InputError(
        path,
        f"{problem}; expected a folder of IDX files, an .npz file, or one of {', '.join(PACKAGED)}",
    )


def _read(found: Packaged | Path) -> StoredSet:
    if isinstance(found, Packaged):
        return found.read()
    return read_idx_folder(found) if found.is_dir() else read_npz(found)


def _subset(part: Part, count: int | None, purpose: str, name: str) -> Part:
    if count is None:
        return part
    if not 1 <= count <= part.labels.size:
        raise InputError(
            f"--{purpose}-images",
            f"is {count}; {name} has {part.labels.size}, expected 1 to that",
        )
    return rows_of(part, stratified(part.labels, count, f"{purpose} subset"))


def _scaled(part: Part) -> np.ndarray:
    pixels = part.pixels.astype(np.float32)
    pixels /= np.float32(part.white)
    return pixels


def _numbered(part: Part, labels: tuple[int, ...]) -> np.ndarray:
    return np.searchsorted(np.array(labels), part.labels).astype(np.int32)
