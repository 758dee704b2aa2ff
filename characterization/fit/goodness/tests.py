"""Does the fitted law describe the data? Tests that respect counts, censoring and the fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy
from scipy.stats import chi2

from characterization.fit.inference.candidate import Candidate
from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.maximise import maximise
from characterization.fit.inference.start import bounds
from characterization.fit.observations.base import Pulses, Waits

BOOTSTRAPS = 200
_MOST_GROUPS = 500
_SATURATED = 1e-6
_SMALLEST_EXPECTED = 5.0
_MOST_BINS = 8
_MOST_STRATA = 20


@dataclass(frozen=True)
class Test:
    """One test: its statistic, p-value (None where it cannot be given) and what it is."""

    __test__ = False  # not a test of pytest's

    name: str
    statistic: float
    p_value: float | None
    note: str


def pulse_tests(candidate: Candidate, generator: np.random.Generator) -> list[Test]:
    """Pearson's chi-square over pooled groups, and the deviance with a bootstrap p-value."""
    data = candidate.likelihood.data
    assert isinstance(data, Pulses)
    fitted = candidate.likelihood.probability(candidate.maximum)
    tests = [_pearson(data, fitted, candidate.count)]
    if data.voltage.size <= _MOST_GROUPS:
        tests.append(_deviance_test(candidate, data, fitted, generator))
    return tests


def deviance(switched: np.ndarray, trials: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """Each group's share of -2 ln(likelihood ratio) against its own fraction."""
    rest = trials - switched
    p = np.clip(fitted, 1e-300, 1 - 1e-16)
    full = xlogy(switched, switched / trials) + xlogy(rest, rest / trials)
    return np.asarray(2 * (full - xlogy(switched, p) - xlogy(rest, 1 - p)))


def wait_test(candidate: Candidate) -> Test:
    """Observed against expected events in bins of exposure, per voltage, censoring respected.

    Expected events are sums of cumulative hazard at risk; the covariance of the differences allows
    for the fitted parameters (after Hjort, Ann. Statist. 18, 1221 (1990); reference recalled).
    """
    data = candidate.likelihood.data
    assert isinstance(data, Waits)
    x = candidate.likelihood.ln_u(candidate.maximum)
    strata = np.unique(data.voltage, return_inverse=True)[1]
    events = np.bincount(strata, data.weight * data.switched)
    if events.size > _MOST_STRATA or events.min() < 2 * _SMALLEST_EXPECTED:
        strata = np.zeros_like(strata)
        events = np.array([events.sum()])
    observed, expected, slopes = [], [], []
    bins = int(np.clip(events.min() // (2 * _SMALLEST_EXPECTED), 1, _MOST_BINS))
    shape = float(np.exp(candidate.likelihood.ln_shape(candidate.maximum)))
    inner = np.log(candidate.family.quantile(np.arange(1, bins) / bins, shape))
    for stratum in range(events.size):
        mask = strata == stratum
        o, e, d = _pool(*_bin(candidate, data, x, mask, inner))
        observed += o
        expected += e
        slopes += d
    difference = np.array(observed) - np.array(expected)
    spread = np.diag(expected)
    c = candidate.covariance
    held = np.isfinite(np.diag(c))
    slope = np.array(slopes)[:, held]
    spread = spread - slope @ c[np.ix_(held, held)] @ slope.T
    eigenvalues, vectors = np.linalg.eigh(spread)
    keep = eigenvalues > 1e-6 * max(expected)
    statistic = float(np.sum((vectors[:, keep].T @ difference) ** 2 / eigenvalues[keep]))
    degrees = int(keep.sum())
    return Test(
        "goodness of fit: events in bins of exposure",
        statistic,
        float(chi2.sf(statistic, degrees)) if degrees > 0 else None,
        f"{len(observed)} bins with censoring, {degrees} degrees of freedom, "
        "chi-square approximation allowing for the fitted parameters",
    )


def likelihood_ratio(small: Candidate, large: Candidate) -> Test:
    """The likelihood-ratio test of a law inside a larger one with one parameter more."""
    statistic = max(0.0, 2 * (large.loglik - small.loglik))
    return Test(
        f"likelihood ratio: {small.family.name} within {large.family.name}",
        statistic,
        float(chi2.sf(statistic, large.count - small.count)),
        f"chi-square approximation, {large.count - small.count} degree of freedom",
    )


def floor_test(without: Candidate, with_floor: Candidate) -> Test:
    """The likelihood-ratio test of no false-switch floor, which lies on the edge of its range."""
    statistic = max(0.0, 2 * (with_floor.loglik - without.loglik))
    return Test(
        "likelihood ratio: no false-switch floor",
        statistic,
        float(chi2.sf(statistic, 1) / 2),
        "equal mixture of 0 and chi-square, as the floor cannot be negative",
    )


def _pearson(data: Pulses, fitted: np.ndarray, parameters: int) -> Test:
    order = np.argsort(fitted, kind="stable")
    cells: list[np.ndarray] = []
    current = np.zeros(4)
    for i in order:
        n, p = data.trials[i], fitted[i]
        current = current + np.array([n * p, n * (1 - p), data.switched[i], n * p * (1 - p)])
        if min(current[0], current[1]) >= _SMALLEST_EXPECTED:
            cells.append(current)
            current = np.zeros(4)
    if cells:
        cells[-1] = cells[-1] + current
    pooled = np.array(cells).reshape(-1, 4)
    statistic = float(np.sum((pooled[:, 2] - pooled[:, 0]) ** 2 / pooled[:, 3]))
    degrees = len(cells) - parameters
    return Test(
        "goodness of fit: Pearson chi-square",
        statistic,
        float(chi2.sf(statistic, degrees)) if degrees > 0 else None,
        f"{data.voltage.size} groups pooled to {len(cells)} with at least "
        f"{_SMALLEST_EXPECTED:g} outcomes of each sort expected, {max(degrees, 0)} degrees of "
        "freedom, chi-square approximation",
    )


def _deviance_test(
    candidate: Candidate, data: Pulses, fitted: np.ndarray, generator: np.random.Generator
) -> Test:
    name = "goodness of fit: deviance"
    statistic = float(np.sum(deviance(data.switched, data.trials, fitted)))
    box = bounds(data, candidate.names)
    if data.voltage.size <= candidate.count or statistic < _SATURATED:
        note = f"{data.voltage.size} groups, which the law fits by construction"
        return Test(name, statistic, None, note)
    larger = 0
    for _ in range(BOOTSTRAPS):
        drawn = generator.binomial(data.trials.astype(int), fitted).astype(float)
        copy = Likelihood(
            Pulses(data.voltage, data.width, data.trials, drawn),
            candidate.family,
            candidate.likelihood.acceleration,
            candidate.likelihood.reference,
            candidate.likelihood.floor,
        )
        best = maximise(copy.evaluate, candidate.maximum, *box)
        larger += float(np.sum(deviance(drawn, data.trials, copy.probability(best.theta)))) >= (
            statistic
        )
    return Test(
        name,
        statistic,
        (1 + larger) / (1 + BOOTSTRAPS),
        f"{data.voltage.size} groups; p-value from {BOOTSTRAPS} simulated and refitted data sets",
    )


def _bin(
    candidate: Candidate,
    data: Waits,
    x: np.ndarray,
    mask: np.ndarray,
    inner: np.ndarray,
) -> tuple[list[float], list[float], list[np.ndarray]]:
    """Observed events, expected events and d(expected)/d(theta) in bins cut at ``inner`` ln u."""
    likelihood, theta = candidate.likelihood, candidate.maximum
    weight = np.where(mask, data.weight, 0.0)
    observed, hazard, slope = [], [0.0], [np.zeros(theta.size)]
    edges = [*inner.tolist(), np.inf]
    for low, high in zip([-np.inf, *inner.tolist()], edges, strict=True):
        inside = (x > low) & (x <= high)
        observed.append(float(np.sum(weight * data.switched * inside)))
        h, first = likelihood.hazard_at(theta, np.minimum(x, high))
        hazard.append(float(weight @ h))
        slope.append(first @ weight)
    expected = np.diff(hazard).tolist()
    return observed, expected, list(np.diff(np.array(slope), axis=0))


def _pool(
    observed: list[float], expected: list[float], slopes: list[np.ndarray]
) -> tuple[list[float], list[float], list[np.ndarray]]:
    """Join neighbouring bins until each expects at least ``_SMALLEST_EXPECTED`` events."""
    o, e, d = [0.0], [0.0], [np.zeros_like(slopes[0])]
    for i, value in enumerate(expected):
        if e[-1] >= _SMALLEST_EXPECTED and sum(expected[i:]) >= _SMALLEST_EXPECTED:
            o.append(0.0)
            e.append(0.0)
            d.append(np.zeros_like(slopes[0]))
        o[-1] += observed[i]
        e[-1] += value
        d[-1] = d[-1] + slopes[i]
    return o, e, d
