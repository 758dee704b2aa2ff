"""Autocorrelation to lag 20 pooled over devices, the test of none at all, and what rows are worth.

Each device's own mean is taken out, so that a difference between devices does not look like memory;
the bias this brings to short records is taken back. Gaps in a record are allowed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from characterization.fit.dependence.scores import matches
from characterization.fit.dependence.words import p_value, steps

LAGS = 20
_MOST_LAGS = 320
"""How far the sum for the effective sample size goes before it gives up."""
_LARGEST = 0.98
"""Correlation at which the bias correction stops growing: beyond it a record shows no mean."""


@dataclass(frozen=True)
class Autocorrelation:
    """Correlation of outcomes k spacings apart.

    ``lag`` (K,) 1 ... in units of ``spacing`` cycles; ``value`` (K,) the correlation, NaN where no
    device is long enough; ``stderr`` (K,) its standard error (Bartlett, 1946: as if the correlation
    ended before that lag); ``stderr_none`` (K,) that without any correlation; ``pairs`` (K,).
    ``statistic``, ``freedom``, ``p_none``: the test of no correlation at all. ``effective`` of
    ``size`` rows would tell the mean as well if independent (an upper limit where
    ``effective_is_limit``). ``single`` devices with one outcome tell nothing and are not used.
    """

    lag: np.ndarray
    spacing: int
    value: np.ndarray
    stderr: np.ndarray
    stderr_none: np.ndarray
    pairs: np.ndarray
    statistic: float
    freedom: int
    p_none: float
    size: int
    devices: int
    single: int
    effective: float
    effective_is_limit: bool

    @property
    def sentences(self) -> tuple[str, ...]:
        """The result in plain words."""
        if self.freedom == 0:
            return ("No device has two outcomes in order: independence cannot be tested.",)
        unit = steps(self.spacing)
        found = (
            f"Outcomes one {unit} apart correlate by {self.value[0]:+.3f} "
            f"(standard error without correlation {self.stderr_none[0]:.3f})."
            if np.isfinite(self.value[0])
            else f"No two outcomes are one {unit} apart."
        )
        lags = int(np.count_nonzero(self.pairs))
        test = (
            f"Independence is rejected over {lags} lags, {p_value(self.p_none)}."
            if self.p_none < 0.05
            else f"Independence over {lags} lags is not rejected, {p_value(self.p_none)}."
        )
        most = "at most " if self.effective_is_limit else ""
        worth = f"The {self.size} outcomes tell a mean as well as {most}{self.effective:.0f} would."
        left = (
            (f"{self.single} devices with a single outcome are not part of this.",)
            if self.single
            else ()
        )
        return (found, test, worth, *left)


def autocorrelation(
    device: np.ndarray, order: np.ndarray, values: np.ndarray, lags: int = LAGS
) -> Autocorrelation:
    """Autocorrelation of ``values`` (n,), sorted by device (codes) and order (integers).

    Values: scores (``expected_scores`` where bounded), residuals (y - p)/sqrt(p (1 - p)) of 0/1
    outcomes, or ln R. Subtracting a device's mean takes Var(mean) from each product and from the
    variance; both are given back as for an AR(1) of the lag-1 correlation so corrected (after
    Marriott, Pope, Biometrika 41, 390 (1954); recalled). In simulations the rest of the bias at
    rho = 0.6 is 0.001 for one record of 1000, 0.04 for one of 40, 0.05 for many of 8, 0.2 for many
    of 3: memory.py is right there too. The test is r' C^-1 r with the exact covariance C of r for
    independent normal values: that of Ljung and Box (Biometrika 65, 297 (1978)) for one long record
    without gaps, and right for many short ones.
    """
    code, when, x, single = _usable(device, order, values)
    spacing = _spacing(code, when)
    counts = np.bincount(code)
    numbers = np.arange(1, lags + 1)
    centred = x - (np.bincount(code, x) / counts)[code] if x.size else x
    freedom = int(x.size - counts.size)
    squares = float(centred @ centred)
    if freedom <= 0 or squares <= 0:
        nothing = np.full(lags, np.nan)
        return Autocorrelation(
            numbers, spacing, nothing, nothing, nothing, np.zeros(lags, int), 0.0, 0, 1.0,
            int(np.size(values)), counts.size, single, float(np.size(values)), False,
        )  # fmt: skip
    lagged = _Lagged(code, when, centred, counts, spacing, squares / freedom)
    products = np.array([lagged.products(int(k)) for k in numbers])
    pairs = products[:, 0].astype(int)
    factor, shrink = _correction(lagged, products)
    with np.errstate(all="ignore"):
        value = (products[:, 1] * shrink + products[:, 2] * factor) / pairs
    value[pairs == 0] = np.nan
    statistic, rank, stderr_none = _test_of_none(lagged, products, freedom)
    effective, limit = _effective(lagged, factor, shrink)
    earlier = np.append(0.0, np.cumsum(np.nan_to_num(value) ** 2)[:-1])
    return Autocorrelation(
        lag=numbers,
        spacing=spacing,
        value=value,
        stderr=stderr_none * np.sqrt(1 + 2 * earlier),
        stderr_none=stderr_none,
        pairs=pairs,
        statistic=statistic,
        freedom=rank,
        p_none=float(chi2.sf(statistic, rank)) if rank else 1.0,
        size=int(x.size),
        devices=int(counts.size),
        single=single,
        effective=effective,
        effective_is_limit=limit,
    )


@dataclass(frozen=True)
class _Lagged:
    """Centred values in order, ready for sums over pairs; ``variance`` that of one value."""

    device: np.ndarray
    order: np.ndarray
    centred: np.ndarray
    counts: np.ndarray
    spacing: int
    variance: float

    def at(self, lag: int) -> tuple[np.ndarray, np.ndarray]:
        """Indices of pairs ``lag`` spacings apart."""
        return matches(self.device, self.order, lag * self.spacing)

    def products(self, lag: int) -> tuple[float, float, float]:
        """Pairs, the sum of their products over the variance, and the sum of 1/n over them.

        1/n of the device: for independent values subtracting its mean takes variance/n per pair.
        """
        i, j = self.at(lag)
        total = float(self.centred[i] @ self.centred[j]) / self.variance
        return float(i.size), total, float(np.sum(1 / self.counts[self.device[i]]))


def _usable(
    device: np.ndarray, order: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Rows of devices with two outcomes or more, renumbered, and how many devices have one."""
    _, code, counts = np.unique(device, return_inverse=True, return_counts=True)
    keep = counts[code] > 1
    _, code = np.unique(code[keep], return_inverse=True)
    return (
        code,
        np.asarray(order, np.int64)[keep],
        np.asarray(values, float)[keep],
        int(np.count_nonzero(counts == 1)),
    )


def _spacing(device: np.ndarray, order: np.ndarray) -> int:
    steps = np.diff(order)[device[1:] == device[:-1]]
    return int(np.gcd.reduce(steps)) if steps.size else 1


def _correction(lagged: _Lagged, products: np.ndarray) -> tuple[float, float]:
    """f = n Var(mean)/variance, and the true variance over the one found, for an AR(1).

    With f known, E of a pair's product is variance (rho_k - f/n) and E of the variance found is
    variance (n - f)/(n - 1); f follows from the lag-1 correlation so corrected, in turn. For
    records of unequal length the mean length stands in f.
    """
    (pairs, total, shares), rows, devices = products[0], lagged.centred.size, lagged.counts.size
    n = rows / devices
    factor, shrink = 1.0, 1.0
    for _ in range(100 if pairs else 0):
        rho = float(np.clip((total * shrink + shares * factor) / pairs, -_LARGEST, _LARGEST))
        # 1 + 2 sum over k of (1 - k/n) rho^k, in closed form
        new = (
            1 + 2 * rho / (1 - rho) - 2 * rho * (1 - rho**n) / (n * (1 - rho) ** 2)
            if (rho >= 0 or n == int(n))
            else (1 + rho) / (1 - rho)
        )
        if abs(new - factor) < 1e-9:
            break
        factor = new
        shrink = (rows - devices * factor) / (rows - devices)
    return float(factor), float(shrink)


def _test_of_none(
    lagged: _Lagged, products: np.ndarray, freedom: int
) -> tuple[float, int, np.ndarray]:
    """Statistic, its degrees of freedom, and the standard error of each lag without correlation.

    For x normal and independent, M the removal of means, A_k the symmetric sum over pairs: the
    covariance of x'MA_kMx is 2 tr(MA_kMA_l), and its ratio to x'Mx is independent of x'Mx.
    """
    lags, n = len(products), lagged.centred.size
    degrees = np.zeros((lags, n))
    by_device = np.zeros((lags, lagged.counts.size))
    for k in range(lags):
        i, j = lagged.at(k + 1)
        degrees[k] = np.bincount(i, minlength=n) + np.bincount(j, minlength=n)
        by_device[k] = np.bincount(lagged.device[i], minlength=lagged.counts.size)
    pairs, shares = products[:, 0], products[:, 2]
    trace = np.diag(pairs / 2)
    trace = trace - (degrees / lagged.counts[lagged.device]) @ degrees.T / 2
    trace += (by_device / lagged.counts**2) @ by_device.T
    mean = -shares
    second = (2 * trace + np.outer(mean, mean)) / (freedom * (freedom + 2))
    covariance = freedom**2 * (second - np.outer(mean, mean) / freedom**2)
    use = pairs > 0
    stderr = np.full(lags, np.nan)
    stderr[use] = np.sqrt(np.maximum(np.diag(covariance)[use], 0.0)) / pairs[use]
    deviation = (products[:, 1] + shares)[use]
    matrix = covariance[np.ix_(use, use)]
    if not deviation.size:
        return 0.0, 0, stderr
    # Very short records make lags linearly dependent: those directions carry no test.
    size, vectors = np.linalg.eigh(matrix)
    hold = size > 1e-9 * size.max()
    projected = vectors[:, hold].T @ deviation
    return float(np.sum(projected**2 / size[hold])), int(np.count_nonzero(hold)), stderr


def _effective(lagged: _Lagged, factor: float, shrink: float) -> tuple[float, bool]:
    """Effective sample size, and whether it is only an upper limit.

    n / (1 + 2 sum rho_k), the sum over Geyer's initial positive sequence (Statistical Science 7,
    473 (1992); recalled): sums of two neighbouring lags as long as they are positive. Negative
    correlation may make it larger than n.
    """

    def rho(lag: int) -> float:
        pairs, product, shares = lagged.products(lag)
        return (product * shrink + shares * factor) / pairs if pairs else 0.0

    n, longest = lagged.centred.size, int(lagged.counts.max())
    both = 1.0 + rho(1)
    total, lag = 2 * both - 1, 2
    while lag + 1 <= min(_MOST_LAGS, longest - 1):
        both = rho(lag) + rho(lag + 1)
        if both <= 0:
            return n / max(total, 1 / n), False
        total, lag = total + 2 * both, lag + 2
    return n / max(total, 1 / n), lag > _MOST_LAGS - 2
