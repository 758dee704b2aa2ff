"""The results of all cells as rows: one for each cell and seed, and one for a cell without any."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from formats.atomic import write_text
from formats.training import ARITHMETICS, EVALUATIONS
from system.sweep.cell import Cell, Time
from system.sweep.scores import Scores


@dataclass(frozen=True)
class Result:
    """What is known of a cell: its scores or None, the time it took or None, its error or ""."""

    cell: Cell
    scores: Scores | None
    time: Time | None = None
    error: str = ""

    @property
    def state(self) -> str:
        """One of done, failed, not run."""
        if self.scores is not None:
            return "done"
        return "failed" if self.error else "not run"


def write_csv(path: Path, varied: Sequence[str], results: Sequence[Result]) -> None:
    """Write sweep.csv atomically."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns(varied), restval="", lineterminator="\n")
    writer.writeheader()
    for result in results:
        writer.writerows(rows(result))
    write_text(path, text.getvalue())


def columns(varied: Sequence[str]) -> list[str]:
    """The header of sweep.csv.

    ``sc_accuracy`` is that of the network trained on streams, on ``test_images`` and as it was
    trained; ``sc_in_exact`` that of the same network bit by bit, on ``images_in_exact`` of them.
    """
    return [
        "cell",
        *varied,
        "run_seed",
        "state",
        *(f"{name}_accuracy" for name in ARITHMETICS),
        "test_images",
        *(f"{name}_in_{evaluation}" for name in ARITHMETICS for evaluation in EVALUATIONS),
        *(f"images_in_{evaluation}" for evaluation in EVALUATIONS),
        "cell_seconds",
        "cell_images_per_s",
        "error",
    ]


def rows(result: Result) -> list[dict[str, Any]]:
    """The rows of a cell, one for each seed; what is not known is left out."""
    row: dict[str, Any] = {
        "cell": result.cell.name,
        **{name: each.text for name, each in result.cell.varied.items()},
        "state": result.state,
        "error": result.error,
    }
    if result.scores is None:
        return [row]
    if result.time is not None:
        row["cell_seconds"] = f"{result.time.seconds:.2f}"
        row["cell_images_per_s"] = f"{result.time.rate:.1f}"
    scores = result.scores
    row["test_images"] = scores.images
    for name, images in zip(EVALUATIONS, scores.evaluated_images, strict=True):
        row[f"images_in_{name}"] = images
    return [
        {**row, "run_seed": seed, **_accuracies(scores, index)}
        for index, seed in enumerate(scores.seeds)
    ]


def _accuracies(scores: Scores, seed: int) -> dict[str, str]:
    """All accuracies of the seed in this place; empty texts where there is none."""
    found = {f"{name}_accuracy": scores.accuracy(name)[seed] for name in ARITHMETICS} | {
        f"{name}_in_{evaluation}": scores.accuracy_in(name, evaluation)[seed]
        for name in ARITHMETICS
        for evaluation in EVALUATIONS
    }
    return {name: "" if math.isnan(value) else f"{value:.6f}" for name, value in found.items()}
