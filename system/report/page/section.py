"""What the sections of the page are made from, and what one is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from formats.cells import Cells
from formats.training import Training
from system.budget.lines import Budget
from system.report.chart import Chart
from system.report.table import Table


@dataclass(frozen=True)
class Given:
    """The report, and the tables behind it: report.json, the bill, both inputs and device.json."""

    cells: Cells
    training: Training
    bill: Budget
    report: Mapping[str, Any]
    device: Mapping[str, Any]

    @property
    def epochs(self) -> int:
        return int(self.training.data.sizes["epoch"])


@dataclass(frozen=True)
class Section:
    """A part of the page: its template ``name``.html finds charts and tables by their names, and
    leaves out those that are absent; ``values`` are whatever else it shows."""

    name: str
    title: str
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


def present(*things: Any) -> tuple[Any, ...]:
    """Those that are not None."""
    return tuple(thing for thing in things if thing is not None)
