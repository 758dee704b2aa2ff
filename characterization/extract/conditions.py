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
    (the first corner where there is no tt). Of the SNG the conditions ``without`` are missing, of
    the gates the environments ``without_logic``: iteration leaves them out, and the arrays hold NaN
    there.
    """

    widths: tuple[float, ...]
    temperatures: tuple[float, ...]
    corners: tuple[str, ...]
    without: frozenset[tuple[float, float, str]] = frozenset()
    without_logic: frozenset[tuple[float, str]] = frozenset()

    def __iter__(self) -> Iterator[tuple[float, float, str]]:
        return (condition for condition in self._all() if condition not in self.without)

    @property
    def environments(self) -> list[tuple[float, str]]:
        """Combinations of temperature (K) and corner at which there are gates."""
        return [one for one in self._all_environments() if one not in self.without_logic]

    def _all(self) -> Iterator[tuple[float, float, str]]:
        return itertools.product(self.widths, self.temperatures, self.corners)

    def _all_environments(self) -> Iterator[tuple[float, str]]:
        return itertools.product(self.temperatures, self.corners)

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
        return self.environments.index(self._nominal())

    @property
    def nominal(self) -> int:
        """Index of the nominal condition."""
        return list(self).index((self.widths[self.nominal_width], *self._nominal()))

    def _nominal(self) -> tuple[float, str]:
        temperature, corner = nominal_index(self.temperatures, self.corners)
        return self.temperatures[temperature], self.corners[corner]

    def stack(self, values: Sequence[np.ndarray]) -> np.ndarray:
        """Arrays of all conditions as one, with the axes (width, temperature, corner, ...)."""
        there = [condition not in self.without for condition in self._all()]
        return _spread(values, there, self.shape)

    def over_environments(self, values: Sequence[Any]) -> np.ndarray:
        """Arrays of all environments as one, with the axes (temperature, corner, ...)."""
        there = [one not in self.without_logic for one in self._all_environments()]
        return _spread(values, there, self.shape[1:])

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


def _spread(values: Sequence[Any], there: Sequence[bool], shape: tuple[int, ...]) -> np.ndarray:
    """Values at the places ``there``, NaN at the others."""
    stacked = np.array(values)
    if not all(there):
        full = np.full((len(there), *stacked.shape[1:]), np.nan)
        full[np.array(there)] = stacked
        stacked = full
    return np.reshape(stacked, (*shape, *stacked.shape[1:]))
