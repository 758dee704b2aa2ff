"""Energy of one SNG bit as a function of the bit probability asked for, from the sng group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formats.cells import OUTCOMES, PHASES, Cells, nominal_index


@dataclass(frozen=True)
class SngTable:
    """The SNG at one temperature, corner and pulse width, over its write voltages.

    ``pi`` is the probability that the stored state is LRS; ``energy`` and ``energy_stderr`` (J)
    have the axes (voltage, phase, outcome).
    """

    voltage: np.ndarray
    pi: np.ndarray
    energy: np.ndarray
    energy_stderr: np.ndarray
    e01: float
    e10: float
    temperature: float
    corner: str
    pulse_width: float


@dataclass(frozen=True)
class BitEnergy:
    """Mean energy (J) of one bit by phase, with the standard error of the sum (NaN: unknown)."""

    reset: float
    write: float
    read: float
    stderr: float

    @property
    def total(self) -> float:
        """J per bit."""
        return self.reset + self.write + self.read


def conditions(cells: Cells) -> dict[str, int]:
    """Indices the SNG is read at: the temperature nearest to 300 K, the corner tt (or the first
    one) and the first pulse width, that of the DAC's codes and of the phase times."""
    sng = cells.sng
    temperature, corner = nominal_index(
        sng["temperature"].to_numpy(), np.atleast_1d(sng["corner"].to_numpy())
    )
    return {"temperature": temperature, "corner": corner, "pulse_width": 0}


def sng_table(cells: Cells) -> SngTable:
    """The sng group at its :func:`conditions`."""
    sng = cells.sng
    at = sng.isel(conditions(cells))
    phases = [_phase(cells, name) for name in PHASES]
    names = [str(name) for name in sng["outcome"].to_numpy()]
    outcomes = [names.index(name) for name in OUTCOMES]

    def energies(name: str) -> np.ndarray:
        ordered = at[name].transpose("write_voltage", "phase", "outcome")
        return np.asarray(ordered.to_numpy(), float)[:, phases][:, :, outcomes]

    order = np.argsort(np.asarray(sng["write_voltage"].to_numpy(), float))
    return SngTable(
        voltage=np.asarray(sng["write_voltage"].to_numpy(), float)[order],
        pi=np.asarray(at["pi"].to_numpy(), float)[order],
        energy=energies("energy")[order],
        energy_stderr=energies("energy_stderr")[order],
        e01=float(at["e01"]),
        e10=float(at["e10"]),
        temperature=float(at["temperature"]),
        corner=str(at["corner"].item()),
        pulse_width=float(at["pulse_width"]),
    )


def stored_probability(table: SngTable, bit_probability: float) -> float:
    """pi for a wanted P(1) = pi (1 - e10) + (1 - pi) e01, kept within 0..1."""
    span = 1.0 - table.e10 - table.e01
    if span <= 0:
        return bit_probability
    return float(np.clip((bit_probability - table.e01) / span, 0.0, 1.0))


def energy_per_bit(table: SngTable, bit_probability: float) -> BitEnergy:
    """Mean energy of one RESET-write-read cycle whose bit is 1 with ``bit_probability``.

    The write voltage is that whose nominal probability is the wanted one. With the stored state
    LRS ("switched") at probability pi, each phase costs pi E(switched) + (1 - pi) E(held). At
    probability 0 no write pulse is applied and the write costs nothing; between there and the
    lowest tabulated voltage E(held) falls linearly to 0. Above the highest tabulated probability
    the highest voltage stands. The standard error is that of the tabulated energies.
    """
    pi = stored_probability(table, bit_probability)
    phases = _mean_energy(table.pi, table.energy, pi)
    spread = float(np.sum(_mean_energy(table.pi, table.energy_stderr, pi)))
    reset, write, read = (float(value) for value in phases)
    return BitEnergy(reset, write, read, stderr=spread)


def _mean_energy(table_pi: np.ndarray, energy: np.ndarray, pi: float) -> np.ndarray:
    """Energies (J) of the three phases at the stored probability ``pi``."""
    rising = np.concatenate([[True], table_pi[1:] > np.maximum.accumulate(table_pi)[:-1]])
    rising &= table_pi > 0
    if not np.any(rising):
        return np.zeros(len(PHASES)) if pi == 0 else energy[-1] @ np.array([1 - pi, pi])
    knots = np.concatenate([[0.0], table_pi[rising]])
    kept = energy[rising]
    without_pulse = kept[:1].copy()
    without_pulse[0, PHASES.index("write"), OUTCOMES.index("held")] = 0.0
    values = np.concatenate([without_pulse, kept])
    at = np.array(
        [
            [np.interp(pi, knots, values[:, phase, outcome]) for outcome in range(len(OUTCOMES))]
            for phase in range(len(PHASES))
        ]
    )
    weights = np.array([1.0 - pi, pi])
    return np.sum(np.where(weights > 0, weights * at, 0.0), axis=1)


def _phase(cells: Cells, name: str) -> int:
    return [str(value) for value in cells.sng["phase"].to_numpy()].index(name)
