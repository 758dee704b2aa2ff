"""How long the extraction takes: default, and 3 corners x 3 temperatures, from nothing and again.

Each command runs on its own with a new, empty cache, then once more with that cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.common import HERE, write_result
from circuits.simulator import executable_version
from devices.presets import knag2014
from formats.device import write_device
from formats.provenance import provenance

COMMANDS = {
    "default": ((), 90.0),
    "3 corners x 3 temperatures": (
        # The published law has no activation energy; 0.6 eV is assumed for its temperatures.
        ("--corners", "tt,ff,ss", "--temperatures", "273,300,358", "--activation-energy", "0.6"),
        900.0,
    ),
}
"""Options, and the time (s) asked for on 2 cores."""
TIMEOUT = 3600.0


def extract_seconds(device: Path, output: Path, cache: Path, options: tuple[str, ...]) -> float:
    """Wall time (s) of one extraction; raises RuntimeError with its last words if it fails."""
    command = [sys.executable, "-m", "characterization.extract", str(device), "-o", str(output)]
    start = time.perf_counter()
    found = subprocess.run(
        [*command, *options, "--jobs", "2"],
        cwd=HERE.parent,
        env={**os.environ, "STOCHRAM_CACHE": str(cache)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if found.returncode:
        raise RuntimeError(f"extract {' '.join(options)}: {found.stderr[-2000:]}")
    return time.perf_counter() - start


def run() -> bool:
    """Time, print and write the result; whether the claims hold."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        record = provenance(
            stage="preset",
            inputs={},
            options={},
            seed=None,
            source=("devices",),
            libraries=("numpy",),
        )
        write_device(folder / "device.json", {**knag2014().to_dict(), "provenance": record})
        for place, (label, (options, asked)) in enumerate(COMMANDS.items()):
            paths = folder / "device.json", folder / f"out{place}", folder / f"cache{place}"
            first, again = (extract_seconds(*paths, options) for _ in range(2))
            print(
                f"{label}: {first:.1f} s from nothing (asked: {asked:.0f} s), again {again:.1f} s",
                flush=True,
            )
            rows.append({"extract": label, "seconds": first, "again": again, "asked": asked})
    good = all(row["seconds"] < row["asked"] for row in rows)
    content = {
        "shows": "wall time of the extraction with 2 jobs, cold cache and second run",
        "ngspice": executable_version(),
        "rows": rows,
        "within": good,
    }
    print(f"wrote {write_result('cells_extract', content)}")
    return good
