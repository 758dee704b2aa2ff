"""Tests of grouped outcomes: pulses, trains, staircases, waits known to intervals."""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy
from scipy.stats import chi2

from characterization.fit.goodness.bootstrap import (
    Progress,
    affordable,
    bootstrap,
    refit,
)
from characterization.fit.goodness.result import Test
from characterization.fit.goodness.risk import at_risk, sequential
from characterization.fit.goodness.settings import grouped, snapped
from characterization.fit.goodness.simulate import simulator
from characterization.fit.inference.candidate import Candidate
from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.maximise import Maximum
from characterization.fit.observations.base import Observations

SMALLEST_EXPECTED = 5.0
_SATURATED = 1e-6
_SPARSE = 2.0
"""Expected rarer outcomes per group below which the deviance hardly sees the law's form."""
_MOST_STRATA = 20
_MOST_VOLTAGES = 60


def grouped_tests(
    candidate: Candidate,
    generator: np.random.Generator,
    *,
    replicates: int,
    budget_s: float,
    progress: Progress | None = None,
) -> tuple[Test, ...]:
    """Pearson's chi-square over pooled groups and the deviance over all, the better one last.

    In chains a group is a segment and its trials are those at risk.
    """
    cut, lost = sequential(candidate.likelihood.data)
    likelihood = candidate.likelihood.on(cut)
    theta = candidate.maximum
    if cut.kind == "waits":
        # The cut data may hold less than the intervals did: they are judged by their own maximum.
        theta = refit(candidate, likelihood).theta
    risk, fitted = at_risk(cut), likelihood.probability(theta)
    partition = _pooled_cells(likelihood, risk, fitted)
    statistics = (
        _pearson(likelihood, theta, partition),
        float(_deviances(likelihood, theta).sum()),
    )
    groups, cells = int(np.sum(risk > 0)), int(partition.max()) + 1
    told = f"{groups} groups"
    if lost:
        told += f" ({lost:g} outcomes last seen before the first common inspection are left out)"
    names = ("goodness of fit: Pearson chi-square", "goodness of fit: deviance")
    pooled = (
        f"{told} pooled to {cells} with at least {SMALLEST_EXPECTED:g} outcomes of each sort "
        "expected"
    )
    if groups <= candidate.count or statistics[1] < _SATURATED:
        note = f"{told}, which the law fits by construction"
        if cut.kind == "waits":
            note += " (cells between inspections that no row's interval straddles)"
        return tuple(Test(n, x, None, note) for n, x in zip(names, statistics, strict=True))
    count = affordable(likelihood, replicates, budget_s)
    if not count:
        return _approximated(names, statistics, (pooled, told), cells - candidate.count)
    draw = simulator(likelihood, theta)
    tree = draw(np.random.default_rng(0))  # with the segments of every replicate
    cell_of = _carried(partition, tree.parent)
    labels, voltage_of = _voltages(tree)

    def all_of(drawn: Likelihood, best: Maximum) -> np.ndarray:
        misfit = _deviances(drawn, best.theta)
        parts = np.bincount(voltage_of, misfit) if labels else np.empty(0)
        return np.array([_pearson(drawn, best.theta, cell_of), misfit.sum(), *parts])

    found = bootstrap(candidate, draw, all_of, generator, replicates=count, progress=progress)
    worst = ""
    if labels:
        parts = np.bincount(voltage_of[: risk.size], _deviances(likelihood, theta), len(labels))
        worst = found.worst(parts, labels, 2)
    tests = [
        Test(name, statistic, found.p_value(statistic, i), f"{text}; {found.note}{worst}")
        for i, (name, statistic, text) in enumerate(
            zip(names, statistics, (pooled, told), strict=True)
        )
    ]
    if cells <= candidate.count:
        tests[0] = Test(names[0], statistics[0], None, f"{pooled}: too few to test the law")
    elif np.sum(risk * np.minimum(fitted, 1 - fitted)) < _SPARSE * groups:
        tests.reverse()
    return tuple(tests)


def _approximated(
    names: tuple[str, str], statistics: tuple[float, float], texts: tuple[str, str], degrees: int
) -> tuple[Test, ...]:
    """The tests without simulation."""
    why = "as simulated data sets would take too long"
    if degrees <= 0:
        pearson = Test(names[0], statistics[0], None, f"{texts[0]}: too few to test the law")
    else:
        pearson = Test(
            names[0],
            statistics[0],
            float(chi2.sf(statistics[0], degrees)),
            f"{texts[0]}, {degrees} degrees of freedom; chi-square approximation, {why}",
        )
    return (Test(names[1], statistics[1], None, f"{texts[1]}; no p-value, {why}"), pearson)


def deviance(switched: np.ndarray, trials: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """Each group's share of -2 ln(likelihood ratio) against its own fraction."""
    rest = trials - switched
    p = np.clip(fitted, 1e-300, 1 - 1e-16)
    n = np.maximum(trials, 1e-300)
    full = xlogy(switched, switched / n) + xlogy(rest, rest / n)
    return np.asarray(2 * (full - xlogy(switched, p) - xlogy(rest, 1 - p)))


def _deviances(likelihood: Likelihood, theta: np.ndarray) -> np.ndarray:
    data = likelihood.data
    return deviance(data.switched, at_risk(data), likelihood.probability(theta))


def _voltages(data: Observations) -> tuple[tuple[str, ...], np.ndarray]:
    """Labels of the voltages and each segment's; none of staircases, which pass them all."""
    settings = grouped({"voltage": data.voltage})
    if data.kind == "ramps" or settings.count > _MOST_VOLTAGES:
        return (), settings.index
    return tuple(f"{v:g} V" for v in settings.columns["voltage"]), settings.index


def _pearson(likelihood: Likelihood, theta: np.ndarray, partition: np.ndarray) -> float:
    data = likelihood.data
    risk, p = at_risk(data), likelihood.probability(theta)
    inside = partition >= 0
    cell = partition[inside]
    gap = np.bincount(cell, (data.switched - risk * p)[inside])
    variance = np.bincount(cell, (risk * p * (1 - p))[inside])
    # Nobody at risk, or all certain: a cell that says nothing, unless what cannot be happened.
    return float(np.sum(gap**2 / np.maximum(variance, 1e-12)))


def _pooled_cells(likelihood: Likelihood, risk: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """The cell of each segment: alike in fitted P (in chains: of one dwell time as well).

    Each cell expects at least ``SMALLEST_EXPECTED`` outcomes of each sort, unless all together
    do not.
    """
    data = likelihood.data
    stratum = np.zeros(risk.size, int)
    if data.chained:
        columns = {"width": data.duration}
        if data.temperature is not None:
            columns["temperature"] = data.temperature
        settings = grouped(columns)
        stratum = settings.index if settings.count <= _MOST_STRATA else stratum
    expected = np.array([risk * fitted, risk * (1 - fitted)])
    partition = np.full(risk.size, -1)
    current, made = np.zeros(2), 0
    previous = -1
    members: list[int] = []
    alike = snapped(fitted)  # rounding must not order what is equal
    for i in np.lexsort((alike, stratum)).tolist():
        if stratum[i] != previous:
            if made and members and previous >= 0 and np.any(partition[stratum == previous] >= 0):
                partition[members] = made - 1
                current, members = np.zeros(2), []
            previous = int(stratum[i])
        current = current + expected[:, i]
        members.append(i)
        if current.min() >= SMALLEST_EXPECTED:
            partition[members] = made
            made += 1
            current, members = np.zeros(2), []
    if members:
        partition[members] = max(made - 1, 0)
    return partition


def _carried(partition: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """The partition with the segments that simulation appends in the cell they follow."""
    result = np.concatenate([partition, np.full(parent.size - partition.size, -1)])
    for i in range(partition.size, parent.size):
        result[i] = result[parent[i]]
    return result
