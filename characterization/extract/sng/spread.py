"""What differs from cell to cell: resistances, transistors, devices; their means by quadrature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from characterization.extract.sng.bench import Bench
from characterization.extract.sng.exposure import PRECISION, exposures
from devices.cbram import NEVER
from devices.law import SwitchingLaw, normal_quadrature

WRITE_PATH = ("acc", "dn", "wr")
"""Transistors in series with the device while it is written."""
FEW = 9
"""Write voltages at which what varies smoothly with the voltage is simulated."""
BAND = 1.6449
"""Standard normal quantile of 95 %."""


@dataclass(frozen=True)
class Population:
    """P(SET) over devices and cells at each write voltage.

    ``mean`` is over D2D, R_HRS and mismatch; ``p05`` and ``p95`` bound 90 % of the devices and
    cells at the median R_HRS; ``sigma_mismatch`` is the standard deviation of ln(exposure) by
    transistor mismatch, ``change`` the largest change of the mean in the last refinement.
    """

    mean: np.ndarray
    p05: np.ndarray
    p95: np.ndarray
    sigma_d2d: np.ndarray
    sigma_mismatch: np.ndarray
    hrs_nodes: int
    change: float


def few(count: int) -> np.ndarray:
    """Indices of about ``FEW`` places spread over ``count``, the ends included."""
    return np.unique(np.linspace(0, count - 1, min(count, FEW)).round().astype(int))


def smooth(voltages: np.ndarray, places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values (places, ...) known at some of the voltages, interpolated to all of them."""
    return np.asarray(PchipInterpolator(voltages[places], values)(voltages))


def population(bench: Bench, voltages: np.ndarray, exposure: np.ndarray) -> Population:
    """Spread of P(SET) at ``voltages`` (V) around the nominal ``exposure``."""
    law = bench.device.set
    places = few(voltages.size)
    d2d = law.sigma_ln_tau_d2d(law.voltage_of_exposure(exposure, bench.design.write_time))
    mismatch = smooth(voltages, places, _mismatch(bench, voltages[places], exposure[places]))
    sigma = np.hypot(d2d, mismatch)
    shifts, weights, change = _over_hrs(bench, voltages[places], exposure[places])
    nodes = exposure * np.exp(smooth(voltages, places, shifts.T).T)
    mean = _mean(law, nodes, weights, sigma, 31)
    finer = _mean(law, nodes, weights, sigma, 61)
    return Population(
        mean=finer,
        p05=np.asarray(law.probability_of_exposure(exposure, BAND * sigma)),
        p95=np.asarray(law.probability_of_exposure(exposure, -BAND * sigma)),
        sigma_d2d=d2d,
        sigma_mismatch=mismatch,
        hrs_nodes=weights.size,
        change=max(change, float(np.max(np.abs(finer - mean)))),
    )


def _mean(
    law: SwitchingLaw, nodes: np.ndarray, weights: np.ndarray, sigma: np.ndarray, count: int
) -> np.ndarray:
    """Mean P over resistances (``nodes``: exposures) and a normal ln tau, ``count`` nodes."""
    total = np.zeros(nodes.shape[1])
    for node, weight in zip(*normal_quadrature(count), strict=True):
        total += weight * (weights @ law.probability_of_exposure(nodes, sigma * node))
    return total


def _mismatch(bench: Bench, voltages: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """Standard deviation of ln(exposure): each transistor of the write path moved by its sigma.

    To first order; the shifts of the transistors are independent (Pelgrom).
    """
    never = np.full(voltages.size, NEVER)
    sigmas = bench.design.vt_sigmas(bench.technology)
    circuits = [
        bench.circuit(voltages, never, vt_shifts={name: sigmas[name]}) for name in WRITE_PATH
    ]
    moved = np.log(exposures(bench, circuits, voltages.size) / exposure)
    return np.asarray(np.sqrt(np.sum(np.square(moved), axis=0)))


def _over_hrs(
    bench: Bench, voltages: np.ndarray, nominal: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """ln(exposure/nominal) at nodes of R_HRS, shape (nodes, voltages), weights, change of mean P.

    Nodes are added until the mean P stands still.
    """
    law, conduction = bench.device.set, bench.device.conduction
    sigma, median = conduction.sigma_ln_r_hrs.value, conduction.r_hrs.value
    if sigma == 0:
        return np.zeros((1, voltages.size)), np.array([1.0]), 0.0
    mean, change = law.probability_of_exposure(nominal), np.inf
    for count in (3, 5, 7, 9):
        z, weights = normal_quadrature(count)
        never = np.full(voltages.size, NEVER)
        circuits = [
            bench.circuit(voltages, never, r_hrs=median * float(np.exp(sigma * x))) for x in z
        ]
        nodes = exposures(bench, circuits, voltages.size)
        better = weights @ law.probability_of_exposure(nodes)
        change = float(np.max(np.abs(better - mean)))
        if change < PRECISION:
            break
        mean = better
    return np.log(nodes / nominal), weights, change
