"""The front and its probabilities against definitions written out, draws and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from scipy.stats import norm

from system.explore.front import (
    dominators,
    front_probability,
    no_dearer,
    not_distinguishable,
)
from system.explore.picture import best_so_far


def by_definition(amounts: np.ndarray) -> list[bool]:
    """Point by point: nobody is nowhere worse and somewhere better."""
    return [
        not any(
            all(b <= a for a, b in zip(one, other, strict=True))
            and any(b < a for a, b in zip(one, other, strict=True))
            for other in amounts
        )
        for one in amounts
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("values", [4, 1_000_000])  # with many ties, and with none
def test_the_front_is_what_the_definition_says(seed: int, values: int) -> None:
    amounts = np.random.default_rng(seed).integers(0, values, (60, 3)).astype(float)
    found = ~dominators(amounts).any(axis=1)
    assert found.tolist() == by_definition(amounts)
    assert found.any()


def test_equal_points_stay_together_and_each_lowest_point_is_on_the_front() -> None:
    amounts = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 3.0], [0.5, 9.0]])
    assert (~dominators(amounts).any(axis=1)).tolist() == [True, True, False, True]


def test_corners_of_the_convex_hull_that_face_the_origin_are_on_the_front() -> None:
    """scipy's hull knows nothing of dominance, but a facet with a normal below 0 in every amount
    carries minima of a weighted sum, and those are never dominated."""
    points = np.random.default_rng(3).random((400, 3))
    hull = ConvexHull(points)
    minima = np.unique(hull.simplices[np.all(hull.equations[:, :3] < 0, axis=1)])
    front = ~dominators(points).any(axis=1)
    assert minima.size > 3 and front[minima].all()


def test_the_front_does_not_depend_on_order_or_units() -> None:
    rng = np.random.default_rng(4)
    amounts, order = rng.random((50, 3)), rng.permutation(50)
    front = ~dominators(amounts).any(axis=1)
    moved = np.stack([amounts[:, 0] * 1e6, np.log(amounts[:, 1]), amounts[:, 2] ** 3], axis=1)
    assert (~dominators(moved[order]).any(axis=1) == front[order]).all()


def test_two_trainings_at_one_cost_share_the_front_as_their_difference_says() -> None:
    accuracy, stderr = np.array([0.97, 0.96]), np.array([0.004, 0.006])
    same, apart = np.ones((2, 2)), np.arange(2)
    found = front_probability(same, accuracy, stderr, apart)
    wanted = norm.cdf(0.01 / np.hypot(*stderr))
    assert found == pytest.approx([wanted, 1 - wanted], abs=1e-12)
    dearer = np.array([[2.0, 1.0], [1.0, 1.0]])
    assert front_probability(dearer, accuracy, stderr, apart) == pytest.approx([wanted, 1.0])


def test_probabilities_are_those_of_drawn_accuracies() -> None:
    """30,000 fronts drawn; at 4.5 standard errors one of 40 fails by chance once in 3,000 runs."""
    rng, draws = np.random.default_rng(5), 30_000
    trainings = np.repeat(np.arange(8), 5)
    costs = rng.integers(1, 7, (40, 2)).astype(float)
    mean, stderr = rng.normal(0.95, 0.01, 8), rng.uniform(0.003, 0.02, 8)
    found = front_probability(costs, mean[trainings], stderr[trainings], trainings)
    cheap = no_dearer(costs)
    cheaper = cheap & ~cheap.T
    drawn = (mean + stderr * rng.standard_normal((draws, 8)))[:, trainings]
    shares = np.zeros(40)
    for i in range(40):
        better = (cheap[i] & (drawn > drawn[:, [i]])) | (cheaper[i] & (drawn >= drawn[:, [i]]))
        shares[i] = 1 - better.any(axis=1).mean()
    error = np.sqrt(np.maximum(found * (1 - found), 1e-5) / draws)
    assert np.all(np.abs(shares - found) < 4.5 * error)
    assert np.sum((found > 0.02) & (found < 0.98)) > 5


def test_with_ever_smaller_errors_the_probability_becomes_the_front() -> None:
    rng = np.random.default_rng(6)
    costs, trainings = rng.random((30, 2)), np.repeat(np.arange(10), 3)
    accuracy = rng.uniform(0.9, 1.0, 10)[trainings]
    front = ~dominators(np.column_stack([costs, -accuracy])).any(axis=1)
    found = front_probability(costs, accuracy, np.full(30, 1e-9), trainings)
    assert np.array_equal(found > 0.5, front) and np.all(np.minimum(found, 1 - found) < 1e-9)


def test_one_in_twenty_of_equal_pairs_counts_as_distinguishable() -> None:
    rng = np.random.default_rng(7)
    pairs = [not_distinguishable(rng.normal(0.9, 0.01, 2), np.full(2, 0.01)) for _ in range(4_000)]
    shares = 1 - np.mean([pair[0, 1] for pair in pairs])
    assert shares == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 4_000))
    assert all(pair[0, 0] and pair[0, 1] == pair[1, 0] for pair in pairs[:10])


def test_the_drawn_line_is_the_front_of_two_amounts() -> None:
    points = np.random.default_rng(8).integers(0, 9, (40, 2)).astype(float)
    line = best_so_far(points[:, 0], points[:, 1])
    front = points[~dominators(points).any(axis=1)]
    assert {tuple(point) for point in points[line]} == {tuple(point) for point in front}
