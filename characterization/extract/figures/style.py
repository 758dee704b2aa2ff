"""How every picture of the cells looks: sizes of a printed page, colours, curves between points."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from scipy.interpolate import PchipInterpolator

COLUMN, PAGE = 3.5, 7.16
"""Inches; one column and both columns of a printed page (IEEE), drawn at that size."""
INK, SOFT = "#333a41", "#667078"
BLUE, ORANGE, GREEN, PURPLE, RED, SKY = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#d55e00",
    "#56b4e9",
)
"""Distinct to the colour-blind (Okabe and Ito 2008, recalled)."""
KINDS = (BLUE, RED, GREEN, PURPLE, ORANGE, SKY, INK, SOFT)
"""In this order for things without one."""
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "stochram",
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e9ec",
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "legend.handlelength": 1.5,
    "legend.columnspacing": 1.2,
    "legend.borderaxespad": 0.3,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.4,
    "hatch.linewidth": 0.5,
    "figure.facecolor": "white",
}
MOST_CURVES = 8
_TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_TINY = 1e-12


def colours(count: int) -> list[Any]:
    """An ordered family: distinct on white, in print and to the colour-blind."""
    return list(mpl.colormaps["viridis"](np.linspace(0.0, 0.85, count)))


def time_text(seconds: float) -> str:
    """A time with a metric prefix, for example ``100 µs``."""
    scale, unit = next((t for t in _TIMES if seconds >= 0.9999 * t[0]), _TIMES[-1])
    return f"{seconds / scale:.3g} {unit}"


def double_log(p: np.ndarray) -> np.ndarray:
    """ln(-ln(1 - P)), in which P(V) is nearly a straight line."""
    return np.asarray(np.log(-np.log1p(-np.clip(p, _TINY, 1 - _TINY))))


def between(x: np.ndarray, p: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Probabilities between points: monotone, within 0 and 1."""
    return np.asarray(-np.expm1(-np.exp(PchipInterpolator(x, double_log(p))(at))))
