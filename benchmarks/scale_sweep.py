"""Ten thousand cells through ``stochram sweep``, by processes and by Dask, one worker killed.

The trainings are stand-ins that write their files at once, so what is measured is the sweep: its
planning, its bookkeeping and what it does when a worker dies. Both must leave the same files.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import STATE, write_result
from formats.provenance import sha256_file
from system.sweep import SweepOptions, run
from system.train.options import TrainOptions, stage_provenance
from tests.synthetic_cells import synthetic_cells
from tests.synthetic_training import synthetic_training
from tests.system_sweep.fake_training import write

CELLS, JOBS = 10_000, 2
LENGTHS, SEEDS = 100, 100
HERE = STATE / "scale-sweep"


def main() -> None:
    """Both backends on the same grid; the folders are compared file by file."""
    assert LENGTHS * SEEDS == CELLS
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir(parents=True)
    cells = synthetic_cells(HERE / "cells.nc")
    template = synthetic_training(HERE / "template" / "training.nc", cells)
    table, hashes = {}, {}
    for backend in ("loky", "dask"):
        table[backend] = _swept(backend, cells, template)
        hashes[backend] = _hashes(HERE / backend)
        print(
            f"  {backend:5s} {table[backend]['done']:,} of {CELLS:,} cells, "
            f"{table[backend]['failed']} failed, worker killed after "
            f"{table[backend]['killed_after']:,} cells; {table[backend]['seconds']:.0f} s, "
            f"{1e3 * table[backend]['seconds'] / CELLS:.1f} ms a cell"
        )
    same = hashes["loky"] == hashes["dask"]
    print(f"  {len(hashes['loky']):,} files of results, the same in both: {same}")
    write_result(
        "scale_sweep",
        {
            "shows": "a sweep of ten thousand cells that train nothing",
            "cells": CELLS,
            "workers": JOBS,
            "backends": table,
            "files": len(hashes["loky"]),
            "same_files": same,
        },
    )


@dataclass(frozen=True)
class StandIn:
    """Writes the files of a training at once, and which process did."""

    template: Path

    def __call__(self, options: TrainOptions) -> None:
        workers = HERE / "workers"
        workers.mkdir(exist_ok=True)
        (workers / str(os.getpid())).touch()
        record = stage_provenance(options)
        write(self.template, options.output, options.stream_length, options.seed, record)


def _swept(backend: str, cells: Path, template: Path) -> dict[str, Any]:
    shutil.rmtree(HERE / "workers", ignore_errors=True)
    lengths = ",".join(str(16 + 2 * i) for i in range(LENGTHS))
    seeds = ",".join(str(1 + i) for i in range(SEEDS))
    options = SweepOptions(
        cells=cells,
        vary=(f"stream_length={lengths}", f"seed={seeds}"),
        fixed=("train_images=100", "epochs=1", "seeds=2"),
        output=HERE / backend,
        jobs=JOBS,
        backend=backend,
        quiet=True,
    )
    after = random.Random(backend).randrange(CELLS // 4, 3 * CELLS // 4)
    begin = time.monotonic()
    with _killer(HERE / backend, after) as killed:
        results = run(options, StandIn(template))
    return {
        "seconds": time.monotonic() - begin,
        "done": sum(result.state == "done" for result in results),
        "failed": sum(result.state == "failed" for result in results),
        "killed_after": killed[0] if killed else 0,
    }


@contextmanager
def _killer(folder: Path, after: int) -> Iterator[list[int]]:
    """Kill one of the processes that train once ``after`` cells are there."""
    end, killed = threading.Event(), list[int]()

    def watch() -> None:
        while not end.wait(0.5):
            done = sum(1 for _ in folder.glob("*/training.nc"))
            if done >= after:
                workers = [int(path.name) for path in (HERE / "workers").iterdir()]
                os.kill(max(workers), signal.SIGKILL)
                killed.append(done)
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield killed
    finally:
        end.set()
        thread.join()


def _hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): sha256_file(path)
        for pattern in ("*/training.nc", "*/weights.npz")
        for path in sorted(folder.glob(pattern))
    }
