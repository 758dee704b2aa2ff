"""Where a law misses: observed and expected switches of every condition, as a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import xlogy

from characterization.fit.goodness.grouped import deviance
from characterization.fit.goodness.risk import at_risk, sequential
from characterization.fit.goodness.settings import grouped, settings_of
from characterization.fit.inference.candidate import Candidate
from characterization.fit.inference.likelihood import Likelihood

MOST_ROWS = 200
SMALLEST_EXPECTED = 5.0


@dataclass(frozen=True)
class Residual:
    """One condition, or ``conditions`` neighbouring ones with their mean voltage.

    ``voltage_V`` is None for smooth ramps, ``width_s`` (a pulse's, or a step's dwell) for waits
    and smooth ramps, ``rate_V_per_s`` for all but these, ``temperature_K`` where unknown.
    ``trials`` are outcomes at risk (waits and smooth ramps: fresh starts), ``expected`` the law's
    switches (exact times: its cumulative hazard at risk), ``pearson`` their difference in standard
    deviations, and ``share_of_deviance`` the part of the whole misfit.
    """

    voltage_V: float | None
    width_s: float | None
    rate_V_per_s: float | None
    temperature_K: float | None
    conditions: int
    trials: float
    observed: float
    expected: float
    pearson: float
    share_of_deviance: float


def residual_rows(candidate: Candidate) -> list[dict[str, Any]]:
    """The table as rows for fit.json."""
    return [asdict(row) for row in residual_table(candidate)]


def residual_table(candidate: Candidate) -> tuple[Residual, ...]:
    """One row per condition, sorted by temperature, width or rate, and voltage.

    More than ``MOST_ROWS`` conditions are joined with their neighbours in voltage until at most
    that many are left and each expects five outcomes of each sort where it can. Interval-censored
    waits are counted in the cells between common inspections, a voltage at a time.
    """
    data = candidate.likelihood.data
    exact = bool(np.any(data.exact > 0))
    likelihood = candidate.likelihood if exact else candidate.likelihood.on(sequential(data)[0])
    columns = _columns(likelihood)
    settings = grouped(columns)
    sums = np.array(
        [
            np.bincount(settings.index, part, settings.count)
            for part in _parts(likelihood, candidate.theta, exact)
        ]
    )
    used = np.flatnonzero(sums[0] > 0)
    sums = sums[:, used]
    values = {name: column[used] for name, column in settings.columns.items()}
    other = [c for name, c in values.items() if name != "voltage_V"]
    stratum = np.zeros(used.size, int)
    if other:
        stratum = np.unique(np.array(other), axis=1, return_inverse=True)[1].ravel()
    cell = np.arange(used.size)
    if used.size > MOST_ROWS and "voltage_V" in values:
        cell = _neighbours(sums, stratum, values["voltage_V"])
    return _rows(cell, sums, values)


def _columns(likelihood: Likelihood) -> dict[str, np.ndarray]:
    data = likelihood.data
    if data.kind == "ramps" and not data.chained and data.ramped.size:
        found = settings_of(data)
        columns = {
            name: column[found.index]
            for name, column in found.columns.items()
            if name != "start_voltage_V"
        }
        order = ("temperature_K", "rate_V_per_s")
    else:
        columns = {"voltage_V": data.voltage}
        if data.kind != "waits":
            columns["width_s"] = data.duration
        if data.temperature is not None:
            columns["temperature_K"] = data.temperature
        order = ("temperature_K", "width_s", "voltage_V")  # type: ignore[assignment]
    return {name: columns[name] for name in order if name in columns}


def _parts(likelihood: Likelihood, theta: np.ndarray, exact: bool) -> tuple[np.ndarray, ...]:
    """Per segment: trials, observed, expected, variance, deviance."""
    data = likelihood.data
    if exact:
        before, after = likelihood.hazard(theta)
        risk = at_risk(data)
        ended = data.trials
        expected = ended * after if not data.chained else risk * (after - before)
        return ended, data.switched, expected, expected, np.zeros_like(expected)
    risk, p = at_risk(data), likelihood.probability(theta)
    starts = risk if data.kind != "waits" else np.where(data.parent < 0, risk, 0.0)
    return (
        starts,
        data.switched,
        risk * p,
        risk * p * (1 - p),
        deviance(data.switched, risk, p),
    )


def _neighbours(sums: np.ndarray, stratum: np.ndarray, voltage: np.ndarray) -> np.ndarray:
    """Cells of neighbouring voltages of one stratum."""
    trials, _, expected = sums[:3]
    least = trials.sum() / MOST_ROWS
    cell = np.empty(trials.size, int)
    made, both, size = 0, np.zeros(2), 0.0
    previous = -1
    for i in np.lexsort((voltage, stratum)).tolist():
        full = size >= least and both.min() >= SMALLEST_EXPECTED
        if previous >= 0 and (full or stratum[i] != previous):
            made, both, size = made + 1, np.zeros(2), 0.0
        previous = int(stratum[i])
        cell[i] = made
        both += (expected[i], trials[i] - expected[i])
        size += trials[i]
    return cell


def _rows(
    cell: np.ndarray, sums: np.ndarray, values: dict[str, np.ndarray]
) -> tuple[Residual, ...]:
    trials, observed, expected, variance, misfit = (np.bincount(cell, part) for part in sums)
    if not np.any(misfit):  # events against a cumulative hazard: the Poisson form
        mean = np.maximum(expected, 1e-300)
        misfit = 2 * (xlogy(observed, observed / mean) - (observed - expected))
    share = misfit / misfit.sum() if misfit.sum() > 0 else np.zeros_like(misfit)
    pearson = (observed - expected) / np.sqrt(np.maximum(variance, 1e-12))
    members = np.bincount(cell)
    middle = {name: np.bincount(cell, sums[0] * column) / trials for name, column in values.items()}
    first = np.unique(cell, return_index=True)[1]

    def value(name: str, i: int) -> float | None:
        if name not in values:
            return None
        return float(values[name][first[i]] if members[i] == 1 else middle[name][i])

    return tuple(
        Residual(
            value("voltage_V", i),
            value("width_s", i),
            value("rate_V_per_s", i),
            value("temperature_K", i),
            int(members[i]),
            float(trials[i]),
            float(observed[i]),
            float(expected[i]),
            float(pearson[i]),
            float(share[i]),
        )
        for i in range(trials.size)
    )
