"""Devices driven by a periodic voltage, one bit or two a cycle: in numpy, ngspice and VACASK.

The same drive, the same thresholds and the same device go through three independent solvers; what
they disagree on shows the error of the solvers. Voltage sources across the device leave it no
choice of voltage, so the exposure of every cycle is known exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from circuits import vacask
from circuits.drives import Drive
from circuits.simulator import Simulator, Waveforms
from circuits.sources import pwl
from devices.cbram import CBRAM
from devices.subcircuit import subcircuit
from devices.veriloga import veriloga

STEP_OF_CHANGE = 1e-9
"""s; a threshold changes within it."""


@dataclass(frozen=True)
class Thresholds:
    """SET thresholds (devices, cycles, SET changes) and RESET thresholds (devices, cycles)."""

    set: np.ndarray
    reset: np.ndarray

    @classmethod
    def drawn(cls, device: CBRAM, drive: Drive, devices: int, cycles: int, seed: int) -> Thresholds:
        """Thresholds of the device's laws, each device its own."""
        random, slots = np.random.default_rng(seed), len(drive.set_changes)
        drawn = device.set.sample_thresholds(random, (devices, cycles * slots))
        return cls(
            drawn.reshape(devices, cycles, slots),
            device.sample_reset_thresholds(random, (devices, cycles)),
        )


Runner = Callable[[CBRAM, Drive, Thresholds], np.ndarray]
"""From a device, a drive and thresholds to the states (devices, cycles, reads)."""


def in_numpy(device: CBRAM, drive: Drive, thresholds: Thresholds) -> np.ndarray:
    """States by ``CBRAM.simulate``, one cycle after another."""
    time, voltage = drive.waveform()
    reads = np.array(drive.reads)
    states = np.empty((*thresholds.reset.shape, reads.size), np.uint8)
    for d, c in np.ndindex(*thresholds.reset.shape):
        before = int(states[d, c - 1, -1]) if c else 0
        # A second RESET in a cycle would need a threshold the drive does not have.
        reset = np.full(4, thresholds.reset[d, c])
        trace = device.simulate(time, voltage, thresholds.set[d, c], reset, before)
        states[d, c] = trace.state_at(reads, before)
    return states


def in_ngspice(simulator: Simulator) -> Runner:
    """States by ngspice and the subcircuit."""

    def run(device: CBRAM, drive: Drive, thresholds: Thresholds) -> np.ndarray:
        waves = simulator.run(ngspice_deck(device, drive, thresholds))
        return _states(waves, "v(x{}.s)", drive, thresholds)

    return run


def in_vacask(device: CBRAM, drive: Drive, thresholds: Thresholds) -> np.ndarray:
    """States by VACASK and the Verilog-A module."""
    waves = vacask.run(vacask_netlist(device, drive, thresholds), {"cbram": veriloga(device)})
    return _states(waves, "s{}", drive, thresholds)


def ngspice_deck(device: CBRAM, drive: Drive, thresholds: Thresholds) -> str:
    """All devices in parallel across one drive of periodic sources in series."""
    devices, cycles = thresholds.reset.shape
    lines = [f"* {device.name}, {drive.name}", subcircuit(device)]
    for index, t in enumerate(drive.trapezoids):
        shape = f"{t.begin:.12g} {t.rise:g} {t.fall:g} {t.width:.12g} {drive.period:.12g}"
        lines.append(f"vd{index} d{index} {_below(drive, index)} PULSE(0 {t.level:.10g} {shape})")
    for d in range(devices):
        set_points, reset_points = _threshold_points(drive, thresholds, d)
        lines.append(f"vs{d} ys{d} 0 {pwl(set_points)}")
        lines.append(f"vr{d} yr{d} 0 {pwl(reset_points)}")
        lines.append(f"x{d} d0 0 ys{d} yr{d} cbram")
    step, stop = drive.largest_step, cycles * drive.period
    lines += [
        ".options method=trap",
        ".save " + " ".join(f"v(x{d}.s)" for d in range(devices)),
        f".tran {step:g} {stop:.12g} 0 {step:g} uic",
        ".end",
    ]
    return "\n".join(lines) + "\n"


def vacask_netlist(device: CBRAM, drive: Drive, thresholds: Thresholds) -> str:
    """The same for VACASK; loads ``cbram.osdi``."""
    devices, cycles = thresholds.reset.shape
    lines = [f"{device.name}, {drive.name}", 'load "cbram.osdi"']
    lines += ["model vsource vsource", "model cbram cbram"]
    for index, t in enumerate(drive.trapezoids):
        lines.append(
            f'vd{index} (d{index} {_below(drive, index)}) vsource type="pulse" val0=0 '
            f"val1={t.level:.10g} delay={t.begin:.12g} rise={t.rise:g} fall={t.fall:g} "
            f"width={t.width:.12g} period={drive.period:.12g}"
        )
    for d in range(devices):
        set_points, reset_points = _threshold_points(drive, thresholds, d)
        lines.append(f"vs{d} (ys{d} 0) vsource {vacask.pwl(set_points)}")
        lines.append(f"vr{d} (yr{d} 0) vsource {vacask.pwl(reset_points)}")
        lines.append(f"x{d} (d0 0 ys{d} yr{d} s{d}) cbram")
    step, stop = drive.largest_step, cycles * drive.period
    lines += [
        "control",
        "options nr_conviter=2",
        "save " + " ".join(f"v(s{d})" for d in range(devices)),
        f"analysis {vacask.ANALYSIS} tran step={step:g} stop={stop:.12g} maxstep={step:g}",
        "endc",
    ]
    return "\n".join(lines) + "\n"


def _below(drive: Drive, index: int) -> str:
    return "0" if index == len(drive.trapezoids) - 1 else f"d{index + 1}"


def _threshold_points(
    drive: Drive, thresholds: Thresholds, device: int
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Stepwise courses of one device's SET and RESET thresholds."""
    cycles = np.arange(thresholds.reset.shape[1])[:, None]
    set_times = cycles * drive.period + np.array(drive.set_changes)
    reset_times = (cycles[:, 0] - 1) * drive.period + drive.reset_change
    return (
        _steps(set_times.ravel(), thresholds.set[device].ravel()),
        _steps(reset_times, thresholds.reset[device]),
    )


def _steps(times: np.ndarray, values: np.ndarray) -> list[tuple[float, float]]:
    points = [(0.0, float(values[0]))]
    for time, before, value in zip(times[1:], values[:-1], values[1:], strict=True):
        points += [(float(time), float(before)), (float(time + STEP_OF_CHANGE), float(value))]
    return [*points, (points[-1][0] + STEP_OF_CHANGE, float(values[-1]))]


def _states(waves: Waveforms, name: str, drive: Drive, thresholds: Thresholds) -> np.ndarray:
    devices, cycles = thresholds.reset.shape
    times = (np.arange(cycles)[:, None] * drive.period + np.array(drive.reads)).ravel()
    index = np.searchsorted(waves.time, times, side="right") - 1
    states = [waves[name.format(d)][index] > 0.5 for d in range(devices)]
    return np.array(states, np.uint8).reshape(devices, cycles, len(drive.reads))


@dataclass(frozen=True)
class Mismatch:
    """A read on which a simulator and numpy differ, while they agreed on the one before.

    Read 0 is that after the RESET. ``distance`` is |exposure/threshold - 1| of the RESET trial or
    of the closest SET trial before the read.
    """

    device: int
    cycle: int
    read: int
    distance: float


def mismatches(
    device: CBRAM,
    drive: Drive,
    thresholds: Thresholds,
    states: np.ndarray,
    reference: np.ndarray,
) -> tuple[list[Mismatch], int]:
    """The mismatches of ``states`` against ``reference``, and how many reads only inherit one.

    A read inherits where the two already differed at the read before it.
    """
    differ = states != reference
    flat = differ.reshape(differ.shape[0], -1)
    inherits = np.concatenate([np.zeros((len(flat), 1), bool), flat[:, :-1]], axis=1)
    inherited = (flat & inherits).reshape(differ.shape)
    set_exposure, reset_exposure = drive.exposures(device)
    found = []
    for d, c, r in np.argwhere(differ & ~inherited):
        if r == 0:
            distance = abs(reset_exposure[0] / thresholds.reset[d, c] - 1)
        else:
            distance = np.abs(set_exposure / thresholds.set[d, c] - 1).min()
        found.append(Mismatch(int(d), int(c), int(r), float(distance)))
    return found, int(inherited.sum())
