"""The measured sweeps of a 40-nm RRAM test chip: fits, and held-out pulse widths scored.

One pulse on each of 32,768 cells (robert-radway/NI-RRAM-Python, MIT licence); not in this
repository. Each pulse width in turn is left out, the laws are fitted to the others, and the
left-out outcomes are scored by ln P of what happened. All share one floor, that of the lowest
score's training fit: false switches are a matter of the measurement, not of the law.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import xlogy

from benchmarks.common import measured_data
from characterization.fit import FitOptions, run
from characterization.fit.choices import Choices
from characterization.fit.inference.candidate import Candidate, fit_candidate
from characterization.fit.inference.maximise import maximise
from characterization.fit.inference.start import bounds
from characterization.fit.observations.base import Observations, pooled
from characterization.fit.observations.directions import parts_of
from characterization.fit.observations.kinds import observe
from characterization.fit.table.readers import read_table
from characterization.fit.table.selection import select
from devices.accelerations import ACCELERATIONS
from devices.families import FAMILIES
from formats.errors import InputError

E_MODEL = ACCELERATIONS["exp(-V/V0)"]
COLUMNS = ("address", "pulse_width_s", "gate_voltage_V", "voltage_V", "r_before_ohm", "r_after_ohm")
SET = Choices(kind="pulses", start_above=50e3, switched_below=50e3, where="gate_voltage_V>=1.4")
RESET = Choices(
    kind="pulses",
    start_below=12e3,
    switched_above=15e3,
    reset_polarity="magnitude",
    where="gate_voltage_V>=2.4",
)
THRESHOLDS = (15e3, 20e3, 30e3)


def folder() -> Path | None:
    """Where the measured data lie, None where they are absent."""
    return measured_data("nirram_tsmc40")


def outcomes(path: Path, choices: Choices) -> Observations:
    """The pulses of a sweep that the choices keep."""
    table = read_table(path, header=False, columns=COLUMNS)
    used, _ = select(table, choices.where)
    parts, _ = parts_of(used, "pulses", choices)
    return pooled(observe(parts[0].table, "pulses"))


def score(p: np.ndarray, data: Observations) -> float:
    """Sum of ln P of what happened."""
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return float(np.sum(xlogy(data.within, p) + xlogy(data.waiting, 1 - p)))


def held_out(data: Observations) -> dict[str, Any]:
    """Log-score per outcome of each law on widths it has not seen."""
    totals: dict[str, float] = {}
    by_width: dict[str, dict[str, float]] = {}
    for width in np.unique(data.duration):
        train, test = data.select(data.duration != width), data.select(data.duration == width)
        fits = _fits(train)
        floor = max(fits.values(), key=lambda c: c.loglik).share("floor")
        scores = {name: score(_probability(c, floor, test), test) for name, c in fits.items()}
        scores["constant per voltage"] = score(_constant(train, test, floor), test)
        by_width[f"{width:g} s"] = scores
        for name, value in scores.items():
            totals[name] = totals.get(name, 0.0) + value
    per_outcome = {name: value / data.size for name, value in totals.items()}
    return {"per_outcome": per_outcome, "by_width": by_width, "outcomes": data.size}


def _fits(train: Observations) -> dict[str, Candidate]:
    fits = {}
    for name, family in FAMILIES.items():
        try:
            fits[name] = fit_candidate(
                train, family, E_MODEL, floor=True, where=name, intervals=False
            )
        except InputError as error:
            print(f"    {name}: {error.problem}")
    return fits


def _probability(candidate: Candidate, floor: float, test: Observations) -> np.ndarray:
    """P of the test's pulses, refitted at the common floor."""
    law = candidate.likelihood
    held = np.array([name == "floor" for name in law.names])
    theta = candidate.maximum.copy()
    theta[held] = np.log(floor / (1 - floor)) if floor > 0 else np.log(1e-7)
    best = maximise(law.evaluate, theta, *bounds(law.data, law.names), held)
    return replace(law, data=test).probability(best.theta)


def _constant(train: Observations, test: Observations, floor: float) -> np.ndarray:
    """The fraction that switched at each voltage, whatever the width; never below the floor."""
    result = np.empty(test.voltage.size)
    for voltage in np.unique(test.voltage):
        here = train.voltage == voltage
        fraction = (train.within[here].sum() + 0.5) / (train.trials[here].sum() + 1)
        result[test.voltage == voltage] = max(floor, fraction)
    return result


def report(output: Path) -> dict[str, Any] | None:
    """Both sweeps: files for a meeting, verdicts, first passage at three thresholds, scores."""
    place = folder()
    if place is None:
        print("  skipped: the measured data are absent (set STOCHRAM_DATA)")
        return None
    result: dict[str, Any] = {}
    options = {"header": False, "columns": COLUMNS, "kind": "pulses"}
    for name, choices in (("set", SET), ("reset", RESET)):
        begin = time.perf_counter()
        chosen = {
            key: getattr(choices, key)
            for key in (
                "start_above",
                "start_below",
                "switched_below",
                "switched_above",
                "where",
                "reset_polarity",
            )
        }
        files = run(
            FitOptions(
                place / f"{name}_sweep.tsv.gz",
                output / name,
                floor=True,
                thresholds=THRESHOLDS if name == "reset" else (),
                **chosen,
                **options,
            )
        )
        seconds = time.perf_counter() - begin
        print(f"  {name.upper()} sweep in {seconds:.1f} s: {files.written[-1]}")
        for sentence in files.result.verdict:
            print(f"    - {sentence}")
        result[name] = {"seconds": seconds, "verdict": list(files.result.verdict)}
    for name, choices in (
        ("set", SET),
        *((f"reset {t:g} ohm", replace(RESET, switched_above=t)) for t in THRESHOLDS),
    ):
        data = outcomes(place / f"{name.split()[0]}_sweep.tsv.gz", choices)
        scores = held_out(data)
        best = scores["per_outcome"]
        ranked = sorted(best.items(), key=lambda item: -item[1])
        told = ", ".join(f"{key} {value:.4f}" for key, value in ranked)
        print(f"  held-out widths, {name}: ln P per outcome {told}")
        result[f"held out, {name}"] = scores
    return result
