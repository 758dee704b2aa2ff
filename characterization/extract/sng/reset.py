"""RESET of the SNG: exposure and probability of one phase, the Markov chain of the stored state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characterization.extract.sng.bench import Bench
from characterization.extract.sng.exposure import PRECISION, gained
from circuits.simulator import Waveforms
from devices.cbram import NEVER
from devices.law import normal_quadrature


@dataclass(frozen=True)
class Reset:
    """RESET exposure of one phase at the median R_LRS, and P(LRS -> HRS) over R_LRS.

    ``probability`` is exact for the nominal device; ``mean`` is over R_LRS and D2D; ``kept`` is a
    transient in which the device stays in LRS, over the write voltages given.
    """

    exposure: float
    probability: float
    mean: float
    kept: Waveforms


def reset_phase(bench: Bench, voltages: np.ndarray) -> Reset:
    """RESET from LRS, by transients in which the device does not leave it."""
    count = voltages.size
    never = np.full(count, NEVER)
    circuit = bench.circuit(voltages, never, 1, reset_thresholds=NEVER)
    # Where RESET always succeeds no cycle is ever spent in LRS, so no rating applies to it.
    run = bench.probe if bench.device.reset is None else bench.run
    kept = run(circuit, count)
    exposure = _exposure(bench, kept)
    law = bench.device.reset
    if law is None:
        succeeds = 1.0 if exposure >= 1.0 else 0.0
        return Reset(exposure, succeeds, succeeds, kept)
    probability = float(law.probability_of_exposure(np.array(exposure)))
    return Reset(exposure, probability, _over_population(bench, voltages, exposure), kept)


def stored_probability(ps: np.ndarray, pr: np.ndarray | float) -> np.ndarray:
    """pi = Ps/(Ps + Pr (1 - Ps)): share of cycles that end in LRS."""
    return np.asarray(ps / (ps + pr * (1 - ps)))


def lag_one(ps: np.ndarray, pr: np.ndarray | float) -> np.ndarray:
    """Correlation of the stored states of successive cycles, (1 - Ps)(1 - Pr)."""
    return np.asarray((1 - ps) * (1 - pr))


def _exposure(bench: Bench, waveforms: Waveforms) -> float:
    window = np.array([bench.design.windows(1)[0]])
    return float(gained(bench.device, waveforms, bench.design, window)[1][0])


def _over_population(bench: Bench, voltages: np.ndarray, nominal: float) -> float:
    """Mean of Pr over R_LRS and D2D; nodes are added until it stands still."""
    law, conduction = bench.device.reset, bench.device.conduction
    assert law is not None
    sigma, median = conduction.sigma_ln_r_lrs.value, conduction.r_lrs.value
    z, w = normal_quadrature(31)
    at = law.voltage_of_exposure(np.array([nominal]), bench.design.reset_time)
    d2d = float(law.sigma_ln_tau_d2d(at)[0])

    def over_devices(exposure: float) -> float:
        return float(w @ law.probability_of_exposure(np.full(z.size, exposure), d2d * z))

    mean = over_devices(nominal)
    if sigma == 0:
        return mean
    one = voltages[:1]
    for count in (3, 5, 7, 9):
        nodes, weights = normal_quadrature(count)
        circuits = [
            bench.circuit(one, np.array([NEVER]), 1, NEVER, r_lrs=median * float(np.exp(sigma * x)))
            for x in nodes
        ]
        found = [_exposure(bench, result) for result in bench.run_all(circuits, 1)]
        better = float(weights @ [over_devices(exposure) for exposure in found])
        if abs(better - mean) < PRECISION:
            return better
        mean = better
    return mean
