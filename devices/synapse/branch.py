"""The steps of one direction, potentiation or depression, on the relative scale of a device.

The relative state is s = (G - Gmin) / (Gmax - Gmin) with the device's own end states. In its own
direction a branch goes from 0 to 1 (depression counts from the other end, 1 - s). Without noise and
away from the end, k pulses make of s

    s b^k + (1 - b^k) / (1 - exp(-nu)),    b = exp(-nu / n),

so that n pulses go from 0 to 1 and the first steps are larger where nu > 0. This is the exponential
saturation usual for synaptic devices, G = Gmin + B (1 - exp(-P / A)) of Chen, Peng, Yu, IEEE TCAD
37, 3067 (2018) (recalled), with A = n / nu pulses; nu = 0 gives n equal steps. Each step has a
normal error with a standard deviation of ``sigma`` nominal steps 1/n (assumed: as wide at any
state), errors of successive pulses fade as the state does, and the state stops at the ends.

Nothing here but arithmetic, so numpy and JAX arrays go through the same lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

_LINEAR = 1e-6
"""|nu| below which the steps are equal to rounding."""


@dataclass(frozen=True)
class Branch:
    """``pulses`` n > 0 across the range (levels - 1), ``nonlinearity`` nu, ``sigma`` >= 0."""

    pulses: float
    nonlinearity: float = 0.0
    sigma: float = 0.0

    @property
    def is_linear(self) -> bool:
        """Whether all steps are equal."""
        return abs(self.nonlinearity) < _LINEAR

    @property
    def decay(self) -> float:
        """b: what one pulse leaves of a difference between two states."""
        return 1.0 if self.is_linear else math.exp(-self.nonlinearity / self.pulses)

    def mean(self, state: Any, count: Any = 1) -> Any:
        """Expected state after ``count`` pulses that do not reach the end; arrays broadcast."""
        if self.is_linear:
            return state + count * (1.0 / self.pulses)
        left = self.decay**count
        return state * left + (1.0 - left) * (-1.0 / math.expm1(-self.nonlinearity))

    def pulses_to(self, state: Any) -> Any:
        """Mean pulses from 0 to a numpy ``state`` in [0, 1]."""
        if self.is_linear:
            return state * self.pulses
        return self.pulses * np.log1p(state * math.expm1(-self.nonlinearity)) / -self.nonlinearity

    def deviation(self, count: Any = 1) -> Any:
        """Standard deviation of the state after ``count`` pulses that do not reach the end."""
        if self.is_linear:
            return (self.sigma / self.pulses) * count**0.5
        b = self.decay
        return (self.sigma / self.pulses) * ((1.0 - b ** (2 * count)) / (1.0 - b**2)) ** 0.5

    def after(self, state: Any, count: Any, normal: Any) -> Any:
        """State after ``count`` pulses with a standard normal variate; exact for one pulse.

        For more, one error of their joint standard deviation, and a stop at the ends only once.
        ``state`` is an array.
        """
        moved = self.mean(state, count)
        if self.sigma:
            moved = moved + self.deviation(count) * normal
        return moved.clip(0.0, 1.0)
