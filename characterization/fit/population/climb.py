"""The maximum of a marginal likelihood, with starts for the spreads and enough quadrature nodes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.maximise import Maximum, maximise
from characterization.fit.population.effects import (
    CORRELATION,
    SIGMA_TAU,
    SMALLEST_SIGMA,
    Effects,
)
from characterization.fit.population.newton import climb_noisy
from characterization.fit.population.population import Population, population

NODES = (7, 13, 25, 49)
"""Quadrature nodes per random effect that are tried, until log L stands."""
LARGEST_ERROR = 1e-3
"""How much log L may move when the nodes are nearly doubled."""
_NEAR = 0.01
"""Of log L: how near a first climb comes, before nodes are chosen."""
_AT_ZERO = 20 * SMALLEST_SIGMA
_SECOND_START = 0.2


@dataclass(frozen=True, eq=False)
class Climb:
    """A maximised marginal likelihood: ``best.theta`` is phi, ``box`` the limits it was held in.

    ``quadrature_error`` is how far log L moves with nearly twice the nodes.
    """

    marginal: Population
    best: Maximum
    box: tuple[np.ndarray, np.ndarray]
    held: np.ndarray
    quadrature_error: float

    @property
    def loglik(self) -> float:
        """The largest log L found."""
        return self.best.value

    @property
    def effects(self) -> Effects:
        """Which spreads are in play."""
        return self.marginal.effects

    def zero(self, name: str) -> bool:
        """Whether a spread went to its lower edge, 0."""
        at = self.marginal.names.index(name)
        return name != CORRELATION and bool(self.best.theta[at] < _AT_ZERO)


def climb(
    likelihood: Likelihood,
    effects: Effects,
    start: np.ndarray,
    box: tuple[np.ndarray, np.ndarray],
    fixed: np.ndarray,
    nodes: np.ndarray | None = None,
) -> Climb:
    """Maximise over phi from ``start``; ``box`` and ``fixed`` (bool) are those of theta alone.

    Begins with ``nodes`` per distinct device (None: few) and takes more where they move log L.
    """
    own = effects.box
    limits = np.concatenate([box[0], own[0]]), np.concatenate([box[1], own[1]])
    held = np.concatenate([fixed, np.zeros(len(effects.names), bool)])
    marginal = population(likelihood, effects, NODES[0])
    if not effects.dimension:
        return Climb(marginal, maximise(marginal.evaluate, start, *limits, held), limits, held, 0.0)
    if nodes is not None:
        marginal = marginal.with_nodes(nodes)
    near = climb_noisy(marginal.evaluate, start, *limits, held, _NEAR)
    phi = near.theta
    for _ in NODES:
        marginal, error = _finer(marginal, phi)
        if error < LARGEST_ERROR:
            break
    while True:
        best = _climb(marginal, phi, limits, held)
        finer, error = _finer(marginal, best.theta)
        if error < LARGEST_ERROR or finer is marginal:
            return Climb(marginal, best, limits, held, error)
        marginal, phi = finer, best.theta


def _finer(marginal: Population, phi: np.ndarray) -> tuple[Population, float]:
    """More nodes where they move log L, and by how much they do; itself where there are no more."""
    following = dict(pairwise(NODES))
    more = np.array([following.get(n, n) for n in marginal.nodes.tolist()])
    if np.all(more == marginal.nodes):
        return marginal, np.nan
    weight = np.bincount(marginal.alike)
    moved = np.abs(marginal.with_nodes(more).distinct_values(phi) - marginal.distinct_values(phi))
    moved = np.where(np.isfinite(moved), moved * weight, np.inf)
    rising = np.argsort(moved)
    content = np.zeros(moved.size, bool)
    content[rising] = np.cumsum(moved[rising]) < LARGEST_ERROR / 2
    error = float(moved.sum())
    if error < LARGEST_ERROR:
        return marginal, error
    return marginal.with_nodes(np.where(content, marginal.nodes, more)), error


def moment_sigma(likelihood: Likelihood, theta: np.ndarray, parameter: int) -> float:
    """A first sigma of ln tau_ref (parameter 0) or ln V0 (1) from the pooled fit's device scores.

    E(score^2) = I + sigma^2 I^2 for small sigma, I being the device's information.
    """
    data = likelihood.data
    with np.errstate(all="ignore"):
        _, slope, curve = likelihood.contributions(theta, 2)
    score = np.bincount(data.device, np.nan_to_num(slope[parameter]))
    information = np.maximum(
        np.bincount(data.device, -np.nan_to_num(curve[parameter, parameter])), 0
    )
    sigma2 = np.sum(score**2 - information) / max(float(np.sum(information**2)), 1e-12)
    largest = 3.0 if parameter == 0 else 0.5
    return float(np.clip(np.sqrt(max(sigma2, 0.0)), largest / 20, largest))


def _climb(
    marginal: Population,
    start: np.ndarray,
    box: tuple[np.ndarray, np.ndarray],
    held: np.ndarray,
) -> Maximum:
    best = climb_noisy(marginal.evaluate, start, *box, held)
    for name in marginal.effects.names:
        i = marginal.names.index(name)
        # sigma = 0 is always stationary; where log L curves upward there, the maximum is elsewhere.
        if name == CORRELATION or best.theta[i] > _AT_ZERO or best.hessian[i, i] <= 0:
            continue
        again = best.theta.copy()
        again[i] = _SECOND_START * (1.0 if name == SIGMA_TAU else 0.3)
        other = climb_noisy(marginal.evaluate, again, *box, held)
        if other.value > best.value:
            best = other
    return best
