"""The report stage as a function: reads two files, prices, writes report.json, .html and .md.

A synapses.nc or binarized.nc in place of training.nc goes to :mod:`system.report.arrays`.
"""

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
from formats.netcdf import kind_of
from formats.provenance import provenance, sha256_file
from formats.training import read_training
from system.architecture import Architecture, Dac, architecture
from system.budget import Budget, BudgetOptions, budget
from system.budget.arrays import Converter
from system.budget.wear.endurance import EnduranceChoice
from system.report.arrays.case import FILES, SYSTEMS
from system.report.arrays.stage import ArrayResult
from system.report.arrays.stage import run as report_arrays
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
    None: the device's) and its distribution are those of :class:`EnduranceChoice`. ``training`` may
    be a synapses.nc or a binarized.nc, to which only the endurance applies, and ``adc_area`` (m2)
    with ``adc_energy`` (J per conversion); to these, and only to these.
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
    adc_area: float | None = None
    adc_energy: float | None = None

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
    kind = _kind(options)
    if kind in SYSTEMS:
        return _of_arrays(options, kind)
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


def _of_arrays(options: ReportOptions, kind: str) -> dict[str, Any]:
    """The record of a report on arrays."""
    return provenance(
        stage="report",
        inputs={
            "cells": sha256_file(options.cells),
            Path(FILES[kind]).stem: sha256_file(options.training),
        },
        options={
            "adc_area_m2": options.adc_area,
            "adc_energy_J": options.adc_energy,
            "endurance": options.endurance,
            "endurance_law": options.endurance_law,
            "endurance_shape": options.endurance_shape,
        },
        seed=None,
        source=("devices", "formats", "system"),
        libraries=LIBRARIES,
    )


def _kind(options: ReportOptions) -> str:
    """What ``training`` is; raises :class:`InputError` for an option that cannot matter to it."""
    kind = kind_of(options.training)
    if kind in SYSTEMS:
        what = f"belongs to streams (training.nc); {options.training} is a {FILES[kind]}"
        given = {
            "--architecture": options.architecture != DEFAULT,
            "--frame-rate": options.frame_rate != 1.0,
            "--dac-area-um2": options.dac_area is not None,
            "--dac-energy-pJ": options.dac_energy is not None,
            "--accept-edited-cells": options.accept_edited_cells,
        }
    else:
        what = f"belongs to arrays ({' or '.join(FILES.values())}); {options.training} is none"
        given = {
            "--adc-area-um2": options.adc_area is not None,
            "--adc-energy-pJ": options.adc_energy is not None,
        }
    for name, there in given.items():
        if there:
            raise InputError(name, f"{what}; leave it out")
    return kind


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


def run(options: ReportOptions) -> ReportResult | ArrayResult:
    """Write the report; raises :class:`formats.errors.InputError` for anything wrong in it."""
    kind = _kind(options)
    if kind in SYSTEMS:
        options.lasting.check()
        return report_arrays(
            kind,
            options.cells,
            options.training,
            options.output,
            Converter.given(options.adc_area, options.adc_energy),
            options.lasting,
            stage_provenance(options),
        )
    layout = chosen(options)
    options.lasting.check()
    cells, training = read_cells(options.cells), read_training(options.training)
    choices = BudgetOptions(options.frame_rate, options.accept_edited_cells)
    bill = budget(cells, training, layout, choices)
    content = report(cells, training, bill, stage_provenance(options), options.lasting)
    text = page(cells, training, bill, content, device(cells))
    files = [options.output / f"report.{ending}" for ending in ("json", "html", "md")]
    write_text(files[1], text)
    write_text(files[2], markdown(content, about(cells, training, bill)))
    write_json(files[0], content, "report")  # last: where it is new, all are
    return ReportResult(files[0], files[1], files[2], bill, content)
