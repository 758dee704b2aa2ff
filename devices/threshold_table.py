"""Thresholds of a family as a broken line of ln Y, for simulators that cannot invert its hazard."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

ACCURACY = 1e-4
"""Largest relative error of a threshold read from the line."""
_PROBES = np.array([0.25, 0.5, 0.75])


def broken_line(
    function: Callable[[np.ndarray], np.ndarray], low: float, high: float
) -> tuple[np.ndarray, np.ndarray]:
    """Knots (x, function(x)) from ``low`` to ``high``; between them linear within ``ACCURACY``.

    For a ``function`` = ln Y of x, so that its absolute error is the relative one of Y.
    """
    x = np.linspace(low, high, 9)
    while True:
        y = function(x)
        width, rise = np.diff(x), np.diff(y)
        between = x[:-1, None] + width[:, None] * _PROBES
        line = y[:-1, None] + rise[:, None] * _PROBES
        error = np.max(np.abs(function(between) - line), axis=1)
        coarse = error > ACCURACY
        if not np.any(coarse):
            return x, y
        x = np.sort(np.concatenate([x, x[:-1][coarse] + 0.5 * width[coarse]]))
