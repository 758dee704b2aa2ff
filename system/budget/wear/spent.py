"""What part of their endurance the training that training.nc records has taken from the devices."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from formats.training import Training
from system.budget.wear.shared import EVERY_LAYER
from system.budget.wear.use import KIND_OF, Group, recorded, recorded_images


@dataclass(frozen=True)
class Spent:
    """SET + RESET cycles that a whole training put on the SNGs of ``layer`` and ``kind``: the mean
    device's and the most used one's, beside the ``endurance``."""

    layer: str
    kind: str
    mean: float
    most: float
    endurance: float

    @property
    def fraction(self) -> float:
        """Of the most used device's endurance; above 1 the training would not have ended."""
        return _ratio(self.most, self.endurance)

    @property
    def mean_fraction(self) -> float:
        """Of the mean device's endurance."""
        return _ratio(self.mean, self.endurance)


def spent(training: Training, groups: Iterable[Group], endurance: float) -> Spent:
    """What the recorded run has taken from its most used device, of ``endurance`` cycles; of shared
    ``groups`` by their mean use, else as recorded.

    Raises :class:`InputError` where cycles are not numbers.
    """
    shared = [group for group in groups if group.layer == EVERY_LAYER]
    if shared:
        group, images = max(shared, key=lambda one: one.switching.most), recorded_images(training)
        mean, most = group.switching.mean * images, group.switching.most * images
        return Spent(group.layer, group.kind, mean, most, endurance)
    means, mosts = recorded(training)
    row, column = np.unravel_index(int(np.argmax(mosts)), mosts.shape)
    return Spent(
        str(training.data["layer"].to_numpy()[row]),
        KIND_OF[str(training.data["operand"].to_numpy()[column])],
        float(means[row, column]),
        float(mosts[row, column]),
        endurance,
    )


def _ratio(numerator: float, denominator: float) -> float:
    if denominator:
        return numerator / denominator
    return math.inf if numerator else 0.0
