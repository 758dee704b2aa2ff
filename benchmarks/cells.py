"""What the cells must show, in five parts; each part prints, and writes its own result.

1. Exact bit probability against Monte Carlo, and the cost of both (``cells_probability``).
2. Energies from the same thresholds and transitions: SNG (``cells_energy``), logic
   (``cells_logic``).
3. Monte Carlo throughput beside the plain loops of ngspice and PySpice (``throughput``).
4. Wall time of the extraction (``cells_extract``).
5. Pictures of a cells.nc (``--cells``), as SVG.

    .venv/bin/python -m benchmarks.cells [--part N ...] [--jobs 2] [--share 0.01]

Parts 1 and 2 go on where they were if they are stopped; ``--share`` runs a part of their cycles and
writes no result. Exit code 1 where a claim fails.
"""

from __future__ import annotations

import argparse
import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.common import HERE, RESULTS, STATE

PARTS = ("1", "2", "3", "4", "5")


def part_1(options: argparse.Namespace) -> bool:
    """Probability."""
    return bool(_module("cells_probability").run(options.jobs, options.share))


def part_2(options: argparse.Namespace) -> bool:
    """Energy: the SNG's, then the logic's."""
    sng = _module("cells_energy").run(options.jobs, options.share)
    return bool(_module("cells_logic").run(options.jobs)) and bool(sng)


def part_3(options: argparse.Namespace) -> bool:
    """Throughput."""
    _module("throughput").main()
    found = json.loads((RESULTS / "throughput.json").read_text())
    outcomes = [row for row in found["outcome"].values() if isinstance(row, dict)]
    claims = {
        ">= 5x the best plain loop": found["times_faster_than_best_loop"] >= 5,
        "equal outcome": all(row["equal"] for row in outcomes),
        ">= 1.8x with two processes": found["two_processes"]["ratio"] >= 1.8,
        "memory grows < 20 MB": found["memory"]["worker_growth_MB"] < 20
        and found["memory"]["parent_growth_MB"] < 20,
    }
    print("; ".join(f"{claim}: {'yes' if holds else 'NO'}" for claim, holds in claims.items()))
    return all(claims.values())


def part_4(options: argparse.Namespace) -> bool:
    """Time of an extraction."""
    return bool(_module("cells_extract").run())


def part_5(options: argparse.Namespace) -> bool:
    """Pictures."""
    from characterization.extract.figures.all import write_figures
    from formats.cells import read_cells

    paths = write_figures(read_cells(options.cells), STATE / "figures")
    print("\n".join(f"wrote {path}" for path in paths))
    return bool(paths)


def _module(name: str) -> Any:
    """A part's module, loaded only when it is run: some need what the others do not."""
    return importlib.import_module(f"benchmarks.{name}")


def main() -> int:
    """Run the parts asked for; exit code 1 where a claim fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", action="append", choices=PARTS, help="by default all")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--share", type=float, default=1.0, help="share of the cycles, parts 1, 2")
    parser.add_argument(
        "--cells", type=Path, default=HERE.parent / "out" / "cells.nc", help="for part 5"
    )
    options = parser.parse_args()
    functions: dict[str, Callable[[argparse.Namespace], bool]] = dict(
        zip(PARTS, (part_1, part_2, part_3, part_4, part_5), strict=True)
    )
    failed = []
    for part in options.part or PARTS:
        print(f"--- part {part}: {functions[part].__doc__}", flush=True)
        if not functions[part](options):
            failed.append(part)
    if failed:
        print(f"claims that do not hold: part {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
