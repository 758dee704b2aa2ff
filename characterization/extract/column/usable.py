"""How many cells a column may have: the largest n whose counts are still right often enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from characterization.extract.column.counts import CellSpread, Sense, count_statistics

SIZES = (2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40)
"""Column lengths tried."""
LARGEST_ERROR = 1e-2
"""Largest P(wrong count) over the operands' law of the count."""
LARGEST_RMS = 0.5
"""Largest root mean square of the count error."""
RATIOS = (3.0, 10.0, 30.0, 100.0, 1000.0)
SIGMAS = (0.02, 0.05, 0.1, 0.2, 0.3)
"""Grids of R_HRS/R_LRS and of sigma of ln R_LRS for the map of the usable n."""

SenseOf = Callable[[int], Sense]
"""The sense stage of a column of n cells."""


@dataclass(frozen=True)
class Curve:
    """Errors by column length: mean over operands a = b = 1/2, of the worst count, rms."""

    sizes: np.ndarray
    error_probability: np.ndarray
    worst_error_probability: np.ndarray
    rms_error: np.ndarray
    usable: int


def usable_curve(
    cells: CellSpread, sense_of: SenseOf, sizes: Sequence[int] = SIZES, whole: bool = True
) -> Curve:
    """Errors of columns of all ``sizes``; the usable n is the last before a bound is passed.

    It is 1 where not even the shortest column holds them: a single cell adds nothing up. Ends at
    the first that fails where not ``whole``.
    """
    rows: list[tuple[int, float, float, float]] = []
    usable, holds = 1, True
    for n in sizes:
        counts = count_statistics(cells, sense_of(n), n)
        p, rms = counts.mean_error_probability, counts.rms_error
        rows.append((n, p, float(np.max(counts.error_probability)), rms))
        holds = holds and p <= LARGEST_ERROR and rms <= LARGEST_RMS
        usable = n if holds else usable
        if not (holds or whole):
            break
    table = np.array(rows).T
    return Curve(table[0].astype(int), table[1], table[2], table[3], usable)


def usable_map(cells: CellSpread, sense_of: SenseOf) -> np.ndarray:
    """Usable n against R_HRS/R_LRS (rows, ``RATIOS``) and sigma of ln R_LRS (``SIGMAS``)."""
    result = np.empty((len(RATIOS), len(SIGMAS)), int)
    for row, ratio in enumerate(RATIOS):
        for column, sigma in enumerate(SIGMAS):
            other = replace(cells, r_hrs=ratio * cells.r_lrs, sigma_ln_r_lrs=sigma)
            result[row, column] = usable_curve(other, sense_of, whole=False).usable
    return result
