"""Cells in workers: the same files for any number of them; what fails is told, the rest goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from formats.errors import InputError
from formats.provenance import sha256_file
from system.sweep import backends
from system.sweep.backends import cluster, here, on_executor, processes
from system.sweep.cell import finished, time_of
from system.sweep.worker import Outcome, run_cell
from tests.system_sweep.fake_training import FakeOptions, fake, fake_cell

ROOT = Path(__file__).resolve().parents[2]
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


STOPPED = """
import os, signal, sys, time
from pathlib import Path
import typer
from formats.errors import run_command
from system.sweep.backends import cluster, on_executor, processes
from tests.system_sweep.fake_training import fake_cell, waiting

app = typer.Typer()

@app.command()
def sweep(folder: Path, backend: str):
    cells = [fake_cell(folder, folder, length) for length in (16, 32, 64)]
    if backend == "dask":
        with cluster(None, 2) as (executor, _):
            list(on_executor(executor, cells, 1, waiting))
    list(processes(cells, 2, 1, waiting))

def main():
    return run_command(app)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
@pytest.mark.parametrize("backend", backends.BACKENDS)
def test_workers_go_with_a_stopped_sweep_and_say_nothing(
    backend: str, name: str, tmp_path: Path
) -> None:
    """SIGINT as from a terminal: to the workers too. SIGKILL to the sweep alone."""
    if backend == "dask":
        pytest.importorskip("distributed", reason="Dask is not installed (extra cluster)")
    (tmp_path / "stopped.py").write_text(STOPPED)
    program = "from formats.interrupts import start; start('stopped')"
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path), backend],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
        # pytest's own, where it runs in the background, ignores it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    started: list[Path] = []
    while len(started) < 2:
        assert process.poll() is None, process.communicate()
        started = list(tmp_path.glob("*/pid-*"))
        time.sleep(0.02)
    if name == "SIGINT":
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.kill()
    _, said = process.communicate(timeout=30)  # ends when nobody holds its standard error
    workers = [int(path.name.partition("-")[2]) for path in started]
    end = time.monotonic() + 10
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < end, "workers live on"
        time.sleep(0.05)
    assert len(list(tmp_path.glob("*/pid-*"))) == 2  # the third cell was not begun
    if name == "SIGINT":
        assert process.returncode == 130
        assert said.startswith("interrupted: ") and said.count("\n") == 1
    else:
        assert said == ""


def test_cells_whose_outcomes_were_lost_with_a_killed_process_are_not_run_again(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [
        fake_cell(template, tmp_path, length)
        for length in (*range(100, 120), 666, *range(120, 125))
    ]
    pools: list[int] = []
    pool = backends._pool

    def counted(cells: Any, *rest: Any) -> Any:
        pools.append(len(cells))
        return pool(cells, *rest)

    monkeypatch.setattr(backends, "_pool", counted)
    outcomes = processes(cells, 2, 1, fake)
    first = next(outcomes)
    for _ in range(600):  # nothing is taken while the others run, as when results are read slowly
        if (tmp_path / "length=666 died").exists():
            break
        time.sleep(0.1)
    time.sleep(2.0)  # until the pool is known to be broken
    found = by_name([first, *outcomes])
    assert [name for name, outcome in found.items() if outcome.error] == ["length=666"]
    # The one to blame, one beside it, and one that waits: joblib takes them two at a time.
    assert pools[0] == 26 and pools.count(1) <= 3


def test_workers_never_hear_ctrl_c(tmp_path: Path, template: Path) -> None:
    """In a new process, which has no tracker of resources yet."""
    program = (
        "import sys; from pathlib import Path\n"
        "from system.sweep.backends import processes\n"
        "from tests.system_sweep.fake_training import fake_cell, listening\n"
        "cells = [fake_cell(Path(sys.argv[1]), Path(sys.argv[2]), n) for n in (16, 17, 18)]\n"
        "print(*(one.error for one in processes(cells, 2, 1, listening)), sep='\\n')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, template, tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("SIGINT") == 3


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


def test_a_time_is_that_of_the_same_work_alone(tmp_path: Path, template: Path) -> None:
    """Not of other options in the same folder, nor of what a later training began anew."""
    cell = fake_cell(template, tmp_path, 16)
    run_cell(cell, 1, fake)
    assert time_of(cell) is not None and time_of(replace(cell, key="another")) is None
    (cell.folder / "training.nc").unlink()
    (cell.folder / "checkpoints").mkdir()
    (cell.folder / "checkpoints" / "sc-seed1.eqx").write_text("state")
    assert run_cell(cell, 1, fake).error is None and time_of(cell) is None


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
