"""A folder of four IDX files, found by what their names say: MNIST's, EMNIST's or similar ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from formats.errors import InputError
from system.images.idx import IMAGES, LABELS, read_idx
from system.images.stored import Part, StoredSet

PURPOSES = {"train": ("train",), "test": ("test", "t10k")}
"""What a name holds for each purpose, in any case of letters."""


@dataclass(frozen=True)
class IdxFiles:
    """The paths of the four files."""

    train_images: Path
    train_labels: Path
    test_images: Path
    test_labels: Path

    @property
    def names(self) -> list[str]:
        """Their names, sorted."""
        files = (self.train_images, self.train_labels, self.test_images, self.test_labels)
        return sorted(path.name for path in files)


def find_idx_files(folder: Path) -> IdxFiles:
    """The one file each whose name holds "train" ("test" or "t10k") and "images" ("labels").

    ``train-images-idx3-ubyte`` and ``emnist-letters-test-labels-idx1-ubyte.gz`` are such names. Of
    a file that is there both gzipped and plain, the plain one is taken. Raises :class:`InputError`
    where one is missing or several fit.
    """
    try:
        names = {path.name for path in folder.iterdir() if path.is_file() and path.name[0] != "."}
    except OSError as error:
        raise InputError(folder, f"cannot be read ({error.strerror or error})") from error
    single = sorted(name for name in names if name.removesuffix(".gz") not in names - {name})

    def one(purpose: str, content: str) -> Path:
        fitting = [
            name
            for name in single
            if content in name.lower() and any(word in name.lower() for word in PURPOSES[purpose])
        ]
        if len(fitting) == 1:
            return folder / fitting[0]
        pattern = " or ".join(f"*{word}*{content}*" for word in PURPOSES[purpose])
        if fitting:
            raise InputError(
                folder,
                f"holds {len(fitting)} files {pattern} ({', '.join(fitting)}); expected one: put "
                "the four files of one set into a folder of their own",
            )
        example = {"train": "train", "test": "t10k"}[purpose]
        kind = {"images": "idx3", "labels": "idx1"}[content]
        raise InputError(
            folder,
            f"lacks a file {pattern}, such as {example}-{content}-{kind}-ubyte, plain or with "
            ".gz; expected the images and labels of a training and of a test set",
        )

    return IdxFiles(
        one("train", "images"), one("train", "labels"), one("test", "images"), one("test", "labels")
    )


def read_idx_folder(folder: Path) -> StoredSet:
    """The set in a folder, as stored; raises :class:`InputError` naming the file.

    EMNIST's images are stored transposed against MNIST's. They stay so: a network trained on them
    is tested on them too, and a network that no pixel order favours does not care.
    """
    files = find_idx_files(folder)
    return StoredSet(
        folder.resolve().name,
        _part(files.train_images, files.train_labels),
        _part(files.test_images, files.test_labels),
    )


def _part(images: Path, labels: Path) -> Part:
    return Part(read_idx(images, IMAGES), read_idx(labels, LABELS), 255.0, str(images), str(labels))
