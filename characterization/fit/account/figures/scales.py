"""Probability scales: the transformation of P on which a family's law is a straight line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from scipy.special import ndtri

from devices.families import Family

_CLOSEST = 1e-12
"""Nearest to 0 and 1 that can be drawn."""
_MARKS = np.array(
    [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999]
)
_LEAST_GAP = 0.045
"""Share of the axis between two labels."""


@dataclass(frozen=True)
class Scale:
    """``name`` as the axis says it; ``normal`` is the probit, else ln(-ln(1 - P))."""

    name: str
    normal: bool

    def __call__(self, p: np.ndarray | float) -> np.ndarray:
        """The height of a probability on the axis; never infinite."""
        inside = np.clip(np.asarray(p, float), _CLOSEST, 1 - 1e-15)
        return np.asarray(ndtri(inside) if self.normal else np.log(-np.log1p(-inside)))

    def dress(self, axes: Axes, p: np.ndarray) -> None:
        """Limits around probabilities (between 0 and 1; none: 10 to 90 %), marks in per cent."""
        heights = self(p if p.size else np.array([0.1, 0.9]))
        room = 0.06 * float(np.ptp(heights)) + 0.15
        bottom, top = float(heights.min()) - room, float(heights.max()) + room
        marks = self.marks(bottom, top)
        axes.set_yticks(self(marks), [f"{100 * mark:.6g} %" for mark in marks])
        axes.set_ylim(bottom, top)

    def marks(self, bottom: float, top: float) -> np.ndarray:
        """Round probabilities between two heights, none so close that labels would touch."""
        inside = [m for m in _MARKS.tolist() if bottom <= self(m) <= top]
        kept: list[float] = []
        for mark in sorted(inside, key=lambda m: abs(float(self(m) - self(0.5)))):
            gaps = [abs(float(self(mark) - self(other))) for other in kept]
            if min(gaps, default=np.inf) > _LEAST_GAP * (top - bottom):
                kept.append(mark)
        return np.sort(np.array(kept))


def scale_of(family: Family) -> Scale:
    """Normal for log-normal laws; Weibull for exponential and Weibull laws, and for gamma laws."""
    normal = family.name == "lognormal"
    return Scale("log-normal scale" if normal else "Weibull scale", normal)
