"""Exact bit probabilities of an extraction beside Monte Carlo, point by point."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from characterization.extract.check.intervals import Precision
from characterization.extract.check.monte_carlo import Estimate, monte_carlo
from characterization.extract.check.units import Sampling, independent_bits, refusal
from characterization.extract.sng.character import SngCharacter
from characterization.extract.sng.reset import lag_one, stored_probability
from formats.cells import variable

PROBABILITIES = (0.2, 0.5, 0.8)
"""Wanted probabilities; the simulated write voltages nearest to them are checked."""
PRECISION = Precision(half_width=0.05, confidence=0.999, largest=20_000)
REMEMBERED = 1e-4
"""Largest influence of the first state on a bit that is taken."""
NOMINAL, POPULATION = "nominal", "population"
COLUMNS = {
    "voltage": ("V", "assumed: simulated write voltages near the wanted probabilities"),
    "exact": ("1", "derived: without sampling"),
    "ones": ("1", "simulated: Monte Carlo in ngspice"),
    "count": ("1", "simulated: Monte Carlo in ngspice"),
    "low": ("1", "derived: Clopper-Pearson interval, corrected for early stop"),
    "high": ("1", "derived: Clopper-Pearson interval, corrected for early stop"),
}


@dataclass(frozen=True)
class CheckedPoint:
    """One comparison; ``kind`` is "nominal" (P(1) of the stored state's chain, nominal device and
    cell) or "population" (P(1) of one write from HRS, over devices and cells)."""

    kind: str
    exact: float
    found: Estimate

    @property
    def agrees(self) -> bool:
        """Whether the exact probability lies within the interval."""
        return self.found.bit.covers(self.exact)

    @property
    def line(self) -> str:
        """The comparison in words."""
        bit = self.found.bit
        return (
            f"{self.kind:10} {self.found.voltage:.4f} V  exact {self.exact:.4f}, Monte Carlo "
            f"{bit.value:.4f} ({bit.low:.4f} to {bit.high:.4f}) of {bit.count} bits: "
            f"{'agree' if self.agrees else 'DISAGREE'}"
        )


@dataclass(frozen=True)
class CheckTable:
    """The comparisons, and what could not be compared (``left_out``, with the reason)."""

    points: tuple[CheckedPoint, ...]
    left_out: tuple[str, ...]
    confidence: float

    @property
    def agrees(self) -> bool:
        """Whether all do."""
        return all(point.agrees for point in self.points)

    @property
    def lines(self) -> list[str]:
        """What a user reads."""
        false_alarm = len(self.points) * (1 - self.confidence)
        return [
            *(point.line for point in self.points),
            *self.left_out,
            f"intervals of {self.confidence:.3%}; where all is right, some point disagrees in at "
            f"most {false_alarm:.2%} of such checks",
        ]

    def variables(self) -> dict[str, xr.Variable]:
        """``check_voltage``, ``_exact``, ``_ones``, ``_count``, ``_low``, ``_high`` over ``check``;
        the coordinate ``check`` holds the kinds."""
        bits = [point.found.bit for point in self.points]
        values = {
            "voltage": [point.found.voltage for point in self.points],
            "exact": [point.exact for point in self.points],
            "ones": [float(bit.ones) for bit in bits],
            "count": [float(bit.count) for bit in bits],
            "low": [bit.low for bit in bits],
            "high": [bit.high for bit in bits],
        }
        return {
            f"check_{name}": variable(("check",), values[name], units, source)
            for name, (units, source) in COLUMNS.items()
        }

    def coordinate(self) -> list[str]:
        """The kind of each point."""
        return [point.kind for point in self.points]


def check_table(
    character: SngCharacter,
    probabilities: Sequence[float] = PROBABILITIES,
    precision: Precision = PRECISION,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> CheckTable:
    """Compare the exact probabilities of a character with Monte Carlo of the same bench.

    Nominal: the device and cell the table is about, cycle after cycle, once their first state is
    forgotten. Population: a new device and cell for each bit, written once from HRS, against the
    mean P(SET) with the population's read errors.
    """
    bench, points, left_out = character.bench, [], []
    for kind, exact, sampling in _plans(character, seed):
        if (reason := refusal(bench, sampling)) is not None:
            left_out.append(f"{kind}: not compared; {reason}")
            continue
        for place in _places(exact, probabilities):
            voltage = float(character.voltages[place])
            progress(f"Monte Carlo, {kind}, {voltage:.4g} V")
            own = sampling
            if kind == NOMINAL:
                own = replace(sampling, leading=_leading(character, place))
            found = monte_carlo(bench, voltage, own, precision)
            points.append(CheckedPoint(kind, float(exact[place]), found))
    return CheckTable(tuple(points), tuple(left_out), precision.confidence)


def _plans(character: SngCharacter, seed: int) -> list[tuple[str, np.ndarray, Sampling]]:
    sense, mean = character.sense, character.population.mean
    stored = stored_probability(character.probability, character.reset.probability)
    read = mean * (1 - sense.e10) + (1 - mean) * sense.e01
    nominal = Sampling(seed=seed)
    if not independent_bits(character.bench, nominal):
        nominal = replace(nominal, cycles=10)  # clusters count, more than bits
    return [
        (NOMINAL, stored, nominal),
        (POPULATION, read, Sampling(population=True, units=50, cycles=1, leading=0, seed=seed)),
    ]


def _places(exact: np.ndarray, probabilities: Sequence[float]) -> list[int]:
    """Voltages nearest to the wanted probabilities, each once, where P is neither 0 nor 1."""
    return sorted({int(np.argmin(np.abs(exact - wanted))) for wanted in probabilities})


def _leading(character: SngCharacter, place: int) -> int:
    """Cycles until the first state is forgotten."""
    kept = float(lag_one(character.probability[place], character.reset.probability))
    return 1 if kept <= REMEMBERED else math.ceil(math.log(REMEMBERED) / math.log(kept))
