"""Nodes for the mean over the C2C spread: trapezoids in a standard normal z, fine by design."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

REACH = 8.0
"""Range of z: 1e-15 of the normal distribution lies beyond."""
_DIGITS = 24.0
"""-ln of the error of the trapezoid rule where F is steep, exp(-24) = 4e-11."""
_NORMAL_DIGITS = 30.0
"""The same where the normal density sets the step."""
_ENERGIES = np.array([0.7, 1.5, 3.0, 6.0, 14.0])
"""Cumulative hazards from the median to P = 1 - 1e-6, where the steepness is taken."""


class FamilyOfExposures(Protocol):
    """What is needed of a wait-time family (devices/families/base.py)."""

    def hazard_terms(
        self, ln_u: np.ndarray, ln_shape: float, order: int = 2
    ) -> dict[str, np.ndarray]:
        """H and its derivatives by x = ln u and s = ln shape."""
        ...

    def log_density_terms(
        self, ln_u: np.ndarray, ln_shape: float, order: int = 2
    ) -> dict[str, np.ndarray]:
        """ln dF/dx and its derivatives."""
        ...

    def threshold(self, energy: np.ndarray, shape: float = 1.0) -> np.ndarray:
        """Exposure at which the cumulative hazard is ``energy``."""
        ...


def steepness(family: FamilyOfExposures, shape: float) -> float:
    """Largest d ln H / d ln u from the median up: Weibull shape, 1 (exponential), 1.2/shape
    (log-normal), about sqrt(shape) (gamma)."""
    ln_u = np.log(family.threshold(_ENERGIES, shape))
    terms = family.hazard_terms(ln_u, math.log(shape), 1)
    return float(np.max(terms["x"] / terms[""]))


def c2c_nodes(sigma: float, steepness: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes z and weights w (n,), sum w = 1, with E g(z) = sum w g(z) for g = F(u exp(-sigma z)).

    ``sigma`` >= 0 is the standard deviation of ln tau, ``steepness`` that of the family. The
    trapezoid rule on the line errs by exp(-2 pi d/h), d the half width of the strip around the real
    axis where the integrand is analytic and bounded (Trefethen, Weideman, SIAM Review 56, 385
    (2014), theorem 5.1; recalled). exp(-exp(k (x - sigma z))) is bounded for |Im z| < pi/(2 k
    sigma), and the normal density alone allows h = 2 pi/sqrt(2 * 30): h is the smaller one. P errs
    by less than 1e-9. There are 39 nodes per unit of sigma * steepness, and at least 21.
    """
    if sigma == 0:
        return np.zeros(1), np.ones(1)
    step = min(
        2 * math.pi / math.sqrt(2 * _NORMAL_DIGITS), math.pi**2 / (_DIGITS * sigma * steepness)
    )
    half = math.ceil(REACH / step)
    z = np.arange(-half, half + 1) * (REACH / half)
    w = np.exp(-z * z / 2)
    return z, w / w.sum()
