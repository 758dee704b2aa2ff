"""Cells in workers: the same files for any number of them; what fails is told, the rest goes on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from formats.errors import InputError
from formats.provenance import sha256_file
from system.sweep.backends import cluster, here, on_executor, processes
from system.sweep.cell import finished, time_of
from system.sweep.worker import Outcome, run_cell
from tests.system_sweep.fake_training import FakeOptions, fake, fake_cell

LENGTHS = (16, 13, 32, 999)
ERRORS = {"length=13": "--length: 13 is refused", "length=999": "ended without its results"}


def by_name(outcomes: Iterable[Outcome]) -> dict[str, Outcome]:
    found = list(outcomes)
    assert len({outcome.name for outcome in found}) == len(found)
    return {outcome.name: outcome for outcome in found}


def files(folder: Path) -> dict[str, str]:
    """Hashes of all results below a folder."""
    return {
        str(path.relative_to(folder)): sha256_file(path)
        for pattern in ("**/*.nc", "**/*.npz")
        for path in folder.glob(pattern)
    }


def test_results_do_not_depend_on_where_cells_run_and_every_cell_has_an_outcome(
    tmp_path: Path, template: Path
) -> None:
    for name in ("here", "processes"):
        cells = [fake_cell(template, tmp_path / name, length) for length in LENGTHS]
        found = by_name(here(cells, 1, fake) if name == "here" else processes(cells, 2, 1, fake))
        assert set(found) == {cell.name for cell in cells}
        for cell in cells:
            error = found[cell.name].error
            assert (ERRORS[cell.name] in str(error)) if cell.name in ERRORS else error is None
    assert len(files(tmp_path / "here")) == 4
    assert files(tmp_path / "here") == files(tmp_path / "processes")


def test_a_killed_process_is_named_and_takes_no_other_cell_with_it(
    tmp_path: Path, template: Path
) -> None:
    cells = [fake_cell(template, tmp_path, length) for length in (666, 16)]
    found = by_name(processes(cells, 2, 1, fake))
    assert "was killed" in str(found["length=666"].error)
    assert found["length=16"].error is None and finished(cells[1])


def test_a_worker_of_a_cluster_that_dies_ends_its_cell_with_an_error(
    tmp_path: Path, template: Path
) -> None:
    cells = [fake_cell(template, tmp_path, length) for length in (16, 666)]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found = by_name(on_executor(pool, cells, 1, fake))
    assert found["length=16"].error is None
    assert "its worker failed" in str(found["length=666"].error)


def test_a_defect_is_one_line_and_its_traceback_lies_in_the_folder(
    tmp_path: Path, template: Path
) -> None:
    cell = fake_cell(template, tmp_path, 1313)
    error = str(run_cell(cell, 1, fake).error)
    assert error.startswith("ZeroDivisionError: a defect") and str(cell.folder) in error
    assert "fake_training.py" in (cell.folder / "error.txt").read_text()


def test_what_is_done_is_not_done_again_and_other_or_harmed_work_is(
    tmp_path: Path, template: Path
) -> None:
    cell = fake_cell(template, tmp_path, 16)
    first = run_cell(cell, 1, fake)
    assert first.seconds is not None and first.whole
    timed = time_of(cell)
    assert timed is not None and timed.images == cell.images
    again = run_cell(cell, 1, forbidden)
    assert again.error is None and again.seconds is None
    (cell.folder / "weights.npz").write_bytes(b"harmed")
    assert run_cell(cell, 1, forbidden).error == "--length: must not run"
    assert run_cell(cell, 1, fake).error is None


def test_a_resumed_training_is_not_timed(tmp_path: Path, template: Path) -> None:
    cell = fake_cell(template, tmp_path, 16)
    (cell.folder / "checkpoints").mkdir(parents=True)
    (cell.folder / "checkpoints" / "sc-seed1.eqx").write_text("state")
    outcome = run_cell(cell, 1, fake)
    assert outcome.error is None and not outcome.whole and time_of(cell) is None


def test_threads_are_set_while_a_cell_runs_and_given_back_after(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def look(options: FakeOptions) -> None:
        seen.append(os.environ.get("NPROC"))
        fake(options)

    monkeypatch.delenv("NPROC", raising=False)
    run_cell(fake_cell(template, tmp_path, 16), 3, look)
    assert seen == ["3"] and "NPROC" not in os.environ


def test_dask_is_asked_for_by_name_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"stochram\[cluster\]"), cluster(None, 1):
        pass


def test_a_cluster_and_processes_give_the_same_files_though_each_lost_a_worker(
    tmp_path: Path, template: Path
) -> None:
    lengths = (*range(100, 130), 13, 667, *range(130, 160))
    for name in ("dask", "processes"):
        cells = [fake_cell(template, tmp_path / name, length) for length in lengths]
        if name == "dask":
            with cluster(None, 2) as (executor, at_a_time):
                assert at_a_time == 2
                found = by_name(on_executor(executor, cells, 1, fake))
        else:
            found = by_name(processes(cells, 2, 1, fake))
        assert (tmp_path / name / "length=667 died").is_dir()
        assert set(found) == {cell.name for cell in cells}
        assert [key for key, outcome in found.items() if outcome.error] == ["length=13"]
    assert len(files(tmp_path / "dask")) == 2 * (len(lengths) - 1)
    assert files(tmp_path / "dask") == files(tmp_path / "processes")


def forbidden(options: FakeOptions) -> None:
    raise InputError("--length", "must not run")
