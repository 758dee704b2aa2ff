"""A whole sweep over options of real trainings, whose results are written and not trained."""

from __future__ import annotations

import csv
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formats.atomic import _machine, remove_leftovers
from formats.errors import InputError
from formats.interrupts import say_interrupted
from system.sweep import SweepOptions, cli, run
from system.sweep.cell import Cell
from system.sweep.collect import Result
from system.sweep.picture import first_number, group, svg
from system.sweep.plan import Pace, duration, passes
from system.sweep.screen import Screen
from system.sweep.stage import everything, train
from system.sweep.waiting import progress, watched
from system.train.checkpoint import Checkpoints
from system.train.options import TrainOptions, stage_provenance
from tests.system_sweep.fake_training import IMAGES, correct, fake_cell, write

Train = Callable[[TrainOptions], None]


class Trainer:
    """Writes results, notes what it was asked for, and fails where it is told to."""

    def __init__(self, template: Path) -> None:
        self.template, self.fails = template, set[int]()
        self.asked: list[TrainOptions] = []

    def __call__(self, options: TrainOptions) -> None:
        self.asked.append(options)
        if options.stream_length in self.fails:
            raise InputError("--stream-length", "fails")
        record = stage_provenance(options)
        write(self.template, options.output, options.stream_length, options.seed, record)


@pytest.fixture
def trainer(template: Path) -> Trainer:
    return Trainer(template)


@pytest.fixture
def options(shared_cells: Path, tmp_path: Path) -> SweepOptions:
    return SweepOptions(
        cells=shared_cells,
        vary=("stream_length=16,64", "batch_size=16,32"),
        fixed=("train_images=100", "epochs=3", "seeds=2"),
        output=tmp_path / "sweep",
    )


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "sweep.csv").open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_every_cell_is_trained_once_with_its_options_and_the_table_holds_its_numbers(
    options: SweepOptions, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    results = run(options, trainer)
    assert [(o.stream_length, o.batch_size) for o in trainer.asked] == [
        (16, 16),
        (16, 32),
        (64, 16),
        (64, 32),
    ]
    for asked in trainer.asked:
        assert (asked.train_images, asked.epochs, asked.seeds) == (100, 3, 2)
        name = f"batch_size={asked.batch_size},stream_length={asked.stream_length}"
        assert asked.output == options.output / name
    rows = table(options.output)
    assert len(rows) == 8 and all(result.scores is not None for result in results)
    for row in rows:
        floating, streams = correct(int(row["stream_length"]), int(row["run_seed"]))
        assert float(row["float_accuracy"]) == floating / IMAGES
        assert float(row["sc_accuracy"]) == streams / IMAGES
        assert float(row["sc_in_exact"]) == pytest.approx(streams / IMAGES, abs=2 / IMAGES)
        assert (row["float_in_exact"], row["sc_in_float"]) == ("", "")
        assert (row["test_images"], row["images_in_exact"]) == (str(IMAGES), str(IMAGES // 2))
        assert row["state"] == "done"
    taken = [result.time.seconds for result in results if result.time for _ in range(2)]
    assert [row["cell_seconds"] for row in rows] == [f"{seconds:.2f}" for seconds in taken]
    assert all(0 < seconds < 60 for seconds in taken)
    said = capsys.readouterr().err
    assert "4 cells, 0 up to date, 4 to run: 4,800 training images at most" in said
    assert "left is known after the first cell" in said and "left (1 at a time)" in said

    run(options, trainer)
    assert len(trainer.asked) == 4
    assert "4 cells, 4 up to date" in capsys.readouterr().err
    assert table(options.output) == rows


def test_a_larger_grid_in_another_order_trains_only_what_is_new(
    options: SweepOptions, trainer: Trainer
) -> None:
    run(SweepOptions(options.cells, ("mode=exact", "seed=1,2"), (), options.output), trainer)
    wider = ("seed=3,2,1", "mode=exact")
    run(SweepOptions(options.cells, wider, (), options.output), trainer)
    assert [asked.seed for asked in trainer.asked] == [1, 2, 3]
    run(
        SweepOptions(options.cells, ("seed=1", "mode=exact"), ("epochs=2",), options.output),
        trainer,
    )
    assert [asked.epochs for asked in trainer.asked[3:]] == [2]  # other work, though the same name


def test_a_failing_cell_is_told_and_kept_in_the_table_and_the_others_go_on(
    options: SweepOptions,
    trainer: Trainer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trainer.fails = {16}
    monkeypatch.setattr(cli, "run", lambda chosen: run(chosen, trainer))
    words = [str(options.cells), "-o", str(options.output), "--quiet"]
    words += [word for text in options.vary for word in ("--vary", text)]
    words += [word for text in options.fixed for word in ("--set", text)]
    assert cli.main(words) == 1
    assert len(trainer.asked) == 4
    rows = table(options.output)
    assert [row["state"] for row in rows] == ["failed"] * 2 + ["done"] * 4
    assert rows[0]["error"] == "--stream-length: fails" and rows[0]["sc_accuracy"] == ""
    said = capsys.readouterr()
    assert said.out == "" and "FAILED: --stream-length: fails" in said.err
    assert "2 of 4 cells failed: batch_size=16,stream_length=16; batch_size=32" in said.err
    trainer.fails = set()
    assert cli.main(words) == 0
    assert [o.stream_length for o in trainer.asked[4:]] == [16, 16]
    assert cli.main([*words[:3], "--vary", "stream_lenght=1"]) == 2


def test_a_dry_run_writes_nothing_and_foresees_the_time(
    options: SweepOptions, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = SweepOptions(
        options.cells, options.vary, options.fixed, options.output, jobs=2, rate=10, dry_run=True
    )
    run(asked, trainer)
    assert not trainer.asked and not options.output.exists()
    assert "about 4 min left (2 at a time)" in capsys.readouterr().err  # 4,800 / 10 / 2 s


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vary": ()}, "--vary: is missing"),
        ({"vary": ("stream_length=16,1",)}, "cell stream_length=1: --stream-length: is 1"),
        ({"vary": ("mac=sign_magnitude_counter,none_such",)}, "cell mac=none_such: .*none_such"),
        ({"vary": ("calibrate=0,1",)}, "cell calibrate=1: --calibrate: is 1; expected 0"),
        ({"vary": ("trim_bits=5,13",), "fixed": ("calibrate=8",)}, "--trim-bits: is 13"),
        ({"vary": ("corner=tt,ff",)}, "cell corner=ff: --corner"),
        ({"vary": ("products=none_such.forward:length=32",)}, "none_such"),
        ({"vary": ("products=conv1.forward:mac=none_such",)}, "none_such"),
        ({"vary": ("batch_size=32,200",)}, "cell batch_size=200: --batch-size: is 200, more"),
        ({"fixed": ("temperature=300",)}, "did you mean temperature_K"),
        ({"cells": None}, "CELLS: is missing"),
        ({"fixed": ("cells=other.nc",)}, "CELLS: is given"),
        ({"jobs": 0}, "--jobs"),
        ({"threads": 0}, "--threads"),
        ({"rate": 0.0}, "--rate"),
        ({"backend": "mpi"}, "loky or dask"),
        ({"scheduler": "tcp://a:1"}, "--backend dask"),
    ],
)
def test_what_cannot_be_is_refused_before_any_cell_runs(
    options: SweepOptions, trainer: Trainer, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        run(SweepOptions(**{**vars(options), **change}), trainer)
    assert not trainer.asked and not options.output.exists()


def test_an_interrupt_goes_through_and_the_same_command_goes_on(
    options: SweepOptions, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(asked: TrainOptions) -> None:
        if asked.stream_length == 64:
            raise KeyboardInterrupt
        trainer(asked)

    with pytest.raises(KeyboardInterrupt):
        run(options, stopped)
    say_interrupted()
    assert "the same command goes on from here" in capsys.readouterr().err
    assert len(trainer.asked) == 2
    run(options, trainer)
    assert [asked.stream_length for asked in trainer.asked] == [16, 16, 64, 64]


def test_while_cells_run_their_epochs_are_said_where_they_change(
    tmp_path: Path, template: Path
) -> None:
    cell = replace(
        fake_cell(template, tmp_path, 16),
        options=TrainOptions(Path("cells.nc"), epochs=3, output=tmp_path / "cell"),
    )
    assert progress(cell) == "no epoch on streams yet"
    said: list[str] = []
    kept = Checkpoints(cell.folder / "checkpoints", cell.key, said.append)
    with watched(lambda: [cell], said.append, look_s=0.01):
        for epochs in (1, 2):
            kept.save("sc-seed1", epochs, {"w": np.zeros(2)})
            wanted = f"running: length=16 (sc-seed1: {epochs} of 3 epochs)"
            for _ in range(500):
                if any(wanted in line for line in said):
                    break
                time.sleep(0.01)
            else:
                pytest.fail(f"never said: {wanted}; but {said}")
    assert len(said) == len(set(said)) <= 3  # not at each look
    Checkpoints(kept.folder, "other", said.append).save("sc-seed1", 3, {"w": np.zeros(2)})
    assert progress(cell) == "no epoch on streams yet"


def test_results_of_other_source_are_replaced_and_that_is_said(
    options: SweepOptions, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    options = SweepOptions(options.cells, ("stream_length=16,64",), options.fixed, options.output)
    first = run(options, trainer)[0].cell
    record = {**stage_provenance(first.options), "source_sha256": "other"}
    write(trainer.template, first.folder, 16, 1, json.loads(json.dumps(record)))
    capsys.readouterr()
    run(options, trainer)
    assert [asked.stream_length for asked in trainer.asked] == [16, 64, 16]
    assert "1 of them replace results of other" in capsys.readouterr().err


def test_images_and_time_left_are_counted() -> None:
    given = TrainOptions(Path("cells.nc"), train_images=100, epochs=3, seeds=2)
    assert passes(given, None) == 2 * 2 * 3 * 100
    mapped = TrainOptions(Path("cells.nc"), epochs=3, mode="float")
    assert passes(mapped, {None: 4_000}.__getitem__) == 3 * 4_000
    pace = Pace().add(1_000, 10.0).add(3_000, 10.0)  # 200 images/s
    assert pace.left([200, 200, 200, 200], 2) == pytest.approx(2.0)
    assert pace.left([600, 200], 8) == pytest.approx(3.0)  # no cell is divided
    assert pace.left([], 2) is None and Pace().left([1], 1) is None
    assert [duration(s) for s in (45, 600, 7200)] == ["45 s", "10 min", "2.0 h"]


def test_what_a_killed_worker_left_in_a_finished_cell_goes_with_the_next_run(
    options: SweepOptions, trainer: Trainer
) -> None:
    """Killed as it wrote time.json, its last file: nothing writes it again."""
    options = replace(options, vary=("stream_length=16",))
    (found,) = run(options, trainer)
    left = found.cell.folder / f".time.json.{_machine()}-{2**31 - 1}-abcdefgh"
    left.touch()
    remove_leftovers.cache_clear()  # as in a new process
    run(replace(options, dry_run=True), trainer)
    assert left.exists()
    run(options, trainer)
    assert not left.exists() and len(trainer.asked) == 1


def test_a_resumed_cell_does_not_foresee_the_time(
    options: SweepOptions, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    """It did a part of its work only."""
    options = replace(options, vary=("stream_length=16,64,128",))
    for resumed in (False, True):
        cells = [result.cell for result in run(options, trainer)]
        told = [line for line in capsys.readouterr().err.splitlines() if "left" in line]
        assert ["about" in line for line in told] == [False, not resumed, True]
        for cell in cells:
            shutil.rmtree(cell.folder)
        (cells[0].folder / "checkpoints").mkdir(parents=True)
        (cells[0].folder / "checkpoints" / "sc-seed1.npz").touch()


def test_a_search_that_ends_early_counts_to_what_it_may_run(
    options: SweepOptions, trainer: Trainer, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(replace(options, dry_run=True), trainer)
    screen = Screen(quiet=False, bar=False)

    def two(results: Sequence[Result]) -> list[Cell]:
        return everything(results)[:2] if not trainer.asked else []

    train(options, ["stream_length", "batch_size"], found, screen, trainer, two, most=2)
    told = capsys.readouterr().err
    assert "[1/2]" in told and "[2/2]" in told and "/4]" not in told
    assert told.count("left") == 3  # the plan's, before the first cell, after it


def test_the_picture_has_a_line_for_each_combination_and_wilson_bars(
    options: SweepOptions, trainer: Trainer
) -> None:
    vary = ("mode=moments,exact", "stream_length=16,256", "seed=1,5")
    results = run(SweepOptions(options.cells, vary, options.fixed, options.output), trainer)
    assert first_number(results) == "stream_length"
    lines = group(results, "stream_length", None)
    assert list(lines) == ["mode=moments", "mode=exact"]
    for points in lines.values():
        assert [point.x for point in points] == [16, 256]
        for point in points:
            wanted = [correct(int(point.x), seed)[1] / IMAGES for seed in (1, 2, 5, 6)]
            assert sorted(point.sc) == sorted(wanted) and point.images == IMAGES
    text = svg(results)
    assert text is not None and text == (options.output / "sweep.svg").read_text()
    for words in ("stream_length", "test accuracy (%)", "mode=exact", "floating point", "Wilson"):
        assert f">{words}" in text or words in text
    assert svg([Result(results[0].cell, None, None, "failed")]) is None
    without = run(
        SweepOptions(options.cells, ("mode=moments,exact",), options.fixed, options.output), trainer
    )
    assert first_number(without) == "mode" and "moments" in str(svg(without))
