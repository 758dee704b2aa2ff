"""Profile-likelihood intervals: where log L, maximised over the rest, has fallen by 1.92."""

from __future__ import annotations

import functools

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2

from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.maximise import Maximum, maximise

LEVEL_95 = float(np.sqrt(chi2.ppf(0.95, 1)))
_GROWTH = 1.7


class BetterMaximum(Exception):
    """A profile climbed above the maximum it started from; ``theta`` is where."""

    def __init__(self, theta: np.ndarray) -> None:
        super().__init__("the profile found a higher likelihood")
        self.theta = theta


def profile_end(
    likelihood: Likelihood,
    best: Maximum,
    box: tuple[np.ndarray, np.ndarray],
    *,
    index: int,
    side: int,
    scale: float,
    held: np.ndarray,
    level: float = LEVEL_95,
) -> tuple[float, np.ndarray] | None:
    """Where the signed root of 2 (max log L - profile log L) reaches ``level`` on one side.

    ``scale`` is a first guess of one standard error, ``held`` (bool) marks parameters that stay as
    they are. Returns theta_index there and the whole theta,
    or None where the box ends first: the data put no bound on that side.
    Raises :class:`BetterMaximum`.
    """
    lower, upper = box
    limit = abs((upper if side > 0 else lower)[index] - best.theta[index])
    fixed = held.copy()
    fixed[index] = True
    thetas: dict[float, np.ndarray] = {0.0: best.theta}

    @functools.cache
    def root(distance: float) -> float:
        nearest = thetas[min(thetas, key=lambda known: abs(known - distance))]
        start = nearest.copy()
        start[index] = best.theta[index] + side * distance
        found = maximise(likelihood.evaluate, start, lower, upper, fixed)
        if not np.isfinite(found.value):
            return 1e6
        if found.value > best.value + 1e-5 + 1e-12 * abs(best.value):
            raise BetterMaximum(found.theta)
        thetas[distance] = found.theta
        return float(np.sqrt(max(0.0, 2 * (best.value - found.value)))) - level

    inner, outer = 0.0, min(limit, scale * level)
    while root(outer) < 0:
        if outer >= limit:
            return None
        inner, outer = outer, min(limit, outer * _GROWTH)
    tolerance = 1e-5 * (outer + 1e-12)
    distance = float(brentq(root, inner, outer, xtol=tolerance)) if root(outer) > 0 else outer
    root(distance)
    return float(best.theta[index] + side * distance), thetas[distance]
