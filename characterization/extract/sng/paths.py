"""Energies of the SNG by phase and by what the device does in it.

Before it switches a cell's course is fixed, so the energy of a phase is a function of when the
device switched: it is simulated at a few switched fractions f (exposure at the switching over that
of the whole phase) and interpolated, and averaged over the distribution of f by quadrature.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from characterization.extract.sng.bench import Bench
from characterization.extract.sng.course import course
from characterization.extract.sng.energy import phase_energies
from characterization.extract.sng.reset import Reset, stored_probability
from characterization.extract.sng.spread import few, smooth
from devices.cbram import NEVER
from devices.law import SwitchingLaw

FRACTIONS = (np.polynomial.legendre.leggauss(4)[0] + 1) / 2
"""Switched fractions that are simulated."""
COARSE_FRACTIONS = (np.polynomial.legendre.leggauss(2)[0] + 1) / 2
"""A second set, whose results tell the error of the first."""
MEAN_NODES = 24
"""Gauss-Legendre nodes over the distribution of the switching."""


@dataclass(frozen=True)
class PathEnergies:
    """Energies (J), axis 0 the write voltages.

    ``reset_hrs``, ``reset_failed`` (voltages,): RESET of a device in HRS, and of one that stays in
    LRS; ``reset_switched`` (voltages, fractions). ``write_held``, ``write_lrs`` (voltages,): the
    device stays in HRS, or was in LRS; ``write_switched`` (voltages, fractions). ``read``
    (voltages, 2): HRS, LRS. ``mean_*``: over the time of switching; ``error``: of the quadrature.
    """

    reset_hrs: np.ndarray
    reset_failed: np.ndarray
    reset_switched: np.ndarray
    write_held: np.ndarray
    write_lrs: np.ndarray
    write_switched: np.ndarray
    read: np.ndarray
    mean_reset_switched: np.ndarray
    mean_write_switched: np.ndarray
    error_reset: np.ndarray
    error_write: np.ndarray


def path_energies(
    bench: Bench, voltages: np.ndarray, exposure: np.ndarray, reset: Reset
) -> PathEnergies:
    """Simulate the paths at a few of the ``voltages`` (V) and interpolate to all of them.

    ``exposure`` is that of the write phase; ``reset.kept`` is over the few voltages.
    """
    places = few(voltages.size)
    at, count = exposure[places], places.size
    kept = phase_energies(reset.kept, bench.design, count, first=1)
    circuits = [bench.circuit(voltages[places], np.full(count, NEVER))]
    rules = (FRACTIONS, COARSE_FRACTIONS)
    for fraction in np.concatenate(rules):
        resets = 1.0 if bench.device.reset is None else fraction * reset.exposure
        circuits.append(bench.circuit(voltages[places], fraction * at, 1, resets))
    found = np.array(
        [
            phase_energies(result, bench.design, count, first=1)
            for result in bench.run_all(circuits, count)
        ]
    )
    held, fine, coarse = np.split(found, [1, 1 + FRACTIONS.size])
    held = held[0]
    law_set, law_reset = bench.device.set, bench.device.reset
    full = np.full(voltages.size, reset.exposure)

    def everywhere(values: np.ndarray) -> np.ndarray:
        return smooth(voltages, places, values)

    def means(phase: int, law: SwitchingLaw | None, total: np.ndarray) -> list[np.ndarray]:
        return [
            switched_mean(law, total, nodes, everywhere(runs[:, :, phase].T))
            for nodes, runs in zip(rules, (fine, coarse), strict=True)
        ]

    of_reset, of_write = means(0, law_reset, full), means(1, law_set, exposure)
    return PathEnergies(
        reset_hrs=everywhere(held[:, 0]),
        reset_failed=everywhere(kept[:, 0]),
        reset_switched=everywhere(fine[:, :, 0].T),
        write_held=everywhere(held[:, 1]),
        write_lrs=everywhere(kept[:, 1]),
        write_switched=everywhere(fine[:, :, 1].T),
        read=everywhere(np.stack([held[:, 2], fine[:, :, 2].mean(axis=0)], axis=1)),
        mean_reset_switched=of_reset[0],
        mean_write_switched=of_write[0],
        error_reset=np.abs(of_reset[0] - of_reset[1]),
        error_write=np.abs(of_write[0] - of_write[1]),
    )


def switched_mean(
    law: SwitchingLaw | None, exposure: np.ndarray, fractions: np.ndarray, energies: np.ndarray
) -> np.ndarray:
    """Mean energy (J) given that the device switches in the phase.

    ``energies`` (n, fractions) are at the switched ``fractions``, ``exposure`` (n,) that of the
    whole phase. Without a law (an ideal RESET) the time of switching is fixed and all are equal.
    """
    if law is None:
        return np.asarray(energies.mean(axis=1))
    x, w = np.polynomial.legendre.leggauss(MEAN_NODES)
    p = np.asarray(law.probability_of_exposure(exposure))
    at = law.exposure_of_probability((x[:, None] + 1) / 2 * p) / exposure
    means = np.empty(exposure.size)
    for place in range(exposure.size):
        energy = course(fractions, energies[place], at[:, place])
        means[place] = math.fsum((w / 2 * energy).tolist())
    return means


def by_outcome(paths: PathEnergies, ps: np.ndarray, pr: float) -> np.ndarray:
    """Energy (J) of each phase by the stored bit, shape (voltages, 3 phases, 2 bits).

    With pi the share of ones, (1 - pi) E(0) + pi E(1) is the mean energy of a cycle in the
    stationary chain. A RESET from LRS is booked on the 1 that made it necessary.
    """
    energy = np.empty((ps.size, 3, 2))
    energy[:, 0, 0] = paths.reset_hrs
    energy[:, 0, 1] = pr * paths.mean_reset_switched + (1 - pr) * paths.reset_failed
    energy[:, 1, 0] = paths.write_held
    new = new_ones(ps, pr)
    energy[:, 1, 1] = (1 - new) * paths.write_lrs + new * paths.mean_write_switched
    energy[:, 2] = paths.read
    return energy


def by_outcome_error(paths: PathEnergies, ps: np.ndarray, pr: float) -> np.ndarray:
    """Error (J) of :func:`by_outcome` by the quadrature over the time of switching."""
    error = np.zeros((ps.size, 3, 2))
    error[:, 0, 1] = pr * paths.error_reset
    error[:, 1, 1] = new_ones(ps, pr) * paths.error_write
    return error


def new_ones(ps: np.ndarray, pr: float) -> np.ndarray:
    """Share of the ones that a SET in this cycle made; the others were left by a failed RESET."""
    pi = stored_probability(ps, pr)
    return np.asarray((1 - pi * (1 - pr)) * ps / np.maximum(pi, 1e-300))
