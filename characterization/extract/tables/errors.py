"""How far the probability of a bit is off: fit, DAC step, supply noise, spread over devices."""

from __future__ import annotations

import numpy as np

from characterization.extract.sng.character import SngCharacter
from characterization.extract.sng.exposure import interpolated_exposure
from devices.law import SwitchingLaw, normal_quadrature

NODES = 31
"""Gauss-Hermite nodes over a normal deviation."""


def standard_error(law: SwitchingLaw, exposure: np.ndarray, width: float) -> np.ndarray:
    """Standard error of Ps from the fit's covariance of logarithms; NaN where there is none.

    ``exposure`` is that of pulses of ``width`` (s).
    """
    if not law.covariance_order:
        return np.full(exposure.size, np.nan)
    voltages = law.voltage_of_exposure(exposure, width)
    step = 1e-4
    slope = (
        law.probability_of_exposure(exposure * np.exp(step)) - law.probability_of_exposure(exposure)
    ) / step
    by_parameter = dict(zip(("tau_ref", "V0"), -slope * law.ln_tau_gradient(voltages), strict=True))
    # At the reference temperature, where the cells are, tau does not depend on Ea.
    by_parameter["Ea"] = np.zeros(voltages.size)
    if law.shape is not None:
        bent = law.with_values(
            law.tau_ref.value, law.v0.value, law.shape.value * float(np.exp(step))
        )
        change = bent.probability_of_exposure(exposure) - law.probability_of_exposure(exposure)
        by_parameter["shape"] = change / step
    gradient = np.array([by_parameter[name] for name in law.covariance_order])
    variance = np.einsum("iv,ij,jv->v", gradient, np.array(law.covariance), gradient)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def budget_of_codes(
    nominal: SngCharacter, codes: np.ndarray, exposure: np.ndarray, noise: float
) -> dict[str, np.ndarray]:
    """Errors of P(SET) at each code by origin; 0 at code 0, where no pulse is applied.

    ``codes`` are voltages (V), the first 0; ``exposure`` theirs; ``noise`` is the rms deviation of
    the write voltage (V) from stream to stream.
    """
    law = nominal.bench.device.set
    voltages, u = nominal.voltages, nominal.exposure
    at, here = codes[1:], exposure[1:]
    p = np.asarray(law.probability_of_exposure(here))
    half = (at[1] - at[0]) / 2

    def moved(change: float) -> np.ndarray:
        return np.asarray(
            law.probability_of_exposure(interpolated_exposure(voltages, u, at + change))
        )

    nodes = list(zip(*normal_quadrature(NODES), strict=True))
    supply = sum(weight * (moved(noise * z) - p) ** 2 for z, weight in nodes)
    sigma = np.interp(
        at, voltages, np.hypot(nominal.population.sigma_d2d, nominal.population.sigma_mismatch)
    )
    spread = sum(
        weight * (law.probability_of_exposure(here, sigma * z) - p) ** 2 for z, weight in nodes
    )
    errors = {
        "dac": np.abs(moved(half) - moved(-half)) / 2,
        "supply": np.sqrt(supply),
        "d2d": np.sqrt(spread),
        "fit": standard_error(law, here, nominal.bench.design.write_time),
    }
    return {name: np.concatenate([[0.0], values]) for name, values in errors.items()}
