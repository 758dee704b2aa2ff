"""One state's resistances as a log-normal, and whether they are one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, shapiro

from devices.parameter import Parameter

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_LEVEL = 0.01
_LARGEST_SHAPIRO = 5000
"""Rows beyond which the Shapiro-Wilk p-value is not valid (Royston 1995, recalled)."""
_EQUAL = 1e-9
"""Range of ln R below which all resistances are one."""
_NORMAL_IQR = 1.349


@dataclass(frozen=True)
class StateDistribution:
    """Resistances of one state: log-normal parameters, tests of the shape, and quantiles.

    ``median`` (ohm) is exp of the mean of ln R; ``sigma`` the standard deviation of ln R, its
    error allowing for the kurtosis; ``robust_sigma`` is from the quartiles. ``p_anderson`` and
    ``p_shapiro`` are p-values of "ln R is normal" (Shapiro: None above 5000 rows); ``rejected``
    at 1 % by either. ``quantiles`` (ohm) are the empirical ones at ``QUANTILES``; ``largest_miss``
    is the largest difference of ln R between them and the log-normal.
    """

    state: str
    count: int
    median: Parameter
    sigma: Parameter
    robust_sigma: float
    p_anderson: float
    p_shapiro: float | None
    rejected: bool
    quantiles: tuple[float, ...]
    largest_miss: float
    sentences: tuple[str, ...]


def distribution_of(resistance: np.ndarray, state: str, what: str) -> StateDistribution:
    """Describe at least four positive resistances (ohm); ``what`` names where they come from."""
    y = np.log(np.asarray(resistance, float))
    n, mean, sigma = y.size, float(y.mean()), float(y.std(ddof=1))
    error = sigma / np.sqrt(n)
    note = f"log-normal fit of {what} ({n} rows)"
    centre = Parameter(
        float(np.exp(mean)),
        "ohm",
        "fitted",
        note,
        float(np.exp(mean) * error),
        (float(np.exp(mean - 1.96 * error)), float(np.exp(mean + 1.96 * error))),
    )
    kurtosis = float(np.mean((y - mean) ** 4)) / max(sigma, 1e-300) ** 4 if sigma > 0 else 3.0
    sigma_error = sigma * np.sqrt(max(kurtosis - 1, 0.5) / (4 * n))
    spread = Parameter(
        sigma,
        "1",
        "fitted",
        note,
        float(sigma_error),
        (max(0.0, float(sigma - 1.96 * sigma_error)), float(sigma + 1.96 * sigma_error)),
    )
    empirical = np.quantile(y, QUANTILES)
    miss = float(np.max(np.abs(empirical - (mean + sigma * norm.ppf(QUANTILES)))))
    varies = bool(np.ptp(y) > _EQUAL)
    p_anderson = anderson_darling_p(y) if varies else float("nan")
    p_shapiro = float(shapiro(y).pvalue) if varies and n <= _LARGEST_SHAPIRO else None
    rejected = p_anderson < _LEVEL or (p_shapiro is not None and p_shapiro < _LEVEL)
    return StateDistribution(
        state,
        n,
        centre,
        spread,
        float((empirical[4] - empirical[2]) / _NORMAL_IQR),
        p_anderson,
        p_shapiro,
        rejected,
        tuple(float(value) for value in np.exp(empirical)),
        miss,
        _sentences(state, n, centre, sigma, p_anderson, p_shapiro, rejected, empirical, miss),
    )


def anderson_darling_p(y: np.ndarray) -> float:
    """P-value of "y is normal, mean and variance unknown" by the Anderson-Darling statistic.

    Stephens's approximation (D'Agostino, Stephens, Goodness-of-Fit Techniques (1986), table 4.9;
    recalled, and checked in our tests by simulation). Not below 1e-23.
    """
    n = y.size
    z = np.sort((y - y.mean()) / y.std(ddof=1))
    weight = 2 * np.arange(1, n + 1) - 1
    a_square = -n - float(np.mean(weight * (norm.logcdf(z) + norm.logsf(z[::-1]))))
    a = min(a_square * (1 + 0.75 / n + 2.25 / n**2), 10.0)
    if a >= 0.6:
        return float(np.exp(1.2937 - 5.709 * a + 0.0186 * a * a))
    if a >= 0.34:
        return float(np.exp(0.9177 - 4.279 * a - 1.38 * a * a))
    if a >= 0.2:
        return float(1 - np.exp(-8.318 + 42.796 * a - 59.938 * a * a))
    return float(1 - np.exp(-13.436 + 101.14 * a - 223.73 * a * a))


def _sentences(
    state: str,
    count: int,
    median: Parameter,
    sigma: float,
    p_anderson: float,
    p_shapiro: float | None,
    rejected: bool,
    empirical: np.ndarray,
    miss: float,
) -> tuple[str, ...]:
    first = f"{state}: median {median.value:.4g} ohm, sigma of ln R {sigma:.3g} ({count} rows)."
    tests = f"Anderson-Darling p {_shown(p_anderson)}"
    if p_shapiro is not None:
        tests += f", Shapiro-Wilk p {_shown(p_shapiro)}"
    if np.isnan(p_anderson):
        return (first, f"{state}: all resistances are equal; no shape to test.")
    if not rejected:
        return (first, f"{state}: a log-normal is not rejected ({tests}).")
    shown = "/".join(f"{np.exp(value):.3g}" for value in empirical)
    return (
        first,
        f"{state}: the log-normal is rejected ({tests}); its quantiles are off by up to a factor "
        f"{np.exp(miss):.2f}. Measured quantiles at 1/5/25/50/75/95/99 %: {shown} ohm.",
    )


def _shown(p: float) -> str:
    return "< 1e-12" if p < 1e-12 else f"= {p:.2g}"
