"""Do 95 % intervals hold the truth 95 % of the time, and does ``auto`` find the true family?

For each kind of data a law is drawn from, fitted with profile intervals, and the share of
intervals that hold the truth is counted, parameter by parameter.
"""

from __future__ import annotations

import os
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.common import resumed
from characterization.fit.inference.candidate import Candidate, fit_candidate
from characterization.fit.observations.base import Observations, Step, chains, single
from devices.accelerations import ACCELERATIONS
from devices.families import FAMILIES
from formats.errors import InputError

E_MODEL = ACCELERATIONS["exp(-V/V0)"]
V0, TAU_3V = 0.156, 1.3e-3
"""The published law near 3 V (Knag et al. 2014, recalled)."""
SHAPE = 0.8
ROWS = 300
VERSION = "3"
FAMILY_TRUTHS = (
    ("exponential", 1.0),
    ("weibull", 0.6),
    ("weibull", 1.6),
    ("lognormal", 1.0),
    ("gamma", 0.5),
    ("gamma", 2.0),
)


def tau(voltage: np.ndarray) -> np.ndarray:
    """The true tau (s)."""
    return TAU_3V * np.exp(-(voltage - 3.0) / V0)


def thresholds(random: np.random.Generator, family: str, shape: float, count: int) -> np.ndarray:
    """Exposures at switching."""
    return FAMILIES[family].threshold(random.exponential(size=count), shape)


def pulses(seed: int, family: str, shape: float, trials: int = 60) -> Observations:
    """5 voltages x 3 widths of ``trials`` pulses each."""
    random = np.random.default_rng([1, seed])
    voltage = np.tile(np.linspace(2.7, 3.3, 5), 3)
    width = np.repeat([1e-4, 1e-3, 1e-2], 5)
    p = FAMILIES[family].probability(width / tau(voltage), shape)
    switched = random.binomial(trials, p).astype(float)
    return single("pulses", voltage, width, within=switched, waiting=trials - switched)


def waits(seed: int, family: str, shape: float, rows: int = ROWS) -> Observations:
    """3 voltages, right-censored at one time."""
    random = np.random.default_rng([2, seed])
    voltage = np.repeat([2.8, 3.0, 3.2], rows // 3)
    time = tau(voltage) * thresholds(random, family, shape, voltage.size)
    limit = 4e-3
    exact = (time < limit).astype(float)
    return single("waits", voltage, np.minimum(time, limit), exact=exact, waiting=1 - exact)


def intervals(seed: int, family: str, shape: float, rows: int = ROWS) -> Observations:
    """The same waits, looked at 4 times a decade only."""
    random = np.random.default_rng([3, seed])
    voltage = np.repeat([2.8, 3.0, 3.2], rows // 3)
    time = tau(voltage) * thresholds(random, family, shape, voltage.size)
    looks = np.concatenate([[0.0], np.geomspace(1e-5, 1e-2, 13)])
    place = np.searchsorted(looks, time) - 1
    over = place >= looks.size - 1
    low = looks[np.minimum(place, looks.size - 1)]
    high = np.where(over, np.inf, looks[np.minimum(place + 1, looks.size - 1)])
    steps = [
        Step(voltage, np.where(low > 0, low, 1.0), low > 0),
        Step(voltage, np.where(over, 1.0, high - low), ~over),
    ]
    return chains("waits", steps, np.where(over, 0, 1))


def ramps(seed: int, family: str, shape: float, rows: int = ROWS) -> Observations:
    """Three ramp rates from 0 V; those that reach 3.2 V without switching are censored."""
    random = np.random.default_rng([4, seed])
    rate = np.repeat([1.0, 10.0, 100.0], rows // 3)
    u = thresholds(random, family, shape, rate.size)
    tau0 = TAU_3V * np.exp(3.0 / V0)
    top = V0 * np.log1p(u * rate * tau0 / V0)
    stop = 3.2
    end = np.minimum(top, stop)
    exact = (top < stop).astype(float)
    return single(
        "ramps", end, end / rate, exact=exact, waiting=1 - exact, start=np.zeros(rate.size)
    )


def staircases(seed: int, family: str, shape: float, rows: int = ROWS) -> Observations:
    """The same in steps of 50 mV."""
    random = np.random.default_rng([5, seed])
    rate = np.repeat([1.0, 10.0, 100.0], rows // 3)
    u = thresholds(random, family, shape, rate.size)
    step = 0.05
    levels = np.arange(1, 65) * step
    gained = np.cumsum(step / rate[:, None] / tau(levels)[None, :], axis=1)
    place = np.sum(gained < u[:, None], axis=1)
    last = np.minimum(place, levels.size - 1)
    steps = [
        Step(np.full(rate.size, v), step / rate, j <= last) for j, v in enumerate(levels.tolist())
    ]
    return chains("ramps", steps, (place < levels.size).astype(int))


def trains(seed: int, family: str, shape: float, rows: int = ROWS) -> Observations:
    """Trains of up to 20 equal pulses, ended by the switch (write and verify)."""
    random = np.random.default_rng([6, seed])
    voltage = np.repeat([2.7, 2.9, 3.1], rows // 3)
    width = np.tile([1e-4, 4e-4], rows // 2)
    u = thresholds(random, family, shape, voltage.size)
    needed = np.ceil(u * tau(voltage) / width)
    count = np.minimum(needed, 20)
    steps = [Step(voltage, width, j < count) for j in range(20)]
    return chains("pulses", steps, (needed <= 20).astype(int))


KINDS = {
    "pulses": pulses,
    "waits": waits,
    "interval waits": intervals,
    "ramps": ramps,
    "staircase ramps": staircases,
    "pulse trains": trains,
}


def held(candidate: Candidate) -> dict[str, bool]:
    """Which 95 % intervals hold the truth."""
    truth = {
        "tau_ref": float(tau(np.array(candidate.likelihood.reference))),
        "V0": V0,
        "shape": SHAPE,
    }
    result = {}
    for i, name in enumerate(candidate.names):
        low, high = candidate.intervals[i]
        true = np.log(truth[name])
        result[name] = bool((low is None or low <= true) and (high is None or true <= high))
    return result


class _Covers:
    """One data set of a kind: which intervals hold the truth (a class, so that it pickles)."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, seed: int) -> dict[str, bool] | None:
        data = KINDS[self.kind](seed, "weibull", SHAPE)
        try:
            fitted = fit_candidate(data, FAMILIES["weibull"], E_MODEL, where=self.kind)
        except InputError:
            return None
        return held(fitted)


class _Picks:
    """The family with the lowest BIC on one data set of a true family."""

    def __init__(self, kind: str, family: str, shape: float) -> None:
        self.kind, self.family, self.shape = kind, family, shape

    def __call__(self, seed: int) -> str:
        if self.kind == "waits":
            data = waits(seed, self.family, self.shape, rows=9999)
        else:
            data = _many_widths(seed, self.family, self.shape)
        found = {}
        for name, family in FAMILIES.items():
            try:
                found[name] = fit_candidate(data, family, E_MODEL, where="x", intervals=False).bic
            except InputError:
                continue
        return min(found, key=lambda name: found[name])


def _many_widths(seed: int, family: str, shape: float) -> Observations:
    """5 voltages x 9 widths over 4 decades x 220 pulses: 9,900 outcomes."""
    random = np.random.default_rng([7, seed])
    voltage = np.tile(np.linspace(2.8, 3.2, 5), 9)
    width = np.repeat(np.geomspace(1e-5, 1e-1, 9), 5)
    p = FAMILIES[family].probability(width / tau(voltage), shape)
    switched = random.binomial(220, p).astype(float)
    return single("pulses", voltage, width, within=switched, waiting=220 - switched)


def coverage(sets: int, workers: int) -> dict[str, Any]:
    """Coverage of each kind over seeds 0 to sets - 1."""
    result: dict[str, Any] = {}
    for kind in KINDS:
        outcome = resumed(f"coverage {kind} v{VERSION}", _Covers(kind), range(sets), workers)
        good = [o for o in outcome if o is not None]
        shares = {
            name: float(np.mean([o[name] for o in good])) for name in ("tau_ref", "V0", "shape")
        }
        result[kind] = {"sets": sets, "failed": sets - len(good), "coverage": shares}
        told = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items())
        print(f"  {kind:16s} {told}; {sets} sets, {sets - len(good)} without a maximum", flush=True)
    return result


def family_choice(sets: int, workers: int) -> dict[str, Any]:
    """How often ``auto`` (lowest BIC) picks the true family."""
    result: dict[str, Any] = {}
    for kind in ("waits", "pulses"):
        for family, shape in FAMILY_TRUTHS:
            picked = resumed(
                f"auto {kind} {family} {shape} v{VERSION}",
                _Picks(kind, family, shape),
                range(sets),
                workers,
            )
            share = float(np.mean([name == family for name in picked]))
            others = {n: picked.count(n) for n in FAMILIES if n != family and n in picked}
            result[f"{kind}, {family} {shape:g}"] = {"sets": sets, "right": share, "others": others}
            truth = f"{kind:7s} {family:12s} {shape:3g}"
            told = f"{sets} sets, seeds 0 to {sets - 1}"
            print(f"  {truth}  right {100 * share:5.1f} %  {others}; {told}", flush=True)
    return result
