"""report.json, which ``--compare`` reads back: compared with a whole one, or refused by name."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from system.report.cli import main
from system.report.compare import compare
from tests.bad_input.damage import as_json, cases, changed, damaged, judged
from tests.synthetic_cells import synthetic_cells
from tests.synthetic_training import synthetic_training

COMPARED = ("schema", "totals", "lines", "accuracy", "architecture", "timing", "update", "streams")
"""Keys of which the comparison shows something, with others that it looks through."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    cells = synthetic_cells(folder / "cells.nc")
    training = synthetic_training(folder / "training.nc", cells)
    assert main([str(cells), str(training), "-o", str(folder), "--quiet"]) == 0
    return folder / "report.json"


def compared(whole: Path, content: bytes) -> None:
    other = whole.with_name("other.json")
    other.write_bytes(content)
    judged(lambda path: compare(whole, path), other)
    judged(lambda path: compare(path, whole), other)


def test_changed_reports_are_compared_or_refused(whole: Path) -> None:
    content: dict[str, Any] = json.loads(whole.read_text())

    @cases(30)
    @given(st.data())
    def each(data: st.DataObject) -> None:
        key = data.draw(st.sampled_from([key for key in COMPARED if key in content]))
        changes = copy.copy(content)
        changes[key] = data.draw(changed({key: content[key]})).get(key)
        compared(whole, as_json(changes))

    each()


def test_damaged_reports_are_compared_or_refused(whole: Path) -> None:
    @cases(20)
    @given(damaged(whole.read_bytes()))
    def each(content: bytes) -> None:
        compared(whole, content)

    each()
