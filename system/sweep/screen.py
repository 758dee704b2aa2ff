"""What a sweep says: its plan, each cell as it ends, the time left, and what failed."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from system.sweep.cell import Cell
from system.sweep.collect import Result
from system.sweep.plan import Pace, duration, replaced
from system.sweep.worker import Outcome


class Screen:
    """Lines on standard error, on a terminal with a ``bar``; with ``quiet`` only what failed."""

    def __init__(self, quiet: bool, bar: bool, title: str = "sweep") -> None:
        self.quiet = quiet
        self.shows_bar = bar and sys.stderr.isatty() and not quiet
        self.console = Console(stderr=True)
        self.bar = Progress(
            TextColumn(title),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("cells"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=self.console,
            disable=not self.shows_bar,
            transient=True,
        )
        self.task = self.bar.add_task("", total=None, left="")

    def __enter__(self) -> Screen:
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.stop()

    def say(self, text: str, always: bool = False) -> None:
        """A line above the bar."""
        if always or not self.quiet:
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def plan(self, results: Sequence[Result]) -> None:
        """Cells, those that are done, and training images, before anything runs."""
        waiting = [result.cell for result in results if result.scores is None]
        images = sum(cell.images for cell in waiting)
        text = f"{len(results)} cells, {len(results) - len(waiting)} up to date"
        if waiting:
            text += f", {len(waiting)} to run: {images:,} training images at most"
            text += " (once in floating point, which like cells share, and once on streams)"
        self.say(text)
        if count := replaced(results):
            self.say(
                f"{count} of them replace results of other inputs, options or source in their "
                "folders"
            )

    def time_left(self, pace: Pace, waiting: Collection[Cell], at_a_time: int, total: int) -> None:
        """The time that the cells without an outcome will take, once anything is known of it."""
        seconds = pace.left([cell.images for cell in waiting], at_a_time)
        done = total - len(waiting)
        if not waiting:
            left = ""
        elif seconds is None:
            left = "time left is known after the first cell (or with --rate, images/s of one cell)"
        else:
            left = f"about {duration(seconds)} left ({at_a_time} at a time)"
        self.bar.update(self.task, total=total, completed=done, left=left)
        if left and not self.shows_bar:
            self.say(left)

    def cell(self, result: Result, outcome: Outcome, number: int, total: int) -> None:
        """A cell has ended."""
        start = f"[{number}/{total}] {result.cell.name}"
        if result.scores is None:
            self.say(f"{start}: FAILED: {result.error}", always=True)
            return
        means = [
            f"{label} {100 * float(result.scores.accuracy(name).mean()):.2f} %"
            for name, label in (("float", "float"), ("sc", "stochastic"))
        ]
        took = "" if outcome.seconds is None else f", {duration(outcome.seconds)}"
        rate = "" if result.time is None else f", {result.time.rate:.0f} images/s"
        self.say(f"{start}: {', '.join(means)}{took}{rate}")

    def failures(self, results: Sequence[Result]) -> None:
        """The cells without results, by name, at the end."""
        failed = [result for result in results if result.state == "failed"]
        if failed:
            names = "; ".join(result.cell.name for result in failed)
            self.say(
                f"{len(failed)} of {len(results)} cells failed: {names}. The same command runs "
                "these alone again.",
                always=True,
            )
