"""A synapse fitted to trains: end states of each device, then the steps by maximum likelihood.

The ends of a device are the mean conductances at the ends of its series of potentiating and of
depressing pulses (or given ones): the range that was used, not one beyond it. On each device's own
relative scale the steps of a direction have the density of ``devices.synapse.likelihood``, the law
that training samples; ln(pulses), nonlinearity and ln(sigma) are at its maximum, their covariance
the inverse of the observed information, the ends taken as known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.stats import binomtest

from characterization.synapse.trains import Trains
from devices.parameter import Parameter
from devices.synapse import Branch, Synapse, log_density
from devices.synapse.law import Steps
from formats.errors import InputError

STUCK_RANGE = 0.1
"""A device that moves by less than this part of the median range is stuck (assumed)."""
FEWEST = 10
"""Pulses of a direction below which nothing is fitted."""
_SNAP = 1e-9
_BOUNDS = ((np.log(0.5), np.log(1e6)), (-10.0, 10.0), (np.log(1e-4), np.log(10.0)))
_NORMAL95 = 1.959964


@dataclass(frozen=True)
class Fitted:
    """One direction: the branch, standard errors of its three parameters, and its residuals.

    ``lag1`` is the correlation of successive residuals in a run: read noise, which the law does
    not have, drives it towards -1/2 and counts into sigma. ``at_bound`` names a parameter at the
    limit of its range, whose error means nothing.
    """

    branch: Branch
    errors: tuple[float, float, float]
    pulses: int
    lag1: float
    at_bound: bool


@dataclass(frozen=True)
class Estimate:
    """The synapse, its directions (None where there were no pulses), and plain sentences."""

    synapse: Synapse
    directions: tuple[Fitted | None, Fitted | None]
    notes: tuple[str, ...]


def estimate(
    trains: Trains, name: str, where: str, g_max: float | None = None, g_min: float | None = None
) -> Estimate:
    """Fit all there is; raises :class:`InputError` where the data do not tell enough."""
    low, high = _ends(trains, where, g_max, g_min)
    span = high - low
    middle = float(np.nanmedian(_moved(trains)))
    stuck = _moved(trains) < STUCK_RANGE * middle
    good = ~stuck & (span > 0)
    if not good.any():
        raise InputError(
            where,
            "holds no device whose conductance is higher after potentiating pulses "
            "(voltage_V > 0) than after depressing ones; check the signs of voltage_V, and "
            "--g-max and --g-min if given",
        )
    use = good[trains.device]
    state = {
        what: _snapped((values - low[trains.device]) / np.where(span > 0, span, 1)[trains.device])
        for what, values in (("before", trains.before), ("after", trains.after))
    }
    notes: list[str] = []
    found: list[Fitted | None] = []
    for sign, direction in ((1, "potentiating"), (-1, "depressing")):
        rows = use & (trains.sign == sign)
        if rows.sum() < FEWEST:
            notes.append(f"{rows.sum()} {direction} pulses: nothing fitted to them")
            found.append(None)
            continue
        before, after = state["before"][rows], state["after"][rows]
        if sign < 0:
            before, after = 1 - before, 1 - after
        fitted = fit_branch(before, after, trains.run[rows])
        found.append(fitted)
        notes += _remarks(fitted, direction)
    up, down = found
    if up is None and down is None:
        raise InputError(where, f"holds fewer than {FEWEST} pulses in each direction; give more")
    if trains.without_before:
        notes.append(f"{trains.without_before} pulses without a state before: only as a start")
    synapse = Synapse(
        name=name,
        g_max=_end(high[good], g_max),
        g_min=_end(low[good], g_min),
        sigma_ln_g_max=_spread(high[good], g_max),
        sigma_ln_g_min=_spread(low[good], g_min),
        **_stuck(trains, stuck, low, high, good),
        potentiation=_steps(up, down),
        depression=_steps(down, up),
    )
    return Estimate(synapse, (up, down), tuple(notes))


def fit_branch(before: np.ndarray, after: np.ndarray, run: np.ndarray) -> Fitted:
    """The branch of greatest likelihood for relative states in its own direction."""

    def branch(x: np.ndarray) -> Branch:
        return Branch(float(np.exp(x[0])), float(x[1]), float(np.exp(x[2])))

    def loss(x: np.ndarray) -> float:
        return -float(np.sum(log_density(branch(x), before, after)))

    step = after - before
    mean = float(np.clip(step.mean(), 1e-5, 0.9))
    spread = float(np.clip(step.std() / mean, 1e-3, 5))
    best = min(
        (
            minimize(
                loss, (np.log(1 / mean), nu, np.log(spread)), method="L-BFGS-B", bounds=_BOUNDS
            )
            for nu in (0.1, 2.0, -2.0)
        ),
        key=lambda result: float(result.fun),
    ).x
    information = _hessian(loss, best)
    covariance = np.linalg.pinv(information)
    made = branch(best)
    errors = np.sqrt(np.maximum(np.diag(covariance), 0)) * (made.pulses, 1.0, made.sigma)
    residual = after - made.mean(before)
    inside = (after > 0) & (after < 1)
    pairs = (run[1:] == run[:-1]) & inside[1:] & inside[:-1]
    first, second = residual[:-1][pairs], residual[1:][pairs]
    known = pairs.sum() > 2 and first.std() > 0 and second.std() > 0
    lag1 = float(np.corrcoef(first, second)[0, 1]) if known else float("nan")
    at_bound = any(
        min(abs(value - low), abs(value - high)) < 1e-6
        for value, (low, high) in zip(best, _BOUNDS, strict=True)
    )
    sizes = (float(errors[0]), float(errors[1]), float(errors[2]))
    return Fitted(made, sizes, before.size, lag1, at_bound)


def _hessian(f: Callable[[np.ndarray], float], x: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Second derivatives by central differences."""
    unit = np.eye(x.size) * step
    rows = [[f(x + a + b) - f(x + a - b) - f(x - a + b) + f(x - a - b) for b in unit] for a in unit]
    return np.array(rows) / (4 * step**2)


def _ends(
    trains: Trains, where: str, g_max: float | None, g_min: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Low and high end of each device.

    Where a device has no pulses towards an end, the mean of the states its runs begin from.
    """
    first = np.append(True, trains.run[1:] != trains.run[:-1])
    found = []
    for sign, given in ((-1, g_min), (1, g_max)):
        reached = trains.last & (trains.sign == sign)
        ends = np.array(
            [
                _mean(trains.after[mine & reached], trains.before[mine & first])
                for mine in (trains.device == k for k in range(trains.devices))
            ]
        )
        found.append(ends if given is None else np.full(trains.devices, given))
    low, high = found
    seen = np.isfinite(low) & np.isfinite(high)
    if not seen.any():
        raise InputError(where, "holds no trains of pulses")
    # A device without any pulse has no range, and is left out.
    return np.where(seen, low, 1.0), np.where(seen, high, 0.0)


def _mean(values: np.ndarray, otherwise: np.ndarray) -> float:
    chosen = values if values.size else otherwise
    return float(chosen.mean()) if chosen.size else float("nan")


def _moved(trains: Trains) -> np.ndarray:
    """Range of the conductances seen of each device; NaN without any."""
    ranges = np.full(trains.devices, np.nan)
    for device in range(trains.devices):
        mine = trains.device == device
        if mine.any():
            seen = np.concatenate([trains.before[mine], trains.after[mine]])
            ranges[device] = np.ptp(seen)
    return ranges


def _snapped(state: np.ndarray) -> np.ndarray:
    """States that are an end but for rounding, at it."""
    state = np.where(np.abs(state) < _SNAP, 0.0, state)
    return np.where(np.abs(state - 1) < _SNAP, 1.0, state)


def _end(values: np.ndarray, given: float | None) -> Parameter:
    if given is not None:
        return Parameter(given, "S", "taken", "given")
    logs = np.log(values)
    value = float(np.exp(logs.mean()))
    if logs.size < 2:
        return Parameter(value, "S", "fitted", "one device; mean over its trains")
    error = value * float(logs.std(ddof=1)) / np.sqrt(logs.size)
    note = f"geometric mean over {logs.size} devices"
    return _parameter(value, error, note, "S")


def _spread(values: np.ndarray, given: float | None) -> Parameter:
    if given is not None or values.size < 2:
        return Parameter(0.0, "1", "assumed", "the data do not tell; taken as none")
    sigma = float(np.log(values).std(ddof=1))
    error = sigma / np.sqrt(2 * (values.size - 1))
    return _parameter(sigma, error, f"over {values.size} devices")


def _stuck(
    trains: Trains, stuck: np.ndarray, low: np.ndarray, high: np.ndarray, good: np.ndarray
) -> dict[str, Parameter]:
    """Shares of devices that do not move, at the end that they are nearer to."""
    if trains.devices < 2:
        none = Parameter(0.0, "1", "assumed", "one device; taken as none")
        return {"stuck_low": none, "stuck_high": none}
    middle = float(np.sqrt(np.median(low[good]) * np.median(high[good])))
    held = np.array(
        [trains.after[trains.device == k].mean() if stuck[k] else 0 for k in range(trains.devices)]
    )
    counts = [int(np.sum(stuck & side)) for side in (held < middle, held >= middle)]
    note = f"devices out of {trains.devices} that move by less than {STUCK_RANGE:g} of the range"
    made = [_share(count, trains.devices, note) for count in counts]
    return {"stuck_low": made[0], "stuck_high": made[1]}


def _share(count: int, total: int, note: str) -> Parameter:
    """A share with its exact binomial interval (Clopper and Pearson)."""
    interval = binomtest(count, total).proportion_ci()
    share = count / total
    error = float(np.sqrt(share * (1 - share) / total))
    bounds = float(interval.low), float(interval.high)
    return Parameter(share, "1", "fitted", note, error, bounds)


def _steps(own: Fitted | None, other: Fitted | None) -> Steps:
    if own is None:
        assert other is not None
        note = "no pulses of this direction; taken as the other's"
        branch = other.branch
        return Steps(
            Parameter(branch.pulses + 1, "1", "assumed", note),
            Parameter(branch.nonlinearity, "1", "assumed", note),
            Parameter(branch.sigma, "1", "assumed", note),
        )
    note = f"maximum likelihood of {own.pulses} pulses"
    note += "; at the limit of its range" if own.at_bound else ""
    values = own.branch.pulses + 1, own.branch.nonlinearity, own.branch.sigma
    return Steps(
        *(_parameter(value, error, note) for value, error in zip(values, own.errors, strict=True))
    )


def _parameter(value: float, error: float, note: str, unit: str = "1") -> Parameter:
    half = _NORMAL95 * float(error)
    return Parameter(value, unit, "fitted", note, float(error), (value - half, value + half))


def _remarks(fitted: Fitted, direction: str) -> list[str]:
    """What a user should know of a direction's fit."""
    said = []
    if fitted.at_bound:
        said.append(f"{direction} pulses: a parameter is at the limit of its range")
    if fitted.lag1 < -0.2:
        said.append(
            f"{direction} pulses: successive residuals correlate by {fitted.lag1:.2f}, as read "
            "noise makes them; it counts into sigma_step, which is too large"
        )
    return said
