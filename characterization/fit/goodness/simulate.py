"""New outcomes of the same experiment under a fitted law: the data sets of a parametric bootstrap.

What the experimenter set stays: voltages, widths, ramps, numbers of fresh starts, time limits.
Grouped outcomes are drawn down each tree with the numbers at risk; exact ones from thresholds and
censored where the row was, or would have been, given up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from characterization.fit.goodness.risk import at_risk, sequential
from characterization.fit.goodness.settings import settings_of
from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.observations.base import Observations, single

Simulator = Callable[[np.random.Generator], Observations]

_LONGEST_EXTENSION = 64
_LEFT = 1e-2
"""Expected outcomes still waiting below which a chain is long enough."""
_FEW_ROWS = 5.0
"""Rows per setting below which the limits of all settings are one sample."""


def simulate(
    likelihood: Likelihood, theta: np.ndarray, generator: np.random.Generator
) -> Observations:
    """One simulated data set; see :func:`simulator`."""
    return simulator(likelihood, theta)(generator)


def simulator(likelihood: Likelihood, theta: np.ndarray) -> Simulator:
    """A function that draws data sets like ``likelihood.data`` under ``theta``.

    - Single pulses: switched counts are binomial, false-switch floor and lapses included.
    - Chains (trains, staircases, interval-censored waits cut at common inspections): the number
      switched in each segment is binomial in the number at risk; survivors stop or go on in the
      observed proportions. Where nobody survived, the chain goes on in equal steps.
    - Exact waits and smooth ramps: thresholds are drawn. A censored row keeps its limit; a
      switched row's limit is drawn from the Kaplan-Meier estimate of the limits of its setting,
      given that it lies beyond the outcome (Davison, Hinkley, Bootstrap Methods (1997), algorithm
      3.1, conditional; recalled). One common limit therefore stays, and no limit stays none.

    Raises ValueError for exact outcomes at the end of chains, which no kind of data has.
    """
    data = likelihood.data
    if np.any(data.exact > 0):
        if data.chained:
            raise ValueError("exact outcomes at the end of chains cannot be simulated")
        return _exact(likelihood, theta)
    cut, _ = sequential(data)
    likelihood = likelihood.on(cut)
    return _descent(likelihood, theta) if cut.chained else _binomial(likelihood, theta)


def _binomial(likelihood: Likelihood, theta: np.ndarray) -> Simulator:
    data = likelihood.data
    trials = np.rint(data.trials).astype(int)
    p = np.clip(likelihood.probability(theta), 0.0, 1.0)

    def draw(generator: np.random.Generator) -> Observations:
        switched = generator.binomial(trials, p).astype(float)
        return data.with_weights(switched, np.zeros(p.size), trials - switched)

    return draw


@dataclass(frozen=True, eq=False)
class _Level:
    """Segments of one depth: chances of switching, of stopping there, and where to go on."""

    segments: np.ndarray
    switching: np.ndarray
    stopping: np.ndarray
    only_child: np.ndarray
    forks: tuple[tuple[int, np.ndarray, np.ndarray], ...]


def _descent(likelihood: Likelihood, theta: np.ndarray) -> Simulator:
    likelihood = _extended(likelihood, theta)
    data = likelihood.data
    n = data.voltage.size
    risk = at_risk(data)
    starts = np.where(data.parent < 0, np.rint(risk), 0).astype(int)
    levels = _levels(data, risk, np.clip(likelihood.probability(theta), 0.0, 1.0))

    def draw(generator: np.random.Generator) -> Observations:
        number = starts.copy()
        within, waiting = np.zeros(n), np.zeros(n)
        for level in levels:
            here = level.segments
            switched = generator.binomial(number[here], level.switching)
            left = number[here] - switched
            stopped = generator.binomial(left, level.stopping)
            within[here], waiting[here] = switched, stopped
            onward = left - stopped
            linear = level.only_child >= 0
            number[level.only_child[linear]] = onward[linear]
            for place, children, shares in level.forks:
                number[children] = generator.multinomial(onward[place], shares)
        return data.with_weights(within, np.zeros(n), waiting)

    return draw


def _levels(data: Observations, risk: np.ndarray, p: np.ndarray) -> list[_Level]:
    n = data.voltage.size
    depth = np.diff(data.history.indptr)
    children: list[list[int]] = [[] for _ in range(n)]
    for i in np.flatnonzero(data.parent >= 0).tolist():
        children[data.parent[i]].append(i)
    levels = []
    for level in range(1, int(depth.max()) + 1):
        here = np.flatnonzero(depth == level)
        stopping, only = np.ones(here.size), np.full(here.size, -1)
        forks = []
        for place, segment in enumerate(here.tolist()):
            after = np.array(children[segment], int)
            if not after.size:
                continue
            weight = risk[after] if np.any(risk[after] > 0) else np.ones(after.size)
            onward = float(risk[after].sum())
            seen = data.waiting[segment] + onward
            stopping[place] = data.waiting[segment] / seen if seen > 0 else 0.0
            if after.size == 1:
                only[place] = after[0]
            else:
                forks.append((place, after, weight / weight.sum()))
        levels.append(_Level(here, p[here], stopping, only, tuple(forks)))
    return levels


def _extended(likelihood: Likelihood, theta: np.ndarray) -> Likelihood:
    """Chains on which everybody switched, continued until hardly anybody would be left."""
    data = likelihood.data
    above = np.unique(data.parent[data.parent >= 0])
    last = np.setdiff1d(np.flatnonzero((data.waiting == 0) & (data.within > 0)), above)
    started = at_risk(data)[data.root]
    step = np.where(data.parent >= 0, data.voltage - data.voltage[data.parent], 0.0)
    step = np.where(step > 0, step, 0.0)  # a falling train would reach the other polarity
    added = 0
    while last.size and added < _LONGEST_EXTENSION:
        _, hazard = likelihood.hazard(theta)
        last = last[started[last] * np.exp(-hazard[last]) > _LEFT]
        if not last.size:
            break
        n = likelihood.data.voltage.size
        likelihood = likelihood.on(_with_segments(likelihood.data, last, step[last]))
        started = np.concatenate([started, started[last]])
        step = np.concatenate([step, step[last]])
        last = np.arange(n, n + last.size)
        added += 1
    return likelihood


def _with_segments(data: Observations, after: np.ndarray, step: np.ndarray) -> Observations:
    """One more segment, without outcomes, after each given one."""
    voltage = data.voltage[after] + step
    none = np.zeros(after.size)
    return replace(
        data,
        voltage=np.concatenate([data.voltage, voltage]),
        start=np.concatenate([data.start, voltage]),
        duration=np.concatenate([data.duration, data.duration[after]]),
        within=np.concatenate([data.within, none]),
        exact=np.concatenate([data.exact, none]),
        waiting=np.concatenate([data.waiting, none]),
        parent=np.concatenate([data.parent, after]),
        temperature=None
        if data.temperature is None
        else np.concatenate([data.temperature, data.temperature[after]]),
        device=np.concatenate([data.device, data.device[after]]),
        rows=None,
    )


def _exact(likelihood: Likelihood, theta: np.ndarray) -> Simulator:
    data = likelihood.data
    ramps = data.kind == "ramps"
    happened = np.repeat([True, False], data.voltage.size)
    number = np.rint(np.concatenate([data.switched, data.waiting])).astype(int)
    segment = np.repeat(np.tile(np.arange(data.voltage.size), 2), number)
    happened = np.repeat(happened, number)
    axis = data.voltage if ramps else data.duration
    limits = _limits(data, axis, segment, happened)
    shape = float(np.exp(likelihood.ln_shape(theta)))
    heat = None if data.temperature is None else data.temperature[segment]
    device = data.device[segment]
    voltage, start = data.voltage[segment], data.start[segment]
    rate = (voltage - start) / data.duration[segment]
    ln_tau = likelihood.ln_tau(theta, voltage, heat)[0]
    own = likelihood.exposures(theta)[0][0][segment] if ramps else ln_tau

    def draw(generator: np.random.Generator) -> Observations:
        energy = generator.standard_exponential(segment.size)
        limit = limits(generator)
        x = np.log(np.maximum(likelihood.family.threshold(energy, shape), 1e-300))
        if ramps:
            end = voltage_of_exposure(likelihood, theta, x, start, rate, heat, guess=(voltage, own))
        else:
            end = np.exp(x + ln_tau)
        switched = (end <= limit).astype(float)
        end = np.minimum(end, limit)
        return single(
            data.kind,
            end if ramps else voltage,
            (end - start) / rate if ramps else end,
            exact=switched,
            waiting=1 - switched,
            start=start if ramps else None,
            temperature=heat,
            device=device,
            devices=data.devices,
        )

    return draw


def _limits(
    data: Observations, axis: np.ndarray, segment: np.ndarray, happened: np.ndarray
) -> Callable[[np.random.Generator], np.ndarray]:
    """A function that draws every row's limit (s, or V of a ramp; inf without)."""
    settings = settings_of(data)
    group = settings.index[segment]
    if segment.size < _FEW_ROWS * settings.count:
        group = np.zeros_like(group)
    value = axis[segment]
    places, keys = [], []
    below = np.zeros(segment.size)
    for setting in range(int(group.max()) + 1):
        here = group == setting
        limit, share = _survival_of_limits(value[here], happened[here])
        cumulative = 1 - share
        places.append(np.append(limit, np.inf))
        keys.append(setting + np.append(cumulative, 1.0))
        first = np.searchsorted(limit, value[here], "left")
        below[here] = np.concatenate([[0.0], cumulative])[first]
    place, key = np.concatenate(places), np.concatenate(keys)

    def draw(generator: np.random.Generator) -> np.ndarray:
        level = below + generator.random(below.size) * (1 - below)
        index = np.searchsorted(key, group + np.minimum(level, 1 - 1e-9), "right")
        return np.where(happened, place[index], value)

    return draw


def _survival_of_limits(value: np.ndarray, happened: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Limits and the share of rows with a later one: Kaplan-Meier with the roles exchanged."""
    unique, index = np.unique(value, return_inverse=True)
    gone = np.bincount(index, minlength=unique.size).astype(float)
    events = np.bincount(index, happened, unique.size)
    # At a tie the switch came first, so it is no longer at risk of being given up.
    at_risk_now = gone[::-1].cumsum()[::-1] - events
    censored = gone - events
    share = np.cumprod(1 - censored / np.maximum(at_risk_now, 1.0))
    return unique[censored > 0], share[censored > 0]


def voltage_of_exposure(
    likelihood: Likelihood,
    theta: np.ndarray,
    ln_u: np.ndarray,
    start: np.ndarray,
    rate: np.ndarray,
    temperature: np.ndarray | None,
    guess: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Where (V) linear ramps from ``start`` (V) at ``rate`` (V/s) reach the exposure exp(ln_u).

    Newton's method inside a bracket on the likelihood's own exposure; ``guess`` holds a voltage
    of each ramp and ln u there. Holds for any acceleration. Error of ln u below 1e-9.
    """
    low, high = start.astype(float).copy(), np.full(ln_u.size, np.inf)
    at, x = guess[0].astype(float).copy(), guess[1].copy()
    open_ = np.arange(ln_u.size)
    for _ in range(200):
        gap = x - ln_u
        low[open_] = np.where(gap[open_] < 0, at[open_], low[open_])
        high[open_] = np.where(gap[open_] > 0, at[open_], high[open_])
        open_ = open_[np.abs(gap[open_]) > 1e-9]
        if not open_.size:
            break
        heat = None if temperature is None else temperature[open_]
        ln_tau = likelihood.ln_tau(theta, at[open_], heat)[0]
        # d ln u/dV = (1/tau)/(rate u)
        step = -gap[open_] * rate[open_] * np.exp(np.minimum(ln_tau + x[open_], 600.0))
        new = at[open_] + step
        lower, upper = low[open_], high[open_]
        longest = lower + 2 * np.maximum(at[open_] - start[open_], 1e-3)
        middle = np.where(np.isfinite(upper), (lower + upper) / 2, longest)
        new = np.where((new > lower) & (new < upper) & (new < longest), new, middle)
        done = (new == lower) | (new == upper)
        at[open_] = new
        x[open_] = _ramp_exposure(likelihood, theta, new, start[open_], rate[open_], heat)
        open_ = open_[~done]
        if not open_.size:
            break
    return at


def _ramp_exposure(
    likelihood: Likelihood,
    theta: np.ndarray,
    top: np.ndarray,
    start: np.ndarray,
    rate: np.ndarray,
    temperature: np.ndarray | None,
) -> np.ndarray:
    """ln u of ramps that end at ``top`` (V)."""
    return likelihood.on(ramps_to(top, start, rate, temperature)).exposures(theta)[0][0]


def ramps_to(
    top: np.ndarray, start: np.ndarray, rate: np.ndarray, temperature: np.ndarray | None
) -> Observations:
    """Smooth ramps without outcomes that end at ``top`` (V), in the order given."""
    none = np.zeros(top.size)
    return Observations(
        "ramps",
        voltage=top,
        start=start,
        duration=(top - start) / rate,
        within=none,
        exact=none,
        waiting=none,
        parent=np.full(top.size, -1),
        temperature=temperature,
        device=np.zeros(top.size, int),
    )
