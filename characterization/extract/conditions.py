"""The conditions of an extraction: pulse widths, temperatures, corners, and the nominal one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from formats.cells import nominal_index


@dataclass(frozen=True)
class Conditions:
    """All combinations of ``widths`` (s), ``temperatures`` (K) and ``corners``, in this order.

    The nominal condition is the first width at the temperature nearest 300 K and the corner tt
    (the first corner where there is no tt).
    """

    widths: tuple[float, ...]
    temperatures: tuple[float, ...]
    corners: tuple[str, ...]

    def __iter__(self) -> Iterator[tuple[float, float, str]]:
        return itertools.product(self.widths, self.temperatures, self.corners)

    @property
    def environments(self) -> list[tuple[float, str]]:
        """Combinations of temperature (K) and corner."""
        return list(itertools.product(self.temperatures, self.corners))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of widths, temperatures and corners."""
        return len(self.widths), len(self.temperatures), len(self.corners)

    @property
    def nominal_width(self) -> int:
        """Index of the width in force wherever a quantity has no such dimension."""
        return 0

    @property
    def nominal_environment(self) -> int:
        """Index of the nominal temperature and corner among :attr:`environments`."""
        temperature, corner = nominal_index(self.temperatures, self.corners)
        return temperature * len(self.corners) + corner

    @property
    def nominal(self) -> int:
        """Index of the nominal condition."""
        return self.nominal_width * len(self.environments) + self.nominal_environment

    def stack(self, values: Sequence[np.ndarray]) -> np.ndarray:
        """Arrays of all conditions as one, with the axes (width, temperature, corner, ...)."""
        return np.reshape(np.array(values), (*self.shape, *np.shape(values[0])))

    def over_environments(self, values: Sequence[Any]) -> np.ndarray:
        """Arrays of all environments as one, with the axes (temperature, corner, ...)."""
        return np.reshape(np.array(values), (*self.shape[1:], *np.shape(values[0])))

    def coordinates(self) -> dict[str, Any]:
        """The coordinates of cells.nc, the width's included."""
        return {
            "pulse_width": ("pulse_width", list(self.widths), {"units": "s"}),
            **self.environment_coordinates(),
        }

    def environment_coordinates(self) -> dict[str, Any]:
        """The coordinates temperature and corner of cells.nc."""
        return {
            "temperature": ("temperature", list(self.temperatures), {"units": "K"}),
            "corner": list(self.corners),
        }
