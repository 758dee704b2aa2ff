"""Energy of the SNG cycle by cycle: the table's function of state and switching time, transients.

At each of nine write voltages (P = 0.1 ... 0.9) 500 cycles are simulated with drawn thresholds.
From the same thresholds ``characterization.extract.sng.stored.cycle_energies`` tells each cycle's
energy by phase from cells.nc alone. The sums must agree within 1 %; the deviation of single cycles
and of each phase is printed beside.
"""

from __future__ import annotations

import functools
import hashlib
from typing import Any

import numpy as np

from benchmarks.cells_exact import PROBABILITIES, CountingSimulator, ExactSng, exact_sng
from benchmarks.common import resumed, write_result
from characterization.extract.sng.bench import Bench, sampled_bits
from characterization.extract.sng.energy import LINES, RAILS, phase_energies
from characterization.extract.sng.stored import cycle_energies
from circuits.simulator import Simulator, executable_version
from circuits.sng.cell import sng_deck
from formats.cells import PHASES
from formats.seeds import generator

CYCLES, DECKS = 50, 10
"""Cycles of a deck, decks a probability."""
WITHIN = 0.01
_SAVED = ("v(q)", *(f"{kind}{name})" for name in (*RAILS, *LINES) for kind in ("v(", "i(v")))


def drawn(bench: Bench, item: int) -> tuple[np.ndarray, np.ndarray]:
    """SET and RESET thresholds of a deck's cycles, the leading one not included."""
    random = generator(0, "cells energy", item)
    sets = bench.device.set.sample_thresholds(random, CYCLES)
    return sets, bench.device.sample_reset_thresholds(random, CYCLES)


def deck(bench: Bench, item: int, voltages: tuple[float, ...]) -> str:
    """Deck number ``item``: ten a voltage."""
    sets, resets = drawn(bench, item)
    at = np.full(CYCLES, voltages[item // DECKS])
    circuit = bench.circuit(at, sets, reset_thresholds=resets)
    return sng_deck(circuit, bench.design, CYCLES + 1, _SAVED)


@functools.cache
def _simulator() -> Simulator:
    """This process's ngspice worker."""
    return Simulator(timeout=600.0, cache="off")


def one(item: int, text: dict[int, str], bench: tuple[Any, Any]) -> dict[str, Any]:
    """Simulate a deck; bits with the leading one, energies without."""
    technology, design = bench
    waveforms = _simulator().run(text[item])
    energies = phase_energies(waveforms, design, CYCLES, first=1)
    bits = sampled_bits(waveforms, technology, design, CYCLES + 1)
    return {"bits": bits.tolist(), "energy": energies.tolist()}


def foretold(exact: ExactSng, item: int, voltage: float, bits: np.ndarray) -> np.ndarray:
    """Energies (J) of the deck's cycles from the table, shape (cycles, 3)."""
    sets, resets = drawn(exact.character.bench, item)
    return cycle_energies(
        exact.sng,
        voltage,
        bits[:-1],
        resets / float(exact.sng["reset_exposure"]),
        sets / float(exact.exposure(np.array([voltage]))[0]),
    )


def run(jobs: int, share: float = 1.0) -> bool:
    """Run, print, and with the whole share write the result; whether the claim holds."""
    with CountingSimulator(jobs) as simulator:
        exact = exact_sng(simulator, jobs)
    bench = exact.character.bench
    voltages = tuple(exact.voltages().tolist())
    decks = max(1, round(share * DECKS))
    items = [place * DECKS + k for place in range(len(voltages)) for k in range(decks)]
    texts = {item: deck(bench, item, voltages) for item in items}
    version = hashlib.sha256(texts[0].encode()).hexdigest()[:10]
    function = functools.partial(one, text=texts, bench=(bench.technology, bench.design))
    results = dict(
        zip(items, resumed(f"cells-energy-{version}", function, items, jobs), strict=True)
    )
    rows = []
    for place, (p, voltage) in enumerate(zip(PROBABILITIES, voltages, strict=True)):
        mine = [item for item in items if item // DECKS == place]
        rows.append(_row(exact, p, voltage, {item: results[item] for item in mine}))
    good = all(abs(row["deviation"]) < WITHIN for row in rows)
    content = {
        "shows": "energy cycle by cycle from the same thresholds: stored function and transient",
        "ngspice": executable_version(),
        "within": WITHIN,
        "rows": rows,
        "agree": good,
    }
    if share >= 1:
        print(f"wrote {write_result('cells_energy', content)}")
    return good


def _row(
    exact: ExactSng, p: float, voltage: float, results: dict[int, dict[str, Any]]
) -> dict[str, Any]:
    found = np.concatenate([np.array(result["energy"]) for result in results.values()])
    bits = {item: np.array(result["bits"]) for item, result in results.items()}
    told = np.concatenate([foretold(exact, item, voltage, b) for item, b in bits.items()])
    ones = float(np.mean(np.concatenate([b[1:] for b in bits.values()])))
    deviation = told.sum() / found.sum() - 1
    by_phase = told.sum(axis=0) / found.sum(axis=0) - 1
    mean = found.sum(axis=1).mean()
    single = np.sqrt(np.mean((told.sum(axis=1) - found.sum(axis=1)) ** 2)) / mean
    print(
        f"P = {p:.1f}, {voltage:.4f} V, {len(found)} cycles ({ones:.3f} ones): "
        f"{mean:.4g} J a cycle, table {deviation:+.3%}; "
        + ", ".join(f"{name} {x:+.2%}" for name, x in zip(PHASES, by_phase, strict=True))
        + f"; single cycles {single:.2%} rms of the mean"
    )
    return {
        "p": p,
        "voltage_V": voltage,
        "cycles": len(found),
        "energy_J_per_cycle": float(mean),
        "deviation": float(deviation),
        "deviation_by_phase": dict(zip(PHASES, by_phase.tolist(), strict=True)),
        "rms_single_cycle": float(single),
    }
