"""The command: sums and sources in report.json, identical bytes, light imports, a small page."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from formats.json_file import read_json
from system.report.cli import main
from system.report.quantity import source_kind
from system.report.stage import ReportOptions, stage_provenance
from tests.system_report.runs import run

ROOT = Path(__file__).resolve().parents[2]


def test_report_json_holds_the_sums_and_a_source_for_every_line(
    cells_file: Path, training_file: Path, tmp_path: Path
) -> None:
    assert run(cells_file, training_file, tmp_path / "out") == 0
    report = read_json(tmp_path / "out" / "report.json", "report")
    totals, lines = report["totals"], report["lines"]
    for total, key in (
        ("area_mm2", "area_mm2"),
        ("energy_per_inference_J", "energy_per_inference_J"),
        ("energy_per_training_step_J", "energy_per_training_step_J"),
    ):
        assert totals[total]["value"] == pytest.approx(
            math.fsum(line[key] for line in lines), rel=1e-12
        )
    for line in lines:
        assert line["area_mm2"] == pytest.approx(line["count"] * line["unit_area_um2"] * 1e-6)
        assert line["energy_per_training_step_J"] == pytest.approx(
            line["events_per_training_step"] * line["unit_energy_J"]
        )
        assert all(source_kind(text) != "unstated" for text in line["source"].values())
    ratio = report["comparison"]["published_system"][0]
    assert ratio["ratio"] == pytest.approx(totals["area_mm2"]["value"] / 1.55)


@pytest.fixture(scope="module")
def processes(
    originals: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[Path, set[str]]:
    """Two reports of one pair, each by a process with another hash seed: the folder of each, and
    the packages that its process had loaded in the end."""
    script = "import sys\nfrom system.report.cli import main\n"
    script += "assert main(sys.argv[1:]) == 0\nprint(*sys.modules)"
    found = {}
    for seed in ("1", "2"):
        folder = tmp_path_factory.mktemp("processes")
        done = subprocess.run(
            [sys.executable, "-c", script, *originals, "-q", "-o", folder],
            check=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
        )
        found[folder] = {name.split(".")[0] for name in done.stdout.split()}
    return found


def test_the_same_inputs_give_the_same_bytes(processes: dict[Path, set[str]]) -> None:
    """In two processes with different hash seeds, so that no set's order can leak in."""
    one, two = processes
    for name in ("report.json", "report.html", "report.md"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_a_report_loads_nothing_that_trains_or_draws(processes: dict[Path, set[str]]) -> None:
    """Each of these takes a second or so to load; the report needs none."""
    for loaded in processes.values():
        assert {"system", "xarray"} <= loaded
        assert not loaded & {
            "characterization",
            "equinox",
            "jax",
            "lmfit",
            "matplotlib",
            "mlxtend",
            "numba",
            "optax",
            "sklearn",
        }


def test_a_page_stays_below_six_megabytes(processes: dict[Path, set[str]]) -> None:
    for folder in processes:
        size = (folder / "report.html").stat().st_size
        assert 1e6 < size < 6e6


def test_provenance_tells_changed_work_from_the_same_work(
    cells_file: Path, training_file: Path, tmp_path: Path
) -> None:
    options = ReportOptions(cells_file, training_file, tmp_path / "a")
    record = stage_provenance(options)
    assert record == stage_provenance(ReportOptions(cells_file, training_file, tmp_path / "b"))
    assert record != stage_provenance(
        ReportOptions(cells_file, training_file, tmp_path / "a", frame_rate=2.0)
    )
    assert str(tmp_path) not in json.dumps(record)


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "python -m system.report out/cells.nc out/training.nc" in capsys.readouterr().out
