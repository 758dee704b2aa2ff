"""Slow wander left in a record: outcomes far apart correlate nearly as much as neighbours.

An AR(1) that explains such a record around a constant level plus noise has the wrong shape: the
correlation starts small and stays. Memory is what neighbours share beyond outcomes far apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from characterization.fit.dependence.autocorrelation import Autocorrelation, autocorrelation

_LEVEL = 1e-3
_ERRORS = 4.0
_FAR = slice(14, 20)
_FEWEST_FAR_PAIRS = 100


@dataclass(frozen=True)
class Wander:
    """Correlation of neighbours (``near``) and of outcomes 15 to 20 apart (``far``).

    ``p`` one-sided test that an AR(1) leaves no positive correlation at lags 2 to 20; ``found``
    where it is rejected at 0.001; ``explains`` where moreover neighbours correlate by no more than
    4 standard errors beyond those far apart.
    """

    near: float
    far: float
    p: float
    found: bool
    explains: bool


def wander(device: np.ndarray, order: np.ndarray, rest: np.ndarray, rho: float) -> Wander | None:
    """Judge what a trend and an AR(1) of ``rho`` leave; None for records too short to tell.

    ``rest`` (n,) values around the trend, sorted by device and order (in spacings). The test sums
    the autocorrelation of the AR(1)'s innovations, each over its standard error.
    """
    r = autocorrelation(device, order, rest)
    if r.value.size < _FAR.stop or np.min(r.pairs) < _FEWEST_FAR_PAIRS:
        return None
    innovations = autocorrelation(*_innovations(device, order, rest, rho))
    p = _positive(innovations)
    found = p < _LEVEL
    near, far = float(r.value[0]), float(np.mean(r.value[_FAR]))
    explains = found and near - far < _ERRORS * float(r.stderr_none[0])
    return Wander(near, far, p, bool(found), bool(explains))


def _positive(r: Autocorrelation) -> float:
    score = r.value[1:] / r.stderr_none[1:]
    return float(ndtr(-np.sum(score) / np.sqrt(score.size)))


def _innovations(
    device: np.ndarray, order: np.ndarray, rest: np.ndarray, rho: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows that follow another, with (x_i - a x_(i-1)) / sqrt(1 - a^2), a = rho^gap."""
    follows = np.flatnonzero(device[1:] == device[:-1]) + 1
    gap = order[follows] - order[follows - 1]
    a = np.sign(rho) ** gap * np.abs(rho) ** gap.astype(float)
    value = (rest[follows] - a * rest[follows - 1]) / np.sqrt(1 - a * a)
    return device[follows], order[follows], value
