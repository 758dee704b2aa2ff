"""The code on the pages runs as it stands, in order, and prints what the page says it prints."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from formats.cells import read_cells, write_cells
from tests.conftest import measured_data
from tests.documents import commands, python_code
from tests.documents.blocks import PAGES, ROOT, Block, blocks, command_lines
from tests.quick_compiling import compiling_quickly
from tests.synthetic_cells import synthetic_cells
from tests.synthetic_training import synthetic_training
from tests.system_report import array_files
from tests.system_report.changes import pumped

LANGUAGES = {"sh", "python", "toml", "csv", "spice", "text"}
PRINTS = "prints"
WITH_CODE = [page for page in PAGES if blocks(page)]
NAMES = [str(page.relative_to(ROOT)) for page in WITH_CODE]


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory, demo_device: dict[str, Any]) -> Path:
    """A clone's examples, and the results of the first stages, made in a moment: the folder in
    which a reader of any page stands."""
    folder = tmp_path_factory.mktemp("ready")
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / "out").mkdir()
    (folder / "out" / "device.json").write_text(json.dumps(demo_device))
    cells = pumped(read_cells(synthetic_cells(folder / "cells.nc")))
    cells.groups["sng"].attrs["read_voltage_V"] = 0.2
    write_cells(folder / "out" / "cells.nc", cells.attributes, cells.groups)
    synthetic_training(folder / "out" / "training.nc", folder / "out" / "cells.nc")
    array_files.synapses(folder / "out" / "synapses.nc")
    array_files.binarized(folder / "out" / "binarized.nc", json.dumps(demo_device))
    return folder


@pytest.fixture
def at_the_page(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session_folder: Path
) -> Iterator[Path]:
    """A copy of that folder as the current one, with a screen 110 columns wide."""
    folder = tmp_path / "clone"
    shutil.copytree(ready, folder)
    data = measured_data()
    if data is not None and (data / "mnist").is_dir():
        (folder / "mnist").symlink_to(data / "mnist")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "110")
    with compiling_quickly(session_folder / "compiled"):
        yield folder


@pytest.mark.parametrize("page", WITH_CODE, ids=NAMES)
def test_code_of_a_page_runs(page: Path, at_the_page: Path) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    printed = ""
    for block in blocks(page):
        if block.reason is not None:
            printed = ""
        elif block.title == PRINTS:
            assert printed, f"{block.place}: the block before prints nothing"
            _same(printed, block)
        elif block.title is not None:
            _write(block, at_the_page)
            if block.language == "python":
                compile(block.text, block.place, "exec")
        elif block.language == "sh":
            printed = "".join(commands.run(line) for line in command_lines(block.text))
        elif block.language == "python":
            printed = python_code.run(block.text, names, block.place)


@pytest.mark.parametrize("page", WITH_CODE, ids=NAMES)
def test_every_block_is_run_or_says_why_not(page: Path) -> None:
    for block in blocks(page):
        assert block.fenced, f"{block.place}: indented; a fence names the language"
        assert block.language in LANGUAGES, f"{block.place}: language {block.language!r}"
        if block.language in ("toml", "csv", "spice"):
            used = block.title is not None or block.reason is not None
            assert used, f"{block.place}: no file's title, and no reason"
        if block.language == "text":
            command = re.search(r"^(stochram|python -m|make) ", block.text, re.MULTILINE)
            assert block.title == PRINTS or not command, f"{block.place}: commands are sh"


@pytest.mark.parametrize("page", WITH_CODE, ids=NAMES)
def test_blocks_that_are_not_run_can_be_read(page: Path) -> None:
    for block in blocks(page):
        if block.reason is None:
            continue
        assert len(block.reason.split()) > 2, f"{block.place}: a reason in words is expected"
        if block.language == "sh":
            for line in command_lines(block.text):
                commands.read_only(line)
        elif block.language == "python":
            compile(block.text, block.place, "exec")
        elif block.language == "toml":
            tomllib.loads(block.text)


def _write(block: Block, folder: Path) -> None:
    """Write the block into the file that the page calls it."""
    path = (folder / str(block.title)).resolve()
    assert path.is_relative_to(folder.resolve()), f"{block.place}: leaves the folder"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text)


def _same(printed: str, block: Block) -> None:
    """Every line of the block is in what was printed, in order; ``...`` stands for any lines."""
    rest = [" ".join(line.split()) for line in printed.split("\n")]
    skipping = False
    for line in block.text.rstrip().split("\n"):
        wanted = " ".join(line.split())
        if wanted == "...":
            skipping = True
            continue
        if skipping:
            assert wanted in rest, f"{block.place}: {line!r} is not printed"
            rest = rest[rest.index(wanted) :]
        assert rest, f"{block.place}: {line!r} is not printed"
        assert rest[0] == wanted, f"{block.place}: states {line!r}, printed {rest[0]!r}"
        rest, skipping = rest[1:], False
