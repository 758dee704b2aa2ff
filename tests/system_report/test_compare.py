"""--compare: ratios of the totals, the lines that changed, what was made otherwise; refusals."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from formats.cells import Cells
from formats.json_file import read_json, schema, write_json
from formats.provenance import provenance
from formats.training import Training
from system.report.cli import main
from system.report.content import report
from tests.system_report.changes import bill


@pytest.fixture(scope="module")
def content(pair: tuple[Cells, Training]) -> dict[str, Any]:
    record = provenance(
        stage="report",
        inputs={"cells": "0" * 64},
        options={"frame_rate_Hz": 1.0},
        seed=None,
        source=("formats",),
        libraries=("numpy",),
    )
    return report(*pair, bill(*pair), record)


def compared(
    folder: Path, capsys: pytest.CaptureFixture[str], a: dict[str, Any], b: dict[str, Any]
) -> str:
    for name, content in (("a.json", a), ("b.json", b)):
        write_json(folder / name, content, "report")
    assert main(["--compare", str(folder / "a.json"), str(folder / "b.json")]) == 0
    return capsys.readouterr().out


def block(text: str, title: str) -> list[str]:
    return next(part for part in text.split("\n\n") if part.startswith(title)).splitlines()


def test_a_report_equals_itself(
    content: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = compared(tmp_path, capsys, content, content)
    assert "lines that changed most: nothing" in text
    assert "what differs in the making: nothing" in text
    assert all(line.endswith("same") for line in block(text, "totals")[2:])
    assert text.count("+0.00") == 2


def test_ratios_lines_and_options_are_named(
    content: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = copy.deepcopy(content)
    other["totals"]["area_mm2"]["value"] *= 2
    item = other["lines"][0]["item"]
    other["lines"][0]["area_mm2"] *= 4
    gone = other["lines"].pop()["item"]
    other["accuracy"]["sc"]["value"] -= 0.1
    other["provenance"]["options"]["frame_rate_Hz"] = 2.5
    text = compared(tmp_path, capsys, content, other)
    area = next(line for line in block(text, "totals") if "area_mm2" in line)
    assert area.endswith("2.00")
    changed = block(text, "lines that changed most")[2:]
    assert changed[0].split("  ")[1] == item and changed[0].endswith("4.00")
    assert any(gone in line and "absent" in line for line in changed)
    assert any(line.endswith("-10.00") for line in block(text, "accuracies"))
    (row,) = block(text, "what differs in the making")[2:]
    assert row.split() == ["options:", "frame_rate_Hz", "1.0", "2.5"]


def test_nonsense_ends_with_one_line(
    content: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, text, old, list_ = (tmp_path / f"{name}.json" for name in ("a", "text", "old", "list"))
    write_json(whole, content, "report")
    text.write_text("voltage_V,switched\n")
    old.write_text(json.dumps({**content, "schema": 1}))
    list_.write_text("[1]")
    for second, said in (
        (tmp_path / "missing.json", "cannot be read"),
        (text, "is not valid JSON"),
        (old, "has schema 1"),
        (list_, "top level"),
    ):
        assert main(["--compare", str(whole), str(second)]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and said in error and str(second) in error
    assert main(["--compare", str(whole)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert read_json(whole, "report")["schema"] == content["schema"]


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema("report")
