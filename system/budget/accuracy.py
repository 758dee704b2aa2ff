"""Accuracies with binomial intervals, with and without stochastic arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from formats.errors import InputError
from formats.training import ARITHMETICS, EVALUATIONS, Training
from system.budget.lines import NORMAL_95
from system.budget.reading import whole_attribute


@dataclass(frozen=True)
class Accuracy:
    """Fraction correct on the test images, mean over seeds, with its 95 % Wilson interval."""

    value: float
    interval95: tuple[float, float]
    by_seed: tuple[float, ...]
    images: int


@dataclass(frozen=True)
class BitByBit:
    """The stochastic networks scored bit by bit.

    ``accuracy`` is theirs on some of the test images, ``moments`` that of the moments on the same
    ones, ``p_value`` McNemar's over all seeds that both are right equally often.
    """

    accuracy: Accuracy
    moments: float
    p_value: float


@dataclass(frozen=True)
class Difference:
    """SC minus float in percentage points, with its 95 % interval."""

    points: float
    interval95: tuple[float, float]


def wilson(fraction: float, count: int) -> tuple[float, float]:
    """95 % score interval of a binomial fraction (Wilson, JASA 22, 209, 1927)."""
    z2 = NORMAL_95**2
    centre = (fraction + z2 / (2 * count)) / (1 + z2 / count)
    half = (
        NORMAL_95
        / (1 + z2 / count)
        * math.sqrt(fraction * (1 - fraction) / count + z2 / (4 * count**2))
    )
    return max(0.0, centre - half), min(1.0, centre + half)


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p-value that two networks are right equally often on the same images.

    McNemar, Psychometrika 12, 153 (1947), with the binomial distribution: an image on which just
    one of them is right is either's with probability 1/2. 1 where there is no such image.
    """
    apart, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(apart, count) for count in range(fewer + 1)) / 2**apart
    return min(1.0, 2 * tail)


def accuracies(training: Training) -> dict[str, Accuracy]:
    """Final accuracies. All seeds see the same test images, so the interval is that of one set.

    Raises :class:`InputError` where an arithmetic or the number of test images is missing.
    """
    images = whole_attribute(training, "test_images")
    found = {}
    for name in ARITHMETICS:
        correct = np.asarray(training.data["correct"].sel(arithmetic=name).to_numpy(), float)
        correct = np.atleast_1d(correct)
        if not np.all(np.isfinite(correct)) or np.any(correct > images):
            raise InputError(
                training.path, f"correct of {name} is not within 0..{images} for every seed"
            )
        mean = float(np.mean(correct)) / images
        found[name] = Accuracy(
            mean, wilson(mean, images), tuple(float(c) / images for c in correct), images
        )
    return found


def evaluated(training: Training) -> dict[str, dict[str, Accuracy]]:
    """The last networks of each arithmetic, evaluated in each of ``EVALUATIONS`` that was done.

    Raises :class:`InputError` for more images right than there were.
    """
    data = training.data["evaluated_correct"].transpose("arithmetic", "evaluation", "seed")
    counts = np.asarray(training.data["evaluated_images"].to_numpy(), float)
    found: dict[str, dict[str, Accuracy]] = {}
    for row, arithmetic in enumerate(ARITHMETICS):
        found[arithmetic] = {}
        for column, evaluation in enumerate(EVALUATIONS):
            correct, images = np.asarray(data.to_numpy()[row, column], float), counts[column]
            if not np.any(np.isfinite(correct)):
                continue
            if not np.all(correct <= images):
                raise InputError(
                    training.path,
                    f"evaluated_correct of {arithmetic} in {evaluation} is not within "
                    f"0..{images:g} for every seed",
                )
            mean = float(np.mean(correct) / images)
            found[arithmetic][evaluation] = Accuracy(
                mean, wilson(mean, int(images)), tuple(map(float, correct / images)), int(images)
            )
    return found


def bit_by_bit(training: Training) -> BitByBit | None:
    """The stochastic networks' exact score beside that by moments on the same images, or None.

    Raises :class:`InputError`.
    """
    exact = evaluated(training)["sc"].get("exact")
    names = ("only_exact_right", "only_moments_right")
    if exact is None or names[0] not in training.data:
        return None
    ours, theirs = (np.atleast_1d(training.data[name].to_numpy()).astype(float) for name in names)
    right = np.array(exact.by_seed) * exact.images
    if not np.all((ours <= right) & (right - ours + theirs <= exact.images)):
        raise InputError(
            training.path,
            f"{', '.join(names)} are not those of {exact.images} images for every seed",
        )
    return BitByBit(
        exact,
        exact.value + float(np.mean(theirs - ours)) / exact.images,
        mcnemar(round(float(ours.sum())), round(float(theirs.sum()))),
    )


def difference(without: Accuracy, with_sc: Accuracy) -> Difference:
    """SC minus float (Newcombe, Stat. Med. 17, 873 (1998), method 10).

    Both ran on the same images; taking them as independent widens the interval.
    """
    p1, (l1, u1) = with_sc.value, with_sc.interval95
    p2, (l2, u2) = without.value, without.interval95
    gap = p1 - p2
    low = gap - math.hypot(p1 - l1, u2 - p2)
    high = gap + math.hypot(u1 - p1, p2 - l2)
    return Difference(100 * gap, (100 * low, 100 * high))
