"""Errors of the simulated energies: the standard errors of cells.nc, where it states them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from system.budget.lines import Line
from system.budget.uncertainty.corners import ENERGIES
from system.budget.uncertainty.figures import IN_CELLS
from system.budget.uncertainty.inputs import Curve, Input, factor

_UNSTATED = 1.05
"""Factor at 95 % where cells.nc has no error."""


def simulated(lines: Sequence[Line]) -> list[tuple[Input, dict[tuple[str, str], Curve]]]:
    """An input for each cell whose energy is simulated, with its curves by (item, energy).

    Errors are fully correlated within a cell: all its tabulated energies move together. An error
    of 0 makes no input.
    """
    by_cell: dict[str, list[Line]] = {}
    for line in lines:
        if IN_CELLS.search(line.energy_source) and not line.parts:
            by_cell.setdefault(line.cell, []).append(line)
    return [made for cell, its in by_cell.items() if (made := _of_cell(cell, its)) is not None]


def _of_cell(cell: str, lines: Sequence[Line]) -> tuple[Input, dict[tuple[str, str], Curve]] | None:
    named = f"simulated energy of {cell}"
    unstated = factor(
        named,
        _UNSTATED,
        "assumed: cells.nc states no error; energies of gates add up to those of whole cells "
        "within 5 %",
    )
    curves, known = {}, []
    for line in lines:
        for name, error in zip(
            ENERGIES, (line.stderr_inference, line.stderr_training), strict=True
        ):
            energy = getattr(line, name)
            if not energy > 0:
                continue
            sigma = error / energy
            if math.isnan(sigma):
                sigma = unstated.sigma or 0.0
            else:
                known.append(sigma)
            if sigma > 0:
                curves[line.item, name] = Curve((-1.0, 1.0), (-sigma, sigma))
    if not curves:
        return None
    if not known:
        return unstated, curves
    return (
        Input(
            named,
            "log-normal, of each energy its own standard error",
            max(known),
            "simulated: standard errors of cells.nc",
        ),
        curves,
    )
