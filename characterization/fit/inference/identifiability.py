"""What the data can and cannot tell, whatever the fit says: how many voltages really inform it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from characterization.fit.inference.candidate import Candidate, covariance
from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.maximise import maximise
from characterization.fit.inference.start import FLATTEST, STEEPEST, bounds
from characterization.fit.observations.base import Observations

EDGE = 0.02
"""Fractions within this of 0 or 1 are easily made by rare false outcomes, not by the law."""
_ONE_SIDED_95 = 1.645


@dataclass(frozen=True)
class Bracket:
    """V0 lies below ``below`` (V, one-sided 95 %): ``voltage`` alone switches sometimes."""

    voltage: float
    below: float
    neighbours: tuple[float, ...]


def fractions(data: Observations, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Voltages (V) and the fraction that switched at each beyond the floor."""
    told = data.trials > 0
    voltages, index = np.unique(data.voltage[told], return_inverse=True)
    observed = np.bincount(index, data.switched[told]) / np.bincount(index, data.trials[told])
    return voltages, (observed - floor) / (1 - floor)


def informative_voltages(data: Observations, floor: float) -> np.ndarray:
    """Voltages (V) with outcomes of both sorts; for timed outcomes, with at least two events."""
    if not np.any(data.exact) and not data.chained:
        voltages, fraction = fractions(data, floor)
        return voltages[(fraction > EDGE) & (fraction < 1 - EDGE)]
    voltages, index = np.unique(data.voltage, return_inverse=True)
    return voltages[np.bincount(index, data.switched) >= 2]


def bracket(candidate: Candidate, voltage: float, floor: float) -> Bracket | None:
    """What one informative voltage and its neighbours say of V0, rare outcomes set aside.

    tau and shape come from the pulses at ``voltage`` alone; the neighbours count only as 'at most
    2 %' below and 'at least 98 %' above. With H = (t/tau)^k these two say V0 < k dV / d(ln H).
    Only the largest V0 is bounded. None where there is no such neighbour or no local fit.
    """
    data = candidate.likelihood.data
    if data.kind != "pulses" or data.chained or candidate.likelihood.thermal:
        return None
    local = data.select(data.voltage == voltage)
    law = Likelihood(local, candidate.family, candidate.likelihood.acceleration, voltage)
    if candidate.family.has_shape and np.unique(local.duration).size < 2:
        return None
    lower, upper = bounds(data, law.names)  # of all the data: one voltage has no span
    theta = np.array([candidate.theta[candidate.names.index(name)] for name in law.names])
    theta[1] = law.acceleration.moved(theta[1], candidate.likelihood.reference, voltage)
    theta[0] = law.acceleration.evaluate(
        np.array([voltage]), candidate.likelihood.reference, *candidate.theta[:2]
    )[0]
    corrected = replace(law, data=_without_floor(local, floor))
    fixed = np.array([name == "V0" for name in law.names])
    best = maximise(corrected.evaluate, theta, lower, upper, fixed)
    if not best.converged or np.any(~best.free & ~fixed):
        return None
    voltages, fraction = fractions(data, floor)
    above = voltages[(voltages > voltage) & (fraction >= 1 - EDGE)][:1]
    below = voltages[(voltages < voltage) & (fraction <= EDGE)][-1:]
    limits = [
        _limit(corrected, best.theta, covariance(best), float(v), data) for v in (*below, *above)
    ]
    found = [limit for limit in limits if limit is not None]
    if not found:
        return None
    return Bracket(voltage, min(found), tuple(float(v) for v in (*below, *above)))


def _without_floor(data: Observations, floor: float) -> Observations:
    """The counts less the expected false switches (at least none)."""
    switched = np.maximum(0.0, data.within - floor * data.trials) / (1 - floor)
    return data.with_weights(switched, data.exact, np.maximum(0.0, data.trials - switched))


def _limit(
    law: Likelihood, theta: np.ndarray, c: np.ndarray, neighbour: float, data: Observations
) -> float | None:
    """Largest V0 (V, one-sided 95 %) that takes P from its value here to the edge at a neighbour.

    The neighbour's most telling width counts: the longest that hardly switches, the shortest that
    nearly always does.
    """
    widths = data.duration[data.voltage == neighbour]
    rises = neighbour > law.reference
    width = float(widths.min() if rises else widths.max())
    probability = 1 - EDGE if rises else EDGE
    centre = _edge_ln_v0(law, theta, neighbour, width, probability)
    if centre is None:
        return None
    slope = np.zeros(theta.size)
    for i in np.flatnonzero(np.isfinite(np.diag(c))):
        step = np.where(np.arange(theta.size) == i, 1e-4, 0.0)
        ends = [
            _edge_ln_v0(law, theta + sign * step, neighbour, width, probability) for sign in (-1, 1)
        ]
        if ends[0] is None or ends[1] is None:
            return None
        slope[i] = (ends[1] - ends[0]) / 2e-4
    held = np.isfinite(np.diag(c))
    variance = float(slope[held] @ c[np.ix_(held, held)] @ slope[held])
    return math.exp(centre + _ONE_SIDED_95 * math.sqrt(max(0.0, variance)))


def _edge_ln_v0(
    law: Likelihood, theta: np.ndarray, neighbour: float, width: float, probability: float
) -> float | None:
    """ln V0 at which a pulse of ``width`` (s) at ``neighbour`` (V) switches with ``probability``.

    None where no V0 of a wide range does.
    """
    edge = law.family.quantile(np.array([probability]), math.exp(law.ln_shape(theta)))
    wanted = math.log(width) - math.log(float(edge[0]))

    def miss(ln_v0: float) -> float:
        place = np.array([neighbour])
        return float(law.acceleration.evaluate(place, law.reference, theta[0], ln_v0)[0]) - wanted

    gap = abs(neighbour - law.reference)
    low, high = math.log(gap / STEEPEST), math.log(gap * FLATTEST)
    return float(brentq(miss, low, high)) if miss(low) * miss(high) < 0 else None
