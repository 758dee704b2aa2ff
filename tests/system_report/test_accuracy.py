"""Accuracies and their intervals, by moments and bit by bit, against published examples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from scipy.stats import binomtest

from formats.cells import Cells
from formats.errors import InputError
from formats.training import Training
from system.budget.accuracy import (
    Accuracy,
    accuracies,
    bit_by_bit,
    difference,
    evaluated,
    mcnemar,
    wilson,
)


def test_wilson_interval_covers_as_the_published_example_says() -> None:
    """Newcombe, Stat. Med. 17, 857 (1998), table I: 81 of 263 gives 0.2553 to 0.3662."""
    low, high = wilson(81 / 263, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_difference_interval_agrees_with_the_published_example() -> None:
    """Newcombe, Stat. Med. 17, 873 (1998), example (a): 56/70 - 48/80, 0.0524 to 0.3339."""
    first = Accuracy(56 / 70, wilson(56 / 70, 70), (), 70)
    second = Accuracy(48 / 80, wilson(48 / 80, 80), (), 80)
    gap = difference(second, first)
    assert gap.points == pytest.approx(20.0)
    assert [round(bound / 100, 4) for bound in gap.interval95] == [0.0524, 0.3339]


def test_mcnemars_p_is_that_of_the_sign_test() -> None:
    for first in range(0, 12):
        for second in range(0, 12):
            expected = binomtest(first, first + second).pvalue if first + second else 1.0
            assert mcnemar(first, second) == pytest.approx(expected, rel=1e-12)
    assert mcnemar(1000, 1100) == pytest.approx(binomtest(1000, 2100).pvalue, rel=1e-9)


def scored(training: Training, **changed: Any) -> Training:
    """The same training with an exact score of its two seeds on 200 images."""
    values = {"only_exact_right": [3, 1], "only_moments_right": [5, 4], **changed}
    data = training.data.copy(deep=True)
    data = data.assign({name: (("seed",), value) for name, value in values.items()})
    data["evaluated_correct"][1, :, 2] = [188, 190]
    data["evaluated_images"][2] = 200
    return replace(training, data=data)


def test_exact_scores_stand_beside_the_moments_on_the_same_images(
    pair: tuple[Cells, Training],
) -> None:
    assert bit_by_bit(pair[1]) is None
    found = bit_by_bit(scored(pair[1]))
    assert found is not None
    assert found.accuracy.value == pytest.approx(0.945)
    assert found.accuracy.interval95 == wilson(found.accuracy.value, 200)
    assert found.moments == pytest.approx(0.945 + (2 + 3) / 2 / 200)
    assert found.p_value == mcnemar(4, 9)
    for ours, theirs in ((189, 0), (0, 13)):
        with pytest.raises(InputError, match="not those of 200 images"):
            bit_by_bit(scored(pair[1], only_exact_right=[ours, 0], only_moments_right=[theirs, 0]))


def test_last_networks_are_shown_in_every_arithmetic_that_was_done(
    pair: tuple[Cells, Training],
) -> None:
    found = evaluated(scored(pair[1]))
    assert {name: list(rows) for name, rows in found.items()} == {
        "float": ["float"],
        "sc": ["moments", "exact"],
    }
    exact = found["sc"]["exact"]
    assert (exact.by_seed, exact.images) == ((0.94, 0.95), 200)
    assert exact.interval95 == wilson(0.945, 200)
    assert found["sc"]["moments"].value == accuracies(pair[1])["sc"].value
    data = scored(pair[1]).data
    data["evaluated_correct"][1, 0, 2] = 201
    with pytest.raises(InputError, match=r"sc in exact is not within 0\.\.200"):
        evaluated(replace(pair[1], data=data))


def test_accuracy_is_that_of_the_final_networks(pair: tuple[Cells, Training]) -> None:
    found = accuracies(pair[1])
    assert found["float"].value == pytest.approx(0.96)
    assert found["sc"].by_seed == (0.95, 0.95)
