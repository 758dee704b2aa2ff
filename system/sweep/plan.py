"""What a sweep is going to do: its cells, their training images, and how long they will take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from formats.provenance import provenance_key
from formats.training import ARITHMETICS
from system.sweep.cell import TRAINING_FILE, Cell, cell_name, finished, options_of, time_of
from system.sweep.check import characters
from system.sweep.collect import Result
from system.sweep.grid import Grid


@dataclass(frozen=True)
class Pace:
    """Cells that were timed: training images and seconds, of one cell at a time."""

    images: int = 0
    seconds: float = 0.0

    def add(self, images: int, seconds: float) -> Pace:
        """With one more cell."""
        return Pace(self.images + images, self.seconds + seconds)

    def left(self, images: Sequence[int], at_a_time: int) -> float | None:
        """Seconds for cells of so many images; None while nothing is known.

        The larger of the work shared by all and the longest cell: no cell is divided.
        """
        if not self.images or not images:
            return None
        rate = self.images / max(self.seconds, 1e-9)
        return max(sum(images) / at_a_time, *images) / rate


def plan(grid: Grid, cells: Path | None, output: Path, show: bool = False) -> list[Cell]:
    """The cells of a grid with checked options, in the grid's order.

    ``show``: the trainings say themselves how far they are. Raises
    :class:`formats.errors.InputError`.
    """
    from system.train.options import Hashes, TrainOptions, stage_provenance  # loads JAX

    chosen = [
        (varied, options_of(TrainOptions, grid, varied, cells, output, show))
        for varied in grid.cells()
    ]
    hashes = Hashes()
    return [
        Cell(
            cell_name(varied),
            varied,
            options,
            provenance_key(stage_provenance(options, hashes)),
            passes(options, _available),
        )
        for varied, options in chosen
    ]


def passes(options: Any, available: Any) -> int:
    """Training images that pass through all runs of a training: seeds, epochs, arithmetics.

    A network that is trained in floating point and mapped to streams is trained once.
    ``available(folder)`` counts the images of a folder (None: those that come with the program).
    """
    images = options.train_images
    if images is None:
        images = available(options.images)
    runs = 1 if options.mode == "float" else len(ARITHMETICS)
    return int(runs * options.seeds * options.epochs * images)


def _available(folder: str | Path | None) -> int:
    return characters(folder, None, None).train


def look(cells: Sequence[Cell]) -> list[Result]:
    """What is there already of each cell."""
    return [Result(cell, finished(cell), time_of(cell)) for cell in cells]


def replaced(results: Sequence[Result]) -> int:
    """How many cells to run will replace results of other inputs, options or source."""
    return sum(
        result.scores is None and (result.cell.folder / TRAINING_FILE).exists()
        for result in results
    )


def known_pace(results: Sequence[Result], rate: float | None) -> Pace:
    """From the user's images a second, or else from the cells that are done."""
    if rate is not None:
        return Pace(round(1e6 * rate), 1e6)
    pace = Pace()
    for result in results:
        if result.scores is not None and result.time is not None:
            pace = pace.add(result.time.images, result.time.seconds)
    return pace


def duration(seconds: float) -> str:
    """In words: 45 s, 12 min, 3.4 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
