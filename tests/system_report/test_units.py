"""Every area, energy and leakage of cells.nc: totals follow it exactly, and lines name it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from formats.cells import Cells
from formats.training import Training
from system.architecture import UNROLLED, Architecture, Columns, Overhead
from system.budget import Budget, BudgetOptions, budget
from tests.system_report import changes

Pair = tuple[Cells, Training]
QUANTITIES = {"m2": ("area",), "J": ("energy_training", "energy_inference"), "W": ("leakage",)}
SOURCES = {"m2": "area_source", "J": "energy_source", "W": "leakage_source"}
LAYOUT = replace(
    UNROLLED,
    write_supply="charge-pumps",
    overheads=(Overhead("a share of all", ("all",), "assumed: test", 0.5, 0.25, 2.0),),
)
COLUMN = "in_memory_column"
IN_MEMORY = replace(LAYOUT, parallelism="layer", columns=Columns(("forward", "input_gradient")))


@pytest.fixture(scope="module")
def cells(cells: Cells) -> Cells:
    """With a pump, so that every kind of unit is in the bill."""
    return changes.pumped(cells)


def units(cells: Cells) -> list[tuple[str, str, str]]:
    """Group, name and unit of every number that may be a price (no error, no time)."""
    return [
        (group, str(name), str(data[name].attrs["units"]))
        for group, data in cells.groups.items()
        for name in data.data_vars
        if str(data[name].attrs.get("units")) in QUANTITIES and not str(name).endswith("_stderr")
    ]


def scaled(cells: Cells, group: str, name: str, factor: float) -> Cells:
    data = cells.groups[group].copy(deep=True)
    data[name] = data[name].copy(data=factor * data[name].to_numpy())
    return replace(cells, groups={**cells.groups, group: data})


def bill(cells: Cells, training: Training, layout: Architecture = LAYOUT) -> Budget:
    return budget(cells, training, layout, BudgetOptions(accept_edited_cells=True))


@pytest.mark.parametrize("columns", [False, True])
def test_totals_are_linear_in_every_unit_and_only_lines_that_name_it_move(
    cells: Cells, pair: Pair, columns: bool
) -> None:
    """Twice and three times a number move each line by once and twice the same amount, and just
    the lines (and the overheads on them) whose source names it; other quantities stand still."""
    training, layout = pair[1], IN_MEMORY if columns else LAYOUT
    plain, moving = bill(cells, training, layout), set()
    for group, name, unit in units(cells):
        if columns and group != COLUMN:  # the others are in the other bill
            continue
        twice, thrice = (bill(scaled(cells, group, name, k), training, layout) for k in (2.0, 3.0))
        for line, second, third in zip(plain.lines, twice.lines, thrice.lines, strict=True):
            where = f"{group}/{name} in {line.item}"
            for of, quantities in QUANTITIES.items():
                for quantity in quantities:
                    value, more, most = (getattr(x, quantity) for x in (line, second, third))
                    if of != unit:
                        assert more == value, where
                        continue
                    assert most - value == pytest.approx(2 * (more - value), rel=1e-9), where
                    if more != value:
                        moving.add((group, name))
                        named = f"{group}/{name}" in getattr(line, SOURCES[of]).replace(
                            " and ", f" {group}/"
                        )
                        assert named or line.group in ("Overheads", "Binary products", "Update"), (
                            where
                        )
        for quantity in QUANTITIES[unit]:
            added = math.fsum(
                getattr(after, quantity) - getattr(before, quantity)
                for before, after in zip(plain.lines, twice.lines, strict=True)
            )
            total = getattr(twice, quantity) - getattr(plain, quantity)
            assert total == pytest.approx(added, rel=1e-9, abs=1e-12 * getattr(plain, quantity))
    if columns:
        priced = {"area", "energy", "leakage_power", "reset_energy", "scheme_energy"}
        assert moving == {(COLUMN, name) for name in priced}
        return
    used = {group for group, _ in moving}
    assert {"sng", "dff", "full_adder", "mux2", "xor2", "sign_magnitude_counter"} <= used
    assert ("sng", "charge_pump_area") in moving and ("sng", "energy") in moving


def test_all_units_of_a_kind_together_double_what_is_not_published(
    cells: Cells, pair: Pair
) -> None:
    """All areas of cells.nc twice: the area of all lines but those of others' figures is twice."""
    training, plain = pair[1], bill(cells, pair[1])
    for unit, quantities in QUANTITIES.items():
        changed = cells
        for group, name, of in units(cells):
            if of == unit:
                changed = scaled(changed, group, name, 2.0)
        after = bill(changed, training)
        for before, line in zip(plain.lines, after.lines, strict=True):
            for quantity in quantities:
                ratio = getattr(line, quantity) / (getattr(before, quantity) or math.nan)
                ours = "cells.nc" in getattr(before, SOURCES[unit])
                if before.group != "Overheads" and getattr(before, quantity):
                    assert ratio == pytest.approx(2.0 if ours else 1.0, rel=1e-9), before.item
    assert np.isfinite(plain.area)
