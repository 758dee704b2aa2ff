"""What every benchmark shares: where results go, what machine they come from, how to resume."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from formats.atomic import write_text
from formats.progress import steps

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
STATE = HERE.parent / "out" / "benchmarks"
"""Unfinished work, so that a run that was stopped goes on; not committed."""


def machine() -> dict[str, Any]:
    """Processor, cores, Python, libraries and commit a result was made with."""
    libraries = ("jax", "lmfit", "numba", "numpy", "scipy", "sympy", "pandas")
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in libraries},
        "commit": _commit(),
    }


def write_result(name: str, content: dict[str, Any]) -> Path:
    """Write benchmarks/results/NAME.json with the machine added."""
    path = RESULTS / f"{name}.json"
    text = json.dumps({"machine": machine(), **content}, indent=1, allow_nan=False)
    write_text(path, text + "\n")
    return path


def resumed(
    name: str, function: Callable[[int], Any], items: Sequence[int], workers: int, chunk: int = 4
) -> list[Any]:
    """function(item) of every item, in order; what was done by an earlier run is not done again.

    ``chunk`` items are done before their results are kept: 1 where each takes minutes.

    Results are JSON lines in a state file named after the work; a changed function needs a new
    name (callers put a version into it).
    """
    path = STATE / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    done = dict(_read(path))
    missing = [item for item in items if item not in done]
    with (
        path.open("a") as file,
        steps(name, len(missing)) as step,
        ProcessPoolExecutor(workers) as pool,
    ):
        for item, value in zip(missing, pool.map(function, missing, chunksize=chunk), strict=True):
            step(f"{item}")
            done[item] = value
            file.write(json.dumps([item, value]) + "\n")
            file.flush()
    return [done[item] for item in items]


def measured_data(name: str) -> Path | None:
    """A folder of the data: in $STOCHRAM_DATA, shared/data or ../shared/data; None where absent."""
    places = [HERE.parent / "shared" / "data", HERE.parent.parent / "shared" / "data"]
    if "STOCHRAM_DATA" in os.environ:
        places.insert(0, Path(os.environ["STOCHRAM_DATA"]))
    return next((place / name for place in places if (place / name).is_dir()), None)


def _read(path: Path) -> Iterable[tuple[int, Any]]:
    if not path.exists():
        return
    for line in path.read_text().splitlines():
        try:
            item, value = json.loads(line)
        except ValueError:
            continue  # a line cut short when the run was stopped
        yield item, value


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def _commit() -> str:
    """The commit, with -dirty where tracked files other than results differ from it."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(HERE.parent), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "-uno", "--", ".", ":!benchmarks/results")
    return git("describe", "--always") + ("-dirty" if changed else "") or "unknown"
