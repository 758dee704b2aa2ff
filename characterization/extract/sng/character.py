"""The SNG without sampling: one transient without switching gives the exposure, hence P.

Energies come from transients at quantiles of the switching time, sense errors from the resistance
at which the read-out flips.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.stats import norm

from characterization.extract.sng.bench import Bench
from characterization.extract.sng.energy import phase_energies, resting_power
from circuits.ratings import Stress
from circuits.simulator import Waveforms
from circuits.sng.cell import CORE_TRANSISTORS, IO_TRANSISTORS, NEVER, SngDesign
from devices.cbram import CBRAM
from devices.law import normal_quadrature
from devices.technology import Technology

PRECISION = 1e-4
"""Largest change of P that ends a refinement."""
LOWEST_WRITE = 0.8
"""V; below, the PMOS write switch does not conduct."""
NARROWEST_WINDOW = 0.02
"""V; a device whose P(V) is steeper cannot be steered by a write voltage."""
LARGEST_GRID = 150
"""Write voltages at which the refinement gives up; its error stays in the file."""
REACHED = 0.99
"""Bit probability below which the window of write voltages grows."""
ENERGY_NODES = 4
"""Gauss-Legendre nodes over the conditional switching probability."""


@dataclass(frozen=True)
class SngCharacter:
    """Result of :func:`characterise`; arrays over ``voltages`` (V) unless said otherwise.

    ``exposure_nodes`` has shape (R_HRS nodes, voltages) with ``exposure_weights``; energies (J)
    have shape (voltages, phase, outcome).
    """

    voltages: np.ndarray
    exposure: np.ndarray
    exposure_nodes: np.ndarray
    exposure_weights: np.ndarray
    interpolation_error: float
    energy: np.ndarray
    energy_error: np.ndarray
    reset_probability: float
    read_one_of_hrs: float
    read_zero_of_lrs: float
    flip_resistance: float
    leakage: float
    worst: tuple[Stress, ...]
    example: Waveforms
    design: SngDesign


def cycle_exposures(
    device: CBRAM, waveforms: Waveforms, design: SngDesign, cycles: int, first: int = 0
) -> np.ndarray:
    """SET exposure up to the sampling of its bit of each of ``cycles`` from cycle ``first`` on.

    The device must stay in HRS over the waveform.
    """
    cell = waveforms["v(bl)"] - waveforms["v(be)"]
    gains, _ = device.exposures(waveforms.time, cell)
    total = np.concatenate([[0.0], np.cumsum(gains)])
    marks = [
        (design.windows(cycle)[1][0], design.sample_time(cycle))
        for cycle in range(first, first + cycles)
    ]
    low, high = np.interp(np.array(marks).T, waveforms.time, total)
    return np.asarray(high - low)


def sampled_bits(
    waveforms: Waveforms, technology: Technology, design: SngDesign, cycles: int
) -> np.ndarray:
    """The bits at the sense stage's output, one a cycle."""
    times = [design.sample_time(cycle) for cycle in range(cycles)]
    output = np.interp(times, waveforms.time, waveforms["v(q)"])
    return (output > technology.supply / 2).astype(int)


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


def characterise(
    bench: Bench,
    window: tuple[float, float],
    highest: float,
    points: int,
    progress: Callable[[str], None],
) -> SngCharacter:
    """Everything cells.nc holds about the SNG, for write voltages (V) of a window.

    The window grows to ``highest`` where the write path takes so much of the voltage that the
    device does not reach P = 0.99 within it.
    """
    low, high = window
    progress("bit probability against write voltage")
    voltages, exposure, error, quiet = _exposure_curve(bench, low, high, points)
    if high < highest and bench.device.set.probability_of_exposure(exposure)[-1] < REACHED:
        voltages, exposure, error, quiet = _exposure_curve(bench, low, highest, points)
    nodes, weights = _over_hrs(bench, voltages, exposure)
    progress("energy by phase and outcome")
    energy, energy_error = _energies(bench, voltages, exposure, quiet)
    progress("RESET, sense errors, leakage")
    flip = _flip_resistance(bench)
    conduction = bench.device.conduction
    read_zero = float(
        norm.sf(np.log(flip / conduction.r_lrs.value) / max(conduction.sigma_ln_r_lrs.value, 1e-9))
    )
    read_one = float(
        norm.cdf(np.log(flip / conduction.r_hrs.value) / max(conduction.sigma_ln_r_hrs.value, 1e-9))
    )
    return SngCharacter(
        voltages=voltages,
        exposure=exposure,
        exposure_nodes=nodes,
        exposure_weights=weights,
        interpolation_error=error,
        energy=energy,
        energy_error=energy_error,
        reset_probability=_reset_probability(bench, high),
        read_one_of_hrs=read_one,
        read_zero_of_lrs=read_zero,
        flip_resistance=flip,
        leakage=_leakage(bench, high),
        example=_example(bench, voltages, exposure),
        worst=tuple(sorted(bench.stresses, key=lambda s: s.voltage / s.rating, reverse=True)),
        design=bench.design,
    )


def interpolated_exposure(voltages: np.ndarray, exposure: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Exposure at other write voltages: ln u is nearly linear in the voltage."""
    return np.exp(PchipInterpolator(voltages, np.log(exposure), extrapolate=True)(at))


def area(technology: Technology, design: SngDesign) -> float:
    """Area (m2): I/O transistors by rule, two inverters, the sink as a third."""
    return (
        len(IO_TRANSISTORS) * technology.io_area(design.io_width)
        + 3 * (technology.gate_areas["inv"])
    )


def transistor_count() -> int:
    """Transistors of the cell."""
    return len(IO_TRANSISTORS) + len(CORE_TRANSISTORS)


def read_disturb(bench: Bench, voltage: float) -> float:
    """P(SET) of a fresh device by one read pulse, after a write at ``voltage`` (V)."""
    waveforms = bench.run(bench.circuit(np.array([voltage]), np.array([NEVER])), 1)
    gains, _ = bench.device.exposures(waveforms.time, waveforms["v(bl)"] - waveforms["v(be)"])
    total = np.concatenate([[0.0], np.cumsum(gains)])
    low, high = np.interp(bench.design.windows(1)[2], waveforms.time, total)
    return float(bench.device.set.probability_of_exposure(np.array(high - low)))


def _exposure_curve(
    bench: Bench, low: float, high: float, points: int
) -> tuple[np.ndarray, np.ndarray, float, Waveforms]:
    """Exposure on a grid that is halved until interpolated and simulated P agree."""
    law = bench.device.set

    def measure(at: np.ndarray) -> tuple[np.ndarray, Waveforms]:
        waveforms = bench.run(bench.circuit(at, np.full(at.size, NEVER)), at.size)
        gained = cycle_exposures(bench.device, waveforms, bench.design, at.size, first=1)
        return gained, waveforms

    grid = np.linspace(low, high, points)
    values, waveforms = measure(grid)
    while True:
        middle = (grid[1:] + grid[:-1]) / 2
        found, _ = measure(middle)
        guess = interpolated_exposure(grid, values, middle)
        error = float(
            np.max(np.abs(law.probability_of_exposure(guess) - law.probability_of_exposure(found)))
        )
        if error < PRECISION or grid.size > LARGEST_GRID:
            return grid, values, error, waveforms
        grid = np.sort(np.concatenate([grid, middle]))
        values, waveforms = measure(grid)


def _over_hrs(
    bench: Bench, voltages: np.ndarray, nominal: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Exposures at quadrature nodes of R_HRS; nodes are added until the mean P stands still."""
    law, conduction = bench.device.set, bench.device.conduction
    sigma, median = conduction.sigma_ln_r_hrs.value, conduction.r_hrs.value
    nodes, weights = nominal[None, :], np.array([1.0])
    if sigma == 0:
        return nodes, weights
    mean = law.probability_of_exposure(nominal)
    for count in (3, 5, 7, 9):
        z, weights = normal_quadrature(count)
        circuits = [
            bench.circuit(
                voltages, np.full(voltages.size, NEVER), r_hrs=median * float(np.exp(sigma * x))
            )
            for x in z
        ]
        nodes = np.array(
            [
                cycle_exposures(bench.device, result, bench.design, voltages.size, first=1)
                for result in bench.run_all(circuits, voltages.size)
            ]
        )
        better = weights @ law.probability_of_exposure(nodes)
        if np.max(np.abs(better - mean)) < PRECISION:
            break
        mean = better
    return nodes, weights


def _energies(
    bench: Bench, voltages: np.ndarray, exposure: np.ndarray, quiet: Waveforms
) -> tuple[np.ndarray, np.ndarray]:
    """Energy by voltage, phase and outcome, averaged over the switching time.

    The error is the difference between all nodes and the two-point rule of the same interval.
    """
    law, count = bench.device.set, voltages.size
    energy = np.empty((count, 3, 2))
    energy[:, :, 0] = phase_energies(quiet, bench.design, count, first=1)
    p = law.probability_of_exposure(exposure)
    results = {}
    rules = {n: np.polynomial.legendre.leggauss(n) for n in (2, ENERGY_NODES)}
    for n, (x, _) in rules.items():
        group = [
            bench.circuit(voltages, law.exposure_of_probability((node + 1) / 2 * p), 1)
            for node in x
        ]
        results[n] = bench.run_all(group, count)
    means = {
        n: np.einsum(
            "j,jvp->vp",
            w / 2,
            [phase_energies(result, bench.design, count, first=1) for result in results[n]],
        )
        for n, (_, w) in rules.items()
    }
    energy[:, :, 1] = means[ENERGY_NODES]
    error = np.zeros_like(energy)
    error[:, :, 1] = np.abs(means[ENERGY_NODES] - means[2])
    return energy, error


def _flip_resistance(bench: Bench) -> float:
    """Device resistance (ohm) at which the read-out changes from 1 to 0, to 1 %."""
    quick = replace(bench, design=replace(bench.design, write_time=1e-6))

    def reads_one(resistance: float) -> bool:
        circuit = quick.circuit(
            np.array([bench.technology.supply]),
            np.array([NEVER]),
            initial_state=1,
            reset_threshold=NEVER,
            r_lrs=resistance,
        )
        return bool(sampled_bits(quick.probe(circuit, 1), quick.technology, quick.design, 2)[1])

    low, high = 1e2, 1e10
    if not reads_one(low):
        return low
    while high / low > 1.01:
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if reads_one(middle) else (low, middle)
    return float(np.sqrt(low * high))


def _reset_probability(bench: Bench, voltage: float) -> float:
    """P(LRS -> HRS) of one RESET phase, from a transient in which the device stays in LRS."""
    circuit = bench.circuit(np.array([voltage]), np.array([NEVER]), 1, reset_threshold=NEVER)
    waveforms = bench.probe(circuit, 1)
    _, gains = bench.device.exposures(waveforms.time, waveforms["v(bl)"] - waveforms["v(be)"])
    start, end = bench.design.windows()[0]
    total = np.concatenate([[0.0], np.cumsum(gains)])
    low, high = np.interp([start, end], waveforms.time, total)
    if bench.device.reset is None:
        return 1.0 if high - low >= 1.0 else 0.0
    return float(bench.device.reset.probability_of_exposure(np.array(high - low)))


def _leakage(bench: Bench, voltage: float) -> float:
    """Power (W) of the resting cell, from the operating point before the first edge."""
    circuit = bench.circuit(np.array([voltage]), np.array([NEVER]))
    deck = f"{circuit}\n.options gmin=1e-17 abstol=1e-16\n.save all\n.tran 1p 3p\n.end\n"
    waveforms = bench.simulator.run(deck)
    return resting_power(waveforms)


def _example(bench: Bench, voltages: np.ndarray, exposure: np.ndarray) -> Waveforms:
    """Three cycles at the voltage nearest P = 1/2: held, switched early, held."""
    p = bench.device.set.probability_of_exposure(exposure)
    place = int(np.argmin(np.abs(p - 0.5)))
    early = float(exposure[place]) * 0.4
    at = np.full(3, voltages[place])
    return bench.run(bench.circuit(at, np.array([NEVER, early, NEVER])), 3)
