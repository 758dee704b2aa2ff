"""Tables of one and of ten million rows: ``stochram fit`` as a user starts it, and its memory."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import STATE, resumed, write_result
from benchmarks.fit_recovery import V0, tau
from benchmarks.scale_process import used

ASKED = 4 * 2**30
"""Bytes of memory that ten million rows may take."""
ROWS = (1_000_000, 10_000_000)
KINDS = ("pulses", "pulses.gz", "waits", "ramps", "trains")
"""``trains``: up to four equal pulses of a device and cycle, of 1,000 devices; a population."""
CASES = [(kind, rows) for kind in KINDS for rows in ROWS if (kind, rows) != ("trains", ROWS[-1])]
"""Ten million pulses in trains take hours and are left out."""
CHUNK = 500_000
DEVICES = 1_000
VERSION = 1


def main() -> None:
    """Make, fit, measure, print and write."""
    numbers = list(range(len(CASES)))
    found = resumed(f"scale-rows-{VERSION}", _case, numbers, workers=1, chunk=1)
    table = []
    for (kind, rows), result in zip(CASES, found, strict=True):
        table.append({"kind": kind, "rows": rows, **result})
        print(
            f"  {kind:10s} {rows:>11,} rows, {result['bytes'] / 2**20:6.0f} MiB: "
            f"{result['seconds']:6.0f} s, {result['memory'] / 2**30:5.2f} GiB "
            f"(asked below {ASKED / 2**30:g}), exit {result['code']}, "
            f"V0 {result['v0']} (truth {V0:g})"
        )
    write_result(
        "scale_rows",
        {"shows": "memory and time of a whole fit", "asked_bytes": ASKED, "table": table},
    )


def _case(number: int) -> dict[str, Any]:
    kind, rows = CASES[number]
    folder = STATE / "scale-rows"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kind.split('.', maxsplit=1)[0]}.csv"
    write_table(path, kind, rows)
    if kind.endswith(".gz"):
        packed = path.with_name("pulses.csv.gz")
        with path.open("rb") as text, gzip.open(packed, "wb", compresslevel=1) as out:
            shutil.copyfileobj(text, out)
        path.unlink()
        path = packed
    output = folder / "out"
    command = [sys.executable, "-m", "characterization.fit", str(path), "-o", str(output)]
    measured = used(command, folder / f"{kind}-{rows}.log")
    size = path.stat().st_size
    path.unlink()
    v0 = None
    if measured.code == 0:
        device = json.loads((output / "device.json").read_text())
        v0 = device["set"]["parameters"]["V0"]["value"]
    return {**asdict(measured), "bytes": size, "v0": v0}


def write_table(path: Path, kind: str, rows: int) -> None:
    """A table with known truth, written piece by piece."""
    random = np.random.default_rng([17, rows])
    with path.open("w") as out:
        for begin in range(0, rows, CHUNK):
            count = min(CHUNK, rows - begin)
            names, columns, form = _MAKERS[kind.split(".", maxsplit=1)[0]](random, begin, count)
            if not begin:
                out.write(f"{names}\n")
            np.savetxt(out, np.column_stack(columns)[:count], fmt=form)


def _pulses(random: np.random.Generator, begin: int, count: int) -> tuple[str, Any, str]:
    voltage = random.choice([2.6, 2.8, 3.0, 3.2], count)
    width = random.choice([1e-5, 1e-4, 1e-3], count)
    switched = random.random(count) < -np.expm1(-width / tau(voltage))
    columns = (voltage, width, switched)
    return "voltage_V,pulse_width_s,switched", columns, "%.1f,%.0e,%d"


def _waits(random: np.random.Generator, begin: int, count: int) -> tuple[str, Any, str]:
    voltage = random.choice([2.8, 3.0, 3.2], count)
    limit = 5 * tau(3.0)
    wait = tau(voltage) * random.exponential(size=count)
    columns = (voltage, np.minimum(wait, limit), wait < limit)
    return "voltage_V,wait_time_s,switched", columns, "%.1f,%.6e,%d"


def _ramps(random: np.random.Generator, begin: int, count: int) -> tuple[str, Any, str]:
    rate = random.choice([0.1, 1.0, 10.0], count)
    # exposure of a ramp from 0 V: rate * u = V0 (1/tau(V) - 1/tau(0)), solved for V
    voltage = V0 * np.log(rate * random.exponential(size=count) * tau(0.0) / V0 + 1.0)
    columns = (rate, np.minimum(voltage, 4.0), voltage < 4.0)
    return "ramp_rate_V_per_s,set_voltage_V,switched", columns, "%.1f,%.5f,%d"


def _trains(random: np.random.Generator, begin: int, count: int) -> tuple[str, Any, str]:
    of_train = 4
    trains = -(-count // of_train)
    number = begin // of_train + np.arange(trains)
    device = number % DEVICES
    voltage = random.choice([2.6, 2.8, 3.0], trains)
    width = random.choice([3e-5, 3e-4], trains)
    spread = np.random.default_rng(18).normal(0.0, 0.2, DEVICES)[device]
    reached = random.exponential(size=trains) * tau(voltage) * np.exp(spread)
    at = (np.arange(of_train) + 1)[None] * width[:, None]
    switched = (reached[:, None] < at) & (reached[:, None] >= at - width[:, None])
    rows = [np.repeat(column, of_train) for column in (device, number, voltage, width)]
    columns = (*rows, switched.ravel())
    return "device,cycle,voltage_V,pulse_width_s,switched", columns, "%d,%d,%.1f,%.0e,%d"


_MAKERS = {"pulses": _pulses, "waits": _waits, "ramps": _ramps, "trains": _trains}
