"""Maximum likelihood of a small resistance law: the summit, and errors that do not trust the law.

The laws of this folder have up to ten parameters and thousands of rows, and none is exactly true;
so standard errors come from the sandwich, which holds when the spread is not quite log-normal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from devices.parameter import Parameter

Rows = Callable[[np.ndarray], np.ndarray]
_RESTARTS = 3
_GAIN = 1e-3
_GRADIENT = 1e-6
_STEP = 1e-4
_WORST = 1e12
_FAR = 100.0
"""Values are logarithms, logits and volts: beyond this no law of this folder has a meaning."""


@dataclass(frozen=True)
class Maximum:
    """The summit: ``values``, ``log_likelihood`` and the sandwich ``covariance`` of the values.

    ``covariance`` is None where the likelihood is flat in some direction.
    """

    values: np.ndarray
    log_likelihood: float
    covariance: np.ndarray | None

    def parameter(
        self,
        index: int,
        unit: str,
        note: str,
        transform: Callable[[float], float] = float,
    ) -> Parameter:
        """One value as a fitted Parameter; ``transform`` (monotone) leads to its unit.

        The interval is transformed, the standard error is that of the linearised transform.
        """
        value = float(self.values[index])
        if self.covariance is None:
            flat = f"{note}; no error: the data leave the law flat in some direction"
            return Parameter(transform(value), unit, "fitted", flat)
        error = float(np.sqrt(self.covariance[index, index]))
        step = max(1e-6, 1e-3 * error)
        slope = abs(transform(value + step) - transform(value - step)) / (2 * step)
        ends = sorted((transform(value - 1.96 * error), transform(value + 1.96 * error)))
        return Parameter(transform(value), unit, "fitted", note, slope * error, (ends[0], ends[1]))


def maximum(rows: Rows, starts: Iterable[np.ndarray], errors: bool = True) -> Maximum:
    """The highest of the summits reached from ``starts``.

    ``rows`` gives the log-likelihood of each row (array) at a vector of values, without bounds.
    """

    best, lowest, count = np.array([]), np.inf, 1

    def descent(values: np.ndarray) -> float:
        """Minus the mean over rows: a gradient of 1e-6 of it is far below any standard error."""
        if np.max(np.abs(values)) > _FAR:
            return _WORST
        with np.errstate(all="ignore"):
            mean = -float(np.mean(rows(values)))
        return mean if np.isfinite(mean) else _WORST

    for start in starts:
        values = np.asarray(start, float)
        reached, count = descent(values), rows(values).size
        for _ in range(_RESTARTS):
            found = minimize(descent, values, method="BFGS", options={"gtol": _GRADIENT})
            gained = count * (reached - float(found.fun))
            if gained > 0:
                values, reached = found.x, float(found.fun)
            if gained < _GAIN or found.success:
                break
        if reached < lowest:
            best, lowest = values, reached
    return Maximum(best, -count * lowest, _sandwich(rows, best) if errors else None)


def _sandwich(rows: Rows, values: np.ndarray) -> np.ndarray | None:
    """H^-1 J H^-1 with H the curvature and J the sum of squared row scores."""
    size = values.size
    steps = _STEP * np.maximum(1.0, np.abs(values))
    scores = np.empty((size, rows(values).size))
    hessian = np.empty((size, size))

    def at(*moves: tuple[int, float]) -> np.ndarray:
        moved = values.copy()
        for index, sign in moves:
            moved[index] += sign * steps[index]
        return rows(moved)

    for i in range(size):
        scores[i] = (at((i, 1)) - at((i, -1))) / (2 * steps[i])
        for j in range(i + 1):
            second = at((i, 1), (j, 1)) - at((i, 1), (j, -1))
            second += at((i, -1), (j, -1)) - at((i, -1), (j, 1))
            hessian[i, j] = hessian[j, i] = second.sum() / (4 * steps[i] * steps[j])
    if not np.all(np.isfinite(hessian)) or np.linalg.eigvalsh(-hessian).min() <= 0:
        return None
    inverse = np.linalg.inv(-hessian)
    return np.asarray(inverse @ (scores @ scores.T) @ inverse)


def r_squared(observed: np.ndarray, predicted: np.ndarray) -> float:
    """1 - residual over total sum of squares; NaN where the observed do not differ."""
    total = float(np.sum((observed - observed.mean()) ** 2))
    residual = float(np.sum((observed - predicted) ** 2))
    return 1 - residual / total if total > 0 else float("nan")
