"""How every picture of a fit looks, and which of many curves and points it shows."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np

WIDTH = 5.2
"""Inches; at this width the lettering is readable on a phone."""
INK = "#333a41"
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "stochram",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#667078",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e9ec",
    "grid.linewidth": 0.7,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "legend.handlelength": 1.2,
    "legend.columnspacing": 1.2,
    "lines.linewidth": 1.4,
    "lines.markersize": 3.6,
    "figure.facecolor": "white",
}
MOST_CURVES = 8
MOST_POINTS = 200
"""Points of one curve; those left out lie between drawn ones."""
_LEAST_SHARE = 0.05
_TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"), (1e-12, "ps"))


def colours(count: int) -> list[Any]:
    """Distinct on white, in print and to the colour-blind; dark is first."""
    return list(mpl.colormaps["viridis"](np.linspace(0.0, 0.88, count)))


def representatives(weight: np.ndarray, most: int = MOST_CURVES) -> np.ndarray:
    """Indices of at most ``most`` curves, in order: of each run of neighbours the heaviest.

    ``weight`` are the outcomes behind each curve, curves in the order of their setting.
    """
    if weight.size <= most:
        return np.arange(weight.size)
    runs = np.array_split(np.arange(weight.size), most)
    return np.array([run[int(np.argmax(weight[run]))] for run in runs])


def scattered(weight: np.ndarray, chosen: np.ndarray) -> bool:
    """Whether the chosen curves hold so little (below 5 %) that they mean nothing."""
    return bool(weight[chosen].sum() < _LEAST_SHARE * weight.sum())


def spread_points(height: np.ndarray, most: int = MOST_POINTS) -> np.ndarray:
    """Indices of at most ``most`` points of a rising curve, even over its height, ends kept."""
    if height.size <= most:
        return np.arange(height.size)
    wanted = np.linspace(height[0], height[-1], most)
    return np.unique(np.clip(np.searchsorted(height, wanted), 0, height.size - 1))


def of(shown: int, all_: int, what: str) -> list[str]:
    """The note "8 of 20 pulse widths shown", or none where all are."""
    return [] if shown == all_ else [f"{shown} of {all_} {what} shown"]


def time_text(seconds: float) -> str:
    """A time with a metric prefix, for example ``470 µs``."""
    scale, unit = next((t for t in _TIMES if seconds >= 0.9999 * t[0]), _TIMES[-1])
    return f"{seconds / scale:.4g} {unit}"
