"""How long a report takes, and how large its page is: the command in fresh processes, its parts.

Shows wall time and CPU time of ``python -m system.report`` on one pair of files, from the start of
the process to its end, of importing alone, and of each part of the work in one process. With
``--before COMMIT`` the command of that commit (unpacked with git into a temporary folder, run with
the same libraries) takes turns with this one; the ratio is the median of those of the rounds, so a
machine that others use slows both. The limit asked for is in seconds on two quiet cores, so it is
set beside the round that others disturbed least; ``load`` is that of the machine while this ran.
The parts are those of a process that has loaded everything and packed Plotly's script.

    .venv/bin/python -m benchmarks.report out/cells.nc out/training.nc [--before COMMIT]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import HERE, write_result
from formats.cells import read_cells
from formats.training import read_training
from system.budget import BudgetOptions, budget
from system.report.content import device, report
from system.report.page import page
from system.report.stage import ReportOptions, chosen, run, stage_provenance

ROUNDS = 7
SECONDS, MEGABYTES = 5.0, 6.0
"""Asked for."""
ROOT = HERE.parent
PACKAGES = ("devices", "formats", "system")
IMPORTS = ("-c", "import system.report.cli")


def in_process(root: Path, arguments: Sequence[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a fresh Python with the packages of ``root``."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def unpacked(commit: str, folder: Path) -> Path:
    """The packages of a commit in ``folder``."""
    archive = ["git", "-C", str(ROOT), "archive", commit, *PACKAGES]
    packed = subprocess.run(archive, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
    return folder


def in_turns(work: dict[str, tuple[Path, Sequence[str]]], rounds: int) -> dict[str, np.ndarray]:
    """(round, wall and CPU) of each; the first round, which compiles and fills caches, is left."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for _ in range(rounds + 1):
        for name, (root, arguments) in work.items():
            times[name].append(in_process(root, arguments))
    return {name: np.array(found[1:]) for name, found in times.items()}


def parts(options: ReportOptions) -> dict[str, float]:
    """Seconds of each part in this process, after one whole run that loaded everything."""
    run(options)
    found: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        made = work()
        found[name] = time.perf_counter() - start
        return made

    cells = timed("read cells.nc", lambda: read_cells(options.cells))
    training = timed("read training.nc", lambda: read_training(options.training))
    layout, choices = chosen(options), BudgetOptions(options.frame_rate)
    bill = timed("bill", lambda: budget(cells, training, layout, choices))
    record = timed("provenance", lambda: stage_provenance(options))
    content = timed("content", lambda: report(cells, training, bill, record, options.lasting))
    timed("page", lambda: page(cells, training, bill, content, device(cells)))
    return found


def main() -> int:
    """Measure, print and write benchmarks/results/report.json; exit code 1 where a limit fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", type=Path)
    parser.add_argument("training", type=Path)
    parser.add_argument("--before", help="a commit to take turns with")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    given = parser.parse_args()
    cells, training = given.cells.resolve(), given.training.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = ["-m", "system.report", str(cells), str(training), "-q", "-o", f"{folder}/out"]
        work: dict[str, tuple[Path, Sequence[str]]] = {
            "report": (ROOT, command),
            "imports": (ROOT, IMPORTS),
        }
        if given.before:
            old = folder / "before"
            old.mkdir()
            work["before"] = (unpacked(given.before, old), [*command[:-1], f"{folder}/out-before"])
        times = in_turns(work, given.rounds)
        of_parts = parts(ReportOptions(cells, training, folder / "out"))
        size = (folder / "out" / "report.html").stat().st_size / 1e6
    median = {key: np.median(found, axis=0).tolist() for key, found in times.items()}
    for key, (wall, cpu) in median.items():
        print(f"  {key:10} {wall:6.2f} s   CPU {cpu:6.2f} s   (median of {given.rounds})")
    for key, seconds in of_parts.items():
        print(f"    {key:18} {seconds:6.3f} s")
    content: dict[str, Any] = {
        "shows": "time of python -m system.report in a fresh process, and size of its page",
        "rounds": given.rounds,
        "load": os.getloadavg()[1],
        "seconds": {
            key: dict(zip(("wall", "cpu"), two, strict=True)) for key, two in median.items()
        },
        "parts_s": of_parts,
        "html_MB": size,
    }
    if given.before:
        wall, cpu = np.median(times["report"] / times["before"], axis=0).tolist()
        content["over_before"] = {"commit": given.before, "wall": wall, "cpu": cpu}
        print(f"  over {given.before}: {wall:.2f} of the time, {cpu:.2f} of the CPU time")
    verdict = [
        {"asked": f"{SECONDS:g} s", "reached": float(times["report"][:, 0].min())},
        {"asked": f"{MEGABYTES:g} MB", "reached": size},
    ]
    for row, limit in zip(verdict, (SECONDS, MEGABYTES), strict=True):
        row["met"] = bool(row["reached"] < limit)
        print(
            f"  less than {row['asked']}: {row['reached']:.2f}, {'met' if row['met'] else 'missed'}"
        )
    print(f"wrote {write_result('report', {**content, 'verdict': verdict})}")
    return 0 if all(row["met"] for row in verdict) else 1


if __name__ == "__main__":
    raise SystemExit(main())
