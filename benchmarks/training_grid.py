"""Grids of trainings for the benchmarks: run by ``stochram sweep``, read back as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import STATE
from formats.training import Training, read_training
from system.sweep.cell import TRAINING_FILE
from system.sweep.stage import SweepOptions, run

PACE = 1500.0
"""Training images a second of one core, for the first estimate of the time (measured, busy)."""


@dataclass(frozen=True)
class Work:
    """The cells.nc, the images, and how many trainings run at a time."""

    cells: Path
    images: Path
    jobs: int

    def grid(self, name: str, vary: Sequence[str], fixed: Sequence[str]) -> dict[str, Training]:
        """Results by the varied options, as :func:`place` writes them.

        The sweep prints the hours expected.

        Raises RuntimeError where a cell failed.
        """
        options = SweepOptions(
            self.cells,
            tuple(vary),
            (f"images={self.images}", *fixed),
            STATE / "training" / name,
            jobs=self.jobs,
            rate=PACE,
        )
        found = {}
        for result in run(options):
            if result.scores is None:
                raise RuntimeError(f"{result.cell.name}: {result.error}")
            varied = {key: value.text for key, value in result.cell.varied.items()}
            found[place(**varied)] = read_training(result.cell.folder / TRAINING_FILE)
        return found


def place(**varied: object) -> str:
    """The name of a cell of a grid: ``a=1,b=x``."""
    return ",".join(f"{key}={varied[key]}" for key in sorted(varied))


def share(training: Training, trained: str, evaluated: str) -> float:
    """Accuracy of the network ``trained`` in "float" or "sc", evaluated in one of EVALUATIONS."""
    data: Any = training.data
    right = data["evaluated_correct"].sel(arithmetic=trained, evaluation=evaluated)
    return float(right.mean() / data["evaluated_images"].sel(evaluation=evaluated))
