"""The points a reader wants to see beside the law: observed fractions, Kaplan-Meier curves."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import beta

from characterization.fit.inference.candidate import Candidate
from characterization.fit.observations.base import Pulses, Waits

MOST_POINTS = 2000
"""Points kept of Kaplan-Meier curves, over all voltages."""


def pulse_points(candidate: Candidate) -> dict[str, Any]:
    """Observed counts, fitted probability and the 95 % interval of each observed fraction."""
    data = candidate.likelihood.data
    assert isinstance(data, Pulses)
    low, high = binomial_interval(data.switched, data.trials)
    return {
        "voltage_V": data.voltage.tolist(),
        "width_s": data.width.tolist(),
        "trials": data.trials.astype(int).tolist(),
        "switched": data.switched.astype(int).tolist(),
        "probability": candidate.likelihood.probability(candidate.theta).tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
    }


def wait_points(candidate: Candidate) -> dict[str, Any]:
    """Kaplan-Meier survival and the law's, at the events of each voltage (at most 2,000)."""
    data = candidate.likelihood.data
    assert isinstance(data, Waits)
    voltages = np.unique(data.voltage)
    most = max(2, MOST_POINTS // voltages.size)
    columns: dict[str, list[float]] = {
        name: [] for name in ("voltage_V", "wait_time_s", "survival_observed", "survival_fitted")
    }
    for voltage in voltages:
        time, survival = kaplan_meier(data, float(voltage))
        if time.size > most:
            kept = np.unique(np.linspace(0, time.size - 1, most).astype(int))
            time, survival = time[kept], survival[kept]
        columns["voltage_V"] += [float(voltage)] * time.size
        columns["wait_time_s"] += time.tolist()
        columns["survival_observed"] += survival.tolist()
        columns["survival_fitted"] += survival_of(candidate, float(voltage), time).tolist()
    return columns


def survival_of(candidate: Candidate, voltage: float, time: np.ndarray) -> np.ndarray:
    """The fitted 1 - F at a voltage (V) and times (s)."""
    law, theta = candidate.likelihood, candidate.theta
    ln_tau = law.acceleration.evaluate(np.array([voltage]), law.reference, theta[0], theta[1])
    terms = law.family.hazard_terms(np.log(time) - ln_tau, law.ln_shape(theta))
    return np.asarray(np.exp(-terms["H"]))


def kaplan_meier(data: Waits, voltage: float) -> tuple[np.ndarray, np.ndarray]:
    """Event times (s) and the share still waiting after each (Kaplan and Meier, 1958)."""
    here = data.voltage == voltage
    time, weight = data.time[here], data.weight[here]
    unique, index = np.unique(time, return_inverse=True)
    events = np.bincount(index, weight * data.switched[here])
    leaving = np.bincount(index, weight)
    at_risk = weight.sum() - np.concatenate([[0.0], np.cumsum(leaving)[:-1]])
    survival = np.cumprod(1 - events / at_risk)
    return unique[events > 0], survival[events > 0]


def binomial_interval(switched: np.ndarray, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Exact 95 % interval of a fraction (Clopper and Pearson, Biometrika 26, 404, 1934)."""
    low = np.where(
        switched > 0, beta.ppf(0.025, np.maximum(switched, 0.5), trials - switched + 1), 0.0
    )
    high = np.where(
        switched < trials, beta.ppf(0.975, switched + 1, np.maximum(trials - switched, 0.5)), 1.0
    )
    return low, high
