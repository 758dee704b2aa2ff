"""By how many orders of magnitude a stochastic MAC is smaller: area, area x time, energy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from system.budget.baselines.figures import BaselineMac
from system.budget.baselines.precision import bits_for
from system.budget.baselines.stochastic import Candidate

Pair = tuple[float, float]


@dataclass(frozen=True)
class Ratio:
    """Baseline over ours, low to high; above 1 ours is smaller."""

    low: float
    high: float

    @property
    def orders(self) -> Pair:
        """Decimal logarithms."""
        return math.log10(self.low), math.log10(self.high)


@dataclass(frozen=True)
class Row:
    """One candidate beside one baseline.

    ``bits`` are those of equal precision. The ratios of area x time and of energy are per finished
    multiply-accumulate, at the trained length and at ``bits``; None where the candidate is an area
    only (or the network has no product on streams).
    """

    candidate: Candidate
    baseline: BaselineMac
    bits: float
    area: Ratio
    area_time_trained: Ratio | None
    area_time_equal: Ratio | None
    energy_trained: Ratio | None
    energy_equal: Ratio | None


def ratio(low: float, high: float, ours: float) -> Ratio:
    """A range of the baseline over ours."""
    return Ratio(low / ours, high / ours)


def orders(candidates: Sequence[Candidate], baselines: Sequence[BaselineMac]) -> tuple[Row, ...]:
    """Every candidate beside every baseline."""
    return tuple(_row(candidate, mac) for candidate in candidates for mac in baselines)


def _row(candidate: Candidate, mac: BaselineMac) -> Row:
    area = mac.area[0].value, mac.area[1].value
    energy = mac.energy[0].value, mac.energy[1].value
    time = mac.interval.value
    bits = bits_for(mac.number, candidate.encoding, candidate.adder, candidate.fan_in)

    def lasting(length: float) -> Ratio | None:
        if candidate.bit is None or not length:
            return None
        ours = candidate.area * candidate.bit * length
        return ratio(area[0] * time, area[1] * time, ours)

    def spent(length: float) -> Ratio | None:
        if candidate.energy is None or not length or candidate.energy <= 0:
            return None
        return ratio(*energy, candidate.energy * length)

    return Row(
        candidate,
        mac,
        bits,
        ratio(*area, candidate.area),
        lasting(candidate.length),
        lasting(bits),
        spent(candidate.length),
        spent(bits),
    )
