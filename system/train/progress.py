"""What a training run says while it works: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from system.train.learning import Epoch

NOTICE_SECONDS = 10.0


class TrainingProgress:
    """Progress over the images of all runs, on standard error; silent with ``quiet``."""

    def __init__(self, runs: int, epochs: int, steps: int, batch_size: int, quiet: bool) -> None:
        self.total = runs * epochs * steps
        self.epochs, self.batch_size, self.steps = epochs, batch_size, steps
        self.quiet = quiet
        self.terminal = sys.stderr.isatty() and not quiet
        self.run, self.done, self.run_done, self.skipped, self.to_score = "", 0, 0, 0, 0
        self.spent = 0.0
        self.last = self.run_start = time.monotonic()
        self.console = Console(stderr=True)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.terminal,
            transient=True,
        )
        self.task = self.bar.add_task("", total=self.total, rate="")

    def __enter__(self) -> TrainingProgress:
        self.bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.stop()

    def begin(self, run: str) -> None:
        """A new run starts (its first step compiles)."""
        self.run, self.run_done, self.skipped, self.spent = run, 0, 0, 0.0
        self.last = self.run_start = time.monotonic()
        self.bar.update(self.task, description=f"{run}: compiling", rate="")

    def skip(self, epochs: int) -> None:
        """The run goes on after so many epochs that were done before."""
        self.skipped = epochs * self.steps
        self.done += self.skipped
        self.bar.update(self.task, completed=self.done)

    def step(self) -> None:
        """One batch is done."""
        self.done += 1
        self.run_done += 1
        now = time.monotonic()
        if self.run_done == 1:  # the time before went into compiling
            self.last = self.run_start = now
            return
        rate = self.batch_size * (self.run_done - 1) / max(now - self.run_start, 1e-9)
        self.bar.update(
            self.task, completed=self.done, description=self.run, rate=f"{rate:.0f} images/s"
        )
        if not self.quiet and not self.terminal and now - self.last > NOTICE_SECONDS:
            self.last = now
            steps = self.epochs * self.steps - self.skipped - self.run_done
            left = steps * self.batch_size / rate
            self.say(f"{self.run}: {rate:.0f} images/s, about {left:.0f} s left in this run")

    def epoch(self, epoch: Epoch, tested: int) -> None:
        """One epoch is done and tested."""
        self.spent += epoch.seconds
        self.run_start = time.monotonic() - self.spent  # testing is not training
        rate = self.steps * self.batch_size / epoch.seconds
        self.say(
            f"{self.run}: epoch {epoch.number + 1}/{self.epochs}, loss {epoch.loss:.4f}, "
            f"test accuracy {100 * epoch.correct / tested:.1f} %, {rate:.0f} images/s"
        )

    def begin_score(self, run: str, images: int) -> None:
        """A trained network is scored, on so many images; the bar of the runs stands still."""
        self.run, self.run_done = run, 0
        self.to_score = images
        self.last = self.run_start = time.monotonic()
        self.bar.update(self.task, description=run, rate="")

    def scored(self, images: int) -> None:
        """So many more images are scored."""
        self.run_done += images
        now = time.monotonic()
        rate = self.run_done / max(now - self.run_start, 1e-9)
        self.bar.update(self.task, rate=f"{self.run_done} of {self.to_score}, {rate:.0f} images/s")
        if not self.quiet and not self.terminal and now - self.last > NOTICE_SECONDS:
            self.last = now
            self.say(f"{self.run}: {self.run_done} of {self.to_score}, {rate:.0f} images/s")

    def say(self, text: Any) -> None:
        """A line above the bar, or on standard error."""
        if not self.quiet:
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)
