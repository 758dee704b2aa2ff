"""Many cells: one after the other here, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, as_completed
from contextlib import contextmanager
from functools import partial
from multiprocessing import resource_tracker
from typing import Any

from joblib import Parallel, delayed, parallel_config

from formats.errors import InputError
from system.sweep.cell import Cell, finished
from system.sweep.worker import Outcome, Runner, run_cell

BACKENDS = ("loky", "dask")


def here(cells: Sequence[Cell], threads: int, runner: Runner | None) -> Iterator[Outcome]:
    """One cell after the other in this process."""
    for cell in cells:
        yield run_cell(cell, threads, runner)


def processes(
    cells: Sequence[Cell], jobs: int, threads: int, runner: Runner | None
) -> Iterator[Outcome]:
    """``jobs`` cells at a time, each in a process; outcomes as they come.

    A process that is killed (out of memory, most often) takes the others' cells with it: those
    that were under way are then run again one at a time, so that the one to blame is known. Of
    those that had ended, hundreds where cells are short, only the outcomes are lost.
    """
    left = {cell.name: cell for cell in cells}
    while left:
        started: list[str] = []
        try:
            for outcome in _pool(list(left.values()), jobs, threads, runner, started):
                del left[outcome.name]
                yield outcome
        except BrokenExecutor:
            for name in [name for name in started if name in left]:
                cell = left.pop(name)
                if finished(cell) is not None:
                    yield Outcome(name)
                    continue
                try:
                    (outcome,) = _pool([cell], 2, threads, runner, [])  # 1 would be this process
                except BrokenExecutor:
                    outcome = Outcome(name, "its process was killed (out of memory?)")
                yield outcome


def _pool(
    cells: Sequence[Cell], jobs: int, threads: int, runner: Runner | None, started: list[str]
) -> Iterator[Outcome]:
    """The outcomes of a pool of processes; ``started`` gets the names of the cells it was given."""

    def tasks() -> Iterator[Any]:
        for cell in cells:
            started.append(cell.name)
            yield delayed(run_cell)(cell, threads, runner)

    ours = partial(_end_with_parent, os.getpid())
    with parallel_config(backend="loky", inner_max_num_threads=threads, initializer=ours):
        parallel = Parallel(
            n_jobs=jobs,
            return_as="generator_unordered",
            batch_size=1,
            pre_dispatch="n_jobs",
            max_nbytes=None,  # options hold no arrays to share
        )
        with _quiet_trackers(), _without_interrupts():
            outcomes = parallel(tasks())
        yield from outcomes


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes and threads started in here never get Ctrl-C, which comes to us and ends them."""
    resource_tracker.ensure_running()  # Python 3.11 lets signals through again as it starts it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _quiet_trackers() -> Iterator[None]:
    """Python's tracker of semaphores, a process that begins in here, clears away in silence what
    ours left behind as they were stopped."""
    quiet = "ignore:resource_tracker:UserWarning"  # as -W, which child processes inherit
    sys.warnoptions.append(quiet)
    try:
        yield
    finally:
        sys.warnoptions.remove(quiet)


def _end_with_parent(parent: int) -> None:
    """In a new process: end it soon after ``parent`` was killed, also in the midst of a cell."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def cluster(scheduler: str | None, jobs: int) -> Iterator[tuple[Executor, int]]:
    """The executor of a Dask cluster, and how many cells it runs at a time.

    ``scheduler`` is its address; None starts ``jobs`` workers on this machine. Raises
    :class:`InputError` where Dask is missing or nothing answers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            "--backend dask", "needs Dask: pip install 'stochram[cluster]', on the workers too"
        ) from error
    try:
        if scheduler:
            client = Client(scheduler)
        else:
            with _quiet_trackers():
                client = Client(n_workers=jobs, threads_per_worker=1, silence_logs=logging.ERROR)
    except (OSError, ValueError) as error:
        raise InputError("--scheduler", f"{scheduler}: no scheduler answers ({error})") from error
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise InputError("--scheduler", f"{scheduler} has no workers; start some: dask worker")
        yield client.get_executor(pure=False), threads


def on_executor(
    executor: Executor, cells: Sequence[Cell], threads: int, runner: Runner | None
) -> Iterator[Outcome]:
    """Each cell as a task of its own; outcomes as they come.

    The workers must see the same folders and hold this program, and run one task at a time
    (``dask worker --nthreads 1``). joblib's own Dask backend is not used: it (1.6) never hears of a
    task whose worker died, and would wait for it for ever.
    """
    futures = {executor.submit(run_cell, cell, threads, runner): cell.name for cell in cells}
    for future in as_completed(futures):
        try:
            yield future.result()
        except (Exception, CancelledError) as error:  # a worker that died, or lacks something
            words = f"its worker failed ({type(error).__name__}: {error})"
            yield Outcome(futures[future], " ".join(words.split()))
