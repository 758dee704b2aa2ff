"""Draws from the model of a bill, and turns each input alone: intervals and a tornado."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.special import ndtri

from formats.cells import Cells
from formats.seeds import generator
from formats.training import Training
from system.budget.datapath import sng_lines
from system.budget.lines import NORMAL_95, Budget
from system.budget.surroundings import pump_lines
from system.budget.uncertainty.inputs import Input
from system.budget.uncertainty.model import Model, model
from system.budget.uncertainty.reprice import repriced

SAMPLES = 2000
SEED = 0
METHOD = (
    "Monte Carlo over all inputs at once, each drawn in equally likely strata (Latin hypercube); "
    "inputs are independent, and one that several lines name moves them together. Interval: 2.5 to "
    "97.5 % of the totals. Tornado: one input at its 2.5 and 97.5 % quantile, the others at the "
    "bill's values. Temperature, supply and operand statistics stay nominal (training.nc holds the "
    "means over its seeds); counts, stream lengths, clock and phase times are choices and exact. "
    "What the bill leaves out is in no interval."
)
_STILL = 1e-9
"""Relative change of a total that counts as none."""


@dataclass(frozen=True)
class Spread:
    """A total with the median of its samples, its 95 % interval, and what to know about it."""

    value: float
    median: float
    interval95: tuple[float, float]
    reason: str


@dataclass(frozen=True)
class Bar:
    """A total with one input at its 2.5 % (``low``) and 97.5 % (``high``) quantile."""

    input: str
    low: float
    high: float


@dataclass(frozen=True)
class Uncertainty:
    """Intervals and bars of all totals by name, widest bar first; ``moves`` are the totals that
    each input of ``inputs`` moves, by its name."""

    method: str
    samples: int
    seed: int
    inputs: tuple[Input, ...]
    moves: Mapping[str, tuple[str, ...]]
    totals: Mapping[str, Spread]
    tornado: Mapping[str, tuple[Bar, ...]]


def uncertainty(cells: Cells, training: Training, bill: Budget) -> Uncertainty:
    """What the inputs' uncertainties make of a bill; raises :class:`InputError` for a broken device
    in cells.nc."""
    return spread(model_of(cells, training, bill))


def model_of(cells: Cells, training: Training, bill: Budget) -> Model:
    """The bill as a function of its inputs; raises :class:`InputError`."""
    return model(
        cells,
        training,
        bill,
        lambda other: repriced(other, training, bill),
        lambda table: [
            *sng_lines(cells, bill.layout, table),
            *pump_lines(cells, bill.layout, table),
        ],
    )


class Priced(Protocol):
    """Totals as a function of uncertain inputs; ``idle`` ones move nothing in this bill."""

    @property
    def inputs(self) -> tuple[Input, ...]:
        """What is uncertain, by unique names."""
        ...

    @property
    def idle(self) -> tuple[Input, ...]:
        """Listed beside them."""
        ...

    def totals(self, moved: Mapping[str, np.ndarray]) -> Mapping[str, Any]:
        """By name, with some inputs at standard normal numbers and all others nominal."""
        ...


def spread(of: Priced, samples: int = SAMPLES, seed: int = SEED) -> Uncertainty:
    """Intervals by ``samples`` draws and a tornado of a model."""
    nominal = {name: float(value) for name, value in of.totals({}).items()}
    drawn = of.totals(draw(of.inputs, samples, seed))
    ends = np.array([-NORMAL_95, NORMAL_95])
    bars: dict[str, list[Bar]] = {name: [] for name in nominal}
    moves: dict[str, list[str]] = {one.name: [] for one in (*of.inputs, *of.idle)}
    for one in of.inputs:
        for name, values in of.totals({one.name: ends}).items():
            low, high = (float(value) for value in np.broadcast_to(values, ends.shape))
            if _width(Bar("", low, high), nominal[name]) > _STILL * abs(nominal[name]):
                bars[name].append(Bar(one.name, low, high))
                moves[one.name].append(name)
    return Uncertainty(
        METHOD,
        samples,
        seed,
        tuple(one for one in (*of.inputs, *of.idle) if moves[one.name] or one in of.idle),
        {name: tuple(totals) for name, totals in moves.items()},
        {
            name: _interval(value, np.broadcast_to(drawn[name], (samples,)), bool(bars[name]))
            for name, value in nominal.items()
        },
        {
            name: tuple(sorted(found, key=lambda bar: -_width(bar, nominal[name])))
            for name, found in bars.items()
        },
    )


def draw(inputs: tuple[Input, ...], samples: int, seed: int) -> dict[str, np.ndarray]:
    """Standard normal draws of each input by its name, one in each of ``samples`` equally likely
    strata, in random order; an input's draws depend on its name only (McKay, Beckman, Conover,
    Technometrics 21, 239 (1979))."""
    drawn = {}
    for one in inputs:
        random = generator(seed, "uncertainty", one.name)
        places = (random.permutation(samples) + random.random(samples)) / samples
        drawn[one.name] = ndtri(np.clip(places, 1e-12, 1 - 1e-12))
    return drawn


def _width(bar: Bar, nominal: float) -> float:
    return max(bar.low, bar.high, nominal) - min(bar.low, bar.high, nominal)


def _interval(value: float, drawn: np.ndarray, moved: bool) -> Spread:
    if not moved:
        reason = "exact: follows from the chosen phase times, stream lengths and clock"
        return Spread(value, value, (value, value), reason)
    low, median, high = (float(q) for q in np.quantile(drawn, [0.025, 0.5, 0.975]))
    reason = "Monte Carlo over the inputs of uncertainty"
    if not low <= value <= high:
        reason += (
            "; the value, with all inputs at the bill's values, lies outside, because some of them "
            "move it one way only"
        )
    return Spread(value, median, (low, high), reason)
