"""What a design scores and costs: a training's accuracy with its error, and the budget's totals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from formats.cells import Cells
from formats.errors import InputError
from formats.training import read_training
from system.architecture import Architecture
from system.budget.accuracy import wilson
from system.budget.bill import BudgetOptions, Pair, checked, priced
from system.explore.layouts import DacLevel, Layout, goes_with
from system.sweep.cell import TRAINING_FILE, Cell
from system.sweep.collect import Result
from system.sweep.scores import Scores


@dataclass(frozen=True)
class Estimate:
    """Share of the test images right, mean over seeds, its standard error and Wilson interval."""

    value: float
    stderr: float
    interval95: tuple[float, float]
    by_seed: tuple[float, ...]
    images: int


@dataclass(frozen=True)
class Costs:
    """Totals of a bill: energy of an inference (J), area (m2), latency of an inference (s),
    leakage (W), and MACs built."""

    energy: float
    area: float
    latency: float
    leakage: float
    macs: float


@dataclass(frozen=True)
class Point:
    """A training (the name of its folder, and what was varied in it) on a layout."""

    training: str
    varied: Mapping[str, str]
    layout: str
    estimate: Estimate
    costs: Costs


@dataclass(frozen=True)
class Unpriced:
    """A training, or a training on a layout, without a point."""

    training: str
    reason: str


def estimate(scores: Scores) -> Estimate:
    """Of the networks on streams, after the last epoch.

    The variance is the binomial one of a set of test images, which all seeds share (after Agresti
    and Coull, Am. Stat. 52, 119 (1998): two images more on either side, so that it is not 0 at 0
    and 100 %), plus, with several seeds, that of their mean. The two overlap: an upper bound. With
    one seed the spread between trainings is not in it.
    """
    by_seed = np.asarray(scores.accuracy("sc"), float)
    value, images = float(by_seed.mean()), scores.images
    share = (value * images + 2) / (images + 4)
    variance = share * (1 - share) / (images + 4)
    if by_seed.size > 1:
        variance += float(by_seed.var(ddof=1)) / by_seed.size
    return Estimate(
        value, math.sqrt(variance), wilson(value, images), tuple(map(float, by_seed)), images
    )


def costs(pair: Pair, laid: Architecture) -> Costs:
    """The budget's totals; raises :class:`InputError` where it refuses the layout."""
    bill = priced(pair, laid, BudgetOptions().frame_rate)
    return Costs(
        bill.energy_inference, bill.area, bill.timing.inference, bill.leakage, bill.layout.macs()
    )


@dataclass(frozen=True)
class Prices:
    """What turns trainings into points: ``level`` None leaves the DACs to the architectures."""

    cells: Cells
    layouts: tuple[Layout, ...]
    level: DacLevel | None = None

    @property
    def default_mac(self) -> str:
        """The MAC of a training that names none."""
        return str(self.cells.attributes["default_mac"])

    def dac_bits(self, cell: Cell) -> int:
        """Bits of the write-voltage DAC: the training's, or those of the codes of cells.nc."""
        asked = cell.options.dac_bits
        return int(asked) if asked else (self.cells.sng.sizes["code"] - 1).bit_length()

    def laid(self, layout: Layout, cell: Cell) -> Architecture:
        """The architecture of a layout with the DACs of a training."""
        if self.level is None:
            return layout.architecture
        return replace(layout.architecture, dac=self.level.dac(self.dac_bits(cell)))

    def points(self, result: Result) -> tuple[list[Point], list[Unpriced]]:
        """A training on every layout that asks for it, and what the budget refuses."""
        cell = result.cell
        if result.scores is None:
            return [], [Unpriced(cell.name, result.error)] if result.error else []
        try:
            training = read_training(Path(cell.folder) / TRAINING_FILE)
            pair = checked(self.cells, training, accept_edited_cells=False)
        except InputError as error:
            return [], [Unpriced(cell.name, str(error))]
        accuracy, varied = estimate(result.scores), self.varied(cell)
        found: list[Point] = []
        refused: list[Unpriced] = []
        for layout in self.layouts:
            if not goes_with(layout.architecture, cell.options, self.default_mac):
                continue
            try:
                amounts = costs(pair, self.laid(layout, cell))
            except InputError as error:
                refused.append(Unpriced(f"{cell.name} on {layout.name}", str(error)))
            else:
                found.append(Point(cell.name, varied, layout.name, accuracy, amounts))
        return found, refused

    def varied(self, cell: Cell) -> dict[str, str]:
        """What was varied, as texts; the stream length, MAC and DAC bits always, as they were."""
        settled = {
            "stream_length": str(cell.options.stream_length),
            "mac": cell.options.mac or self.default_mac,
            "dac_bits": str(self.dac_bits(cell)),
        }
        others = {name: each.text for name, each in cell.varied.items() if name not in settled}
        return settled | others


def columns(points: Sequence[Point]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Costs (points, 2: J, m2), accuracies, standard errors and trainings, numbered, (points,)."""
    names = {name: i for i, name in enumerate(dict.fromkeys(p.training for p in points))}
    return (
        np.array([(p.costs.energy, p.costs.area) for p in points]).reshape(-1, 2),
        np.array([p.estimate.value for p in points]),
        np.array([p.estimate.stderr for p in points]),
        np.array([names[p.training] for p in points], int),
    )
