"""The points of an exploration judged against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from system.explore.front import (
    dominators,
    front_probability,
    no_dearer,
    not_distinguishable,
)
from system.explore.points import Point, columns


@dataclass(frozen=True)
class Judged:
    """A point and its place among the others, which are named by their numbers.

    ``dominated_by`` is the most accurate point of the front that dominates it; ``like`` are points
    of the front that cost no more and whose accuracy is not distinguishable. A point that is
    ``too_slow`` is out of the competition.
    """

    number: int
    point: Point
    on_front: bool
    probability: float
    dominated_by: int | None
    like: tuple[int, ...]
    too_slow: bool = False


def judge(points: Sequence[Point], max_latency: float | None = None) -> list[Judged]:
    """All points in their order, numbered from 1; ``max_latency`` in s (None: any)."""
    slow = [max_latency is not None and p.costs.latency > max_latency for p in points]
    places = [place for place, each in enumerate(slow) if not each]
    judged = dict(zip(places, _among(places, [points[i] for i in places]), strict=True))
    return [
        judged.get(place, Judged(place + 1, point, False, 0.0, None, (), True))
        for place, point in enumerate(points)
    ]


def _among(places: Sequence[int], points: Sequence[Point]) -> list[Judged]:
    if not points:
        return []
    costs, accuracy, stderr, training = columns(points)
    dominates = dominators(np.column_stack([costs, -accuracy]))
    front: np.ndarray = np.logical_not(np.any(dominates, axis=1))
    chance = front_probability(costs, accuracy, stderr, training)
    like: np.ndarray = (
        no_dearer(costs)
        & not_distinguishable(accuracy, stderr)
        & (training[:, None] != training[None, :])
        & front[None, :]
    )
    best_first = np.argsort(-accuracy, kind="stable")
    found = []
    for i, (place, point) in enumerate(zip(places, points, strict=True)):
        better = [int(j) for j in best_first if front[j] and dominates[i, j]]
        found.append(
            Judged(
                place + 1,
                point,
                bool(front[i]),
                float(chance[i]),
                places[better[0]] + 1 if better else None,
                tuple(places[int(j)] + 1 for j in np.flatnonzero(like[i])),
            )
        )
    return found


def front_of(judged: Sequence[Judged]) -> list[Judged]:
    """The points of the front, the most accurate first, then the least energy."""
    return sorted(
        (each for each in judged if each.on_front),
        key=lambda each: (-each.point.estimate.value, each.point.costs.energy, each.number),
    )
