"""The page of assumptions states what the code assumes: the same names, the same values.

A failure prints the row that the page lacks.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from characterization.extract import refusals
from circuits.sng.design import SngDesign
from devices.defaults import (
    assumed_conduction,
    assumed_endurance,
    assumed_ideal_reset_time,
    assumed_spread,
)
from devices.parameter import Parameter
from devices.technology import CMOS40LP
from formats.cells import LEAST_READ_ERROR, read_cells
from formats.training import read_training
from system.architecture import UNROLLED
from system.budget import BudgetOptions, budget
from system.budget.uncertainty.stated import STATED
from system.budget.wear.endurance import SHAPES
from tests.documents.blocks import ROOT
from tests.synthetic_cells import synthetic_cells
from tests.synthetic_training import synthetic_training

PAGE = (ROOT / "docs" / "assumptions.md").read_text()
PRESETS = sorted((ROOT / "system" / "architecture" / "presets").glob("*.toml"))


def parameters() -> dict[str, Parameter]:
    """Every value that a device gets where its data do not hold it."""
    found = {"ideal_reset_time": assumed_ideal_reset_time(), "endurance": assumed_endurance()}
    for part in (assumed_spread(), assumed_conduction()):
        values = {field.name: getattr(part, field.name) for field in fields(part)}
        found |= {name: value for name, value in values.items() if isinstance(value, Parameter)}
    return found


@pytest.mark.parametrize("name", parameters())
def test_defaults_of_a_device_are_on_the_page(name: str) -> None:
    parameter = parameters()[name]
    unit = "" if parameter.unit == "1" else f" {parameter.unit}"
    assert parameter.source == "assumed"
    assert f"| `{name}` | {parameter.value:g}{unit} |" in PAGE


def test_choices_of_the_sng_are_on_the_page() -> None:
    design = SngDesign()
    for name, unit in (
        ("write_time", "s"),
        ("reset_time", "s"),
        ("read_time", "s"),
        ("gap", "s"),
        ("reset_voltage", "V"),
        ("compliance_gate", "V"),
        ("reference", "V"),
        ("sense_time", "s"),
        ("write_resistance", "ohm"),
        ("line_capacitance", "F"),
    ):
        assert f"| `{name}` | {getattr(design, name):g} {unit} |" in PAGE


def test_limits_of_a_cell_are_on_the_page() -> None:
    assert f"| read disturb | at most {refusals.LARGEST_READ_DISTURB:g} |" in PAGE
    assert f"| read error | at most {refusals.LARGEST_READ_ERROR:g} |" in PAGE
    assert f"| RESET | at least {refusals.LEAST_RESET:g} |" in PAGE
    assert f"Read errors below {LEAST_READ_ERROR:g} are shown" in PAGE


def test_classes_of_high_voltage_transistors_are_on_the_page() -> None:
    assert f"{', '.join(CMOS40LP.io_classes)} V" in PAGE


@pytest.mark.parametrize("stated", STATED, ids=lambda stated: stated.input.name)
def test_uncertainty_of_a_figure_is_on_the_page(stated: object) -> None:
    figure = stated.input  # type: ignore[attr-defined]
    assert f"| {figure.name} | {figure.distribution} |" in PAGE


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_overheads_of_an_architecture_are_on_the_page(preset: Path) -> None:
    content = tomllib.loads(preset.read_text())
    assert f"`{content['name']}`" in PAGE
    for line in content.get("overhead", ()):
        shares = " | ".join(f"{line.get(key, 0):g}" for key in ("area", "energy", "leakage"))
        assert f"| {line['name']} | {shares} |" in PAGE


def test_shapes_of_endurance_are_on_the_page() -> None:
    assert f"Weibull {SHAPES['weibull']:g}, log-normal {SHAPES['lognormal']:g}" in PAGE


def test_what_a_report_leaves_out_is_on_the_page(tmp_path: Path) -> None:
    cells = synthetic_cells(tmp_path / "cells.nc")
    training = synthetic_training(tmp_path / "training.nc", cells)
    bill = budget(read_cells(cells), read_training(training), UNROLLED, BudgetOptions())
    for sentence in bill.not_modelled:
        begins = re.split(r"[:.,(]", sentence)[0].strip()
        assert begins in PAGE, sentence
