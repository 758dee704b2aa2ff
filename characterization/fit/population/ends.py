"""Ends of profile-likelihood intervals by Newton's method on the end itself.

Venzon and Moolgavkar, Appl. Statist. 37, 87 (1988) (recalled): one step moves all parameters at
once towards the point where log L has fallen by half the level and its slope by the others is
nothing, so that an end costs about five evaluations instead of a maximisation per trial. Here the
end is kept between a point known inside and one known outside, and steps that overshoot go back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characterization.fit.inference.maximise import Function, Maximum
from characterization.fit.inference.profile import BetterMaximum

_STEPS = 40
_TOLERANCE = 1e-3
"""Of log L at an end; it moves the end by less than a thousandth of a standard error."""
_NARROW = 1e-3
"""Width of the bracket, as a share of the interval, at which it is closed, ..."""
_NEARLY = 0.05
"""... and how near log L must be to the level there."""
_TOO_DEEP = 1.5
"""A step that lands this far below the level (in log L) overshot: half of it is taken back."""


@dataclass(frozen=True)
class _Local:
    """The profile around a point, to second order, the other parameters at their best.

    ``height`` is log L, ``slope`` and ``bow`` its derivatives; ``gain`` what the others still bring
    when they move by ``rest``, and by ``rate`` per unit of the profiled parameter.
    """

    height: float
    slope: float
    bow: float
    gain: float
    others: np.ndarray
    rest: np.ndarray
    rate: np.ndarray


def profile_end(
    function: Function,
    best: Maximum,
    box: tuple[np.ndarray, np.ndarray],
    held: np.ndarray,
    *,
    index: int,
    side: int,
    level: float,
    reach: np.ndarray,
    slack: float = _TOLERANCE,
) -> float | None:
    """phi[index] where 2 (max log L - profile log L) is ``level``, above (side 1) or below (-1).

    ``function`` gives log L, gradient and Hessian; ``held`` (bool) marks parameters that stay,
    ``reach`` (P,) is the longest step of each. None where the box ends first, or no end is found:
    the data put no bound. Raises :class:`BetterMaximum` where log L comes out higher than the
    maximum by more than ``slack``.
    """
    edge = float((box[1] if side > 0 else box[0])[index])
    target = best.value - level / 2
    phi, found = best.theta, function(best.theta)
    inside, outside = phi, edge
    for _ in range(_STEPS):
        local = _local(phi, found, box, held, index)
        settled = local is not None and local.gain < 0.5
        if local is None or local.height < target - _TOO_DEEP:
            if settled:
                outside = float(phi[index])
            phi = (phi + inside) / 2
        else:
            if settled and found[0] > best.value + slack + 1e-12 * abs(best.value):
                raise BetterMaximum(phi)
            close = local.gain < _TOLERANCE
            if close and abs(local.height - target) < _TOLERANCE:
                return float(phi[index])
            if close and local.height > target and phi[index] == edge:
                return None
            if found[0] > target:
                inside = phi  # the profile is no lower than log L here
                if side * (inside[index] - outside) >= 0:
                    outside = edge
            elif close and local.height < target:
                outside = float(phi[index])
            if abs(inside[index] - outside) < _NARROW * abs(inside[index] - best.theta[index]):
                if close and abs(local.height - target) < _NEARLY:
                    return float(phi[index])
                outside = edge  # it was taken for outside beside a saddle of the others
            aim = phi[index] + side * _outward(local.height - target, local.slope, local.bow, side)
            phi = _moved(
                phi, local, index, _between(aim, inside[index], outside, edge, side), box, reach
            )
        found = function(phi)
    return None


def _between(aim: float, inside: float, outside: float, edge: float, side: int) -> float:
    """The aim, if it lies between the point inside and the one outside; else a point that does."""
    if side * (aim - outside) >= 0:
        return edge if outside == edge else (inside + outside) / 2
    if side * (aim - inside) < 0:
        return inside if outside == edge else (inside + outside) / 2
    return aim


def _moved(
    phi: np.ndarray,
    local: _Local,
    index: int,
    aim: float,
    box: tuple[np.ndarray, np.ndarray],
    reach: np.ndarray,
) -> np.ndarray:
    """All parameters moved together, none beyond its reach."""
    step = np.zeros(phi.size)
    step[index] = aim - phi[index]
    step[local.others] = local.rest + local.rate * step[index]
    scale = min(1.0, 1 / max(float((np.abs(step) / reach).max()), 1e-300))
    moved = np.clip(phi + scale * step, *box)
    if scale == 1.0:
        moved[index] = aim
    return np.asarray(moved)


def _local(
    phi: np.ndarray,
    found: tuple[float, np.ndarray, np.ndarray],
    box: tuple[np.ndarray, np.ndarray],
    held: np.ndarray,
    index: int,
) -> _Local | None:
    """The profile around phi; None where log L or a derivative is no number."""
    value, gradient, hessian = found
    if not (np.isfinite(value) and np.all(np.isfinite(hessian))):
        return None
    pressed = ((phi <= box[0]) & (gradient < 0)) | ((phi >= box[1]) & (gradient > 0))
    free = ~held & ~pressed
    free[index] = False
    others = np.flatnonzero(free)
    slope, bow = float(gradient[index]), float(hessian[index, index])
    if not others.size:
        return _Local(value, slope, bow, 0.0, others, np.zeros(0), np.zeros(0))
    values, vectors = np.linalg.eigh(-hessian[np.ix_(others, others)])
    size = np.abs(values)
    size = np.maximum(size, max(1e-9 * float(size.max()), 1e-9))
    inverse = (vectors / size) @ vectors.T
    pull, cross = gradient[others], hessian[index, others]
    rest, rate = inverse @ pull, inverse @ cross
    gain = float(pull @ rest) / 2
    return _Local(
        value + gain,
        slope + float(cross @ rest),
        bow + float(cross @ rate),
        gain,
        others,
        rest,
        rate,
    )


def _outward(excess: float, slope: float, bow: float, side: int) -> float:
    """How far outward a parabola (excess, slope, bow) comes down to zero."""
    slope = side * slope
    if bow < 0:
        return (slope + float(np.sqrt(max(0.0, slope * slope - 2 * bow * excess)))) / -bow
    if slope < 0:
        return -excess / slope
    return np.inf if excess > 0 else -np.inf
