"""Which spreads over devices the data can tell, and which of them they call for.

A spread of ln tau_ref needs devices with two or more informative outcomes: otherwise D2D spread,
C2C spread and a stretched family give the same outcomes. A spread of ln V0 needs devices whose own
outcomes, at two or more voltages, fix their own V0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.observations.base import Observations
from characterization.fit.population.effects import (
    BOTH,
    CORRELATED,
    CORRELATION,
    NONE,
    SIGMA_TAU,
    SIGMA_V0,
    TAU,
    Effects,
)

FEWEST_DEVICES = 5
"""Informative devices below which a spread is refused: its 95 % interval would span a factor 5."""
_LEAST_INFORMATION = 1.0
"""Of ln V0 in one device's outcomes, ln tau_ref unknown: V0 within a factor e (one sigma)."""


@dataclass(frozen=True)
class Identified:
    """What can be fitted: ``refused`` maps each spread that cannot to the reason, a sentence.

    ``informative`` counts the devices that inform (sigma_ln_tau, sigma_ln_V0).
    """

    devices: int
    informative: tuple[int, int]
    refused: dict[str, str]

    @property
    def models(self) -> tuple[Effects, ...]:
        """The models to try, each holding the one before."""
        models: tuple[Effects, ...] = (NONE,)
        if SIGMA_TAU not in self.refused:
            models += (TAU,)
            models += () if SIGMA_V0 in self.refused else (BOTH, CORRELATED)
        return models


@dataclass(frozen=True)
class SpreadTest:
    """A likelihood-ratio test between nested models of the spread."""

    name: str
    statistic: float
    p_value: float
    note: str


def bounded_devices(data: Observations) -> np.ndarray:
    """Devices (indices) with two or more outcomes that bound their tau on both sides.

    An exact or interval outcome bounds it on both; 'switched within the pulse' above, 'not
    switched' below.
    """
    both = data.exact + np.where(data.parent >= 0, data.within, 0.0)
    above = both + np.where(data.parent < 0, data.within, 0.0)
    below = both + data.waiting
    size = int(data.device.max()) + 1
    counts = [np.bincount(data.device, weights, size) for weights in (above, below, data.trials)]
    return np.flatnonzero((counts[0] > 0) & (counts[1] > 0) & (counts[2] >= 2))


def identified(likelihood: Likelihood, theta: np.ndarray) -> Identified:
    """Which spreads the outcomes can tell, before any is fitted; ``theta`` is the pooled fit."""
    data = likelihood.data
    devices = np.unique(data.device).size
    bounded = bounded_devices(data)
    refused = {}
    if bounded.size < FEWEST_DEVICES:
        refused[SIGMA_TAU] = (
            f"{SIGMA_TAU} is not fitted: {bounded.size} of {devices} devices have two or more "
            f"informative outcomes, and at least {FEWEST_DEVICES} are needed to tell D2D from "
            "C2C and stretching (not separable); the law is the marginal over devices, their "
            "spread inside it as if every cycle drew a device anew"
        )
    slopes = _slope_devices(likelihood, theta, bounded)
    if SIGMA_TAU in refused or slopes < FEWEST_DEVICES:
        refused[SIGMA_V0] = (
            f"{SIGMA_V0} is not fitted: the outcomes of {slopes} of {devices} devices, at two or "
            f"more voltages each, fix their own V0 (at least {FEWEST_DEVICES} are needed)"
        )
        refused[CORRELATION] = f"{CORRELATION} is not fitted: it needs {SIGMA_V0}"
    return Identified(devices, (int(bounded.size), slopes), refused)


def _slope_devices(likelihood: Likelihood, theta: np.ndarray, bounded: np.ndarray) -> int:
    """How many devices' own outcomes fix their V0, by their information at their own tau."""
    data = likelihood.data
    place = np.searchsorted(bounded, data.device)
    chosen = np.isin(data.device, bounded)
    if not bounded.size or np.unique(data.voltage).size < 2:
        return 0
    b = _own_shift(likelihood, theta, np.where(chosen, place, 0), chosen, bounded.size)
    own = [theta[0] + b[np.where(chosen, place, 0)] * chosen, *theta[1:].tolist()]
    curve = -likelihood.contributions(own, 2)[2][:2, :2]
    sums = np.array(
        [
            np.bincount(place[chosen], np.nan_to_num(curve[i, j][chosen]), bounded.size)
            for i, j in ((0, 0), (0, 1), (1, 1))
        ]
    )
    voltages = np.array([np.unique(data.voltage[data.device == d]).size for d in bounded])
    left = sums[2] - sums[1] ** 2 / np.maximum(sums[0], 1e-9)
    # A curvature of the device's own score is no information: one voltage alone tells no slope.
    return int(np.sum((left >= _LEAST_INFORMATION) & (voltages >= 2)))


def _own_shift(
    likelihood: Likelihood, theta: np.ndarray, place: np.ndarray, chosen: np.ndarray, count: int
) -> np.ndarray:
    """Each device's own ln tau_ref less the pooled one, by damped Newton steps."""
    b = np.zeros(count)
    for _ in range(8):
        own = [theta[0] + b[place] * chosen, *theta[1:].tolist()]
        _, slope, curve = likelihood.contributions(own, 2)
        g = np.bincount(place[chosen], np.nan_to_num(slope[0][chosen]), count)
        h = np.bincount(place[chosen], np.nan_to_num(curve[0, 0][chosen]), count)
        b += np.clip(g / np.maximum(-h, 0.3), -1.5, 1.5)
    return b


def bic(loglik: float, effects: Effects, fixed: int, outcomes: float, devices: int) -> float:
    """Schwarz's criterion: ln(outcomes) per parameter of the law, ln(devices) per spread.

    Delattre, Lavielle and Poursat, Electron. J. Statist. 8, 456 (2014) (recalled).
    """
    return float(fixed * np.log(outcomes) + len(effects.names) * np.log(devices) - 2 * loglik)


def ratio_test(small: Effects, large: Effects, gain: float) -> SpreadTest:
    """The likelihood-ratio test of ``small`` within ``large``, ``gain`` being that in log L.

    A spread cannot be negative: half the chi-square, half nothing (Self and Liang, J. Am. Stat.
    Assoc. 82, 605 (1987); recalled).
    """
    statistic = max(0.0, 2 * gain)
    added = [name for name in large.names if name not in small.names]
    tail = float(chi2.sf(statistic, 1))
    on_edge = added != [CORRELATION]
    if on_edge:
        tail = tail / 2 if statistic > 1e-6 else 1.0
    return SpreadTest(
        f"likelihood ratio: no {' and '.join(added)}",
        statistic,
        tail,
        "equal mixture of 0 and chi-square with 1 degree of freedom, as a spread is not negative"
        if on_edge
        else "chi-square with 1 degree of freedom",
    )
