"""Sets that are no MNIST: scikit-learn's digits, numpy archives, letters; labels of any numbers."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formats.errors import InputError
from system.images import image_source, load_images, source_sha256
from tests.letters import bitmaps, write_letters

RNG = np.random.default_rng(2)
BYTES = RNG.integers(0, 256, (40, 12, 12), np.uint8)
LABELS = np.arange(40) % 4


def archive(folder: Path, **arrays: Any) -> Path:
    np.savez_compressed(folder / "set.npz", **arrays)
    return folder / "set.npz"


def split_arrays(**changed: Any) -> dict[str, Any]:
    """A right archive of four arrays, with some of them changed."""
    right = {
        "x_train": BYTES,
        "y_train": LABELS,
        "x_test": BYTES[:9],
        "y_test": LABELS[:9],
    }
    return {**right, **changed}


def test_digits_are_those_of_scikit_learn_split_four_to_one() -> None:
    from sklearn.datasets import load_digits

    published = load_digits()
    images = load_images("digits")
    assert (images.side, images.classes, images.name) == (8, 10, "sklearn-digits")
    assert images.train.shape[0] == 1438 and images.test.shape[0] == 359
    share = np.bincount(images.test_labels) / np.bincount(published.target)
    assert np.all(np.abs(share - 0.2) < 0.01)
    ours = sorted(
        (int(label), image.tobytes())
        for part, labels in (
            (images.train, images.train_labels),
            (images.test, images.test_labels),
        )
        for image, label in zip(16 * part, labels, strict=True)
    )
    theirs = sorted(
        (int(label), image.astype(np.float32).tobytes())
        for image, label in zip(published.images, published.target, strict=True)
    )
    assert ours == theirs


def test_a_name_is_no_path_and_a_path_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_letters(tmp_path / "digits", 2, 1)
    monkeypatch.chdir(tmp_path)
    assert load_images("digits").name == "sklearn-digits"
    assert load_images("./digits").classes == load_images(Path("digits")).classes == 26
    assert source_sha256("digits") != source_sha256(Path("digits"))
    assert source_sha256("mnist5k") == source_sha256(None)
    assert image_source("digits", tmp_path) == "digits"
    assert image_source("./digits", tmp_path) == tmp_path / "digits"
    assert image_source("letters", tmp_path) == tmp_path / "letters"
    assert image_source(None, tmp_path) is None


def test_an_archive_as_keras_writes_it_is_read(tmp_path: Path) -> None:
    path = archive(tmp_path, **split_arrays())
    images = load_images(path)
    assert np.array_equal(np.rint(255 * images.train), BYTES)
    assert np.array_equal(images.test_labels, LABELS[:9])
    assert (images.name, images.side, images.classes) == ("set.npz", 12, 4)
    assert images.sha256 == source_sha256(str(path))


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_images_from_0_to_1_are_taken_as_they_are(tmp_path: Path, kind: type) -> None:
    given = RNG.random((40, 12, 12)).astype(kind)
    images = load_images(
        archive(tmp_path, **split_arrays(x_train=given[..., None], x_test=given[:9]))
    )
    assert images.train.dtype == np.float32
    assert np.array_equal(images.train, given.astype(np.float32))


def test_a_heap_is_split_once_and_for_all_in_the_proportions_of_its_labels(tmp_path: Path) -> None:
    order = RNG.permutation(40)
    path = archive(tmp_path, images=BYTES[order], labels=LABELS[order])
    first, second = load_images(path), load_images(path)
    assert np.bincount(first.test_labels).tolist() == [2] * 4
    assert np.bincount(first.train_labels).tolist() == [8] * 4
    assert np.array_equal(first.test, second.test)
    both = np.rint(255 * np.concatenate([first.train, first.test])).astype(np.uint8)
    found = {image.tobytes(): label for image, label in zip(BYTES, LABELS, strict=True)}
    labels = np.concatenate([first.train_labels, first.test_labels])
    assert [found.pop(image.tobytes()) for image in both] == labels.tolist() and not found


def test_labels_of_any_numbers_become_classes_and_stay_known(tmp_path: Path) -> None:
    names = np.array([-3, 1, 26, 2**40])
    images = load_images(
        archive(
            tmp_path,
            **split_arrays(y_train=names[LABELS], y_test=names[LABELS[:2]][[1, 0]])
            | {"x_test": BYTES[:2]},
        )
    )
    assert images.original_labels == (-3, 1, 26, 2**40) and images.classes == 4
    assert np.array_equal(images.train_labels, LABELS) and images.train_labels.dtype == np.int32
    # The number of a class is the whole set's, not the test set's own
    assert images.test_labels.tolist() == [1, 0]


def test_the_numbering_of_classes_does_not_depend_on_the_subset(tmp_path: Path) -> None:
    path = write_letters(tmp_path / "letters", 4, 1)
    whole, part = load_images(path), load_images(path, train_count=52, test_count=3)
    assert part.original_labels == whole.original_labels == tuple(range(1, 27))
    known = {i.tobytes(): n for i, n in zip(whole.train, whole.train_labels, strict=True)}
    assert all(known[i.tobytes()] == n for i, n in zip(part.train, part.train_labels, strict=True))


def nan_inside() -> np.ndarray:
    images = RNG.random((40, 12, 12))
    images[3, 2, 1] = np.nan
    return images


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "not finite": (split_arrays(x_train=nan_inside()), "x_train: holds a value that is not fin"),
    "beyond 1": (split_arrays(x_test=2 * RNG.random((9, 12, 12))), "x_test: holds values from"),
    "below 0": (split_arrays(x_test=-RNG.random((9, 12, 12))), "x_test: holds values from -"),
    "integers": (split_arrays(x_train=BYTES.astype(int)), "x_train: has the type int64; expected"),
    "flat": (split_arrays(x_train=BYTES.reshape(40, 144)), "x_train: has the shape (40, 144)"),
    "colours": (split_arrays(x_test=np.zeros((9, 12, 12, 3))), "x_test: has the shape (9, 12, 12"),
    "not square": (split_arrays(x_test=BYTES[:9, :9]), "x_test: holds images of 9 x 12 pixels"),
    "other side": (split_arrays(x_test=BYTES[:9, :9, :9]), "x_test: has images of 9 pixels a"),
    "empty": (split_arrays(x_test=BYTES[:0]), "x_test: announces 0 items"),
    "counts": (split_arrays(y_train=LABELS[:39]), "y_train: holds 39 labels, but set.npz, x_train"),
    "one-hot": (split_arrays(y_train=np.eye(4)[LABELS]), "y_train: has the shape (40, 4)"),
    "fractions": (split_arrays(y_train=LABELS / 2), "y_train: has the shape (40,) and the type f"),
    "pickle": (split_arrays(y_test=np.array(list("abcdefghi"), object)), "Python objects"),
    "names": (split_arrays(y_test=np.array(list("abcdefghi"))), "and the type <U1"),
    "huge label": (split_arrays(y_test=np.full(9, 2**63, np.uint64)), "y_test: holds the label 9"),
    "unknown": (split_arrays(y_test=LABELS[:9] + 1), "y_test: holds the labels 4, which no train"),
    "one class": ({"images": BYTES, "labels": 0 * LABELS}, "labels: holds the label 0 only (32"),
    "single": ({"images": BYTES[:5], "labels": LABELS[:5]}, "single image each of the labels 1, 2"),
    "one image": ({"images": BYTES[:1], "labels": LABELS[:1]}, "single image each of the labels 0"),
    "missing": ({"x_train": BYTES, "y_train": LABELS}, "arrays x_train, y_train; expected either"),
    "both": (split_arrays(images=BYTES, labels=LABELS), "expected either x_train"),
    "nothing": (
        {},
        "(none); expected either x_train, y_train, x_test, y_test or images and labels",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_archive_is_refused_naming_file_and_array(tmp_path: Path, case: str) -> None:
    arrays, reason = REFUSED[case]
    with pytest.raises(InputError) as caught:
        load_images(archive(tmp_path, **arrays))
    assert "set.npz" in caught.value.where and reason in str(caught.value)


def header(shape: tuple[int, ...], kind: str) -> bytes:
    text = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        text, {"descr": kind, "fortran_order": False, "shape": shape}
    )
    return text.getvalue()


DAMAGED = {
    "many images": (header((10**7, 28, 28), "|u1"), "x_test: announces 10000000 items"),
    "many pixels": (header((10**6, 64, 64), "|u1"), "x_test: holds 4096000000 pixels"),
    "many bytes": (header((10**6, 32, 32), "<f8"), "x_test: holds 8192000000 bytes"),
    "cut short": (header((9, 12, 12), "|u1") + bytes(100), "x_test: cannot be read"),
    "no array": (b"characters", "x_test: cannot be read"),
    "version 3": (header((9, 12, 12), "|u1").replace(b"Y\1", b"Y\3"), "format version 3.0"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_array_is_refused_before_memory_is_taken(tmp_path: Path, case: str) -> None:
    arrays = split_arrays()
    del arrays["x_test"]
    path = archive(tmp_path, **arrays)
    content, reason = DAMAGED[case]
    with zipfile.ZipFile(path, "a") as zipped:
        zipped.writestr("x_test.npy", content)
    with pytest.raises(InputError) as caught:
        load_images(path)
    assert reason in str(caught.value)


def test_files_that_are_no_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    np.save(tmp_path / "set.npy", BYTES)
    path.write_bytes((tmp_path / "set.npy").read_bytes())
    with pytest.raises(InputError, match=r"set\.npz: is no \.npz archive"):
        load_images(path)
    with pytest.raises(InputError, match=r"set\.npy: is a file, but no \.npz"):
        load_images(tmp_path / "set.npy")
    good = archive(tmp_path, **split_arrays())
    content = bytearray(good.read_bytes())
    content[200:2000] = RNG.bytes(1800)
    good.write_bytes(content)
    with pytest.raises(InputError, match=r"set\.npz, x_train"):
        load_images(good)


def test_letters_are_26_different_ones_that_training_images_tell_apart(tmp_path: Path) -> None:
    assert len({letter.tobytes() for letter in bitmaps()}) == 26
    images = load_images(write_letters(tmp_path / "letters", 60, 1))
    assert (images.side, images.classes, images.name) == (28, 26, "letters")
    assert np.bincount(images.train_labels).tolist() == [60] * 26
    assert np.bincount(images.test_labels).tolist() == [15] * 26
    again = load_images(write_letters(tmp_path / "again", 60, 1))
    other = load_images(write_letters(tmp_path / "other", 60, 2))
    assert np.array_equal(images.train, again.train)
    assert not np.array_equal(images.train, other.train)
    # The label of the nearest training image; by chance 1 in 26 would be right
    x, t = images.train.reshape(-1, 784), images.test.reshape(-1, 784)
    nearest = np.argmin((x**2).sum(1) - 2 * t @ x.T, axis=1)
    assert np.mean(images.train_labels[nearest] == images.test_labels) > 0.85
