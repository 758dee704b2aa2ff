"""Monte Carlo of one 1T1R cell: the runner beside the plain loops, in one run, at equal outcome.

    python -m benchmarks.throughput            # about two minutes; writes results/throughput.json

The cell: NMOS (level 1) and the behavioural CBRAM, one 10-us write pulse, 200 SET thresholds. The
loops use 10-ns steps (some 1,040 time points), as is usual for such loops. The runner uses
``circuits.array``, whose longer steps lose nothing, which is checked cell by cell. Most of its
gain is that deck, so PySpice is measured with it as well: what is left is the gain by batching.
Contenders alternate in short rounds on one core; rates are medians over the rounds. Other work on
the machine hurts a runner of two processes more than a loop in one.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import write_result
from benchmarks.throughput_peers import PySpiceLoop, batch_loop, plain_deck
from circuits.array import CELLS_PER_NETLIST, ArrayCell, Outcomes, array_deck, write_cells
from circuits.simulator import Simulator, executable_version
from devices.presets import knag2014
from devices.subcircuit import subcircuit
from formats.seeds import generator

DEVICE, CELL = knag2014(), ArrayCell()
CELLS = 200
PLAIN_STEP = 10e-9
ROUNDS = 8
PEER_RUNS = CELLS // ROUNDS
"""Runs of a loop in a round: together all cells."""
SCALING_ROUNDS, SCALING_CELLS = 9, 1500
COUNTED = 10_000_000
BATCHES = (1, 5, 10, 25, 50, 100, 200, 500)
MEMORY_RUNS = 5000
TOLERANCE = 0.005
"""Share of the pulse within which switching times must agree."""


def main() -> None:
    """Measure, print and write the results."""
    drawn = DEVICE.set.sample_thresholds(generator(0, "benchmark", "throughput"), CELLS)
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-1:])
    rates, outcome = side_by_side(drawn)
    batches = by_batch_size()
    os.sched_setaffinity(0, cores)
    scaling = two_processes()
    memory = growth(drawn)
    best = max(rates["ngspice -b"], rates["PySpice alter+run"])
    result = {
        "shows": "Monte Carlo throughput of one 1T1R cell beside plain loops, in one run",
        "ngspice": executable_version(),
        "cells": CELLS,
        "runs_per_second_one_core": rates,
        "times_faster_than_best_loop": rates["runner"] / best,
        "times_faster_than_pyspice_with_our_deck": rates["runner"] / rates["PySpice, our deck"],
        "outcome": outcome,
        "runs_per_second_by_cells_per_netlist": batches,
        "two_processes": scaling,
        "memory": memory,
    }
    show(result)
    write_result("throughput", result)


def side_by_side(drawn: np.ndarray) -> tuple[dict[str, float], dict[str, Any]]:
    """Median rates (runs/s) of the contenders, and how their outcomes differ."""
    full = subcircuit(DEVICE)
    ours_alone = array_deck(DEVICE, CELL, drawn[:1])
    plain = plain_deck(full, CELL, float(drawn[0]), PLAIN_STEP)
    found: dict[str, list[float | None]] = {name: [] for name in ("batch", "pyspice", "short")}
    seconds: dict[str, list[float]] = {name: [] for name in (*found, "runner")}
    points = {}
    with PySpiceLoop() as loop, Simulator(cache="off") as simulator:
        write_cells(simulator, DEVICE, CELL, drawn[:CELLS_PER_NETLIST])  # started, warm
        loop.run(plain, drawn[:2].tolist(), False)
        for index in range(ROUNDS):
            part = drawn[index * PEER_RUNS : (index + 1) * PEER_RUNS]
            decks = [plain_deck(full, CELL, float(y), PLAIN_STEP) for y in part]
            times, taken = batch_loop(decks)
            found["batch"] += times
            seconds["batch"].append(taken / part.size)
            for name, deck, exposures in (("pyspice", plain, False), ("short", ours_alone, True)):
                loop.run(deck, part[:1].tolist(), exposures)  # loading the deck is not counted
                times, taken, points[name] = loop.run(deck, part.tolist(), exposures)
                found[name] += times
                seconds[name].append(taken / part.size)
            before = simulator.counters
            start = time.perf_counter()
            ours = write_cells(simulator, DEVICE, CELL, drawn)
            seconds["runner"].append((time.perf_counter() - start) / CELLS)
            after = simulator.counters
    transients = after.transients - before.transients
    names = {
        "batch": "ngspice -b",
        "pyspice": "PySpice alter+run",
        "short": "PySpice, our deck",
        "runner": "runner",
    }
    rates = {names[name]: 1 / statistics.median(values) for name, values in seconds.items()}
    outcome = {
        "time_points_plain": points["pyspice"],
        "time_points_runner": (after.time_points - before.time_points) / transients,
        "netlists_runner": transients,
        **{f"against {names[name]}": compared(ours, times) for name, times in found.items()},
    }
    return rates, outcome


def compared(ours: Outcomes, times: list[float | None]) -> dict[str, Any]:
    """Cells that differ in having switched, and the largest difference of times in the pulse."""
    theirs = np.array([np.nan if t is None else t - CELL.delay for t in times])
    both = ours.switched & ~np.isnan(theirs)
    largest = float(np.max(np.abs(ours.times[both] - theirs[both]))) / CELL.pulse_width
    differing = int((ours.switched != ~np.isnan(theirs)).sum())
    return {
        "switched": int((~np.isnan(theirs)).sum()),
        "switched_differently": differing,
        "largest_time_difference_of_pulse": largest,
        "equal": differing == 0 and largest < TOLERANCE,
    }


def by_batch_size() -> dict[int, float]:
    """Median rate (cells/s) by cells a netlist, sizes alternating."""
    drawn = DEVICE.set.sample_thresholds(generator(1, "benchmark", "throughput"), max(BATCHES))
    seconds: dict[int, list[float]] = {size: [] for size in BATCHES}
    with Simulator(cache="off") as simulator:
        for _ in range(3):
            for size in BATCHES:
                cells = drawn[: max(size, 200)]
                seconds[size].append(
                    timed(lambda: write_cells(simulator, DEVICE, CELL, cells, None, size))  # noqa: B023
                    / cells.size
                )
    return {size: 1 / statistics.median(values) for size, values in seconds.items()}


def two_processes() -> dict[str, float]:
    """Rates (cells/s) with one job and two, alternating; the ratio of each round's pair, median.

    Beside it what the machine gives at that time to two processes that only count.
    """
    drawn = DEVICE.set.sample_thresholds(generator(2, "benchmark", "throughput"), SCALING_CELLS)
    one_s, two_s, counting = [], [], []
    with (
        Simulator(1, cache="off") as one,
        Simulator(2, cache="off") as two,
        ProcessPoolExecutor(2) as pool,
    ):
        alone, together = (write_cells(jobs, DEVICE, CELL, drawn) for jobs in (one, two))
        list(pool.map(count, [1, 1]))
        for _ in range(SCALING_ROUNDS):
            one_s.append(timed(lambda: write_cells(one, DEVICE, CELL, drawn)))
            two_s.append(timed(lambda: write_cells(two, DEVICE, CELL, drawn)))
            single = timed(lambda: [pool.submit(count, COUNTED).result() for _ in range(2)])
            counting.append(single / timed(lambda: list(pool.map(count, [COUNTED, COUNTED]))))
    ratios = [a / b for a, b in zip(one_s, two_s, strict=True)]
    return {
        "one": SCALING_CELLS / statistics.median(one_s),
        "two": SCALING_CELLS / statistics.median(two_s),
        "ratio": statistics.median(ratios),
        "ratio_best_round": max(ratios),
        "ratio_of_counting": statistics.median(counting),
        "load_average": os.getloadavg()[0],
        "identical": bool(np.array_equal(alone.times, together.times, equal_nan=True)),
    }


def count(number: int) -> int:
    """Work that needs a processor and nothing else."""
    total = 0
    for value in range(number):
        total += value
    return total


def growth(drawn: np.ndarray) -> dict[str, float]:
    """Resident memory (MB) of the worker and of this process, over many runs of one cell each."""
    with Simulator(cache="off") as simulator:
        write_cells(simulator, DEVICE, CELL, np.resize(drawn, 200), None, 1)
        worker = simulator._idle[0].pid
        before = resident(worker), resident(os.getpid())
        write_cells(simulator, DEVICE, CELL, np.resize(drawn, MEMORY_RUNS), None, 1)
        assert simulator._idle[0].pid == worker
        after = resident(worker), resident(os.getpid())
        return {
            "runs": MEMORY_RUNS,
            "worker_MB": after[0],
            "worker_growth_MB": after[0] - before[0],
            "parent_growth_MB": after[1] - before[1],
        }


def resident(process: int) -> float:
    """Resident memory (MB) of a process."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1000
    raise RuntimeError(f"process {process} has no VmRSS")


def timed(work: Callable[[], Any]) -> float:
    """Wall time (s)."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def show(result: dict[str, Any]) -> None:
    """The table on the screen."""
    outcome, scaling, memory = result["outcome"], result["two_processes"], result["memory"]
    print(f"\nOne 1T1R cell, {CELLS} thresholds, ngspice {result['ngspice']}, one core")
    for name, rate in result["runs_per_second_one_core"].items():
        ratio = result["runs_per_second_one_core"]["runner"] / rate
        other = outcome.get(f"against {name}")
        said = "" if other is None else f"   runner x{ratio:5.1f}   " + outcome_text(other)
        print(f"  {name:20s}{rate:8.0f} runs/s{said}")
    print(
        f"  time points a run: loops {outcome['time_points_plain']}, runner "
        f"{outcome['time_points_runner']:.0f} for {CELLS / outcome['netlists_runner']:.0f} cells"
    )
    sizes = result["runs_per_second_by_cells_per_netlist"]
    print("  cells a netlist: " + ", ".join(f"{n}: {rate:.0f}/s" for n, rate in sizes.items()))
    print(
        f"  two processes: x{scaling['ratio']:.2f} (best round x{scaling['ratio_best_round']:.2f}; "
        f"load average {scaling['load_average']:.1f}; counting alone x"
        f"{scaling['ratio_of_counting']:.2f}), identical: {scaling['identical']}"
    )
    print(
        f"  memory over {memory['runs']} runs: worker +{memory['worker_growth_MB']:.1f} MB, "
        f"parent +{memory['parent_growth_MB']:.1f} MB"
    )


def outcome_text(other: dict[str, Any]) -> str:
    """One contender's outcome beside ours."""
    return (
        f"{'equal' if other['equal'] else 'NOT EQUAL'}: {other['switched']} switched, "
        f"{other['switched_differently']} differ, times within "
        f"{other['largest_time_difference_of_pulse']:.3%}"
    )


if __name__ == "__main__":
    main()
