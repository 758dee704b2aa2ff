"""The bivariate normal distribution: quadrants and rectangles of two correlated scores."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, owens_t


def bivariate_density(x: np.ndarray, y: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Density of two standard normals of correlation r, -1 < r < 1; 0 at infinity."""
    with np.errstate(invalid="ignore"):
        square = (x * x - 2 * r * x * y + y * y) / (1 - r * r)
        value = np.exp(-square / 2) / (2 * np.pi * np.sqrt(1 - r * r))
    return np.where(np.isfinite(x) & np.isfinite(y), value, 0.0)


def bivariate_cdf(x: np.ndarray, y: np.ndarray, r: np.ndarray) -> np.ndarray:
    """P(X < x, Y < y) of two standard normals of correlation r, -1 < r < 1.

    By T functions (Owen, Ann. Math. Stat. 27, 1075 (1956), eq. 2.1; recalled, tested against
    scipy's integration). Infinite limits are allowed. Arrays broadcast.
    """
    x, y, r = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float), np.asarray(r, float))
    root = np.sqrt(1 - r * r)
    finite = np.isfinite(x) & np.isfinite(y)
    # An exact 0 has a limit slope of either sign; a tiny number has one and the same value.
    h = np.where(finite, np.where(np.abs(x) < 1e-150, 1e-150, x), 1.0)
    k = np.where(finite, np.where(np.abs(y) < 1e-150, 1e-150, y), 1.0)
    value = (ndtr(h) + ndtr(k)) / 2
    value = value - owens_t(h, (k / h - r) / root) - owens_t(k, (h / k - r) / root)
    value = value - np.where(np.sign(h) != np.sign(k), 0.5, 0.0)
    return np.where(finite, np.clip(value, 0.0, 1.0), np.minimum(ndtr(x), ndtr(y)))


def rectangle(
    low: tuple[np.ndarray, np.ndarray], high: tuple[np.ndarray, np.ndarray], r: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """P(low < (X, Y) < high) and its derivative by r; limits may be infinite.

    The derivative is the density at the corners (Plackett, Biometrika 41, 351 (1954); recalled).
    """
    (a, c), (b, d) = low, high
    a, b, flip_x = _lower(a, b)
    c, d, flip_y = _lower(c, d)
    sign = np.where(flip_x, -1.0, 1.0) * np.where(flip_y, -1.0, 1.0)
    value, slope = np.zeros(np.shape(a)), np.zeros(np.shape(a))
    for x, y, part in ((b, d, 1), (a, d, -1), (b, c, -1), (a, c, 1)):
        # A corner at -inf has probability and density 0.
        real = (x > -np.inf) & (y > -np.inf)
        value[real] += part * bivariate_cdf(x[real], y[real], (sign * r)[real])
        slope[real] += part * bivariate_density(x[real], y[real], (sign * r)[real])
    return np.maximum(value, 0.0), slope * sign


def _lower(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The interval mirrored into the lower tail, where probabilities keep their digits."""
    with np.errstate(invalid="ignore"):
        flip = low + high > 0
    return np.where(flip, -high, low), np.where(flip, -low, high), flip
