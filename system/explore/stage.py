"""An exploration as a function: train what is missing, price every design, find the front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from formats.atomic import write_text
from formats.json_file import write_json
from formats.progress import steps
from system.explore.judge import Judged, judge
from system.explore.layouts import Layout, check_used
from system.explore.options import ExploreOptions, stage_provenance
from system.explore.points import Point, Prices, Unpriced
from system.explore.search import Sampled
from system.explore.sentences import sentences
from system.explore.table import content, csv_text
from system.sweep.cell import Cell
from system.sweep.check import known_cells
from system.sweep.collect import Result
from system.sweep.plan import known_pace
from system.sweep.screen import Screen
from system.sweep.stage import Chooser, everything, look_checked, train
from system.sweep.worker import Runner

CSV_FILE, JSON_FILE, PICTURE_FILE = "explore.csv", "explore.json", "explore.svg"


@dataclass(frozen=True)
class Explored:
    """All points and their places; ``possible`` trainings there are, ``done`` have results.

    ``method`` says how the trainings were chosen, ``failed`` what has no point and why.
    """

    options: ExploreOptions
    layouts: tuple[Layout, ...]
    points: tuple[Judged, ...]
    failed: tuple[Unpriced, ...]
    method: str
    possible: int
    done: int
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planned:
    """What is going to be done: ``left`` trainings are missing, so far as that is known."""

    found: tuple[Result, ...]
    layouts: tuple[Layout, ...]
    trials: int | None


class Priced:
    """The points of each training, made once."""

    def __init__(self, prices: Prices, max_latency: float | None) -> None:
        self.prices, self.max_latency = prices, max_latency
        self.kept: dict[str, tuple[list[Point], list[Unpriced]]] = {}

    def of(self, result: Result) -> tuple[list[Point], list[Unpriced]]:
        """Points of a training, and what has none."""
        name = result.cell.name
        if name not in self.kept:
            self.kept[name] = self.prices.points(result)
        return self.kept[name]

    def objective(self, result: Result) -> tuple[float, ...] | None:
        """Error, and the logarithms of the least energy and of the least area there is."""
        fast = [
            point
            for point in self.of(result)[0]
            if self.max_latency is None or point.costs.latency <= self.max_latency
        ]
        if not fast:
            return None
        return (
            1.0 - fast[0].estimate.value,
            math.log10(min(point.costs.energy for point in fast)),
            math.log10(min(point.costs.area for point in fast)),
        )


def run(options: ExploreOptions, runner: Runner | None = None) -> Explored | Planned:
    """Explore; writes explore.csv, .svg and, last, .json. A dry run returns what would be done.

    ``runner`` trains one cell (``system.train.run`` where None). Raises
    :class:`formats.errors.InputError` for what is wrong before any training; what goes wrong in one
    is among the ``failed``.
    """
    options.check()
    grid, sweep = options.grid(), options.sweep
    prices = Prices(known_cells(options.cells), options.layouts(), options.level)
    found = look_checked(sweep, grid)
    check_used(prices.layouts, [each.cell.options for each in found], prices.default_mac)
    priced = Priced(prices, options.max_latency)
    choose, method, trials = _search(options, [each.cell for each in found], priced)
    screen = Screen(options.quiet, bar=not sweep.in_turn, title="explore")
    _say_plan(screen, found, len(prices.layouts), trials)
    if options.dry_run:
        left = everything(found)[:trials]
        screen.time_left(known_pace(found, options.rate), left, options.jobs, len(left))
        return Planned(tuple(found), prices.layouts, trials)
    results = train(sweep, list(grid.varied), found, screen, runner, choose, trials)
    with steps("explore: bills", len(results), options.quiet) as step:
        made = []
        for result in results:
            step(result.cell.name)
            made.append(priced.of(result))
    judged = judge([point for points, _ in made for point in points], options.max_latency)
    explored = Explored(
        options,
        prices.layouts,
        tuple(judged),
        tuple(each for _, unpriced in made for each in unpriced),
        method,
        len(found),
        sum(result.scores is not None for result in results),
    )
    record = stage_provenance(options, results, trials is not None)
    return _write(explored, tuple(sentences(explored, prices)), record)


def _search(
    options: ExploreOptions, cells: Sequence[Cell], priced: Priced
) -> tuple[Chooser, str, int | None]:
    """What chooses trainings, that in words, and how many it chooses (None: all)."""
    if options.trials is None or options.trials >= len(cells):
        return everything, "whole grid", None
    chooser = Sampled(
        cells, priced.prices.varied, priced.objective, options.trials, options.batch, options.seed
    )
    return chooser, "Optuna, multi-objective TPE", options.trials


def _say_plan(screen: Screen, found: Sequence[Result], layouts: int, trials: int | None) -> None:
    there = sum(each.scores is not None for each in found)
    text = f"{len(found)} trainings ({there} up to date) on {layouts} layouts"
    if trials is None:
        screen.say(f"{text}: all {len(found) * layouts} points")
    else:
        screen.say(f"{text}; {trials} trainings are chosen, {trials * layouts} points")


def _write(explored: Explored, words: Sequence[str], record: dict[str, Any]) -> Explored:
    from system.explore import picture as drawing  # matplotlib, a second to load

    explored = replace(explored, sentences=tuple(words))
    folder: Path = explored.options.output
    write_text(folder / CSV_FILE, csv_text(explored.points))
    picture = drawing.svg(explored.points)
    if picture is None:
        (folder / PICTURE_FILE).unlink(missing_ok=True)
    else:
        write_text(folder / PICTURE_FILE, picture)
    write_json(folder / JSON_FILE, {**content(explored), "provenance": record}, "explore")
    return explored
