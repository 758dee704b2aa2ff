"""Which figures a line's area, energy and leakage are proportional to, by the line's own sources.

A figure that several lines name is one input, so it moves them together.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from formats.cells import Cells
from system.budget.columns import GROUP as COLUMNS
from system.budget.lines import Line
from system.budget.uncertainty.inputs import Effect, Input
from system.budget.uncertainty.stated import (
    CELL_AREAS,
    CELL_ENERGY,
    CELL_LEAKAGE,
    STATED,
    cell_area,
    share,
    unstated,
)


@dataclass(frozen=True)
class Part:
    """A share of an amount, and the inputs that move it with their effects on it."""

    share: float
    moved: tuple[tuple[Input, Effect], ...] = ()


Mixture = tuple[Part, ...]
"""Parts of an amount, whose shares add up to 1."""

IN_CELLS = re.compile(r"cells\.nc (\w+)/(\w+)")
"""Where a source names a variable of cells.nc."""
_SHARE = re.compile(r"\(\S+ of the (area|switching energy|leakage) of ")


def mixtures(cells: Cells, line: Line, quantity: str) -> tuple[Mixture, ...]:
    """What the amount of a line is a product of; ``quantity`` is area, energy or leakage.

    A source that names no known figure is one by itself, with a wide factor (see
    :func:`stated.unstated`). The energy of an SNG's bit has parts of its own (``generator``).
    """
    source = getattr(line, f"{quantity}_source")
    found = [_whole(stated.input) for stated in STATED if stated.found(quantity, source)]
    for group in dict.fromkeys(match[1] for match in IN_CELLS.finditer(source)):
        if group not in ("sng", COLUMNS) and group in cells.groups:
            found += _of_cell(cells, group, quantity)
    if line.parts and _SHARE.search(source):
        found.append(_whole(share(line.item, quantity)))
    if found or (quantity == "energy" and "cells.nc sng/energy" in source):
        return tuple(found)
    return (_whole(unstated(quantity, source)),)


def _whole(one: Input, of: float = 1.0) -> Mixture:
    """All of an amount (or a part of it) proportional to one input."""
    return (Part(of, () if one.effect is None else ((one, one.effect),)),)


def _of_cell(cells: Cells, group: str, quantity: str) -> list[Mixture]:
    """Of a logic cell, whose figures have something in common with all others'."""
    if quantity == "energy":
        return [_whole(CELL_ENERGY)]
    if quantity == "leakage":
        return [_whole(CELL_LEAKAGE)]
    return [_whole(CELL_AREAS), _areas(cells, group)]


def _areas(cells: Cells, group: str) -> Mixture:
    """The standard cells that the area of ``group`` is a sum of, with their shares.

    A MAC's ``cells`` are those of all its product bits; what they do not add up to is its own.
    """
    data = cells.groups[group]
    if data.attrs["role"] != "mac":
        return _whole(cell_area(group))
    counts, total = json.loads(str(data.attrs["cells"])), float(data["area"])
    shares = {
        name: number * float(cells.groups[name]["area"]) / float(data.attrs["fan_in"]) / total
        for name, number in counts.items()
        if name in cells.groups
    }
    rest = 1.0 - sum(shares.values())
    if rest < -1e-6:  # not the sum of these cells
        return _whole(cell_area(group))
    if rest > 1e-6:
        shares[group] = rest
    return tuple(part for name, of in shares.items() for part in _whole(cell_area(name), of))
