"""Tests of exact switching times: waits and smooth ramps, censoring respected.

Under the law the exposures u at which devices switch follow F whatever the voltage, so all rows
can be compared with one curve (Kolmogorov-Smirnov), and the events of each setting in bins of
exposure with the hazard at risk there (chi-square).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from characterization.fit.goodness.bootstrap import (
    Progress,
    Replicates,
    affordable,
    bootstrap,
)
from characterization.fit.goodness.result import Test
from characterization.fit.goodness.settings import Settings, settings_of
from characterization.fit.goodness.simulate import ramps_to, simulator, voltage_of_exposure
from characterization.fit.goodness.survival import product_limit
from characterization.fit.inference.candidate import Candidate, covariance
from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.maximise import Maximum
from characterization.fit.observations.base import condensed

_SMALLEST_EXPECTED = 5.0
_MOST_BINS = 8
_MOST_STRATA = 20
_LONG = 20_000
_CELL = 2e-3
_SMALLEST_VARIANCE = 1e-3
"""Of the largest: differences fixed by the fit itself are left out."""


def exact_tests(
    candidate: Candidate,
    generator: np.random.Generator,
    *,
    replicates: int,
    budget_s: float,
    progress: Progress | None = None,
) -> tuple[Test, ...]:
    """Kolmogorov-Smirnov of all exposures, and chi-square of events in bins of exposure.

    The last is the one to quote: chi-square, or where bins are few Kolmogorov-Smirnov.
    """
    data = candidate.likelihood.data
    distance = "goodness of fit: Kolmogorov-Smirnov"
    events = "goodness of fit: events in bins of exposure"
    if data.chained:
        note = "exact outcomes at the end of chains are not tested"
        return (Test(distance, 0.0, None, note),)
    binned = candidate.likelihood
    if data.voltage.size > _LONG:
        binned = binned.on(condensed(data, _CELL))
    design = design_of(binned, candidate.maximum)
    chi, degrees, parts = chi_square(binned, candidate.maximum, candidate.covariance, design)
    d = kolmogorov_smirnov(candidate.likelihood, candidate.maximum)
    rows = f"{data.size:g} exposures with censoring against F"
    bins = f"{int(design.cell.max()) + 1} bins with censoring"
    count = affordable(candidate.likelihood, replicates, budget_s)
    if not count:
        why = "simulated data sets would take too long"
        return (
            Test(distance, d, None, f"{rows}; no p-value, as {why}"),
            Test(
                events,
                chi,
                float(chi2.sf(chi, degrees)) if degrees else None,
                f"{bins}, {degrees} degrees of freedom; chi-square approximation allowing for the "
                f"fitted parameters, as {why}",
            ),
        )

    def all_of(drawn: Likelihood, best: Maximum) -> np.ndarray:
        value, _, own = chi_square(drawn, best.theta, covariance(best), design)
        return np.array([kolmogorov_smirnov(drawn, best.theta), value, *own])

    draw = simulator(candidate.likelihood, candidate.maximum)
    found: Replicates = bootstrap(
        candidate, draw, all_of, generator, replicates=count, progress=progress
    )
    note = f"{bins}; {found.note}{found.worst(parts, design.labels, 2)}"
    tests = (
        Test(distance, d, found.p_value(d, 0), f"{rows}; {found.note}"),
        Test(events, chi, found.p_value(chi, 1) if degrees else None, note),
    )
    # Bins see each voltage by itself; with hardly a bin each they no longer see the shape.
    return tests if degrees >= 2 * len(design.labels) else tests[::-1]


def kolmogorov_smirnov(likelihood: Likelihood, theta: np.ndarray) -> float:
    """Largest distance between the Kaplan-Meier curve of the exposures and the law's 1 - F.

    On both sides of each event; after the last event the curve is not compared. Without censoring
    it is the usual D of Kolmogorov and Smirnov.
    """
    data = likelihood.data
    _, hazard = likelihood.hazard(theta)
    place, after = product_limit(hazard, data.switched, data.trials)
    before = np.concatenate([[1.0], after[:-1]])
    law = np.exp(-place)
    return float(np.max(np.maximum(np.abs(after - law), np.abs(before - law)), initial=0.0))


@dataclass(frozen=True, eq=False)
class Design:
    """Bins of the chi-square, kept for simulated data.

    ``edges`` inner edges in H; ``stratum`` of each setting (neighbouring settings with few events
    share one), ``labels`` of the strata; ``cell`` (strata, bins) the cell of each bin after
    joining.
    """

    edges: np.ndarray
    stratum: np.ndarray
    labels: tuple[str, ...]
    cell: np.ndarray

    @property
    def stratum_of_cell(self) -> np.ndarray:
        """The stratum each cell belongs to."""
        owner = np.empty(int(self.cell.max()) + 1, int)
        owner[self.cell] = np.arange(self.cell.shape[0])[:, None]
        return owner


def design_of(likelihood: Likelihood, theta: np.ndarray) -> Design:
    """Bins of equal F per setting, joined until each expects five events."""
    data = likelihood.data
    settings = settings_of(data)
    events = np.bincount(settings.index, data.switched, settings.count)
    stratum = _strata(events)
    strata = int(stratum.max()) + 1
    most = float(np.bincount(stratum, events).max())
    bins = int(np.clip(most // (2 * _SMALLEST_EXPECTED), 1, _MOST_BINS))
    edges = -np.log1p(-np.arange(1, bins) / bins)
    labels = _labels(settings, stratum)
    each = Design(edges, stratum, labels, np.arange(strata * bins).reshape(strata, bins))
    _, expected, _ = _events(likelihood, theta, each)
    cell = np.empty((strata, bins), int)
    made = 0
    for row, values in enumerate(expected.reshape(strata, bins)):
        total = 0.0
        for i, value in enumerate(values.tolist()):
            if total >= _SMALLEST_EXPECTED and values[i:].sum() >= _SMALLEST_EXPECTED:
                made, total = made + 1, 0.0
            cell[row, i] = made
            total += value
        made += 1
    return Design(edges, stratum, labels, cell)


def _strata(events: np.ndarray) -> np.ndarray:
    """Neighbouring settings joined until each stratum has ten events, and at most 20 are left."""
    enough = max(2 * _SMALLEST_EXPECTED, float(events.sum()) / _MOST_STRATA)
    stratum = np.empty(events.size, int)
    made, total = 0, 0.0
    for i, count in enumerate(events.tolist()):
        if total >= enough and float(events[i:].sum()) >= enough:
            made, total = made + 1, 0.0
        stratum[i] = made
        total += count
    return stratum


def _labels(settings: Settings, stratum: np.ndarray) -> tuple[str, ...]:
    """The voltages, or ramp rates, of the strata in words."""
    name, unit = next(
        (name, unit)
        for name, unit in (("voltage_V", "V"), ("rate_V_per_s", "V/s"))
        if name in settings.columns
    )
    labels = []
    for i in range(int(stratum.max()) + 1):
        values = settings.columns[name][stratum == i]
        low, high = values.min(), values.max()
        labels.append(f"{low:g} {unit}" if low == high else f"{low:g} to {high:g} {unit}")
    return tuple(labels)


def chi_square(
    likelihood: Likelihood, theta: np.ndarray, spread: np.ndarray, design: Design
) -> tuple[float, int, np.ndarray]:
    """Observed against expected events in bins of exposure; degrees of freedom; strata's parts.

    Expected events are sums of cumulative hazard at risk; the covariance of the differences allows
    for the fitted parameters, whose own is ``spread`` (after Hjort, Ann. Statist. 18, 1221 (1990);
    reference recalled).
    """
    observed, expected, slopes = _events(likelihood, theta, design)
    known = np.isfinite(np.diag(spread))
    slope = slopes[:, known]
    matrix = np.diag(expected) - slope @ spread[np.ix_(known, known)] @ slope.T
    eigenvalues, vectors = np.linalg.eigh(matrix)
    keep = eigenvalues > _SMALLEST_VARIANCE * float(expected.max())
    parts = vectors[:, keep].T @ (observed - expected)
    own = np.bincount(
        design.stratum_of_cell, (observed - expected) ** 2 / np.maximum(expected, 1e-12)
    )
    return float(np.sum(parts**2 / eigenvalues[keep])), int(keep.sum()), own


def _events(
    likelihood: Likelihood, theta: np.ndarray, design: Design
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed and expected events of each cell, and d(expected)/d(theta) at fixed times."""
    data, family = likelihood.data, likelihood.family
    settings = settings_of(data)
    stratum = design.stratum[settings.index]
    strata, bins = design.cell.shape
    shape = likelihood.ln_shape(theta)
    (x, slope_x, _), _ = likelihood.exposures(theta, 1)
    own_terms = family.hazard_terms(x, shape, 1)
    bin_of = np.searchsorted(design.edges, own_terms[""], "left")
    observed = np.bincount(
        design.cell[stratum, bin_of], data.switched, minlength=design.cell.max() + 1
    )
    ln_u = np.log(np.maximum(family.threshold(design.edges, float(np.exp(shape))), 1e-300))
    cut = bool(data.ramped.size and ln_u.size)
    crossing = _slopes_at(likelihood, theta, settings, ln_u) if cut else slope_x
    size, q = theta.size, slope_x.shape[0]
    hazard = np.zeros((bins + 1, strata))
    slopes = np.zeros((bins + 1, strata, size))
    edge_terms = family.hazard_terms(ln_u, shape, 1)
    for i in range(bins):
        terms, by_theta = own_terms, slope_x
        if i < bins - 1:
            beyond = bin_of > i
            terms = {k: np.where(beyond, edge_terms[k][i], own_terms[k]) for k in own_terms}
            if data.ramped.size:
                by_theta = np.where(beyond, crossing[:, i, settings.index], slope_x)
        rows = [terms["x"] * by_theta[j] for j in range(q)]
        rows += [terms["s"]] if family.has_shape else []
        hazard[i + 1] = np.bincount(stratum, data.trials * terms[""], strata)
        for j, row in enumerate(rows):
            slopes[i + 1, :, j] = np.bincount(stratum, data.trials * row, strata)
    count = int(design.cell.max()) + 1
    cell = design.cell.T.ravel()
    expected = np.bincount(cell, np.diff(hazard, axis=0).ravel(), count)
    by = np.diff(slopes, axis=0).reshape(-1, size)
    gradient = np.array([np.bincount(cell, by[:, j], count) for j in range(size)]).T
    return observed, expected, gradient


def _slopes_at(
    likelihood: Likelihood, theta: np.ndarray, settings: Settings, ln_u: np.ndarray
) -> np.ndarray:
    """d ln u/d(theta) where ramps of each setting reach exposures: (parameters, ln u, settings)."""
    shape = (ln_u.size, settings.count)

    def each(column: np.ndarray) -> np.ndarray:
        return np.broadcast_to(column, shape).ravel()

    start = each(settings.columns["start_voltage_V"])
    rate = each(settings.columns["rate_V_per_s"])
    heat = settings.columns.get("temperature_K")
    heat = None if heat is None else each(heat)
    first = np.unique(settings.index, return_index=True)[1]
    guess = (
        each(likelihood.data.voltage[first]),
        each(likelihood.exposures(theta)[0][0][first]),
    )
    target = np.repeat(ln_u, settings.count)
    top = voltage_of_exposure(likelihood, theta, target, start, rate, heat, guess)
    slopes = likelihood.on(ramps_to(top, start, rate, heat)).exposures(theta, 1)[0][1]
    return slopes.reshape(-1, *shape)
