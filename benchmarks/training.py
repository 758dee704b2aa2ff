"""What training must show, in three parts; each prints its comparison and writes its result.

1. MNIST, 60,000 and 10,000 images, LeNet-5: floating point against streams of 256 and 64 bits in
   all products and the update, three seeds, scored bit by bit (``training_accuracy``); and accuracy
   against the stream length, trained on streams and mapped after, by adder, on 10,000 images
   (``training_lengths``).
2. The spread and the errors at which 1 point is lost, with and without calibration
   (``training_tolerance``).
3. Speed of an epoch by moments against floating point (``training_speed``).

    .venv/bin/python -m benchmarks.training [--part N ...] [--cells out/cells.nc] [--jobs 2]

Every training is a cell of a grid with its results in a folder: a run that was stopped goes on
where it was. Exit code 1 where a figure misses what was asked.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from benchmarks.common import STATE, measured_data, write_result
from benchmarks.training_grid import Work

PARTS = {"1": ("accuracy", "lengths"), "2": ("tolerance",), "3": ("speed",)}
CELLS = STATE / "agreement" / "cells.nc"
"""Made by ``stochram preset knag2014`` and ``stochram extract`` with no options."""


def main() -> int:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--part", action="append", choices=PARTS, help="one part (may be repeated)")
    parser.add_argument("--cells", type=Path, default=CELLS, help="cells.nc")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time, one core each")
    options = parser.parse_args()
    images = measured_data("mnist")
    if images is None or not options.cells.is_file():
        absent = "MNIST's four IDX files" if images is None else options.cells
        print(f"{absent}: absent; set STOCHRAM_DATA, or make cells.nc with stochram extract")
        return 2
    work = Work(options.cells, images, options.jobs)
    missed = 0
    for part in options.part or PARTS:
        for name in PARTS[part]:
            print(f"== part {part}: {name}")
            content = importlib.import_module(f"benchmarks.training_{name}").run(work)
            for row in content["verdict"]:
                print(f"{'met   ' if row['met'] else 'MISSED'} {row['asked']}: {row['reached']}")
                missed += not row["met"]
            print(f"wrote {write_result(f'training_{name}', content)}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
