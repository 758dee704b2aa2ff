"""Where a fit starts, and the box it stays in: rough per-group times regressed on the voltage."""

from __future__ import annotations

import numpy as np

from characterization.fit.observations.base import Observations, Pulses

_SHAPES = (0.02, 50.0)
_FLOORS = (1e-7, 0.5)
STEEPEST = 60.0
"""e-folds of tau between neighbouring voltages, beyond which a law is as good as a step."""
FLATTEST = 100.0
"""V0 in spans of the voltages, beyond which switching does not depend on the voltage."""


def bounds(data: Observations, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper limits of theta."""
    voltages = np.unique(data.voltage)
    span, gap = float(np.ptp(voltages)), float(np.diff(voltages).min())
    times = np.log(data.duration)
    reach = 100.0
    box = {
        "tau_ref": (times.min() - reach, times.max() + reach),
        "V0": (np.log(gap / STEEPEST), np.log(span * FLATTEST)),
        "shape": (np.log(_SHAPES[0]), np.log(_SHAPES[1])),
        "floor": tuple(logit(np.array(_FLOORS))),
    }
    limits = np.array([box[name] for name in names])
    return limits[:, 0], limits[:, 1]


def information(data: Observations) -> tuple[np.ndarray, np.ndarray]:
    """Rough ln tau of each group and its weight (the Fisher information of ln tau)."""
    if isinstance(data, Pulses):
        p = (data.switched + 0.5) / (data.trials + 1)
        u = -np.log1p(-p)
        # Information of one Bernoulli trial on ln u: u^2 e^-u / (1 - e^-u).
        return np.log(data.width) - np.log(u), data.trials * u * u * (1 - p) / p
    voltages, index = np.unique(data.voltage, return_inverse=True)
    events = np.bincount(index, data.weight * data.switched, voltages.size) + 0.5
    total = np.bincount(index, data.weight * data.time, voltages.size)
    rows = np.bincount(index, minlength=voltages.size)
    return np.log(total / events)[index], (events / rows)[index]


def informative_voltage(data: Observations) -> float:
    """The voltage (V) of the data that holds most of the information."""
    _, weight = information(data)
    voltages, index = np.unique(data.voltage, return_inverse=True)
    return float(voltages[np.argmax(np.bincount(index, weight))])


def start(data: Observations, names: tuple[str, ...], reference: float) -> np.ndarray:
    """theta to start from: an exponential law through the rough times, without floor."""
    ln_tau, weight = information(data)
    x = data.voltage - reference
    mean = np.average(x, weights=weight)
    slope = np.sum(weight * (x - mean) * ln_tau) / np.sum(weight * (x - mean) ** 2)
    span = float(np.ptp(data.voltage))
    v0 = -1 / slope if slope < 0 else 10 * span
    ln_tau_ref = np.average(ln_tau, weights=weight) + mean / v0
    values = {
        "tau_ref": ln_tau_ref,
        "V0": np.log(v0),
        "shape": 0.0,
        "floor": float(logit(np.array(_lowest_fraction(data)))),
    }
    return np.array([values[name] for name in names])


def logit(p: np.ndarray) -> np.ndarray:
    """ln(p/(1 - p))."""
    return np.log(p) - np.log1p(-p)


def _lowest_fraction(data: Observations) -> float:
    """Half the switched fraction at the lowest voltage: what a floor may be at first."""
    if not isinstance(data, Pulses):
        return 0.01
    lowest = data.voltage == data.voltage.min()
    fraction = data.switched[lowest].sum() / data.trials[lowest].sum()
    return float(np.clip(fraction / 2, 1e-4, 0.2))
