"""The two states of a device as a bit: resistances R_ON and R_OFF drawn from log-normals.

What a *spread in per cent* means: R is log-normal with its median at the nominal value, as in
device.json, and the relative spread is its standard deviation over its mean,

    spread = sqrt(exp(sigma_ln^2) - 1),   sigma_ln = sqrt(ln(1 + spread^2)).

The conductance 1/R is log-normal with the same sigma_ln, hence with the same relative spread, its
median at 1/R and its mean at sqrt(1 + spread^2)/R (moments of the log-normal).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from devices.cbram import CBRAM


@dataclass(frozen=True)
class BinaryStates:
    """Median resistances (ohm) and standard deviations of ln R in the two states.

    Raises ValueError unless 0 < r_on < r_off and no sigma is negative.
    """

    r_on: float
    r_off: float
    sigma_ln_on: float = 0.0
    sigma_ln_off: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.r_on < self.r_off < math.inf:
            raise ValueError(
                f"r_on = {self.r_on:g} and r_off = {self.r_off:g} ohm: 0 < r_on < r_off"
            )
        if not (0 <= self.sigma_ln_on < math.inf and 0 <= self.sigma_ln_off < math.inf):
            raise ValueError("the standard deviations of ln R must be 0 or more")

    @classmethod
    def of_device(cls, device: CBRAM) -> BinaryStates:
        """The states of a device.json. A device is read in one state, so the correlation of its
        two resistances plays no part."""
        c = device.conduction
        return cls(c.r_lrs.value, c.r_hrs.value, c.sigma_ln_r_lrs.value, c.sigma_ln_r_hrs.value)

    @classmethod
    def of_spread(
        cls, r_on: float, ratio: float, spread_on: float, spread_off: float
    ) -> BinaryStates:
        """From r_on (ohm), r_off/r_on, and relative spreads (0.3 is 30 %)."""
        return cls(r_on, r_on * ratio, sigma_ln(spread_on), sigma_ln(spread_off))

    @property
    def ratio(self) -> float:
        """R_OFF over R_ON."""
        return self.r_off / self.r_on

    @property
    def spreads(self) -> tuple[float, float]:
        """Relative spreads of the ON and of the OFF state."""
        return relative_spread(self.sigma_ln_on), relative_spread(self.sigma_ln_off)

    @property
    def mean_on(self) -> float:
        """Mean conductance (S) of the ON state."""
        return math.exp(self.sigma_ln_on**2 / 2) / self.r_on

    @property
    def mean_off(self) -> float:
        """Mean conductance (S) of the OFF state."""
        return math.exp(self.sigma_ln_off**2 / 2) / self.r_off

    @property
    def variance_on(self) -> float:
        """Variance (S^2) of the conductance of the ON state."""
        return (self.mean_on * relative_spread(self.sigma_ln_on)) ** 2

    @property
    def variance_off(self) -> float:
        """Variance (S^2) of the conductance of the OFF state."""
        return (self.mean_off * relative_spread(self.sigma_ln_off)) ** 2

    @property
    def unit(self) -> float:
        """Mean difference (S) between ON and OFF: what a weight of 1 conducts.

        Raises ValueError where the spread of the OFF state puts its mean above that of ON.
        """
        unit = self.mean_on - self.mean_off
        if unit <= 0:
            raise ValueError("the OFF state conducts more than the ON state in the mean")
        return unit

    def conductances(self, on: Any, normal: Any, xp: Any = np) -> Any:
        """Conductances (S) of devices that are ON where ``on``, from standard normal numbers.

        Arrays broadcast; ``xp`` is numpy or jax.numpy, whichever they belong to.
        """
        medians = xp.where(on, -math.log(self.r_on), -math.log(self.r_off))
        return xp.exp(medians + xp.where(on, self.sigma_ln_on, self.sigma_ln_off) * normal)


LARGEST_SPREAD = 1e3
"""Standard deviation over mean of a resistance; beyond, doubles lose its tails."""


def sigma_ln(spread: float) -> float:
    """Standard deviation of ln R for a relative spread; ValueError where it is negative."""
    if not 0 <= spread <= LARGEST_SPREAD:
        raise ValueError(f"a relative spread is 0 to {LARGEST_SPREAD:g}, not {spread:g}")
    return math.sqrt(math.log1p(spread**2))


def relative_spread(sigma: float) -> float:
    """Standard deviation over mean of a log-normal with this standard deviation of its ln."""
    return math.sqrt(math.expm1(sigma**2))
