"""Exact bit probability of the SNG against Monte Carlo: same figures, how many fewer cycles.

At nine write voltages (P = 0.1 ... 0.9 by the table) 20,000 cycles each are simulated with drawn
thresholds; the table's P must lie within every 99.9-% Clopper-Pearson interval (all nine do in at
least 99.1 % of the cases where all is right). The cost is in simulated device-cycles: of the table,
every cycle of every transient is counted (leading cycles, quadrature nodes, refinements, spread,
energies, read errors); Monte Carlo needs p(1-p)(1.96/0.001)^2 cycles a point for +-0.1 % at 95 %.
That the table is as precise as that is shown by transients at the same voltages with four times
shorter steps and a seven times smaller tolerance of the local error.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.cells_exact import PROBABILITIES, CountingSimulator, ExactSng, exact_sng
from benchmarks.common import STATE, write_result
from characterization.extract.check.intervals import Precision, clopper_pearson
from characterization.extract.check.monte_carlo import monte_carlo
from characterization.extract.check.units import Sampling
from characterization.extract.sng.exposure import cycle_exposures
from circuits.simulator import executable_version
from circuits.sng.cell import WRITE_STEPS, sng_deck
from devices.cbram import NEVER
from formats.progress import steps

CYCLES = 20_000
CONFIDENCE = 0.999
PRECISION = 1e-3
"""Absolute, at 95 %."""
ROUNDS = (0.125, 0.5, 1.0)
"""Shares of the cycles after which the result is written, so that an interrupted run has one."""
ASKED = 1000.0
SAMPLING = Sampling(units=4, cycles=50)


def needed(p: float) -> float:
    """Monte Carlo cycles for +-PRECISION at 95 %, by the normal approximation."""
    return p * (1 - p) * (1.96 / PRECISION) ** 2


def finer(exact: ExactSng, voltages: np.ndarray) -> np.ndarray:
    """P at the voltages from transients with shorter steps and smaller tolerance."""
    bench = exact.character.bench
    circuit = bench.circuit(voltages, np.full(voltages.size, NEVER))
    circuit.raw_spice += "\n.options trtol=1\n"
    deck = sng_deck(circuit, bench.design, voltages.size + 1, ("v(bl)", "v(be)"), 4 * WRITE_STEPS)
    waveforms = bench.simulator.run(deck)
    exposure = cycle_exposures(bench.device, waveforms, bench.design, voltages.size, 1)
    return np.asarray(bench.device.set.probability_of_exposure(exposure))


def run(jobs: int, share: float = 1.0) -> bool:
    """Run, print, and with the whole share write the result; whether the claims hold."""
    with CountingSimulator(jobs, cache="off") as simulator:
        exact = exact_sng(simulator, jobs)
        voltages = exact.voltages()
        p_exact = exact.character.bench.device.set.probability_of_exposure(exact.exposure(voltages))
        p_finer = finer(exact, voltages)
        points = list(zip(p_exact, voltages, p_finer, strict=True))
        for part in ROUNDS:
            cycles = int(part * share * CYCLES)
            rows = [_point(exact, float(v), float(p), float(fine), cycles) for p, v, fine in points]
            good = _report(exact, rows, write=share >= 1)
    return good


def _report(exact: ExactSng, rows: list[dict[str, Any]], write: bool) -> bool:
    """Print and write a round; whether the claims hold."""
    total = float(sum(needed(p) for p in PROBABILITIES))
    ratio = total / exact.cycles
    good = all(row["agrees"] and abs(row["change_finer"]) < PRECISION for row in rows)
    print(
        f"exact: {exact.cycles} device-cycles for the whole table (every transient counted); Monte "
        f"Carlo at +-{PRECISION:.1%}: {total:.3g} for the nine points: {ratio:.0f} times more "
        f"(asked: {ASKED:.0f})"
    )
    content = {
        "shows": "exact bit probability against Monte Carlo, and its cost in device-cycles",
        "ngspice": executable_version(),
        "confidence": CONFIDENCE,
        "rows": rows,
        "exact_device_cycles": exact.cycles,
        "monte_carlo_device_cycles_needed": total,
        "ratio": ratio,
        "agree": good,
    }
    if write:
        print(f"wrote {write_result('cells_probability', content)}")
    return good and ratio >= ASKED


def _point(exact: ExactSng, voltage: float, p: float, fine: float, cycles: int) -> dict[str, Any]:
    """Monte Carlo at one voltage; finished blocks are kept."""
    blocks = -(-cycles // (SAMPLING.units * SAMPLING.cycles))
    count = blocks * SAMPLING.units * SAMPLING.cycles
    never = Precision(half_width=0.0, confidence=CONFIDENCE, largest=count)
    start = time.perf_counter()
    with steps(f"Monte Carlo, P = {p:.2f}", blocks) as step:
        found = monte_carlo(
            exact.character.bench,
            voltage,
            SAMPLING,
            never,
            STATE / "cells-probability.jsonl",
            lambda bits: step(f"{bits} of {count} cycles"),
        ).bit
    seconds = time.perf_counter() - start
    # A fixed count, not stopped by its outcome: the plain interval.
    low, high = clopper_pearson(found.ones, found.count, CONFIDENCE)
    agrees = low <= p <= high
    print(
        f"{voltage:.5f} V  exact {p:.5f} (finer steps {fine - p:+.1e})  Monte Carlo "
        f"{found.value:.5f} [{low:.5f}, {high:.5f}] of {found.count} cycles  "
        f"{'agree' if agrees else 'DISAGREE'}  ({seconds:.0f} s)",
        flush=True,
    )
    return {
        "voltage_V": voltage,
        "exact": p,
        "change_finer": fine - p,
        "ones": found.ones,
        "cycles": found.count,
        "interval": [low, high],
        "agrees": agrees,
        "monte_carlo_cycles_needed": needed(p),
    }
