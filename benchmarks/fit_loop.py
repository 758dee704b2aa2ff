"""Closed loop: a device is simulated in ngspice, pulse by pulse, and fitted again from its bits.

Thresholds come from seeded generators, ngspice decides what switches, the fit sees only counts.
Then the time step: the exposure ngspice integrates over a pulse that does not switch, at half and
twice the maximum step, as P.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from benchmarks.common import resumed
from benchmarks.fit_recovery import E_MODEL
from characterization.fit.inference.candidate import fit_candidate
from characterization.fit.observations.base import single
from circuits.direct_drive import Thresholds, in_ngspice, ngspice_deck
from circuits.drives import Drive, cycle, pulse, triangle
from circuits.simulator import Simulator
from devices.families import FAMILIES
from devices.presets import knag2014

SEEDS = 20
DEVICES, CYCLES = 4, 50
PULSES = ((3.1, 1e-4), (3.2, 1e-4), (3.3, 1e-4), (3.4, 1e-4), (3.4, 2e-5), (3.5, 2e-5))
"""V and s."""
STEP = 20
"""Time steps in a pulse."""
VERSION = "1"


@functools.cache
def simulator() -> Simulator:
    """This process's ngspice worker."""
    return Simulator(timeout=600.0, cache="off")


def one(seed: int) -> dict[str, Any]:
    """Simulate and refit one seed: does each 95 % interval hold the truth?"""
    device = knag2014()
    switched = []
    for index, (voltage, width) in enumerate(PULSES):
        drive = cycle("pulses", [pulse(-1.5, 1e-6), pulse(voltage, width)], width / STEP)
        drawn = Thresholds.drawn(device, drive, DEVICES, CYCLES, 1000 * seed + index)
        states = in_ngspice(simulator())(device, drive, drawn)
        switched.append(float(states[..., -1].sum()))
    v, t = np.array(PULSES).T
    count = np.array(switched)
    data = single("pulses", v, t, within=count, waiting=DEVICES * CYCLES - count)
    fitted = fit_candidate(data, FAMILIES["exponential"], E_MODEL, where=f"seed {seed}")
    law = device.set
    ln_tau = float(law.ln_tau(np.array([fitted.likelihood.reference]))[0])
    truth = {"tau_ref": ln_tau, "V0": float(np.log(law.v0.value))}
    held = {}
    for name, (low, high) in zip(fitted.names, fitted.intervals, strict=True):
        assert low is not None and high is not None
        held[name] = bool(low <= truth[name] <= high)
    return {"held": held, "V0": fitted.value("V0")}


def drives(factor: float) -> dict[str, Drive]:
    """A pulse, whose rate is constant, and a triangle, whose rate grows e-fold every 2.3 us.

    ``factor`` multiplies the recommended largest step: a twentieth of the pulse, or of the time in
    which the rate grows e-fold. "coarse triangle" steps two e-folds at once, against the advice.
    """
    reset, side, top = pulse(-1.5, 1e-6), 5e-5, 3.4
    growth = knag2014().set.v0.value / (top / side)
    up = [reset, triangle(top, side)]
    return {
        "pulse": cycle("pulse", [reset, pulse(3.3, 1e-4)], factor * 1e-4 / STEP),
        "triangle": cycle("triangle", up, factor * growth / STEP),
        "coarse triangle": cycle("coarse triangle", up, factor * 2 * growth),
    }


def probability(drive: Drive) -> float:
    """P of one trial from the exposure that ngspice integrates."""
    device = knag2014()
    never = Thresholds(np.full((1, 1, 1), 1e6), np.ones((1, 1)))
    deck = ngspice_deck(device, drive, never).replace(".save ", ".save v(x0.us) ")
    waves = simulator().run(deck)
    exposure = float(np.max(waves["v(x0.us)"]))
    return float(device.set.probability_of_exposure(np.array(exposure)))


def time_step() -> dict[str, dict[str, float]]:
    """P of each waveform at half, one and two times the largest step, and the exact one."""
    device = knag2014()
    table: dict[str, dict[str, float]] = {}
    for name, exact in drives(1.0).items():
        row = {f"step x {f:g}": probability(drives(f)[name]) for f in (0.5, 1.0, 2.0)}
        row["exact"] = float(device.set.probability_of_exposure(exact.exposures(device)[0][0]))
        table[name] = row
        print(f"  P of a {name}: " + ", ".join(f"{key} {p:.6f}" for key, p in row.items()))
    return table


def closed_loop(workers: int) -> dict[str, Any]:
    """Seeds 0 to 19, and the time step."""
    found = resumed(f"closed loop v{VERSION}", one, range(SEEDS), workers)
    held = {name: sum(f["held"][name] for f in found) for name in ("tau_ref", "V0")}
    print(
        f"  ngspice to fit, {SEEDS} seeds: the 95 % interval holds the true tau_ref "
        f"{held['tau_ref']} and V0 {held['V0']} times"
    )
    table = time_step()
    moved = max(
        abs(table[name][f"step x {f:g}"] - table[name]["step x 1"])
        for name in ("pulse", "triangle")
        for f in (0.5, 2.0)
    )
    print(f"  halving and doubling the recommended step moves P by at most {moved:.1e}")
    return {"seeds": SEEDS, "held": held, "time_step": table, "largest_change": moved}
