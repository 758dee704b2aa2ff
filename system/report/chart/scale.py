"""Where the numbers of an axis lie, and which of them are named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from system.report.chart.base import Axis
from system.report.quantity import SUPERSCRIPT, prefixed

MARGIN = 0.05
"""Of the span of the numbers, beyond either end."""
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
LARGE, SMALL = 1e5, 1e-3
"""Numbers that take a power of ten."""


@dataclass(frozen=True)
class Scale:
    """An axis from ``low`` (at 0) to ``high`` (at 1), either of which may be the larger."""

    low: float
    high: float
    log: bool = False

    def at(self, values: np.ndarray | float) -> np.ndarray:
        """Places of ``values``; NaN where a logarithm does not exist."""
        low, high, there = (self._moved(one) for one in (self.low, self.high, values))
        return np.asarray((there - low) / (high - low))

    def _moved(self, values: np.ndarray | float) -> np.ndarray:
        values = np.asarray(values, float)
        if not self.log:
            return values
        return np.log10(np.where(values > 0, values, np.nan))


@dataclass(frozen=True)
class Tick:
    """A number that an axis marks; a small one has no text."""

    value: float
    text: str = ""


def fitted(axis: Axis, values: Sequence[np.ndarray], base: float | None = None) -> Scale:
    """The scale that shows ``values``, with a margin; none at ``base``, where bars begin."""
    if axis.categories:
        return Scale(len(axis.categories) - 0.5, -0.5)
    if axis.limits is not None:
        return Scale(*axis.limits, axis.log)
    known = np.concatenate([np.ravel(one) for one in values])
    known = known[np.isfinite(known) & ((known > 0) if axis.log else True)]
    if not known.size:
        return Scale(1.0, 10.0, True) if axis.log else Scale(0.0, 1.0)
    low, high = float(known.min()), float(known.max())
    if axis.log:
        span = (high / low) ** MARGIN if high > low else 10**0.5
        return Scale(low / span, high * span, True)
    span = MARGIN * (high - low) if high > low else max(abs(high), 1.0) * MARGIN
    return Scale(low if low == base else low - span, high if high == base else high + span)


def ticks(axis: Axis, scale: Scale, most: int) -> tuple[Tick, ...]:
    """At most about ``most`` named numbers within a scale, and small ticks of decades."""
    if axis.categories:
        return tuple(Tick(place, name) for place, name in enumerate(axis.categories))
    if scale.log:
        return _decades(scale, most)
    low, high = sorted((scale.low, scale.high))
    step = _step((high - low) / max(most, 1), axis.whole)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [number * step for number in range(first, last + 1)]
    return tuple(Tick(value, _named(axis, value, step)) for value in values)


def _step(least: float, whole: bool) -> float:
    """The next round number above ``least``."""
    decade = 10.0 ** math.floor(math.log10(least))
    step = next(decade * one for one in STEPS if decade * one >= least * (1 - 1e-9))
    return max(1.0, round(step)) if whole else step


def _named(axis: Axis, value: float, step: float) -> str:
    if axis.percent:
        return f"{_fixed(100 * value, 100 * step)}%"
    if axis.unit not in ("", "1"):
        return prefixed(float(f"{value:.9g}"))
    if value and (abs(value) >= LARGE or step < SMALL):
        mantissa, exponent = f"{value:.3e}".split("e")
        shown = f"{float(mantissa):g}×".replace("-", "−")
        return ("" if shown == "1×" else shown) + _power(int(exponent))
    return _fixed(value, step)


def _fixed(value: float, step: float) -> str:
    """With as many decimals as the step has."""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if not math.isclose(step * 10**decimals, round(step * 10**decimals)):  # 2.5, 0.25
        decimals += 1
    return f"{value:.{decimals}f}".replace("-", "−") if round(value, decimals) else "0"


def _decades(scale: Scale, most: int) -> tuple[Tick, ...]:
    low, high = sorted((math.log10(scale.low), math.log10(scale.high)))
    whole = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
    if len(whole) < 2:  # less than two decades: 1, 2 and 5 have names
        parts = [(k, n) for k in range(math.floor(low), math.ceil(high) + 1) for n in range(1, 10)]
        inside = [(k, n) for k, n in parts if low <= k + math.log10(n) <= high]
        return tuple(
            Tick(n * 10.0**k, f"{n * 10.0**k:g}" if n in (1, 2, 5) else "") for k, n in inside
        )
    every = math.ceil(len(whole) / max(most, 1))
    named = tuple(Tick(10.0**k, _power(k)) for k in whole if k % every == 0)
    if every > 1:
        return (*named, *(Tick(10.0**k) for k in whole if k % every))
    between = (Tick(n * 10.0**k) for k in range(whole[0] - 1, whole[-1] + 1) for n in range(2, 10))
    return (*named, *(tick for tick in between if low <= math.log10(tick.value) <= high))


def _power(exponent: int) -> str:
    return f"10{str(exponent).translate(SUPERSCRIPT)}"
