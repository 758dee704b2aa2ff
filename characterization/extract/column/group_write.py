"""Cells written by one pulse through one shared driver: how many switch.

All cells that have not switched see the same voltage, so the same exposure: u grows at the rate
r_j once j have switched, and the (j+1)-th switches when u reaches the order statistic Y_(j+1) of
the n thresholds. So K >= k where the sum over j < k of (Y_(j+1) - Y_(j))/r_j is at most the pulse
width. On the scale of the cumulative hazard H the spacings are exponential, H(Y_(j+1)) -
H(Y_(j)) = e_j/(n - j) (Renyi, Acta Math. Hung. 4, 191 (1953), recalled). For the exponential
family K is a pure birth process with the rates (n - j) r_j; for any other, the law of (K, u) is
carried forward in time.

The cells are nominal and alike; devices that differ (D2D) have unequal exposures, and their group
write is not covered.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from devices.law import SwitchingLaw

POINTS = 300
"""Points of the exposure left over from earlier states, in the forward recursion."""
HAZARD_STEP = 0.02
"""Largest expected number of events in one time step; the result is extrapolated from two."""
STEEPEST = 1e4
"""Steps at which the refinement stops."""


@dataclass(frozen=True)
class GroupWrite:
    """Law of the number K of n cells that switch.

    ``counts[k]``: P(K = k); ``marginal``: P of one cell; ``correlation``: between two cells' bits
    (they are exchangeable), NaN where none or all switch for certain or there is one cell.
    """

    counts: np.ndarray
    marginal: float
    correlation: float


def group_write(law: SwitchingLaw, rates: np.ndarray, width: float) -> GroupWrite:
    """One pulse of ``width`` (s) on n cells; ``rates`` (1/s): r_j with j = 0 .. n-1 switched.

    Raises ValueError for negative or non-finite rates.
    """
    rates = np.asarray(rates, float)
    if rates.ndim != 1 or not rates.size or np.any(rates < 0) or not np.all(np.isfinite(rates)):
        raise ValueError("rates: expected one finite rate >= 0 for each number of switched cells")
    plain = law.family.name == "exponential" and law.spread.sigma_ln_tau_c2c.value == 0
    counts = birth_counts(rates, width) if plain else forward_counts(_hazard(law), rates, width)
    return _with_moments(counts)


def birth_counts(rates: np.ndarray, width: float) -> np.ndarray:
    """P(K = k) of the exponential family: a birth process with the rates (n - j) r_j."""
    from scipy.linalg import expm

    n = rates.size
    birth = (n - np.arange(n)) * rates * width
    generator = np.diag(np.append(-birth, 0.0)) + np.diag(birth, -1)
    counts = np.maximum(np.asarray(expm(generator))[:, 0], 0.0)
    return np.asarray(counts / counts.sum())


def forward_counts(
    hazard: Callable[[np.ndarray], np.ndarray], rates: np.ndarray, width: float
) -> np.ndarray:
    """P(K = k) for thresholds of the cumulative hazard H(u), by recursion in time.

    Extrapolated from two step lengths (error of second order in the step).
    """
    most = rates.size * float(hazard(np.array([np.max(rates) * width]))[0])
    steps = int(np.clip(np.ceil(most / HAZARD_STEP), 100, STEEPEST))
    coarse, fine = (_forward(hazard, rates, width, count) for count in (steps, 2 * steps))
    counts = np.maximum(2 * fine - coarse, 0.0)
    return np.asarray(counts / counts.sum())


def _forward(
    hazard: Callable[[np.ndarray], np.ndarray], rates: np.ndarray, width: float, steps: int
) -> np.ndarray:
    """The state is (j switched, v = u - r_j t), v on a grid of its own for each j."""
    n = rates.size
    # Even steps of the hazard of a group that never slows down; of time where that is flat.
    fine = np.linspace(0.0, width, 20 * steps + 1)
    rising = hazard(np.max(rates) * fine)
    scale = rising / max(rising[-1], 1e-300) + fine / width
    times = np.interp(np.linspace(0.0, scale[-1], steps + 1), scale, fine)
    reach = (np.max(rates) - rates) * width, (np.min(rates) - rates) * width
    # u = v + r_j t is at least 0 and at most the fastest rate allows; finer where v is small.
    x = np.linspace(0.0, 1.0, POINTS)
    grids = np.array(
        [
            high * x**2 if low >= 0 else low + (high - low) * x
            for high, low in zip(*reach, strict=True)
        ]
    )
    spans = np.maximum(grids[:, -1] - grids[:, 0], 1e-300)
    bent = np.array([low >= 0 for low in reach[1]])
    mass = np.zeros((n, POINTS))
    start = np.array([np.interp(0.0, grid, np.arange(POINTS)) for grid in grids])
    _deposit(mass[0], np.array([start[0]]), np.ones(1))
    done = 0.0
    left = n - np.arange(n)
    h_before = hazard(np.maximum(grids + rates[:, None] * times[0], 0.0))
    for before, after in itertools.pairwise(times.tolist()):
        h_after = hazard(np.maximum(grids + rates[:, None] * after, 0.0))
        leaves = -np.expm1(-left[:, None] * np.maximum(h_after - h_before, 0.0))
        h_before = h_after
        middle = (before + after) / 2
        moved = mass * leaves
        mass = mass - moved
        done += float(moved[-1].sum())
        if n > 1:
            shift = (rates[:-1] - rates[1:])[:, None] * middle
            share = (grids[:-1] + shift - grids[1:, :1]) / spans[1:, None]
            share = np.clip(share, 0.0, 1.0)
            place = np.where(bent[1:, None], np.sqrt(share), share) * (POINTS - 1)
            for j in np.flatnonzero(moved[:-1].sum(axis=1) > 0):
                _deposit(mass[j + 1], place[j], moved[j], grids[j + 1], grids[j] + shift[j])
    return np.append(mass.sum(axis=1), done)


def _deposit(
    target: np.ndarray,
    place: np.ndarray,
    amount: np.ndarray,
    grid: np.ndarray | None = None,
    value: np.ndarray | None = None,
) -> None:
    """Add amounts between two grid points each, keeping the mean of their values."""
    low = np.clip(np.floor(place).astype(int), 0, target.size - 2)
    part = place - low
    if grid is not None and value is not None:
        width = grid[low + 1] - grid[low]
        safe = np.where(width > 0, width, 1.0)
        part = np.clip(np.where(width > 0, (value - grid[low]) / safe, 0.0), 0.0, 1.0)
    target += np.bincount(low, amount * (1 - part), target.size)
    target += np.bincount(low + 1, amount * part, target.size)


def _hazard(law: SwitchingLaw) -> Callable[[np.ndarray], np.ndarray]:
    def cumulative(exposure: np.ndarray) -> np.ndarray:
        if law.spread.sigma_ln_tau_c2c.value == 0:
            return np.asarray(law.family.hazard(exposure, law.shape_value))
        p = np.asarray(law.probability_of_exposure(exposure), float)
        return -np.log1p(-np.minimum(p, 1 - 1e-15))

    return cumulative


def _with_moments(counts: np.ndarray) -> GroupWrite:
    n = counts.size - 1
    k = np.arange(n + 1)
    mean = float(counts @ k)
    variance = float(counts @ (k - mean) ** 2)
    p = mean / n
    alone = n * p * (1 - p)
    pairs = (n - 1) * alone
    correlation = (variance - alone) / pairs if pairs > 1e-12 else float("nan")
    return GroupWrite(counts, p, correlation)
