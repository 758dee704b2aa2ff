"""Exposure of the device against the write voltage, from transients in which it does not switch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from PySpice.Spice.Netlist import Circuit
from scipy.interpolate import PchipInterpolator

from characterization.extract.sng.bench import Bench
from circuits.simulator import Waveforms
from circuits.sng.design import SngDesign
from devices.cbram import CBRAM, NEVER

PRECISION = 1e-4
"""Largest change of P that ends a refinement."""
LOWEST_WRITE = 0.3
"""V; far below its threshold the PMOS write switch passes too little for any device."""
NARROWEST_WINDOW = 0.02
"""V; a device whose P(V) is steeper cannot be steered by a write voltage."""
SMALLEST = 1e-300
"""Exposure of a device that sees no voltage at all; its logarithm is finite."""
LARGEST_GRID = 150
"""Write voltages at which the refinement gives up; its error stays in the file."""
Item = TypeVar("Item")
Found = TypeVar("Found")


class Each(Protocol):
    """How to do something for every item: results in the items' order, possibly in parallel."""

    def __call__(self, function: Callable[[Item], Found], items: Sequence[Item]) -> list[Found]:
        """``function`` of each item."""
        ...


@dataclass(frozen=True)
class Curve:
    """Exposures (benches, voltages) at write voltages (V) that all benches share; NaN where
    ngspice failed.

    ``error`` is the largest difference of P between the curve and transients half-way.
    """

    voltages: np.ndarray
    exposure: np.ndarray
    error: float


def cycle_exposures(
    device: CBRAM, waveforms: Waveforms, design: SngDesign, cycles: int, first: int = 0
) -> np.ndarray:
    """SET exposure up to the sampling of its bit of each of ``cycles`` from cycle ``first`` on.

    The device must stay in HRS over the waveform.
    """
    marks = [
        (design.windows(cycle)[1][0], design.sample_time(cycle))
        for cycle in range(first, first + cycles)
    ]
    return np.maximum(gained(device, waveforms, design, np.array(marks))[0], SMALLEST)


def gained(
    device: CBRAM, waveforms: Waveforms, design: SngDesign, windows: np.ndarray
) -> tuple[np.ndarray, ...]:
    """SET and RESET exposure gained in each window (start, end in s; shape (n, 2))."""
    active, inert = design.electrodes
    cell = waveforms[f"v({active})"] - waveforms[f"v({inert})"]
    results = []
    for gains in device.exposures(waveforms.time, cell):
        total = np.concatenate([[0.0], np.cumsum(gains)])
        low, high = np.interp(windows.T, waveforms.time, total)
        results.append(np.asarray(high - low))
    return tuple(results)


def exposures(bench: Bench, circuits: Sequence[Circuit], cycles: int) -> np.ndarray:
    """SET exposures (circuits, cycles) of circuits in which the device stays in HRS."""
    found = bench.run_all(circuits, cycles, quick=True)
    return np.array(
        [cycle_exposures(bench.device, result, bench.design, cycles, 1) for result in found]
    )


def write_window(device: CBRAM, design: SngDesign, highest: float) -> tuple[float, float]:
    """Write voltages (V) that span the bit probability: P from 0.0001 to 0.999 or ``highest``.

    Raises ValueError where no voltage of the SNG gives a bit worth the name.
    """
    law = device.set
    grid = np.linspace(LOWEST_WRITE, highest, 4000)
    p = law.probability(grid, design.write_time)
    if p[-1] < 0.05:
        raise ValueError(
            f"at {highest:.3g} V, the highest write voltage of the I/O transistors, a "
            f"{design.write_time:.3g}-s pulse switches only with P = {p[-1]:.2g}; "
            "choose a longer write pulse"
        )
    if p[0] > 0.5:
        raise ValueError(
            f"at {LOWEST_WRITE:g} V, the lowest write voltage of the SNG, a "
            f"{design.write_time:.3g}-s pulse switches already with P = {p[0]:.2g}; "
            "choose a shorter write pulse"
        )
    low = float(grid[min(int(np.searchsorted(p, 1e-4)), grid.size - 2)])
    high = float(grid[min(int(np.searchsorted(p, 0.999)), grid.size - 1)])
    if high - low < NARROWEST_WINDOW:
        raise ValueError(
            f"the bit probability rises from 0 to 1 within {high - low:.2g} V at {low:.4g} V; "
            f"a write voltage cannot be set that finely (at least {NARROWEST_WINDOW:g} V)"
        )
    return low, high


def interpolated_exposure(voltages: np.ndarray, exposure: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Exposure at other write voltages: ln u is nearly linear in the voltage."""
    return np.exp(PchipInterpolator(voltages, np.log(exposure), extrapolate=True)(at))


def exposure_curve(
    benches: Sequence[Bench], low: float, high: float, points: int, each: Each
) -> Curve:
    """Exposures on a grid that is halved until interpolated and simulated P agree everywhere."""

    def measure(at: np.ndarray) -> np.ndarray:
        def one(bench: Bench) -> np.ndarray:
            circuit = bench.circuit(at, np.full(at.size, NEVER))
            found = bench.attempt(lambda: exposures(bench, [circuit], at.size)[0])
            return np.full(at.size, np.nan) if found is None else found

        return np.array(each(one, benches))

    grid = np.linspace(low, high, points)
    values = measure(grid)
    while True:
        middle = (grid[1:] + grid[:-1]) / 2
        between = measure(middle)
        error = max(
            _largest_change(bench, grid, known, middle, found)
            for bench, known, found in zip(benches, values, between, strict=True)
            if not bench.faults
        )
        if error < PRECISION or grid.size > LARGEST_GRID:
            return Curve(grid, values, error)
        grid = np.sort(np.concatenate([grid, middle]))
        values = measure(grid)


def _largest_change(
    bench: Bench, grid: np.ndarray, known: np.ndarray, middle: np.ndarray, found: np.ndarray
) -> float:
    law = bench.device.set
    guess = interpolated_exposure(grid, known, middle)
    change = law.probability_of_exposure(guess) - law.probability_of_exposure(found)
    return float(np.max(np.abs(change)))
