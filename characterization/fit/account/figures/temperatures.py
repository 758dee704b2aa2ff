"""The temperatures of the data: one panel each, a few of them where there are many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characterization.fit.account.figures.style import of, representatives
from characterization.fit.observations.base import Observations

MOST_TEMPERATURES = 4


@dataclass(frozen=True)
class Heat:
    """One temperature: ``here`` marks its segments; ``value`` (K) is None for laws without."""

    value: float | None
    here: np.ndarray

    @property
    def text(self) -> str:
        """What a title adds."""
        return "" if self.value is None else f", {self.value:g} K"

    @property
    def suffix(self) -> str:
        """What a name adds."""
        return "" if self.value is None else f"-{self.value:g}K"


def heats(data: Observations) -> tuple[list[Heat], list[str]]:
    """The temperatures to draw, and what to say where that is not all."""
    if data.temperature is None:
        return [Heat(None, np.ones(data.voltage.size, bool))], []
    values, index = np.unique(data.temperature, return_inverse=True)
    chosen = representatives(np.bincount(index, data.trials), MOST_TEMPERATURES)
    notes = of(chosen.size, values.size, "temperatures")
    return [Heat(float(values[i]), index == i) for i in chosen], notes
