"""Trainings of LeNet-5 with changed tables, and what the tests' cells cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from formats.cells import Cells, variable
from formats.training import BINARY, Training
from system.architecture import UNROLLED
from system.budget import Budget, BudgetOptions, Line, budget
from system.budget.sng import sng_table
from system.budget.uncertainty import Uncertainty
from system.budget.wear.use import mean_switching, owned, pulse_rates
from system.budget.workload import Workload
from tests import synthetic_training as synthetic

BIT, CLOCK, WORD = 1.04e-4, 1e-8, 11
"""s of a bit and of a binary clock; bits of an operand register."""
ROWS = {"conv1": 0, "conv2": 1, "fc1": 2, "fc2": 3, "fc3": 4}
COLUMNS = {"forward": 0, "input_gradient": 1, "weight_gradient": 2, "update": 3}
Change = Callable[[xr.Dataset], None]


def trained(
    cells: Cells, change: Change | None = None, streamed: str | None = None, **attributes: Any
) -> Training:
    """A training of LeNet-5 as it would be read, its tables changed."""
    data = synthetic.lenet5(streamed=streamed)
    if change is not None:
        change(data)
    about = synthetic.attributes_for(cells) | ({"rule": streamed} if streamed else {})
    return Training(cells.path.with_name("training.nc"), about | attributes, data)


def sng_bit(p: float) -> float:
    """J of an SNG bit of the tests' cells at probability p."""
    return p * (2e-12 + 1e-9 + 3e-14) + (1 - p) * (1e-15 + 1e-13 + 1e-15)


def bill(cells: Cells, training: Training) -> Budget:
    """The bill of materials of the unrolled network."""
    return budget(cells, training, UNROLLED, BudgetOptions())


def busiest(cells: Cells, work: Workload, inference: bool = False) -> tuple[str, float, float]:
    """Kind of the devices that switch most on the mean, with their switching events and the bits of
    their busiest one in an image, at a RESET that never fails."""
    products, table = work.forward if inference else work.products, sng_table(cells)
    found = [
        (
            mean_switching(products, place, table, 1.0),
            pulse_rates(work, products, place).most,
            place,
        )
        for place in owned(work)
    ]
    events, bits, (_, kind, _) = max(found, key=lambda each: each[0])
    return kind, events, bits


def of(found: Budget, item: str) -> Line:
    """The line whose name begins with ``item``."""
    return next(line for line in found.lines if line.item.startswith(item))


def items(found: Budget) -> set[str]:
    """Names of all lines."""
    return {line.item for line in found.lines}


def lengths(**changed: list[int]) -> Change:
    """Sets the lengths of ``layer__product`` in the three epochs."""

    def change(data: xr.Dataset) -> None:
        for place, bits in changed.items():
            layer, product = place.split("__")
            data["stream_length"][:, ROWS[layer], COLUMNS[product]] = bits

    return change


def set_kind(data: xr.Dataset, layer: str, product: str, kind: tuple[str, str, str]) -> None:
    """Moves a product to another MAC, encoding and adder."""
    row, column = ROWS[layer], COLUMNS[product]
    for name, word in zip(("mac", "encoding", "adder"), kind, strict=True):
        data[name] = data[name].astype(object)
        data[name][row, column] = word


def plain(data: xr.Dataset, layer: str, product: str) -> None:
    """Moves a matrix product to plain arithmetic."""
    set_kind(data, layer, product, (BINARY, BINARY, BINARY))
    data["stream_length"][:, ROWS[layer], COLUMNS[product]] = 0
    for name in ("operand_a", "operand_b"):
        data[name][ROWS[layer], COLUMNS[product]] = np.nan


def pumped(cells: Cells) -> Cells:
    """Cells whose write path needs a pump of efficiency 1/2."""
    sng = cells.sng.assign(
        charge_pump_area=variable((), 80e-12, "m2", "derived: test"),
        charge_pump_efficiency=variable((), 0.5, "1", "derived: test"),
    )
    return replace(cells, groups={**cells.groups, "sng": sng})


def edited(cells: Cells, changes: Mapping[tuple[str, str], float]) -> Cells:
    """The cells with some variables multiplied."""
    groups = dict(cells.groups)
    for (group, name), times in changes.items():
        data = groups[group].copy()
        data[name] = data[name].copy(data=data[name].to_numpy() * times)
        groups[group] = data
    return replace(cells, groups=groups)


def ends(found: Uncertainty, total: str, name: str) -> tuple[float, float]:
    """A bar of the tornado."""
    bar = next(bar for bar in found.tornado[total] if bar.input == name)
    return bar.low, bar.high
