"""Histories of every kind drawn from a known law, for the tests of goodness of fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from characterization.fit.goodness.tests import (
    tests_of as goodness_tests,  # not one of pytest's
)
from characterization.fit.inference.candidate import Candidate, covariance, fit_candidate
from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.maximise import maximise
from characterization.fit.inference.start import bounds
from characterization.fit.observations.base import Observations, Step, chains, single
from devices.accelerations import ACCELERATIONS
from devices.families import FAMILIES

V0, TAU_3V = 0.156, 1.3e-3


THETA = np.log([TAU_3V, V0])


SETS, REPLICATES = 40, 5


def tau(voltage: np.ndarray) -> np.ndarray:
    return TAU_3V * np.exp(-(voltage - 3.0) / V0)


def pulses(seed: int, shape: float = 1.0) -> Observations:
    random = np.random.default_rng([1, seed])
    voltage, width = np.tile(np.linspace(2.7, 3.3, 5), 2), np.repeat([1e-4, 3e-3], 5)
    switched = random.binomial(30, -np.expm1(-((width / tau(voltage)) ** shape)))
    return single("pulses", voltage, width, within=switched, waiting=30 - switched)


def waits(seed: int, shape: float = 1.0, rows: int = 40) -> Observations:
    """Censored at random times, and at 2 ms."""
    random = np.random.default_rng([2, seed])
    voltage = np.repeat([2.8, 3.0, 3.2], rows)
    time = tau(voltage) * random.weibull(shape, voltage.size)
    limit = np.minimum(2e-3, tau(voltage) * random.exponential(3.0, voltage.size))
    switched = (time < limit).astype(float)
    return single("waits", voltage, np.minimum(time, limit), exact=switched, waiting=1 - switched)


def ramps(seed: int, shape: float = 1.0, rows: int = 25, limit: float = 2.65) -> Observations:
    """Smooth from 0 V at three rates up to a limit; V_set from the exposure in closed form."""
    random = np.random.default_rng([3, seed])
    rate = np.repeat([0.1, 1.0, 10.0], rows)
    exposure = random.weibull(shape, rate.size)
    voltage = 3 + V0 * np.log(exposure * rate * TAU_3V / V0 + np.exp(-3 / V0))
    switched = (voltage < limit).astype(float)
    voltage = np.minimum(voltage, limit)
    return single(
        "ramps",
        voltage,
        voltage / rate,
        exact=switched,
        waiting=1 - switched,
        start=np.zeros(voltage.size),
    )


def staircases(seed: int, shape: float = 1.0, rows: int = 30) -> Observations:
    """Steps of 0.1 V with two dwell times, until all switched: no limit."""
    random = np.random.default_rng([4, seed])
    dwell = np.repeat([1e-3, 1e-1], rows)
    levels = 0.1 * np.arange(15, 45)
    exposure = np.cumsum(dwell[:, None] / tau(levels), axis=1)
    last = (exposure < random.weibull(shape, dwell.size)[:, None]).sum(axis=1)
    steps = [Step(np.full(dwell.size, v), dwell, i <= last) for i, v in enumerate(levels)]
    return chains("ramps", steps, np.ones(dwell.size, int))


def inspections(seed: int, shape: float = 1.0, rows: int = 40) -> Observations:
    """Waits known between inspections at 0.03, 0.1, 0.3, 1, 3 and 10 ms."""
    random = np.random.default_rng([5, seed])
    voltage = np.repeat([2.8, 3.0, 3.2], rows)
    time = tau(voltage) * random.weibull(shape, voltage.size)
    grid = np.array([0.0, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, np.inf])
    place = np.searchsorted(grid, time)
    return intervals(voltage, grid[place - 1], grid[place])


def intervals(voltage: np.ndarray, low: np.ndarray, high: np.ndarray) -> Observations:
    still, late = np.isinf(high), low > 0
    steps = [
        Step(voltage, np.where(late, low, 1.0), late),
        Step(voltage, np.where(still, 1.0, high - low), ~still),
    ]
    return chains("waits", steps, np.where(still, 0, 1))


def trains(seed: int, shape: float = 1.0, rows: int = 40) -> Observations:
    """Trains of at most 4 or 8 equal pulses."""
    random = np.random.default_rng([6, seed])
    voltage = np.repeat([2.8, 3.0, 3.2], rows)
    width = 3e-4
    last = np.floor(random.weibull(shape, voltage.size) * tau(voltage) / width).astype(int)
    stop = np.tile([3, 7], voltage.size // 2)
    steps = [
        Step(voltage, np.full(voltage.size, width), i <= np.minimum(last, stop)) for i in range(8)
    ]
    return chains("pulses", steps, (last <= stop).astype(int))


KINDS: dict[str, Callable[..., Observations]] = {
    "pulses": pulses,
    "waits": waits,
    "ramps": ramps,
    "staircases": staircases,
    "inspections": inspections,
    "trains": trains,
}


def fit(data: Observations, family: str = "exponential", **options: bool) -> Candidate:
    return fit_candidate(
        data,
        FAMILIES[family],
        ACCELERATIONS["exp(-V/V0)"],
        where="x",
        intervals=False,
        **options,
    )


def quick_fit(data: Observations) -> Candidate:
    """An exponential law climbed to from the truth, which is fast."""
    likelihood = Likelihood(data, FAMILIES["exponential"], ACCELERATIONS["exp(-V/V0)"], 3.0)
    best = maximise(likelihood.evaluate, THETA, *bounds(data, likelihood.names))
    assert best.converged
    where = (best.theta, best.theta, best.value, best.free, covariance(best))
    return Candidate(likelihood, *where, ((None, None),) * 2, (), (), {}, best.evaluations)


def p_values(data: Observations, seed: int, replicates: int = REPLICATES) -> list[float]:
    """By name of the test, whatever their order."""
    found = goodness_tests(
        quick_fit(data), np.random.default_rng(seed), replicates=replicates, budget_s=1e9
    )
    assert all(test.p_value is not None for test in found)
    return [float(test.p_value or 0.0) for test in sorted(found, key=lambda t: t.name)]
