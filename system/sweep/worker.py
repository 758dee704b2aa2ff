"""Runs one cell, in this process or in a worker's; what goes wrong in it comes back as words.

Nothing that starts JAX or Numba is imported above the functions: the number of threads has to be
set before they start theirs.
"""

from __future__ import annotations

import gc
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from formats.atomic import write_text
from formats.errors import InputError
from formats.interrupts import asked
from formats.json_file import dump
from system.sweep.cell import ERROR_FILE, TIME_FILE, Cell, finished

Runner = Callable[[Any], Any]
"""Takes a TrainOptions and writes training.nc and weights.npz into its output folder."""
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: ``error`` None for results in its folder.

    ``seconds`` None where nothing was trained; ``whole``: trained from the start, not resumed.
    """

    name: str
    error: str | None = None
    seconds: float | None = None
    whole: bool = True


def run_cell(cell: Cell, threads: int, runner: Runner | None) -> Outcome:
    """Train a cell unless its results are there; never raises but for an interrupt.

    ``runner`` is ``system.train.run`` where None. The number of threads holds where JAX has not
    computed anything in this process yet: XLA splits long sums by it, which moves last bits.
    """
    start = time.monotonic()
    try:
        if finished(cell) is not None:
            return Outcome(cell.name)
        (cell.folder / TIME_FILE).unlink(missing_ok=True)
        (cell.folder / ERROR_FILE).unlink(missing_ok=True)
        whole = not any((cell.folder / CHECKPOINTS).glob("*"))
        with with_threads(threads):
            _train(cell, runner)
        seconds = time.monotonic() - start
        if finished(cell) is None:
            return Outcome(cell.name, "the training ended without its results in the folder")
        if whole:
            record = {"key": cell.key, "seconds": seconds, "images": cell.images}
            write_text(cell.folder / TIME_FILE, dump({**record, "threads": threads}))
        return Outcome(cell.name, None, seconds, whole)
    except InputError as error:
        if asked():
            raise
        return Outcome(cell.name, str(error))
    except Exception as error:  # one cell of many: the others go on, and the user is told
        if asked():  # compiled code makes other exceptions of an interrupt
            raise
        words = (str(error).splitlines() or [""])[0]
        where = cell.folder / ERROR_FILE
        try:
            write_text(where, traceback.format_exc())
        except InputError:
            where = cell.folder
        return Outcome(cell.name, f"{type(error).__name__}: {words} (see {where})")


def _train(cell: Cell, runner: Runner | None) -> None:
    if runner is not None:
        runner(cell.options)
        return
    from system.train import run

    run(cell.options)
    import jax

    jax.clear_caches()  # the compiled steps of this cell fit no other
    gc.collect()


@contextmanager
def with_threads(count: int) -> Iterator[None]:
    """Let XLA, if it starts in here, and Numba use so many threads.

    XLA's CPU client takes the size of its pool from NPROC when it starts (seen with jaxlib 0.10.2:
    1 XLAEigen thread instead of 2, as with an affinity of one core).
    """
    before = os.environ.get("NPROC")
    os.environ["NPROC"] = str(count)
    numba = sys.modules.get("numba")
    most = numba.get_num_threads() if numba else 0
    if numba:
        numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))
    try:
        yield
    finally:
        if numba:
            numba.set_num_threads(most)
        if before is None:
            del os.environ["NPROC"]
        else:
            os.environ["NPROC"] = before
