"""What a user may get wrong ends with one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from formats.cells import read_cells
from tests.system_report.runs import refused, rewrite, run


def test_mismatching_pair_ends_with_one_line(
    cells_file: Path,
    training_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rewrite(cells_file, technology="other")
    error = refused(capsys, run(cells_file, training_file, tmp_path / "out"))
    assert "--accept-edited-cells" in error
    assert not (tmp_path / "out").exists()


def test_wrong_files_and_options_end_with_one_line(
    cells_file: Path,
    training_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = tmp_path / "text.nc"
    text.write_text("voltage_V,switched\n")
    out = tmp_path / "out"
    missing = tmp_path / "missing.nc"
    assert "no such file" in refused(capsys, run(missing, training_file, out))
    assert "no such file" in refused(capsys, run(cells_file, missing, out))
    assert "NetCDF-4" in refused(capsys, run(text, training_file, out))
    assert "not a stochram cells file" in refused(capsys, run(training_file, cells_file, out))
    assert "unrolled-lenet5" in refused(
        capsys, run(cells_file, training_file, out, "--architecture", "x")
    )
    assert "--frame-rate" in refused(
        capsys, run(cells_file, training_file, out, "--frame-rate", "0")
    )
    refused(capsys, run(cells_file, training_file, out, "--frame-rate", "fast"))
    assert "both" in refused(capsys, run(cells_file, training_file, out, "--dac-area-um2", "3"))
    assert not out.exists()


def test_broken_texts_inside_cells_are_named(
    cells_file: Path,
    training_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = str(read_cells(cells_file).attributes["device_json"])
    for attribute, text in (
        ("device_json", "{"),
        ("device_json", "{}"),
        ("device_json", "[]"),
        ("fit_json", "{"),
    ):
        rewrite(cells_file, **{"device_json": whole, "fit_json": "", attribute: text})
        code = run(cells_file, training_file, tmp_path / "out", "--accept-edited-cells")
        assert attribute in refused(capsys, code)
