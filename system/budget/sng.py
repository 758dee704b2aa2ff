"""Energy of one SNG bit as a function of the bit probability asked for, from the sng group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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

    @cached_property
    def knots(self) -> np.ndarray:
        """0, where no pulse is applied, and every pi that is higher than all before it."""
        return np.concatenate([[0.0], self.pi[self._rising]])

    @cached_property
    def energies(self) -> np.ndarray:
        """J at the knots, axes (knot, phase, outcome)."""
        return self._at_knots(self.energy)

    @cached_property
    def errors(self) -> np.ndarray:
        """The same of the standard errors."""
        return self._at_knots(self.energy_stderr)

    @cached_property
    def _rising(self) -> np.ndarray:
        higher = self.pi[1:] > np.maximum.accumulate(self.pi)[:-1]
        return np.concatenate([[True], higher]) & (self.pi > 0)

    def _at_knots(self, energy: np.ndarray) -> np.ndarray:
        """Without a pulse a write that switches nothing takes nothing."""
        kept = energy[self._rising] if np.any(self._rising) else energy[-1:]
        without_pulse = kept[:1].copy()
        without_pulse[0, PHASES.index("write"), OUTCOMES.index("held")] = 0.0
        return np.concatenate([without_pulse, kept])


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
    return min(max((bit_probability - table.e01) / span, 0.0), 1.0)


def energy_per_bit(table: SngTable, bit_probability: float) -> BitEnergy:
    """Mean energy of one RESET-write-read cycle whose bit is 1 with ``bit_probability``.

    The write voltage is that whose nominal probability is the wanted one. With the stored state
    LRS ("switched") at probability pi, each phase costs pi E(switched) + (1 - pi) E(held). At
    probability 0 no write pulse is applied and the write costs nothing; between there and the
    lowest tabulated voltage E(held) falls linearly to 0. Above the highest tabulated probability
    the highest voltage stands. The standard error is that of the tabulated energies.
    """
    pi = stored_probability(table, bit_probability)
    phases = _mean_energy(table, table.energies, pi)
    spread = float(np.sum(_mean_energy(table, table.errors, pi)))
    reset, write, read = (float(value) for value in phases)
    return BitEnergy(reset, write, read, stderr=spread)


def _mean_energy(table: SngTable, energies: np.ndarray, pi: float) -> np.ndarray:
    """Mean over the stored state, LRS at probability ``pi``, of ``energies`` at the table's
    ``knots``: those (J) of the three phases."""
    knots, weights = table.knots, np.array([1.0 - pi, pi])
    right = min(int(np.searchsorted(knots, pi)), len(energies) - 1)
    at = energies[right]
    if 0 < right < knots.size and pi < knots[right]:
        part = (pi - knots[right - 1]) / (knots[right] - knots[right - 1])
        at = (1 - part) * energies[right - 1] + part * at
    return np.asarray(np.sum(np.where(weights > 0, weights * at, 0.0), axis=1))


def _phase(cells: Cells, name: str) -> int:
    return [str(value) for value in cells.sng["phase"].to_numpy()].index(name)
