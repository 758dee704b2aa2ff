"""95 % profile-likelihood intervals of a population's parameters.

theta in its own coordinates, the sigmas as they are, the correlation as artanh.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.stats import chi2

from characterization.fit.inference.profile import BetterMaximum
from characterization.fit.population.climb import LARGEST_ERROR, Climb, climb
from characterization.fit.population.effects import (
    CORRELATION,
    SIGMA_TAU,
    SIGMA_V0,
    SPREADS,
    Effects,
)
from characterization.fit.population.ends import profile_end
from characterization.fit.population.spread import Identified

Interval = tuple[float | None, float | None]
_RESTARTS = 2
_LONGEST = {SIGMA_TAU: 1.0, SIGMA_V0: 0.2, CORRELATION: 1.0}
"""Longest step of a spread on the way to an end; 2 for the logarithms of the law."""


def level_95(name: str, effects: Effects, devices: int) -> float:
    """What 2 (max log L - profile log L) reaches at the ends of a 95 % interval.

    chi-square with Bartlett's correction for a normal sample of as many ``devices``: the mean of
    the ratio is 1 + 11/(6 D) for the spreads and 1 + 3/(2 D) for the means of what differs between
    devices (logarithm and digamma expanded to first order; derived here, right where each device is
    known well, and an upper limit elsewhere).
    """
    excess = 0.0
    if name in SPREADS:
        excess = 11 / (6 * devices)
    elif (name == "tau_ref" and effects.tau) or (name == "V0" and effects.v0):
        excess = 3 / (2 * devices)
    return float(chi2.ppf(0.95, 1)) * (1 + excess)


def with_ends(
    fits: dict[Effects, Climb],
    chosen: Effects,
    known: Identified,
    progress: Callable[[str], None],
    restarts: int = _RESTARTS,
) -> tuple[dict[Effects, Climb], dict[str, Interval]]:
    """Profile intervals of everything in the chosen model, and of spreads it does without.

    Returns the fits too: one that a profile found to be no maximum is climbed anew.
    """
    ends: dict[str, Interval] = {}
    wanted = [(chosen, name) for name in (*fits[chosen].marginal.names,)]
    for model in fits:
        new = [name for name in model.names if name not in [n for _, n in wanted]]
        wanted += [(model, name) for name in new if name != CORRELATION]
    for model, name in wanted:
        progress(f"interval of {name}")
        try:
            ends[name] = _interval(fits[model], name, known)
        except BetterMaximum as better:
            risen = _risen(fits[model], better.theta)
            if risen is not None and restarts:
                return with_ends({**fits, model: risen}, chosen, known, progress, restarts - 1)
            # Only the quadrature came out higher, by its own error.
            ends[name] = _interval(fits[model], name, known, slack=np.inf)
    return fits, ends


def _risen(fit: Climb, phi: np.ndarray) -> Climb | None:
    """The fit begun anew where a profile came out higher; None if only its quadrature did."""
    p = fit.marginal.fixed_effects
    box = fit.box[0][:p], fit.box[1][:p]
    found = climb(fit.marginal.likelihood, fit.effects, phi, box, fit.held[:p], fit.marginal.nodes)
    return found if found.loglik > fit.loglik + LARGEST_ERROR else None


def _interval(fit: Climb, name: str, known: Identified, slack: float = 1e-3) -> Interval:
    index = fit.marginal.names.index(name)
    if fit.held[index]:
        return None, None
    informed = known.informative[int(name in (SIGMA_V0, "V0", CORRELATION))]
    level = level_95(name, fit.effects, informed or known.devices)
    low: float | None = None
    sigma = name in (SIGMA_TAU, SIGMA_V0)
    if sigma and 2 * (fit.loglik - _without(fit, name)) <= level:
        low = 0.0
    reach = np.array([_LONGEST.get(n, 2.0) for n in fit.marginal.names])
    pair = [
        profile_end(
            fit.marginal.evaluate,
            fit.best,
            fit.box,
            fit.held,
            index=index,
            side=side,
            level=level,
            reach=reach,
            slack=slack,
        )
        if not (side < 0 and low is not None)
        else low
        for side in (-1, 1)
    ]
    return pair[0], pair[1]


def _without(fit: Climb, name: str) -> float:
    """log L at its best with one sigma at 0."""
    if fit.zero(name):
        return fit.loglik
    marginal, effects = fit.marginal, fit.effects
    smaller = replace(
        effects,
        tau=effects.tau and name != SIGMA_TAU,
        v0=effects.v0 and name != SIGMA_V0,
        correlated=False,
    )
    p = marginal.fixed_effects
    kept = [p + i for i, n in enumerate(effects.names) if n in smaller.names]
    start = fit.best.theta[[*range(p), *kept]]
    box = fit.box[0][:p], fit.box[1][:p]
    return climb(marginal.likelihood, smaller, start, box, fit.held[:p], marginal.nodes).loglik
