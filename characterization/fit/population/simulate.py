"""Draws a data set from a fitted population: devices first, then each device's outcomes.

The plan of the measurement stays: the same devices, voltages, durations and numbers of histories.
Where a plan is not in the table it is taken as follows: an exact outcome is censored at the
shortest 'not switched' time at its voltage that is no shorter than it (none: never); a history that
survives a segment in which all measured ones ended is recorded as not switched there.
"""

from __future__ import annotations

import numpy as np

from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.observations.base import Observations, single
from characterization.fit.population.effects import Effects

_BISECTIONS = 60
_FAR = 12.0
"""Ramps are followed to this multiple of their last voltage where none was stopped."""


def draw_devices(
    effects: Effects, psi: np.ndarray, count: int, generator: np.random.Generator
) -> np.ndarray:
    """Deviations (2, count) of (ln tau_ref, ln V0) of new devices."""
    z = generator.standard_normal((effects.dimension, count))
    return np.asarray(effects.loading(psi)[0] @ z)


def own_theta(likelihood: Likelihood, theta: np.ndarray, b: np.ndarray) -> list[np.ndarray | float]:
    """theta with ln tau_ref and ln V0 of each segment's device; b (2, device indices)."""
    device = likelihood.data.device
    rest = [float(value) for value in theta[2:]]
    return [theta[0] + b[0, device], theta[1] + b[1, device], *rest]


def simulate(
    likelihood: Likelihood,
    effects: Effects,
    theta: np.ndarray,
    psi: np.ndarray,
    generator: np.random.Generator,
) -> Observations:
    """A data set of new devices on the plan of ``likelihood.data``.

    Raises ValueError for exact outcomes inside chains, whose plan the table does not tell.
    """
    data = likelihood.data
    if data.chained and np.any(data.exact > 0):
        raise ValueError("exact outcomes within trains or staircases cannot be simulated")
    b = draw_devices(effects, psi, int(data.device.max()) + 1, generator)
    own = own_theta(likelihood, theta, b)
    if data.chained:
        return _chained(likelihood, theta, own, generator)
    if np.any(data.exact > 0):
        return _exact(likelihood, own, generator)
    trials = data.trials.astype(int)
    switched = generator.binomial(trials, _chance(likelihood, theta, own)).astype(float)
    return data.with_weights(switched, np.zeros(trials.size), trials - switched)


def _chance(likelihood: Likelihood, theta: np.ndarray, own: list[np.ndarray | float]) -> np.ndarray:
    """P(switched) in each segment once it began."""
    low, high = likelihood.hazard(own)
    floor, lapse = likelihood.share("floor", theta), likelihood.share("lapse", theta)
    return np.asarray(np.clip(floor - (1 - floor - lapse) * np.expm1(low - high), 0.0, 1.0))


def _chained(
    likelihood: Likelihood,
    theta: np.ndarray,
    own: list[np.ndarray | float],
    generator: np.random.Generator,
) -> Observations:
    """Histories walk down their tree; survivors split as the measured ones did."""
    data = likelihood.data
    chance = _chance(likelihood, theta, own)
    size = data.parent.size
    entered = (data.history.T @ data.trials).astype(int)  # measured, per segment
    children: list[list[int]] = [[] for _ in range(size)]
    for i in np.flatnonzero(data.parent >= 0).tolist():
        children[int(data.parent[i])].append(i)
    began = np.where(data.parent < 0, entered, 0)
    within, waiting = np.zeros(size), np.zeros(size)
    for i in range(size):  # parents come first
        within[i] = generator.binomial(began[i], chance[i])
        left = int(began[i] - within[i])
        shares = np.array([data.waiting[i], *entered[children[i]]], float)
        if shares.sum() == 0:
            waiting[i] = left
            continue
        split = generator.multinomial(left, shares / shares.sum())
        waiting[i] = split[0]
        began[children[i]] = split[1:]
    return data.with_weights(within, np.zeros(size), waiting)


def _exact(
    likelihood: Likelihood, own: list[np.ndarray | float], generator: np.random.Generator
) -> Observations:
    """Waits and ramps with exact ends, censored at the limit of each row."""
    data = likelihood.data
    index = np.repeat(np.arange(data.voltage.size), data.trials.astype(int))
    limit = _limits(data)[index]
    theta = [t[index] if isinstance(t, np.ndarray) else t for t in own]
    plan = _rows(data, index)
    energy = generator.exponential(size=index.size)
    shape = float(np.exp(theta[likelihood.names.index("shape")])) if _shaped(likelihood) else 1.0
    threshold = likelihood.family.threshold(energy, shape)
    reached = plan.duration * _end(
        likelihood, plan, theta, np.log(threshold), limit / plan.duration
    )
    inside = reached < limit
    duration = np.where(inside, reached, limit)
    ramped = plan.start != plan.voltage
    rise = (plan.voltage - plan.start) * duration / plan.duration
    return single(
        data.kind,
        np.where(ramped, plan.start + rise, plan.voltage),
        duration,
        start=plan.start,
        exact=inside.astype(float),
        waiting=(~inside).astype(float),
        temperature=plan.temperature,
        device=plan.device,
        devices=data.devices,
    )


def _shaped(likelihood: Likelihood) -> bool:
    return "shape" in likelihood.names


def _rows(data: Observations, index: np.ndarray, scale: np.ndarray | float = 1.0) -> Observations:
    """Segments picked (with repeats) and stretched in time; ramps keep their rate."""
    start = data.start[index]
    rise = data.voltage[index] - start
    none = np.zeros(index.size)
    return Observations(
        data.kind,
        voltage=start + rise * scale,
        start=start,
        duration=data.duration[index] * scale,
        within=none,
        exact=none,
        waiting=np.ones(index.size),
        parent=np.full(index.size, -1),
        temperature=None if data.temperature is None else data.temperature[index],
        device=data.device[index],
        devices=data.devices,
    )


def _limits(data: Observations) -> np.ndarray:
    """When (s) each segment's outcomes would have been censored."""
    rate = (data.voltage - data.start) / data.duration
    flat = data.start == data.voltage
    keys = np.stack([np.where(flat, data.voltage, rate), data.start * ~flat], axis=1)
    if data.temperature is not None:
        keys = np.column_stack([keys, data.temperature])
    _, plan = np.unique(keys, axis=0, return_inverse=True)
    limits = np.full(data.duration.size, np.inf)
    for group in np.unique(plan):
        here = np.flatnonzero(plan.ravel() == group)
        stops = np.unique(data.duration[here][data.waiting[here] > 0])
        if stops.size:
            place = np.searchsorted(stops, data.duration[here])
            known = place < stops.size
            limits[here[known]] = stops[place[known]]
    # Outcomes at a 'not switched' time are that plan's own.
    return np.where(data.waiting > 0, data.duration, limits)


def _end(
    likelihood: Likelihood,
    plan: Observations,
    theta: list[np.ndarray | float],
    ln_threshold: np.ndarray,
    limit: np.ndarray,
) -> np.ndarray:
    """When the exposure reaches each threshold, in units of the plan's duration."""
    reached = likelihood.on(plan).exposures(theta)[0][0]
    end = np.exp(np.clip(ln_threshold - reached, -700, 700))  # exposure at constant voltage
    ramps = plan.ramped
    if not ramps.size:
        return end
    own = [t[ramps] if isinstance(t, np.ndarray) else t for t in theta]
    high = np.where(np.isfinite(limit[ramps]), limit[ramps], _FAR) * 1.001
    low = np.zeros(ramps.size)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        x = likelihood.on(_rows(plan, ramps, middle)).exposures(own)[0][0]
        above = x > ln_threshold[ramps]
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    end[ramps] = (low + high) / 2
    return end
