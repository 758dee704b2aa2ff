"""A sweep as a function: plan, say what it takes, run what is missing, put the results together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from formats.atomic import remove_leftovers, write_text
from formats.errors import InputError
from formats.interrupts import INTERRUPTS, going_on
from system.sweep.backends import BACKENDS, cluster, here, on_executor, processes
from system.sweep.cell import TIME_FILE, Cell, finished, time_of
from system.sweep.check import check_cells
from system.sweep.collect import Result, write_csv
from system.sweep.grid import Grid, read_grid
from system.sweep.plan import known_pace, look, plan
from system.sweep.screen import Screen
from system.sweep.waiting import watched
from system.sweep.worker import Outcome, Runner

CSV_FILE, PICTURE_FILE = "sweep.csv", "sweep.svg"
WRITE_S = 10.0
"""Least seconds between two versions of sweep.csv, of thousands of cells written in one."""


@dataclass(frozen=True)
class SweepOptions:
    """What the user chooses for a sweep.

    ``vary`` and ``fixed`` are the texts of ``--vary`` and ``--set``. ``threads`` are those of one
    cell: fixed, and not the cores divided by ``jobs``, because the last bits of a training depend
    on them. ``rate`` is the expected pace of one cell in training images a second.
    """

    cells: Path | None = None
    vary: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    output: Path = Path("sweep")
    jobs: int = 1
    threads: int = 1
    backend: str = "loky"
    scheduler: str | None = None
    rate: float | None = None
    dry_run: bool = False
    quiet: bool = False

    @property
    def in_turn(self) -> bool:
        """Whether the cells run in this process, each with the bar of its own training."""
        return self.jobs == 1 and self.backend == "loky"

    def check(self) -> None:
        """Raise :class:`InputError` for what cannot be."""
        if not self.vary:
            raise InputError("--vary", "is missing: say what to vary, as in stream_length=64,256")
        for name in ("jobs", "threads"):
            if getattr(self, name) < 1:
                raise InputError(f"--{name}", f"is {getattr(self, name)}; expected 1 or more")
        if self.rate is not None and not self.rate > 0:
            raise InputError("--rate", f"is {self.rate:g}; expected images a second, above 0")
        if self.backend not in BACKENDS:
            raise InputError("--backend", f"is {self.backend!r}; expected {' or '.join(BACKENDS)}")
        if self.scheduler is not None and self.backend != "dask":
            raise InputError("--scheduler", "is a Dask scheduler's address: add --backend dask")
        if self.output.exists() and not self.output.is_dir():
            raise InputError("-o", f"{self.output} is a file; give a folder")


Chooser = Callable[[Sequence[Result]], Sequence[Cell]]
"""Given what is known of each cell, the cells to run next; none of them ends it."""


def everything(results: Sequence[Result]) -> list[Cell]:
    """The cells that have neither results nor failed."""
    return [result.cell for result in results if result.state == "not run"]


def run(options: SweepOptions, runner: Runner | None = None) -> list[Result]:
    """Train every cell of the grid whose results are not there; write sweep.csv and sweep.svg.

    Returns what is known of each cell. ``runner`` trains one (``system.train.run`` where None).
    Raises :class:`InputError` for what is wrong before any cell runs; what goes wrong in a cell is
    in its result.
    """
    options.check()
    from system.train.options import TrainOptions  # loads JAX

    grid = read_grid(TrainOptions, options.vary, options.fixed)
    found = look_checked(options, grid)
    screen = Screen(options.quiet, bar=not options.in_turn)
    screen.plan(found)
    if options.dry_run:
        left = everything(found)
        screen.time_left(known_pace(found, options.rate), left, options.jobs, len(left))
        return found
    return train(options, list(grid.varied), found, screen, runner)


def look_checked(options: SweepOptions, grid: Grid) -> list[Result]:
    """What is there of each cell; raises :class:`InputError` for one that could not run."""
    found = look(plan(grid, options.cells, options.output, options.in_turn and not options.quiet))
    check_cells(everything(found), options.threads)
    return found


def train(
    options: SweepOptions,
    varied: Sequence[str],
    found: Sequence[Result],
    screen: Screen,
    runner: Runner | None = None,
    choose: Chooser = everything,
    most: int | None = None,
) -> list[Result]:
    """Run the cells that ``choose`` names until it names none; write sweep.csv and sweep.svg.

    ``most`` cells will run if ``choose`` does not take all (to foresee the time).
    """
    for result in found:  # of a worker killed at its last file, which is not written again
        remove_leftovers((result.cell.folder / TIME_FILE).absolute())
    results = {result.cell.name: result for result in found}
    waiting = {cell.name: cell for cell in everything(found)}
    pace, total, done = known_pace(found, options.rate), len(waiting), 0
    total = total if most is None else min(most, total)
    table = _Table(options.output / CSV_FILE, varied)

    def say_time_left() -> None:
        ahead = list(waiting.values())[: total - done]
        screen.time_left(pace, ahead, at_a_time, total)

    table.write(results)
    kept = going_on("trainings that ended are kept, the same command goes on from here")
    start_all = _running(options, list(waiting.values()), runner)
    with kept, table.to_the_end(results), start_all as (start, at_a_time), screen:
        say_time_left()
        while chosen := choose(list(results.values())):
            left = {cell.name: cell for cell in chosen}
            with _watched(options, left, at_a_time, screen):
                for outcome in start(list(left.values())):
                    cell, done = left.pop(outcome.name), done + 1
                    waiting.pop(cell.name)
                    results[cell.name] = result = _result(cell, outcome)
                    if outcome.seconds is not None and outcome.whole:
                        pace = pace.add(cell.images, outcome.seconds)
                    table.write_if_due(results)
                    screen.cell(result, outcome, done, total)
                    say_time_left()
    _draw(options.output / PICTURE_FILE, list(results.values()))
    screen.failures(list(results.values()))
    return list(results.values())


class _Table:
    """sweep.csv, which is written again as cells end, but not for each of ten thousand."""

    def __init__(self, path: Path, varied: Sequence[str]) -> None:
        self.path, self.varied, self.written = path, varied, 0.0

    def write(self, results: Mapping[str, Result]) -> None:
        """Write it."""
        write_csv(self.path, self.varied, list(results.values()))
        self.written = time.monotonic()

    @contextmanager
    def to_the_end(self, results: Mapping[str, Result]) -> Iterator[None]:
        """Write it when all is done, and where Ctrl-C ends it."""
        try:
            yield
        except INTERRUPTS:
            self.write(results)
            raise
        self.write(results)

    def write_if_due(self, results: Mapping[str, Result]) -> None:
        """Write it unless it was written less than :data:`WRITE_S` ago."""
        if time.monotonic() - self.written >= WRITE_S:
            self.write(results)


def _watched(
    options: SweepOptions, left: Mapping[str, Cell], at_a_time: int, screen: Screen
) -> AbstractContextManager[None]:
    """Say what runs, unless the trainings do; cells start in the order of ``left``."""
    if options.in_turn or options.quiet:
        return nullcontext()
    return watched(lambda: list(left.values())[:at_a_time], screen.say)


@contextmanager
def _running(
    options: SweepOptions, cells: Sequence[Cell], runner: Runner | None
) -> Iterator[tuple[Callable[[Sequence[Cell]], Iterator[Outcome]], int]]:
    """What gives the outcomes of some of the ``cells`` as they come, and how many run at a time."""
    jobs = max(1, min(options.jobs, len(cells)))
    if options.backend == "dask" and cells:
        with cluster(options.scheduler, jobs) as (executor, most):
            yield (
                lambda some: on_executor(executor, some, options.threads, runner),
                min(most, len(cells)),
            )
    elif options.in_turn:
        yield lambda some: here(some, options.threads, runner), 1
    else:
        yield lambda some: processes(some, options.jobs, options.threads, runner), jobs


def _result(cell: Cell, outcome: Outcome) -> Result:
    if outcome.error is not None:
        return Result(cell, None, None, outcome.error)
    scores = finished(cell)
    if scores is None:  # a worker that does not see this folder, or a broken training.nc
        return Result(cell, None, None, f"no results can be read in {cell.folder} here")
    return Result(cell, scores, time_of(cell))


def _draw(path: Path, results: Sequence[Result]) -> None:
    """Write sweep.svg, or take away an older one where there is nothing to draw."""
    from system.sweep.picture import svg  # matplotlib, a second to load

    text = svg(results)
    if text is None:
        path.unlink(missing_ok=True)
    else:
        write_text(path, text)
