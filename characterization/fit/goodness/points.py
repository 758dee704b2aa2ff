"""The points a reader wants to see beside the law: observed fractions, Kaplan-Meier curves."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import beta

from characterization.fit.goodness.risk import at_risk, merged, spans
from characterization.fit.goodness.settings import Settings, grouped, settings_of, snapped
from characterization.fit.goodness.survival import product_limit, turnbull
from characterization.fit.inference.candidate import Candidate
from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.observations.base import Observations

MOST_POINTS = 2000
"""Points kept of curves, over all voltages or rates."""


def points_of(candidate: Candidate) -> dict[str, Any]:
    """The points of the kind of data: see the functions below."""
    kind = candidate.likelihood.data.kind
    return {"pulses": pulse_points, "waits": wait_points, "ramps": ramp_points}[kind](candidate)


def pulse_points(candidate: Candidate) -> dict[str, Any]:
    """Observed counts, fitted probability and the 95 % interval of each observed fraction.

    Of trains: pulses that began unswitched, by their place in the train (``depth``, from 1).
    """
    data = candidate.likelihood.data
    data = merged(data) if data.chained else data
    risk = at_risk(data)
    low, high = binomial_interval(data.switched, risk)
    columns: dict[str, Any] = {
        "voltage_V": data.voltage.tolist(),
        "width_s": data.duration.tolist(),
        "trials": risk.astype(int).tolist(),
        "switched": data.switched.astype(int).tolist(),
        "probability": candidate.likelihood.on(data).probability(candidate.theta).tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
    }
    if data.chained:
        columns["depth"] = np.diff(data.history.indptr).tolist()
    if data.temperature is not None:
        columns["temperature_K"] = data.temperature.tolist()
    return columns


def wait_points(candidate: Candidate) -> dict[str, Any]:
    """The observed share still waiting and the law's, per voltage (and temperature).

    Kaplan-Meier at the events; waits known to intervals by Turnbull's estimate, at the upper ends
    of the smallest intersections of the intervals. At most 2,000 points.
    """
    data = candidate.likelihood.data
    settings = _wait_settings(data)
    names = [*settings.columns, "wait_time_s", "survival_observed", "survival_fitted"]
    columns: dict[str, list[float]] = {name: [] for name in names}
    most = max(2, MOST_POINTS // settings.count)
    for setting in range(settings.count):
        where = {name: float(column[setting]) for name, column in settings.columns.items()}
        time, share = _waiting(data, np.flatnonzero(settings.index == setting))
        time, share = _thinned(time, share, most)
        for name, value in where.items():
            columns[name] += [value] * time.size
        columns["wait_time_s"] += time.tolist()
        columns["survival_observed"] += share.tolist()
        fitted = survival_of(candidate, where["voltage_V"], time, where.get("temperature_K"))
        columns["survival_fitted"] += fitted.tolist()
    return columns


def ramp_points(candidate: Candidate) -> dict[str, Any]:
    """The distribution of the SET (or RESET) voltage, observed and the law's, per rate.

    Smooth ramps: 1 - Kaplan-Meier at the events; staircases: the product of the shares that
    stayed, at each level where any switched. At most 2,000 points.
    """
    data = candidate.likelihood.data
    table = _staircase(candidate) if data.chained or not data.ramped.size else _smooth(candidate)
    most = max(2, MOST_POINTS // max(1, len(table)))
    names = ("rate_V_per_s", "start_voltage_V", "temperature_K")
    columns: dict[str, list[float | None]] = {
        name: [] for name in (*names, "set_voltage_V", "switched_observed", "switched_fitted")
    }
    for where, voltage, observed, fitted in table:
        kept = _spread(voltage.size, most)
        for name, value in zip(names, where, strict=True):
            columns[name] += [value] * kept.size
        columns["set_voltage_V"] += voltage[kept].tolist()
        columns["switched_observed"] += observed[kept].tolist()
        columns["switched_fitted"] += fitted[kept].tolist()
    if data.temperature is None:
        del columns["temperature_K"]
    return columns


def survival_of(
    candidate: Candidate, voltage: float, time: np.ndarray, temperature: float | None = None
) -> np.ndarray:
    """The fitted 1 - F at a voltage (V), times (s) and a temperature (K; None: the reference)."""
    law, theta = candidate.likelihood, candidate.theta
    heat = np.array([law.reference_temperature if temperature is None else temperature])
    ln_tau = law.ln_tau(theta, np.array([voltage]), heat)[0]
    terms = law.family.hazard_terms(np.log(time) - ln_tau, law.ln_shape(theta), 0)
    return np.asarray(np.exp(-terms[""]))


def kaplan_meier(
    data: Observations, voltage: float, temperature: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Times (s) of exact events at a voltage (V) and the share still waiting after each.

    With ``temperature`` (K) only the outcomes at that temperature.
    """
    here = data.voltage == voltage
    if temperature is not None and data.temperature is not None:
        here = here & (data.temperature == temperature)
    return product_limit(data.duration[here], data.switched[here], data.trials[here])


def binomial_interval(switched: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exact 95 % interval of a fraction (Clopper and Pearson, Biometrika 26, 404, 1934)."""
    low = np.where(
        switched > 0, beta.ppf(0.025, np.maximum(switched, 0.5), trials - switched + 1), 0.0
    )
    high = np.where(
        switched < trials, beta.ppf(0.975, switched + 1, np.maximum(trials - switched, 0.5)), 1.0
    )
    return low, high


Curve = tuple[tuple[float | None, float | None, float | None], np.ndarray, np.ndarray, np.ndarray]
"""(rate, start voltage, temperature), voltages, observed and fitted shares switched."""


def _wait_settings(data: Observations) -> Settings:
    if not data.chained:
        return settings_of(data)
    columns = {"voltage_V": data.voltage}
    if data.temperature is not None:
        columns["temperature_K"] = data.temperature
    return grouped(columns)


def _waiting(data: Observations, here: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The observed share still waiting at one setting."""
    if np.any(data.exact > 0):
        return product_limit(data.duration[here], data.switched[here], data.trials[here])
    begin, end = spans(data)
    begin = np.where(data.parent < 0, 0.0, begin)
    closed, open_ = here[data.within[here] > 0], here[data.waiting[here] > 0]
    if not closed.size:
        return np.empty(0), np.empty(0)
    # One inspection may read 0.3 as an end and 0.30000000000000004 as a beginning.
    times = snapped(np.concatenate([begin[closed], end[open_], end[closed]]))
    low, high = times[: closed.size + open_.size], times[closed.size + open_.size :]
    weight = np.concatenate([data.within[closed], data.waiting[open_]])
    return turnbull(low, np.append(high, np.full(open_.size, np.inf)), weight)


def _smooth(candidate: Candidate) -> list[Curve]:
    data = candidate.likelihood.data
    settings = settings_of(data)
    _, hazard = candidate.likelihood.hazard(candidate.theta)
    curves: list[Curve] = []
    for setting in range(settings.count):
        here = np.flatnonzero(settings.index == setting)
        voltage, share = product_limit(data.voltage[here], data.switched[here], data.trials[here])
        order = here[np.argsort(data.voltage[here], kind="stable")]
        fitted = -np.expm1(-hazard[order[np.searchsorted(data.voltage[order], voltage)]])
        where = tuple(
            float(settings.columns[name][setting]) if name in settings.columns else None
            for name in ("rate_V_per_s", "start_voltage_V", "temperature_K")
        )
        curves.append((where, voltage, 1 - share, fitted))  # type: ignore[arg-type]
    return curves


def _staircase(candidate: Candidate) -> list[Curve]:
    """One curve per fresh start; the rate is read off the first step, None without a second."""
    data = merged(candidate.likelihood.data)
    likelihood: Likelihood = candidate.likelihood.on(data)
    risk = at_risk(data)
    _, hazard = likelihood.hazard(candidate.theta)
    stayed = np.where(risk > 0, 1 - data.switched / np.maximum(risk, 1), 1.0)
    curves: list[Curve] = []
    with np.errstate(divide="ignore"):
        share = np.exp(np.asarray(data.history @ np.maximum(np.log(stayed), -1e3)))
    for root in np.flatnonzero(data.parent < 0).tolist():
        here = np.flatnonzero(data.root == root)
        second = here[data.parent[here] == root]
        rate = None
        if second.size:
            rise = data.voltage[second[0]] - data.voltage[root]
            rate = float(rise / data.duration[root]) if rise > 0 else None
        seen = here[data.switched[here] > 0]
        seen = seen[np.argsort(data.voltage[seen], kind="stable")]
        heat = None if data.temperature is None else float(data.temperature[root])
        where = (rate, float(data.voltage[root]), heat)
        curves.append((where, data.voltage[seen], 1 - share[seen], -np.expm1(-hazard[seen])))
    return curves


def _thinned(time: np.ndarray, share: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    kept = _spread(time.size, most)
    return time[kept], share[kept]


def _spread(size: int, most: int) -> np.ndarray:
    """At most ``most`` indices, evenly."""
    if size <= most:
        return np.arange(size)
    return np.unique(np.linspace(0, size - 1, most).astype(int))
