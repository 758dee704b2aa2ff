"""Empirical distributions as a probability plot shows them: dots, or boxes of intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characterization.fit.goodness.settings import grouped
from characterization.fit.goodness.survival import product_limit, turnbull

_MOST_ENDS = 150
"""Distinct ends of intervals kept for the estimate that is drawn."""
_ROUNDING = 1e-3


@dataclass(frozen=True)
class Plotted:
    """Dots at (``at``, ``p``), or boxes the law must cross.

    Exact outcomes: at each event the middle of the step of the product-limit estimate, which for
    n uncensored ones is (i - 1/2)/n. Intervals: between ``left`` and ``at`` P rises from
    ``before`` to ``p``, nobody knows how.
    """

    at: np.ndarray
    p: np.ndarray
    left: np.ndarray | None = None
    before: np.ndarray | None = None

    @property
    def boxed(self) -> bool:
        """Whether these are intervals."""
        return self.left is not None


def exact_points(at: np.ndarray, switched: np.ndarray, waiting: np.ndarray) -> Plotted:
    """Dots of exact outcomes (s or V) with their counts, right-censored ones respected."""
    where, share = product_limit(at, switched, switched + waiting)
    before = np.concatenate([[1.0], share[:-1]])
    return Plotted(where, 1 - (before + share) / 2)


def interval_boxes(
    begin: np.ndarray, end: np.ndarray, within: np.ndarray, waiting: np.ndarray
) -> Plotted:
    """Boxes of outcomes ``within`` (begin, end] (s), and of those still ``waiting`` at end.

    More than 150 distinct ends are rounded, a thousandth in ln t or as much more as it takes.
    """
    begin, end = _snapped(begin, end)
    low = np.concatenate([begin[within > 0], end[waiting > 0]])
    high = np.concatenate([end[within > 0], np.full(int(np.sum(waiting > 0)), np.inf)])
    weight = np.concatenate([within[within > 0], waiting[waiting > 0]])
    step, ends = _ROUNDING, (low, high)
    while np.unique(np.concatenate(ends)).size > _MOST_ENDS:
        with np.errstate(divide="ignore"):
            left, right = (np.exp(np.round(np.log(one) / step) * step) for one in (low, high))
        ends = left, np.maximum(right, left * np.exp(step))
        step *= 2
    pairs, index = np.unique(np.array(ends), axis=1, return_inverse=True)
    ends = pairs[0], pairs[1]
    at, share = turnbull(*ends, np.bincount(index.ravel(), weight))
    lows = np.unique(ends[0])
    left = lows[np.searchsorted(lows, at, "left") - 1]
    before = np.concatenate([[1.0], share[:-1]])
    rises = before - share > 1e-9
    return Plotted(at[rises], 1 - share[rises], left[rises], 1 - before[rises])


def _snapped(*times: np.ndarray) -> list[np.ndarray]:
    """Times that differ by rounding only, made equal: else an end would lie inside an interval."""
    same = grouped({"time": np.concatenate(times)})
    values = same.columns["time"][same.index]
    return np.split(values, np.cumsum([one.size for one in times])[:-1])
