"""Newton's method for a log-likelihood inside a box, with exact derivatives and safe steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Function = Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]
_LONGEST_STEP = 2.0
_SMALLEST_GAIN = 1e-9
_ROUNDING = 1e-13
"""Relative noise of a sum of logarithms."""
_ITERATIONS = 200


@dataclass(frozen=True)
class Maximum:
    """Where a function is largest: ``free`` marks parameters not held by the box or fixed."""

    theta: np.ndarray
    value: float
    hessian: np.ndarray
    free: np.ndarray
    converged: bool
    evaluations: int


def maximise(
    function: Function,
    start: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    fixed: np.ndarray | None = None,
) -> Maximum:
    """Climb from ``start`` until a Newton step would gain less than 1e-9 (or rounding).

    ``fixed`` (bool) holds parameters at their start. A parameter driven against the box stays
    there and is marked not free.
    """
    held = np.zeros(start.size, bool) if fixed is None else fixed
    theta = np.clip(start, lower, upper)
    theta[held] = start[held]
    value, gradient, hessian = function(theta)
    evaluations = 1
    free = ~held
    for _ in range(_ITERATIONS):
        free = ~held & ~((theta <= lower) & (gradient < 0)) & ~((theta >= upper) & (gradient > 0))
        if not np.isfinite(value) or not np.any(free):
            return Maximum(theta, value, hessian, free, bool(np.isfinite(value)), evaluations)
        step = np.zeros(theta.size)
        step[free] = _ascent(gradient[free], hessian[np.ix_(free, free)])
        gain = float(gradient @ step) / 2
        if gain < _SMALLEST_GAIN + _ROUNDING * abs(value):
            # Quadratic convergence: the last step takes the error to rounding, and the gain is
            # known better than a further evaluation would tell.
            last = np.clip(theta + step, lower, upper)
            if np.all(last == theta + step):
                return Maximum(last, value + gain, hessian, free, True, evaluations)
            found = function(last)
            evaluations += 1
            if np.isfinite(found[0]) and found[0] >= value - 1e-9 * (1 + abs(value)):
                theta, (value, gradient, hessian) = last, found
            return Maximum(theta, value, hessian, free, True, evaluations)
        step *= min(1.0, _LONGEST_STEP / float(np.max(np.abs(step))))
        length = 1.0
        while length > 1e-10:
            trial = np.clip(theta + length * step, lower, upper)
            found = function(trial)
            evaluations += 1
            if np.isfinite(found[0]) and found[0] > value:
                theta, (value, gradient, hessian) = trial, found
                break
            length /= 2
        else:
            stalled = gain < 1e-6 + 10 * _ROUNDING * abs(value)
            return Maximum(theta, value, hessian, free, stalled, evaluations)
    return Maximum(theta, value, hessian, free, False, evaluations)


def _ascent(gradient: np.ndarray, hessian: np.ndarray) -> np.ndarray:
    """The Newton step of -hessian with its eigenvalues made positive."""
    if not np.all(np.isfinite(hessian)):
        return gradient / max(1.0, float(np.max(np.abs(gradient))))
    eigenvalues, vectors = np.linalg.eigh(-hessian)
    size = np.abs(eigenvalues)
    size = np.maximum(size, max(1e-9 * float(size.max()), 1e-9))
    return np.asarray(vectors @ ((vectors.T @ gradient) / size))
