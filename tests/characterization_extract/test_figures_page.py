"""cells.html: every cell, every assumption and source, escaped, self-contained, reproducible."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from characterization.extract.page.amounts import amount, number, signed_percent
from characterization.extract.page.grids import conditions_grid, curve_grid, sources_grid
from characterization.extract.page.page import page, write_page
from characterization.extract.screen import assumed_parameters
from devices.presets import knag2014
from formats.cells import Cells, read_cells
from tests.characterization_extract.export_cells import rich_cells


@pytest.fixture(scope="module")
def cells() -> Cells:
    return rich_cells()


@pytest.fixture(scope="module")
def content(cells: Cells) -> str:
    return page(cells)


def text_of(content: str) -> str:
    """What a reader sees, blanks as one space each."""
    bare = re.sub(r"<style>.*?</style>|<svg.*?</svg>", " ", content, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", bare)))


def test_the_page_names_every_cell_and_every_assumed_parameter(cells: Cells, content: str) -> None:
    shown = text_of(content)
    for name, data in cells.groups.items():
        assert name in shown
        if data.attrs["role"] != "sng":
            assert amount(float(data["area"]), "m2") in shown
    found = assumed_parameters(knag2014())
    assert found
    for name, parameter in found:
        assert f"{name} {amount(parameter.value, parameter.unit)}" in shown, name
    for heading in ("Corners and temperatures", "MACs", "Conventional CMOS", "Ratings"):
        assert f"<h2>{heading}</h2>" in content
    assert str(cells.sng.attrs["worst_stress"]) in shown


def test_every_source_is_told_with_its_kind(cells: Cells, content: str) -> None:
    grid = sources_grid(cells.groups)
    told = {row[1] for row in grid.rows}
    for data in cells.groups.values():
        for name, values in data.data_vars.items():
            if not str(name).startswith("waveform_"):
                assert values.attrs["source"].split(": ", 1)[1] in told
    assert set(grid.kinds) == {"assumed"}
    assert '<span class="kind assumed">' in content


def test_texts_are_escaped_and_nothing_is_fetched_or_run(content: str) -> None:
    assert "<b>&</b>" not in content
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in content  # an option, in the provenance
    assert "<script" not in content
    assert not re.search(r'(src|href)="(?!#)', content)
    names = re.findall(r'\bid="([^"]+)"', content)
    assert len(names) == len(set(names))
    for target in re.findall(r'href="#([^"]+)"', content):
        assert target in names, target


def test_a_small_file_of_one_condition_has_a_page_too_the_same_every_time(
    cells_file: Path, tmp_path: Path
) -> None:
    """No waveforms, no Monte Carlo, no error budget, unknown errors, provenance without inputs."""
    cells = read_cells(cells_file)
    content = page(cells)
    assert conditions_grid(cells.groups, "sign_magnitude_counter") is None
    assert "Corners and temperatures" not in content
    assert "sign_magnitude_counter" in text_of(content)
    assert write_page(cells, tmp_path / "cells.html").read_text(encoding="utf-8") == content
    assert str(tmp_path) not in content


def test_the_table_of_the_sng_is_that_of_the_file(cells: Cells) -> None:
    grid = curve_grid(cells.sng)
    here = cells.sng.isel(pulse_width=0, temperature=0, corner=0)
    first, last = grid.rows[0], grid.rows[-1]
    assert first[2] == number(float(here["pi"][0]))
    assert last[0] == f"{float(here['write_voltage'][-1]):.3f} V"
    energy = here["energy"].isel(write_voltage=-1).sum("phase").to_numpy()
    assert last[-2:] == (amount(float(energy[0]), "J"), amount(float(energy[1]), "J"))


def test_conditions_are_told_apart(cells: Cells) -> None:
    grid = conditions_grid(cells.groups, "sign_magnitude_counter")
    assert grid is not None
    assert [row[:2] for row in grid.rows] == [
        ("tt", "300 K"),
        ("tt", "398.15 K"),
        ("ff", "300 K"),
        ("ff", "398.15 K"),
    ]
    assert len({row[2] for row in grid.rows}) == 4  # each its own voltage for P = 1/2


def test_numbers_read_well() -> None:
    assert amount(1.47e-14, "J") == "14.7 fJ"
    assert amount(9.996e-13, "J") == "1.00 pJ"
    assert amount(0.0, "W") == "0 W"
    assert amount(3.36e-12, "m2") == "3.36 µm²"
    assert amount(1e7, "ohm") == "10.0 MΩ"
    assert amount(float("nan"), "J") == "–"
    assert amount(1e6, "cycles") == "1.00·10⁶ cycles"
    assert number(-0.5, 2) == "−0.50"
    assert signed_percent(-0.119) == "−12 %"
