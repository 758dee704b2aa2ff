"""Newton's method for a likelihood known to a quadrature's accuracy only.

Its gradient is exact for the integral, not for the sum over nodes: steps whose gain drowns in that
difference are not searched for.
"""

from __future__ import annotations

import numpy as np

from characterization.fit.inference.maximise import Function, Maximum

SMALLEST_GAIN = 1e-7
_LONGEST_STEP = 2.0
_ITERATIONS = 100
_HALVINGS = 6
_NOISE = 1e-3
"""A step that promises less than this and yet falls ends the climb: the maximum is reached."""


def climb_noisy(
    function: Function,
    start: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
    held: np.ndarray,
    smallest_gain: float = SMALLEST_GAIN,
) -> Maximum:
    """Climb from ``start`` within the box until a step promises less than ``smallest_gain``.

    ``held`` (bool) marks parameters that stay at their start.
    """
    theta = np.where(held, start, np.clip(start, lower, upper))
    value, gradient, hessian = function(theta)
    evaluations = 1
    free = ~held
    for _ in range(_ITERATIONS):
        free = ~held & ~((theta <= lower) & (gradient < 0)) & ~((theta >= upper) & (gradient > 0))
        if not np.isfinite(value):
            break
        step = _step(gradient, hessian, free)
        gain = float(gradient @ step) / 2
        if gain < smallest_gain:
            return Maximum(theta, value, hessian, free, True, evaluations)
        step *= min(1.0, _LONGEST_STEP / float(np.max(np.abs(step))))
        for _ in range(_HALVINGS):
            trial = np.clip(theta + step, lower, upper)
            found = function(trial)
            evaluations += 1
            if np.isfinite(found[0]) and found[0] > value:
                break
            if gain < _NOISE and np.isfinite(found[0]) and found[0] > value - _NOISE:
                return Maximum(theta, value, hessian, free, True, evaluations)
            step /= 3
        else:
            return Maximum(theta, value, hessian, free, gain < _NOISE, evaluations)
        theta, (value, gradient, hessian) = trial, found
    return Maximum(theta, value, hessian, free, False, evaluations)


def _step(gradient: np.ndarray, hessian: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The Newton step of -hessian with its eigenvalues made positive; 0 where not free."""
    step = np.zeros(gradient.size)
    if not np.any(free):
        return step
    matrix, pull = hessian[np.ix_(free, free)], gradient[free]
    if not np.all(np.isfinite(matrix)):
        step[free] = pull / max(1.0, float(np.max(np.abs(pull))))
        return step
    values, vectors = np.linalg.eigh(-matrix)
    size = np.abs(values)
    size = np.maximum(size, max(1e-9 * float(size.max()), 1e-9))
    step[free] = vectors @ ((vectors.T @ pull) / size)
    return step
