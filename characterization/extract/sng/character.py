"""The SNG at every condition, without sampling: curve, spread, RESET, energies, sense errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from characterization.extract.sng.bench import Bench
from characterization.extract.sng.energy import resting_power
from characterization.extract.sng.exposure import Each, exposure_curve
from characterization.extract.sng.paths import PathEnergies, path_energies
from characterization.extract.sng.reset import Reset, reset_phase
from characterization.extract.sng.sense import SenseCharacter, sense_errors
from characterization.extract.sng.spread import Population, few, population
from circuits.ratings import Stress
from circuits.simulator import Waveforms
from circuits.sng.cell import resting_deck
from circuits.sng.terminal import DriveLoss, drive_loss
from devices.cbram import NEVER

REACHED = 0.99
"""Bit probability below which the window of write voltages grows."""


@dataclass(frozen=True)
class SngCharacter:
    """The SNG of one bench (corner, temperature, pulse width); arrays over ``voltages`` (V)."""

    bench: Bench
    voltages: np.ndarray
    exposure: np.ndarray
    population: Population
    reset: Reset
    energies: PathEnergies
    sense: SenseCharacter
    loss: DriveLoss
    leakage: float
    example: Waveforms
    worst: Stress

    @property
    def probability(self) -> np.ndarray:
        """P(SET) of the nominal device in a write phase."""
        return np.asarray(self.bench.device.set.probability_of_exposure(self.exposure))


def characterise(
    benches: Sequence[Bench],
    window: tuple[float, float],
    highest: float,
    points: int,
    each: Each,
    progress: Callable[[str], None],
) -> tuple[list[SngCharacter | None], float]:
    """All benches over the same write voltages (V), and the largest interpolation error of P.

    None stands for a bench whose simulations failed (``faults``); one at least must be essential.
    The window grows to ``highest`` where the write path takes so much of the voltage that some
    device does not reach P = 0.99 within it.
    """
    low, high = window
    progress("bit probability against write voltage")
    curve = exposure_curve(benches, low, high, points, each)
    reached = min(
        float(bench.device.set.probability_of_exposure(u)[-1])
        for bench, u in zip(benches, curve.exposure, strict=True)
        if not bench.faults
    )
    if high < highest and reached < REACHED:
        curve = exposure_curve(benches, low, highest, points, each)
    voltages = curve.voltages
    places = {id(bench): place for place, bench in enumerate(benches)}

    def one(bench: Bench) -> SngCharacter:
        place = places[id(bench)]
        exposure = curve.exposure[place]
        progress(f"SNG, {bench.where}: spread over devices and cells")
        spread = population(bench, voltages, exposure)
        progress(f"SNG, {bench.where}: energy by phase and path")
        reset = reset_phase(bench, voltages[few(voltages.size)])
        energies = path_energies(bench, voltages, exposure, reset)
        progress(f"SNG, {bench.where}: sense errors, leakage")
        return SngCharacter(
            bench=bench,
            voltages=voltages,
            exposure=exposure,
            population=spread,
            reset=reset,
            energies=energies,
            sense=sense_errors(bench),
            loss=drive_loss(
                bench.simulator,
                bench.device,
                bench.technology,
                bench.design,
                voltages[few(voltages.size)].tolist(),
                [bench.design.reset_voltage],
            ),
            leakage=_leakage(bench, float(voltages[-1])),
            example=_example(bench, voltages, exposure),
            worst=max(bench.stresses, key=lambda s: s.voltage / s.rating),
        )

    return each(lambda bench: bench.attempt(lambda: one(bench)), benches), curve.error


def _leakage(bench: Bench, voltage: float) -> float:
    """Power (W) of the resting cell, from the operating point before the first edge."""
    circuit = bench.circuit(np.array([voltage]), np.array([NEVER]))
    return resting_power(bench.simulator.run(resting_deck(circuit)))


def _example(bench: Bench, voltages: np.ndarray, exposure: np.ndarray) -> Waveforms:
    """Three cycles at the voltage nearest P = 1/2: held, switched early, held."""
    p = bench.device.set.probability_of_exposure(exposure)
    place = int(np.argmin(np.abs(p - 0.5)))
    early = float(exposure[place]) * 0.4
    at = np.full(3, voltages[place])
    return bench.run(bench.circuit(at, np.array([NEVER, early, NEVER])), 3)
