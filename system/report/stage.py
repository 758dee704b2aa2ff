"""The report stage as a function: reads two files, prices, writes report.json, .html and .md."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from formats.atomic import write_text
from formats.cells import read_cells
from formats.errors import InputError
from formats.json_file import write_json
from formats.provenance import provenance, sha256_file
from formats.training import read_training
from system.architecture import Architecture, Dac, architecture
from system.budget import Budget, BudgetOptions, budget
from system.budget.wear.endurance import EnduranceChoice
from system.report.content import device, report
from system.report.markdown import markdown
from system.report.page import page
from system.report.summary import about

DEFAULT = "unrolled-lenet5"
"""The candidate reading of the published system."""
LIBRARIES = ("h5netcdf", "jinja2", "numpy", "plotly", "scipy", "xarray")


@dataclass(frozen=True)
class ReportOptions:
    """Everything the stage needs.

    ``frame_rate`` is in training steps (images) per second; ``dac_area`` (m2) and ``dac_energy``
    (J per conversion) go together, None leaves the write-voltage DACs out. ``endurance`` (cycles,
    None: the device's) and its distribution are those of :class:`EnduranceChoice`.
    """

    cells: Path
    training: Path
    output: Path
    architecture: str = DEFAULT
    frame_rate: float = 1.0
    accept_edited_cells: bool = False
    dac_area: float | None = None
    dac_energy: float | None = None
    endurance: float | None = None
    endurance_law: str = "weibull"
    endurance_shape: float | None = None

    @property
    def lasting(self) -> EnduranceChoice:
        """How long devices last."""
        return EnduranceChoice(self.endurance, self.endurance_law, self.endurance_shape)


@dataclass(frozen=True)
class ReportResult:
    """The files written and the budget in them."""

    json: Path
    html: Path
    markdown: Path
    budget: Budget
    content: dict[str, Any]


def stage_provenance(options: ReportOptions) -> dict[str, Any]:
    """The provenance record of a run with these options; raises :class:`InputError`."""
    layout = chosen(options)
    return provenance(
        stage="report",
        inputs={
            "cells": sha256_file(options.cells),
            "training": sha256_file(options.training),
        },
        options={
            "architecture": json.dumps(asdict(layout), sort_keys=True),
            "frame_rate_Hz": options.frame_rate,
            "accept_edited_cells": options.accept_edited_cells,
            "endurance": options.endurance,
            "endurance_law": options.endurance_law,
            "endurance_shape": options.endurance_shape,
        },
        seed=None,
        source=("devices", "formats", "system"),
        libraries=LIBRARIES,
    )


def chosen(options: ReportOptions) -> Architecture:
    """The architecture with the DACs of the options; raises :class:`InputError`."""
    layout, given = architecture(options.architecture), (options.dac_area, options.dac_energy)
    if given == (None, None):
        return layout
    area, energy = given
    if area is None or energy is None:
        raise InputError("--dac-area-um2", "and --dac-energy-pJ belong together; give both")
    if not all(math.isfinite(value) and value >= 0 for value in (area, energy)):
        raise InputError("--dac-area-um2", "and --dac-energy-pJ must be finite and not negative")
    return replace(layout, dac=Dac(area, energy, "assumed: given by the user on the command line"))


def run(options: ReportOptions) -> ReportResult:
    """Write the report; raises :class:`formats.errors.InputError` for anything wrong in it."""
    layout = chosen(options)
    options.lasting.check()
    cells, training = read_cells(options.cells), read_training(options.training)
    choices = BudgetOptions(options.frame_rate, options.accept_edited_cells)
    bill = budget(cells, training, layout, choices)
    content = report(cells, training, bill, stage_provenance(options), options.lasting)
    text = page(cells, training, bill, content, device(cells))
    files = [options.output / f"report.{ending}" for ending in ("json", "html", "md")]
    write_json(files[0], content, "report")
    write_text(files[1], text)
    write_text(files[2], markdown(content, about(cells, training, bill)))
    return ReportResult(files[0], files[1], files[2], bill, content)
