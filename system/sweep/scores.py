"""What a sweep needs of a training.nc; reading and checking all of it takes ten times as long."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from formats.errors import InputError
from formats.netcdf_guard import opened
from formats.training import ARITHMETICS, EVALUATIONS, KIND


@dataclass(frozen=True)
class Scores:
    """Test images right, as training.nc has them.

    ``correct`` (arithmetic, seed) of ``images`` after the last epoch, ``evaluated`` (arithmetic,
    seed, evaluation) of ``evaluated_images`` (evaluation); NaN and 0 where it was not done.
    ``provenance`` is the record as JSON, ``weights_sha256`` the hash of weights.npz.
    """

    seeds: tuple[int, ...]
    images: int
    correct: np.ndarray
    evaluated: np.ndarray
    evaluated_images: tuple[int, ...]
    provenance: str
    weights_sha256: str

    def accuracy(self, arithmetic: str) -> np.ndarray:
        """After the last epoch on all test images, (seeds,)."""
        return self.correct[ARITHMETICS.index(arithmetic)] / self.images

    def accuracy_in(self, arithmetic: str, evaluation: str) -> np.ndarray:
        """Of the same networks in another arithmetic, (seeds,); NaN where it was not done."""
        column = EVALUATIONS.index(evaluation)
        images = self.evaluated_images[column] or np.nan
        return self.evaluated[ARITHMETICS.index(arithmetic), :, column] / images


def read_scores(path: Path) -> Scores:
    """Read them; raises :class:`InputError` for a missing, broken or foreign file."""
    with opened(path) as file:
        if str(file.attrs.get("kind")) != KIND:
            raise InputError(path, f"is not a {KIND} file")
        values = {
            name: np.asarray(file.variables[name][...], float)
            for name in ("seed", "correct", "evaluated_correct", "evaluated_images")
        }
        scores = Scores(
            tuple(int(seed) for seed in values["seed"]),
            int(file.attrs["test_images"]),
            values["correct"],
            values["evaluated_correct"],
            tuple(int(count) for count in values["evaluated_images"]),
            str(file.attrs["provenance"]),
            str(file.attrs["weights_sha256"]),
        )
    shape = (len(ARITHMETICS), len(scores.seeds))
    whole = (*shape, len(EVALUATIONS))
    if scores.correct.shape != shape or scores.evaluated.shape != whole or scores.images < 1:
        raise InputError(path, "holds scores of other dimensions than its seeds, or no test images")
    return scores
