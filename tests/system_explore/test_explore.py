"""Whole explorations over options of real trainings, whose results are written and not trained."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formats.errors import InputError
from formats.interrupts import say_interrupted
from formats.json_file import read_json
from formats.training import read_training
from system.architecture import Dac, architecture
from system.budget import BudgetOptions, budget
from system.explore import ExploreOptions, cli, run
from system.explore.judge import Judged, front_of, judge
from system.explore.layouts import DacLevel, check_used, layouts
from system.explore.picture import svg, ticks
from system.explore.points import Costs, Estimate, Point, Prices, estimate
from system.explore.sentences import sentences
from system.explore.stage import CSV_FILE, JSON_FILE, PICTURE_FILE, Explored, Planned
from system.sweep import stage as sweep
from system.sweep.backends import here
from system.sweep.cell import Cell
from system.sweep.check import known_cells
from system.sweep.plan import look, plan
from system.sweep.scores import Scores
from system.sweep.worker import Outcome, Runner
from tests.system_explore.stand_in import IMAGES, StandIn, right

LENGTHS, BITS, DEGREES = (16, 64), (3, 5, None), ("unrolled", "row")
LEVEL = DacLevel(1e-12, 1e-14)


def chosen(cells: Path, folder: Path) -> ExploreOptions:
    """A grid of six trainings on two layouts; a DAC's levels cost something."""
    return ExploreOptions(
        cells,
        stream_lengths="16,64",
        dac_bits="3,5,none",
        parallelism=",".join(DEGREES),
        dac_level_area=LEVEL.area,
        dac_level_energy=LEVEL.energy,
        fixed=("train_images=100", "epochs=3", "seeds=2"),
        output=folder,
        quiet=True,
    )


@pytest.fixture
def options(cells: Path, tmp_path: Path) -> ExploreOptions:
    return chosen(cells, tmp_path / "explore")


@pytest.fixture
def trainer(template: Path) -> StandIn:
    return StandIn(template)


@pytest.fixture(scope="module")
def whole(
    cells: Path, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Explored, StandIn]:
    """An exploration of the whole grid that nothing disturbed."""
    trainer = StandIn(template)
    return explored(chosen(cells, tmp_path_factory.mktemp("whole")), trainer), trainer


def explored(options: ExploreOptions, runner: Callable[[Any], Any]) -> Explored:
    found = run(options, runner)
    assert isinstance(found, Explored)
    return found


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / CSV_FILE).open(newline="") as handle:
        return list(csv.DictReader(handle))


def written(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in (CSV_FILE, JSON_FILE, PICTURE_FILE)}


def test_no_training_runs_twice_and_every_cost_is_the_budget_s(
    whole: tuple[Explored, StandIn],
) -> None:
    found, trainer = whole
    assert trainer.asked == list(itertools.product(LENGTHS, BITS))
    folder = found.options.output
    rows = table(folder)
    assert len(rows) == len(found.points) == 2 * 3 * 2
    base, read = architecture("unrolled-lenet5"), known_cells(found.options.cells)
    reading = cache(read_training)
    for row, (length, bits, degree) in zip(
        rows, itertools.product(LENGTHS, BITS, DEGREES), strict=True
    ):
        assert (row["stream_length"], row["layout"]) == (str(length), degree)
        assert row["dac_bits"] == str(bits or 10) and row["mac"] == "sign_magnitude_counter"
        levels = 2 ** (bits or 10)
        dac = Dac(LEVEL.area * levels, LEVEL.energy * levels, "assumed: a test")
        training = reading(folder / "trainings" / row["training"] / "training.nc")
        bill = budget(read, training, replace(base, parallelism=degree, dac=dac), BudgetOptions())
        assert float(row["energy_per_inference_J"]) == bill.energy_inference
        assert float(row["area_mm2"]) == bill.area * 1e6
        assert float(row["latency_s"]) == bill.timing.inference
        assert float(row["leakage_W"]) == bill.leakage
        assert float(row["macs"]) == bill.layout.macs()
        scores = [right(length, bits, seed) / IMAGES for seed in (1, 2)]
        assert float(row["accuracy"]) == pytest.approx(np.mean(scores))


def test_the_front_of_a_whole_grid_is_the_true_one(whole: tuple[Explored, StandIn]) -> None:
    found = whole[0]
    rows = table(found.options.output)
    bits_of = {str(bits or 10): bits for bits in BITS}
    amounts = [
        (
            float(row["energy_per_inference_J"]),
            float(row["area_mm2"]),
            -right(int(row["stream_length"]), bits_of[row["dac_bits"]], 1),
        )
        for row in rows
    ]
    for row, one in zip(rows, amounts, strict=True):
        beaten = any(
            other != one and all(b <= a for a, b in zip(one, other, strict=True))
            for other in amounts
        )
        assert row["on_front"] == ("no" if beaten else "yes")
        assert (row["dominated_by"] != "") == beaten
    assert 3 < sum(row["on_front"] == "yes" for row in rows) < len(rows)
    content = read_json(found.options.output / JSON_FILE, "explore")
    assert content["search"]["method"] == "whole grid"
    assert "All 6 trainings of the grid were done" in content["sentences"][0]
    by_number = {point["point"]: point for point in content["points"]}
    values = [by_number[number]["accuracy"]["value"] for number in content["front"]]
    assert values == sorted(values, reverse=True)


def test_an_interrupted_exploration_in_any_order_ends_as_an_undisturbed_one(
    options: ExploreOptions,
    trainer: StandIn,
    whole: tuple[Explored, StandIn],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With two workers, which here end in the opposite order; what they write does not depend on
    the process (tests/system_sweep/test_backends.py)."""
    trainer.stops = {64}
    with pytest.raises(KeyboardInterrupt):
        run(options, trainer)
    say_interrupted()
    assert "the same command goes on from here" in capsys.readouterr().err
    assert len(trainer.asked) == 3 and not (options.output / JSON_FILE).exists()

    def two(cells: Sequence[Cell], jobs: int, threads: int, runner: Runner) -> Iterator[Outcome]:
        assert jobs == 2
        return here(list(reversed(cells)), threads, runner)

    monkeypatch.setattr(sweep, "processes", two)
    trainer.stops = set()
    explored(replace(options, jobs=2), trainer)
    assert trainer.asked[3:] == [(64, None), (64, 5), (64, 3)]
    assert written(options.output) == written(whole[0].options.output)


def test_dac_levels_are_counted_per_sng_and_it_is_said_when_they_are_not(
    whole: tuple[Explored, StandIn],
) -> None:
    found = whole[0]
    assert not any("DACs" in sentence for sentence in found.sentences)
    free = replace(found.options, dac_level_area=None, dac_level_energy=None)
    without = Prices(known_cells(free.cells), free.layouts(), free.level)
    assert any("DACs are not counted" in sentence for sentence in sentences(found, without))
    results = look(plan(free.grid(), free.cells, free.output / "trainings"))[:3]
    bare = [point for result in results for point in without.points(result)[0]]
    added = [
        each.point.costs.area - point.costs.area
        for each, point in zip(found.points[:6], bare, strict=True)
    ]
    assert added[2] / added[0] == pytest.approx(32 / 8)
    assert added[4] / added[0] == pytest.approx(1024 / 8)


def test_a_failed_training_is_named_and_the_others_are_compared(
    options: ExploreOptions,
    trainer: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trainer.fails = {16}
    monkeypatch.setattr(cli, "run", lambda chosen: run(chosen, trainer))
    words = [str(options.cells), "-o", str(options.output), "--stream-lengths", "16,64"]
    words += ["--train-images", "100", "--epochs", "3", "--seeds", "2", "--parallelism", "row"]
    assert cli.main(words) == 1
    said = capsys.readouterr()
    assert "stream_length=16 (--stream-length: fails)" in " ".join(said.out.split())
    content = json.loads((options.output / JSON_FILE).read_text())
    assert [point["options"]["stream_length"] for point in content["points"]] == ["64"]
    assert content["failed"] == [
        {"training": "stream_length=16", "reason": "--stream-length: fails"}
    ]
    assert "Front of 1 points" in said.out and "explore.svg" in said.out


def test_a_dry_run_writes_nothing(
    options: ExploreOptions, trainer: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = replace(options, dry_run=True, quiet=False, rate=10.0)
    found = run(asked, trainer)
    assert isinstance(found, Planned) and not options.output.exists() and not trainer.asked
    said = capsys.readouterr().err
    assert "6 trainings (0 up to date) on 2 layouts: all 12 points" in said
    assert "about 12 min left" in said  # 6 x 2 seeds x 2 runs x 3 epochs x 100 images, 10 a second


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stream_lengths": "16,1"}, "--stream-length: is 1"),
        ({"stream_lengths": "16,16"}, "given twice"),
        ({"stream_lengths": "16,x"}, "expected a whole number"),
        ({"macs": "none_such"}, "none_such"),
        ({"dac_bits": "4,99"}, "dac-bits"),
        ({"parallelism": "unrolled,most"}, "--parallelism: 'most': expected own, unrolled"),
        ({"parallelism": "0"}, "a number of MACs"),
        ({"parallelism": "inf"}, "a number of MACs"),
        ({"parallelism": "row,,row"}, "separated by commas"),
        ({"parallelism": "row,row"}, "row is given twice"),
        ({"architectures": "none_such"}, "choose one of"),
        ({"architectures": "none_such.toml"}, "none_such.toml"),
        ({"vary": ("seed=1,2",)}, "--vary seed: repeats"),
        ({"vary": ("stream_length=1,2",)}, "is given twice"),
        ({"fixed": ("seed=2",)}, "--set seed: is given twice"),
        ({"trials": 0}, "--trials: is 0"),
        ({"batch": 0}, "--batch: is 0"),
        ({"max_latency": 0.0}, "--max-latency-s"),
        ({"dac_level_energy": None}, "belong together"),
        ({"dac_level_area": -1.0}, "not negative"),
        ({"jobs": 0}, "--jobs"),
        ({"backend": "mpi"}, "loky or dask"),
    ],
)
def test_what_cannot_be_is_refused_before_any_training(
    options: ExploreOptions, trainer: StandIn, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        run(replace(options, **change), trainer)
    assert not trainer.asked and not options.output.exists()


def test_memory_columns_are_not_explored_unrolled() -> None:
    assert layouts("in-memory", "own,layer,100")
    with pytest.raises(
        InputError, match="unrolled does not go with the memory columns of in-memory"
    ):
        layouts("in-memory", "unrolled,row")


def test_architectures_come_with_every_parallelism_once_and_refuse_other_trainings(
    whole: tuple[Explored, StandIn], tmp_path: Path
) -> None:
    found = layouts("unrolled-lenet5,row-parallel", "own,unrolled,1e3")
    assert [each.name for each in found] == [
        "unrolled-lenet5, unrolled",
        "unrolled-lenet5, 1000",
        "row-parallel, row",
        "row-parallel, unrolled",
        "row-parallel, 1000",
    ]
    assert found[2].architecture == architecture("row-parallel")
    path = tmp_path / "long.toml"
    text = 'schema = 1\nname = "long"\n[macs]\nparallelism = "row"\n[trained]\nstream_length = {}\n'
    path.write_text(text.format(64))
    options = whole[0].options
    both = layouts(f"unrolled-lenet5,{path}", "own")
    prices = Prices(known_cells(options.cells), both)
    results = look(plan(options.grid(), options.cells, options.output / "trainings"))[::3]
    points = [point for result in results for point in prices.points(result)[0]]
    assert [(point.varied["stream_length"], point.layout) for point in points] == [
        ("16", "unrolled-lenet5, unrolled"),
        ("64", "unrolled-lenet5, unrolled"),
        ("64", "long, row"),
    ]
    trainings = [result.cell.options for result in results]
    check_used(both, trainings, prices.default_mac)
    with pytest.raises(InputError, match="stream_length=16: is one that none of the architectures"):
        check_used(both[1:], trainings, prices.default_mac)
    with pytest.raises(InputError, match="architecture long: is one of a training with"):
        check_used(both, trainings[:1], prices.default_mac)


def point(
    training: str, accuracy: float, energy: float, area: float, latency: float = 1.0
) -> Point:
    shown = Estimate(accuracy, 0.005, (accuracy - 0.01, accuracy + 0.01), (accuracy,), 2_000)
    return Point(
        training,
        {"stream_length": "16", "mac": "m", "dac_bits": "10"},
        "row",
        shown,
        Costs(energy, area, latency, 1e-6, 1.0),
    )


def test_points_say_which_cheaper_ones_do_as_well_and_slow_ones_are_out() -> None:
    points = [
        point("a", 0.99, 9.0, 9.0),
        point("b", 0.985, 1.0, 1.0),
        point("c", 0.90, 0.5, 0.5),
        point("d", 0.89, 0.6, 0.6),
        point("b", 0.985, 2.0, 1.0),
        point("e", 0.999, 0.1, 0.1, latency=10.0),
    ]
    found = judge(points, max_latency=5.0)
    assert [each.on_front for each in found] == [True, True, True, False, False, False]
    assert [each.like for each in found[:4]] == [(2,), (), (), (3,)]
    assert [each.dominated_by for each in found] == [None, None, None, 3, 2, None]
    assert found[5].too_slow and found[5].probability == 0
    assert found[2].probability == 1.0 and found[4].probability == 0.0
    assert 0.01 < found[3].probability < 0.2 and 0.7 < found[0].probability < 0.8
    assert [each.number for each in front_of(judge(points))] == [6]


def test_the_standard_error_is_binomial_and_seeds_add_theirs() -> None:
    def of(*correct: int) -> Estimate:
        scores = Scores(
            tuple(range(len(correct))),
            2_000,
            np.array([[0] * len(correct), correct], float),
            np.full((2, len(correct), 3), np.nan),
            (0, 0, 0),
            "",
            "",
        )
        return estimate(scores)

    binomial = np.sqrt(0.95 * 0.05 / 2_000)
    assert of(1_900).stderr == pytest.approx(binomial, rel=0.03)
    assert of(1_900, 1_900, 1_900).stderr == pytest.approx(of(1_900).stderr)
    spread = of(1_880, 1_900, 1_920)
    assert spread.stderr == pytest.approx(np.hypot(of(1_900).stderr, 0.01 / np.sqrt(3)))
    assert spread.value == pytest.approx(0.95) and spread.by_seed == (0.94, 0.95, 0.96)
    assert 0 < of(2_000).stderr < 0.002 and 0 < of(0).stderr < 0.002


@pytest.mark.parametrize("limits", [(1, 1.07), (0.98, 1.4), (1.2e-5, 4.7e-5), (0.07, 0.4), (3, 59)])
def test_short_axes_have_three_to_six_numbers(limits: tuple[float, float]) -> None:
    found = ticks(*limits)
    assert 3 <= len(found) <= 6 and found == sorted(set(found))
    assert limits[0] <= found[0] < found[-1] <= limits[1]


def test_the_picture_is_the_same_for_the_same_points_and_holds_them_all() -> None:
    points = judge(
        [point("a", 0.99, 9.0, 9.0), point("b", 0.9, 1.0, 2.0), point("c", 0.8, 2.0, 3.0)]
    )
    text = svg(points)
    assert text is not None and text == svg(points)
    for words in ("energy per inference", "2 J", "area (mm²)", "test error (%)"):
        assert words in text
    assert svg([]) is None
    slow: list[Judged] = judge([point("a", 0.9, 1.0, 1.0)], max_latency=0.5)
    assert svg(slow) is None
