"""How many SET + RESET cycles devices last: a distribution over the devices of an array.

Weibull, F(x) = 1 - exp(-(x/c)^k): the characteristic value c is where 63.2 % have failed, the shape
k says how alike devices are (Weibull, J. Appl. Mech. 18, 293 (1951), recalled). Log-normal,
F(x) = Phi(ln(x/c)/s): c is the median, s the standard deviation of the logarithm. A single figure
for the endurance is taken as c.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import log_ndtr, ndtri

from formats.errors import InputError

SHAPES = {"weibull": 2.0, "lognormal": 0.5}
"""Shapes where none is given (assumed: nobody told us of any; either gives about half of the mean
as standard deviation)."""
LARGEST_SHAPE = 100.0
TABLE = (1e4, 1e6, 1e9, 1e12)
"""Cycles at which lifetimes are always listed."""


@dataclass(frozen=True)
class EnduranceChoice:
    """What the user may choose: the characteristic value (cycles; None: the device's), the law, its
    shape (None: that of ``SHAPES``)."""

    cycles: float | None = None
    law: str = "weibull"
    shape: float | None = None

    def check(self) -> None:
        """Raise :class:`InputError` naming the option that is out of range."""
        if self.law not in SHAPES:
            raise InputError(
                "--endurance-law", f"is {self.law!r}; expected {' or '.join(sorted(SHAPES))}"
            )
        if self.cycles is not None and not 1 <= self.cycles < math.inf:
            raise InputError("--endurance", f"is {self.cycles:g}; expected 1 cycle or more")
        if self.shape is not None and not 0 < self.shape <= LARGEST_SHAPE:
            raise InputError(
                "--endurance-shape",
                f"is {self.shape:g}; expected a number above 0, to {LARGEST_SHAPE:g}",
            )


OF_THE_DEVICE = EnduranceChoice()
"""The figure of device.json, with the default distribution."""


@dataclass(frozen=True)
class Endurance:
    """The distribution over devices; ``value`` is the characteristic one in cycles.

    ``source`` and ``shape_source`` say where both come from, beginning with their kind.
    """

    law: str
    value: float
    shape: float
    source: str = "assumed"
    shape_source: str = "assumed"

    @classmethod
    def of(cls, device: dict[str, Any], choice: EnduranceChoice) -> Endurance:
        """Of a device.json and a choice; raises :class:`InputError` as ``choice.check`` does."""
        choice.check()
        own = device["endurance"]
        value, source = float(own["value"]), f"{own['source']}: device.json, {own['note']}"
        if choice.cycles is not None:
            value, source = choice.cycles, "assumed: --endurance"
        shape, told = SHAPES[choice.law], "assumed: no source tells how endurance spreads"
        if choice.shape is not None:
            shape, told = choice.shape, "assumed: --endurance-shape"
        return cls(choice.law, value, shape, source, told)

    def at(self, value: float) -> Endurance:
        """The same with another characteristic value (cycles)."""
        return replace(self, value=value, source="assumed: a row of the table")

    def hazard(self, cycles: np.ndarray | float) -> np.ndarray:
        """Cumulative hazard -ln(1 - F) after so many cycles; 0 at 0."""
        ratio = np.asarray(cycles, float) / self.value
        if self.law == "weibull":
            return np.asarray(ratio**self.shape)
        with np.errstate(divide="ignore"):
            return np.asarray(-log_ndtr(-np.log(ratio) / self.shape))

    def failed(self, cycles: np.ndarray | float) -> np.ndarray:
        """Share F of devices that have failed after so many cycles."""
        return np.asarray(-np.expm1(-self.hazard(cycles)))

    def cycles_at_hazard(self, hazard: float) -> float:
        """The inverse of :meth:`hazard`."""
        if self.law == "weibull":
            return float(self.value * hazard ** (1 / self.shape))
        # Phi(z) = 1 - exp(-h): from the side on which nothing cancels.
        z = ndtri(-math.expm1(-hazard)) if hazard < math.log(2) else -ndtri(math.exp(-hazard))
        return float(self.value * math.exp(self.shape * z))

    def cycles_at_share(self, share: float) -> float:
        """Cycles after which a share (below 1) of the devices has failed."""
        return self.cycles_at_hazard(-math.log1p(-share))

    def describe(self) -> str:
        """The distribution in words."""
        if self.law == "weibull":
            return f"Weibull, characteristic value {self.value:.3g} cycles, shape {self.shape:g}"
        return f"log-normal, median {self.value:.3g} cycles, sigma of the logarithm {self.shape:g}"
