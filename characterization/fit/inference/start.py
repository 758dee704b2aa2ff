"""Where a fit starts, and the box it stays in: rough per-group times regressed on the voltage."""

from __future__ import annotations

import numpy as np

from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.maximise import maximise
from characterization.fit.observations.base import Observations
from devices.families import FAMILIES

_SHAPES = (0.02, 50.0)
_SHARES = (1e-7, 0.5)
_ENERGIES = (-2.0, 10.0)
"""eV; activation energies beyond are no measurement."""
STEEPEST = 60.0
"""e-folds of tau between neighbouring voltages, beyond which a law is as good as a step."""
FLATTEST = 100.0
"""V0 in spans of the voltages, beyond which switching does not depend on the voltage."""
_GRID = 9


def bounds(data: Observations, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper limits of theta."""
    voltages = np.unique(data.voltage[data.trials > 0])
    span = float(np.ptp(voltages)) if voltages.size > 1 else float(voltages[0])
    gap = float(np.diff(voltages).min()) if voltages.size > 1 else span
    if data.kind == "ramps":
        gap = span  # set voltages are outcomes, their gaps say nothing
    times = np.log(data.duration)
    reach = 100.0
    box = {
        "tau_ref": (times.min() - reach, times.max() + reach),
        "V0": (np.log(gap / STEEPEST), np.log(span * FLATTEST)),
        "Ea": _ENERGIES,
        "shape": (np.log(_SHAPES[0]), np.log(_SHAPES[1])),
        "floor": tuple(logit(np.array(_SHARES))),
        "lapse": tuple(logit(np.array(_SHARES))),
    }
    limits = np.array([box[name] for name in names])
    return limits[:, 0], limits[:, 1]


def information(data: Observations) -> tuple[np.ndarray, np.ndarray]:
    """Rough ln tau of each group and its weight (the Fisher information of ln tau)."""
    if not np.any(data.exact):
        trials = data.trials
        p = (data.switched + 0.5) / (trials + 1)
        u = -np.log1p(-p)
        # Information of one Bernoulli trial on ln u: u^2 e^-u / (1 - e^-u).
        return np.log(data.duration) - np.log(u), trials * u * u * (1 - p) / p
    voltages, index = np.unique(data.voltage, return_inverse=True)
    events = np.bincount(index, data.switched, voltages.size) + 0.5
    total = np.bincount(index, data.trials * data.duration, voltages.size)
    rows = np.bincount(index, minlength=voltages.size)
    return np.log(total / events)[index], (events / rows)[index]


def informative_voltage(data: Observations) -> float:
    """The voltage (V) of the data that holds most of the information."""
    if data.kind == "ramps":
        return float(np.average(data.voltage, weights=data.switched))
    _, weight = information(data)
    voltages, index = np.unique(data.voltage, return_inverse=True)
    return float(voltages[np.argmax(np.bincount(index, weight))])


def start(likelihood: Likelihood) -> np.ndarray:
    """theta to start from: an exponential law through rough times, without floor or lapse."""
    data, reference = likelihood.data, likelihood.reference
    if data.chained or data.kind == "ramps":
        ln_tau_ref, ln_v0 = _from_grid(likelihood)
    else:
        ln_tau_ref, ln_v0 = _from_regression(data, reference)
    values = {
        "tau_ref": ln_tau_ref,
        "V0": ln_v0,
        "Ea": 0.5,
        "shape": 0.0,
        "floor": float(logit(np.array(_lowest_fraction(data)))),
        "lapse": float(logit(np.array(1e-3))),
    }
    return np.array([values[name] for name in likelihood.names])


def logit(p: np.ndarray) -> np.ndarray:
    """ln(p/(1 - p))."""
    return np.log(p) - np.log1p(-p)


def _from_regression(data: Observations, reference: float) -> tuple[float, float]:
    ln_tau, weight = information(data)
    x = data.voltage - reference
    span = float(np.ptp(data.voltage))
    mean = np.average(x, weights=weight)
    spread = np.sum(weight * (x - mean) ** 2)
    if span == 0 or spread == 0:
        return float(np.average(ln_tau, weights=weight)), np.log(max(span, reference) / 10)
    slope = np.sum(weight * (x - mean) * ln_tau) / spread
    v0 = -1 / slope if slope < 0 else 10 * span
    return float(np.average(ln_tau, weights=weight) + mean / v0), float(np.log(v0))


def _from_grid(likelihood: Likelihood) -> tuple[float, float]:
    """The best of a coarse grid of V0, tau_ref fitted at each, under the exponential family."""
    data = likelihood.data
    plain = Likelihood(data, FAMILIES["exponential"], likelihood.acceleration, likelihood.reference)
    lower, upper = bounds(data, plain.names)
    grid = np.linspace(max(lower[1], upper[1] - 9.0), upper[1] - 2.5, _GRID)
    best, place = -np.inf, (float(np.median(np.log(data.duration))), float(grid[_GRID // 2]))
    ln_tau = place[0]
    for ln_v0 in grid[::-1]:
        found = maximise(
            plain.evaluate, np.array([ln_tau, ln_v0]), lower, upper, np.array([False, True])
        )
        if np.isfinite(found.value):
            ln_tau = float(found.theta[0])
            if found.value > best:
                best, place = found.value, (ln_tau, float(ln_v0))
    return place


def _lowest_fraction(data: Observations) -> float:
    """Half the switched fraction at the lowest voltage: what a floor may be at first."""
    lowest = data.voltage == data.voltage.min()
    fraction = data.switched[lowest].sum() / max(1.0, data.trials[lowest].sum())
    return float(np.clip(fraction / 2, 1e-4, 0.2))
