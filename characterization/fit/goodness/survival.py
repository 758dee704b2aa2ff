"""The share still waiting, from the outcomes alone: Kaplan-Meier and, for intervals, Turnbull."""

from __future__ import annotations

import numpy as np

_ROUNDS = 2000
_SETTLED, _NOTHING = 1e-8, 1e-5


def product_limit(
    time: np.ndarray, events: np.ndarray, leaving: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Event times and the share still waiting after each (Kaplan and Meier, JASA 53, 457, 1958).

    ``events`` of the ``leaving`` outcomes at each time (any unit, any order) are events, the rest
    is censored just after. (Reference recalled.)
    """
    unique, index = np.unique(time, return_inverse=True)
    happened = np.bincount(index, events, unique.size)
    gone = np.bincount(index, leaving, unique.size)
    at_risk = gone[::-1].cumsum()[::-1]
    share = np.cumprod(1 - happened / np.maximum(at_risk, happened))
    return unique[happened > 0], share[happened > 0]


def turnbull(
    low: np.ndarray, high: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Times and the share still waiting after each, of outcomes known to lie in (low, high].

    ``high`` may be inf (still waiting at ``low``). The non-parametric maximum of the likelihood
    puts its mass on the smallest intersections of the intervals; the share is given at their
    upper ends, where it is defined. Self-consistency iterations (Turnbull, JRSS B 38, 290, 1976;
    recalled). An inspection scheme shared by all rows gives the life table.
    """
    ends = np.concatenate([np.unique(low), np.unique(high)])
    kind = np.concatenate([np.zeros(np.unique(low).size), np.ones(np.unique(high).size)])
    order = np.lexsort((1 - kind, ends))  # (a, b] and (b, c] do not meet: upper ends first
    ends, kind = ends[order], kind[order]
    meets = np.flatnonzero((kind[:-1] == 0) & (kind[1:] == 1))
    left, right = ends[meets], ends[meets + 1]
    holds = ((left >= low[:, None]) & (right <= high[:, None])).astype(float)
    mass = np.full(left.size, 1 / left.size)
    for _ in range(_ROUNDS):
        share = holds * mass
        new = (weight / share.sum(axis=1)) @ share / weight.sum()
        settled = float(np.max(np.abs(new - mass))) < _SETTLED
        mass = new
        if settled:
            break
    kept = np.isfinite(right) & (mass > _NOTHING)
    return right[kept], np.maximum(1 - np.cumsum(mass), 0.0)[kept]
