"""The table of the SNG with another device in it: faster, slower, or of other resistances.

While a device is in HRS a current of HRS flows, after it switched one of LRS, so that the energy of
a write that switches is E(held) f + E(LRS) (1 - f) with f the mean share of the pulse before the
switching. f follows from the law and the exposure; E(LRS), of a whole pulse in LRS, is what makes
this the tabulated energy. A RESET is assumed to have succeeded, and its energy to stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from devices.law import SwitchingLaw
from formats.cells import OUTCOMES, PHASES
from system.budget.sng import SngTable

WRITE = PHASES.index("write")
HELD, SWITCHED = (OUTCOMES.index(name) for name in ("held", "switched"))
_NODES = 24
"""Gauss-Legendre nodes over the time of switching."""


@dataclass(frozen=True)
class Written:
    """The write of the nominal device over the table's voltages (V): the SET ``exposure``, RESET
    probability, pulse ``width`` (s), and the resistances R_HRS, R_LRS (ohm)."""

    table: SngTable
    law: SwitchingLaw
    exposure: np.ndarray
    reset: float
    width: float
    r_hrs: float
    r_lrs: float

    @property
    def held(self) -> np.ndarray:
        """J of a write in which the device stays in HRS."""
        return np.asarray(self.table.energy[:, WRITE, HELD])

    @cached_property
    def voltages(self) -> np.ndarray:
        """Constant voltages over the device (V) that give the exposures."""
        return self.law.voltage_of_exposure(self.exposure, self.width)

    def slower(self, delta: np.ndarray | float, law: SwitchingLaw | None = None) -> SngTable:
        """The table of a device whose ln tau is ``delta`` larger (at each voltage), or one of
        another ``law`` too."""
        law = self.law if law is None else law
        exposure = self.exposure * np.exp(-np.asarray(delta))
        ps = np.asarray(law.probability_of_exposure(exposure))
        return self._with(stored(ps, self.reset), mean_wait(law, exposure), self.held, self._lrs)

    def conducting(
        self, ln_hrs: np.ndarray | float = 0.0, ln_lrs: np.ndarray | float = 0.0
    ) -> SngTable:
        """The table with exp(ln) times the currents of HRS and LRS while it is written.

        The exposure is kept: the voltage over a device in HRS hardly depends on its current.
        """
        held, lrs = self.held * np.exp(ln_hrs), self._lrs * np.exp(ln_lrs)
        return self._with(self.table.pi, self._before, held, lrs)

    def resisting(self, ln_hrs: float = 0.0, ln_lrs: float = 0.0) -> SngTable:
        """The table of a device whose resistances are exp(ln) times the nominal ones.

        d ln I = -R dI/dV d ln R, since what R takes of the write voltage is lost to the rest of the
        path; dI/dV is that of the table.
        """
        return self.conducting(
            -self.sensitivity(self.held, self.r_hrs) * ln_hrs,
            -self.sensitivity(self._lrs, self.r_lrs) * ln_lrs,
        )

    def sensitivity(self, energy: np.ndarray, resistance: float) -> np.ndarray:
        """-d ln I / d ln R of a current whose whole pulse takes ``energy`` (J); 0 to 1."""
        if self.table.voltage.size < 2:
            return np.ones(energy.size)
        current = energy / (self.table.voltage * self.width)
        return np.clip(resistance * np.gradient(current, self.table.voltage), 0.0, 1.0)

    def added(self, energy: np.ndarray) -> SngTable:
        """The table with ``energy`` (J, voltages) more for each bit, 1 or 0, on the mean."""
        changed = self.table.energy.copy()
        changed[:, WRITE, SWITCHED] += energy / np.maximum(self.table.pi, 1e-300)
        return replace(self.table, energy=changed)

    def mean(self, table: SngTable) -> np.ndarray:
        """J of a bit at each voltage of a table, all phases."""
        ones = table.pi[:, None]
        by_outcome = table.energy.sum(axis=1)
        return np.asarray(
            (ones * by_outcome[:, [SWITCHED]] + (1 - ones) * by_outcome[:, [HELD]])[:, 0]
        )

    @cached_property
    def _before(self) -> np.ndarray:
        """Mean share of the pulse before the switching."""
        return mean_wait(self.law, self.exposure)

    @cached_property
    def _lrs(self) -> np.ndarray:
        """J of a whole pulse in LRS."""
        before, energy = self._before, self.table.energy[:, WRITE, SWITCHED]
        return np.maximum(energy - before * self.held, 0.0) / (1 - before)

    def _with(
        self, pi: np.ndarray, before: np.ndarray, held: np.ndarray, lrs: np.ndarray
    ) -> SngTable:
        energy = self.table.energy.copy()
        energy[:, WRITE, HELD] = held
        energy[:, WRITE, SWITCHED] = before * held + (1 - before) * lrs
        return replace(self.table, pi=pi, energy=energy)


def stored(ps: np.ndarray, pr: float) -> np.ndarray:
    """pi = Ps/(Ps + Pr (1 - Ps)): the share of cycles that end in LRS."""
    return np.asarray(ps / np.maximum(ps + pr * (1 - ps), 1e-300))


def mean_wait(law: SwitchingLaw, exposure: np.ndarray) -> np.ndarray:
    """Mean exposure at the switching over ``exposure`` (any shape), of devices that switch within.

    1 - mean of F(x u) over x in 0..1, over F(u): the mean of a variate that is below u, by parts.
    """
    x, weights = np.polynomial.legendre.leggauss(_NODES)
    below = law.probability_of_exposure(np.multiply.outer(exposure, (x + 1) / 2))
    whole = np.maximum(law.probability_of_exposure(exposure), 1e-300)
    return np.asarray(np.clip(1 - below @ (weights / 2) / whole, 0.0, 1.0))
