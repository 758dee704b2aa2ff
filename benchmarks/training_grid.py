"""Grids of trainings for the benchmarks: run by ``stochram sweep``, read back as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import STATE
from formats.training import Training
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
        """Results by the varied options, as ``a=1,b=x``; the sweep prints the hours expected.

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
            if result.training is None:
                raise RuntimeError(f"{result.cell.name}: {result.error}")
            words = [f"{key}={value.text}" for key, value in result.cell.varied.items()]
            found[",".join(words)] = result.training
        return found


def share(training: Training, trained: str, evaluated: str) -> float:
    """Accuracy of the network ``trained`` in "float" or "sc", evaluated in one of EVALUATIONS."""
    data: Any = training.data
    right = data["evaluated_correct"].sel(arithmetic=trained, evaluation=evaluated)
    return float(right.mean() / data["evaluated_images"].sel(evaluation=evaluated))
