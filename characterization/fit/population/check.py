"""Does a fitted population describe the data? Tests by parametric cluster bootstrap.

Whole devices are drawn anew from the fit, their outcomes simulated on the same plan, and the model
refitted: the p-value allows for the spread, for devices as clusters and for the fitted parameters.
So no family is rejected for a spread it was not given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.start import bounds
from characterization.fit.population.climb import climb
from characterization.fit.population.fit import PopulationFit
from characterization.fit.population.population import population
from characterization.fit.population.simulate import own_theta, simulate

_MOST_CONDITIONS = 40
_BINS = 10
_EDGES = -np.log1p(-np.arange(1, _BINS) / _BINS)
"""Cumulative hazards that cut a unit exponential into equal shares."""
_RARE = 0.02


@dataclass(frozen=True)
class Check:
    """One test: its statistic and bootstrap p-value (None where no refit succeeded)."""

    name: str
    statistic: float
    p_value: float | None
    note: str


def check_population(
    fit: PopulationFit,
    generator: np.random.Generator,
    *,
    refits: int = 100,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Check, ...]:
    """Chi-square over conditions, devices pooled, and within devices; p-values by refits.

    Raises ValueError for data that ``simulate`` cannot draw.
    """
    likelihood = fit.likelihood
    observed = _statistics(likelihood, fit, fit.phi)
    p = fit.theta.size
    box = bounds(likelihood.data, likelihood.names)
    held = ~np.isfinite(np.diag(fit.covariance))[:p]
    lowest = fit.effects.box[0]
    drawn = []
    start = np.concatenate([fit.theta, np.maximum(fit.psi, lowest)])
    for i in range(refits):
        progress(f"goodness of fit: refit {i + 1} of {refits}")
        copy = likelihood.on(simulate(likelihood, fit.effects, fit.theta, fit.psi, generator))
        again = climb(copy, fit.effects, start, box, held)
        if again.best.converged:
            drawn.append(_statistics(copy, fit, again.best.theta))
    table = np.array(drawn).reshape(-1, 2)
    note = f"p-value from {len(drawn)} data sets of new devices, simulated and refitted" + (
        f" ({refits - len(drawn)} refits did not converge)" if len(drawn) < refits else ""
    )
    names = (
        "goodness of fit: chi-square over conditions, devices pooled",
        "goodness of fit: chi-square within devices",
    )
    return tuple(
        Check(
            name,
            float(observed[i]),
            None
            if not drawn
            else float((1 + np.sum(table[:, i] >= observed[i])) / (1 + len(drawn))),
            note,
        )
        for i, name in enumerate(names)
    )


def _statistics(likelihood: Likelihood, fit: PopulationFit, phi: np.ndarray) -> np.ndarray:
    """Chi-squares of observed against expected outcomes at each device's posterior mean."""
    data = likelihood.data
    p = len(likelihood.names)
    b = np.zeros((2, int(data.device.max()) + 1))
    if fit.effects.dimension:
        people = population(likelihood, fit.effects, 7)
        b[:, people.devices] = people.posterior(phi).mean
    own = own_theta(likelihood, phi[:p], b)
    seen, expected, variance, condition = (
        _exact_counts(likelihood, own)
        if np.any(data.exact > 0)
        else _counts(likelihood, own, phi[:p])
    )
    return np.array(
        [
            _chi_square(condition, seen, expected, variance),
            _chi_square(np.arange(seen.size), seen, expected, variance),
        ]
    )


def _chi_square(
    group: np.ndarray, seen: np.ndarray, expected: np.ndarray, variance: np.ndarray
) -> float:
    difference = np.bincount(group, seen - expected)
    # A floor keeps one outcome against near-certainty from being all of the sum.
    return float(np.sum(difference**2 / (np.bincount(group, variance) + _RARE)))


def _counts(
    likelihood: Likelihood, own: list[np.ndarray | float], theta: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Switched per segment, its mean and variance given how many began it, and its condition."""
    data = likelihood.data
    low, high = likelihood.hazard(own)
    floor, lapse = likelihood.share("floor", theta), likelihood.share("lapse", theta)
    chance = floor - (1 - floor - lapse) * np.expm1(low - high)
    began = data.history.T @ data.trials if data.chained else data.trials
    columns = [data.voltage, data.start, data.duration]
    columns += [] if data.temperature is None else [data.temperature]
    _, condition = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    condition = condition.ravel()
    if condition.max() >= _MOST_CONDITIONS:
        rank = np.argsort(np.argsort(chance, kind="stable"), kind="stable")
        condition = rank * _MOST_CONDITIONS // rank.size
    return data.switched, began * chance, began * chance * (1 - chance), condition


def _exact_counts(
    likelihood: Likelihood, own: list[np.ndarray | float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Events in bins of cumulative hazard, per device, against the hazard at risk there."""
    data = likelihood.data
    hazard = likelihood.hazard(own)[1]
    edges = np.concatenate([[0.0], _EDGES, [np.inf]])
    size = int(data.device.max()) + 1
    seen, expected = [], []
    for low, high in pairwise(edges.tolist()):
        inside = (hazard > low) & (hazard <= high)
        seen.append(np.bincount(data.device, data.exact * inside, size))
        risk = np.clip(np.minimum(hazard, high) - low, 0.0, None)
        expected.append(np.bincount(data.device, data.trials * risk, size))
    wanted = np.concatenate(expected)
    return np.concatenate(seen), wanted, wanted, np.repeat(np.arange(_BINS), size)
