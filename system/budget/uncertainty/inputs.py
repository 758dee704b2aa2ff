"""An uncertain input: a standard normal number z, and by what factor it moves what it moves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import ndtr

from system.budget.lines import NORMAL_95


class Effect(Protocol):
    """The logarithm of the factor by which something moves, at values of z (any shape)."""

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """ln(moved / nominal)."""
        ...


@dataclass(frozen=True)
class LogNormal:
    """A factor exp(sigma z): the nominal value is the median."""

    sigma: float

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Linear in z."""
        return self.sigma * z


@dataclass(frozen=True)
class LogUniform:
    """Anything between ``low`` and ``high`` (over the nominal value), equally likely by its
    logarithm; z is its normal score."""

    low: float
    high: float

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """From ln(low) at z = -inf to ln(high) at +inf."""
        return np.asarray(math.log(self.low) + ndtr(z) * math.log(self.high / self.low))


@dataclass(frozen=True)
class Curve:
    """``ln`` factors computed at a few values of ``z``, linear between them and beyond."""

    z: tuple[float, ...]
    ln: tuple[float, ...]

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """By interpolation; the outer pieces go on."""
        knots, values = np.array(self.z), np.array(self.ln)
        place = np.clip(np.searchsorted(knots, z) - 1, 0, knots.size - 2)
        slope = np.diff(values) / np.diff(knots)
        return np.asarray(values[place] + slope[place] * (z - knots[place]))

    @property
    def still(self) -> bool:
        """Whether it moves nothing."""
        return max(map(abs, self.ln)) < 1e-12


@dataclass(frozen=True)
class Input:
    """One thing that is not known exactly.

    ``kind`` is the first word of ``source``; ``sigma`` the standard deviation of its own logarithm,
    None where it is not log-normal. ``effect`` acts on the amounts that are proportional to it;
    None for inputs that act through curves of their own.
    """

    name: str
    distribution: str
    sigma: float | None
    source: str
    effect: Effect | None = None

    @property
    def kind(self) -> str:
        """measured, simulated, fitted, derived, taken or assumed."""
        return self.source.partition(":")[0]

    @property
    def certain(self) -> bool:
        """Whether it never moves."""
        return self.sigma == 0


def factor(name: str, times: float, source: str) -> Input:
    """A positive figure known within a factor ``times`` either way at 95 %."""
    sigma = math.log(times) / NORMAL_95
    words = f"log-normal, a factor {times:g} either way at 95 %"
    return Input(name, words, sigma, source, LogNormal(sigma))


def within(name: str, low: float, high: float, source: str) -> Input:
    """A positive figure between two bounds, given over its nominal value."""
    words = f"log-uniform between {low:.3g} and {high:.3g} times the value"
    return Input(name, words, None, source, LogUniform(low, high))


def curve(z: Sequence[float], moved: Sequence[float], nominal: float) -> Curve:
    """The curve of a positive amount computed at some z."""
    return Curve(tuple(z), tuple(math.log(value / nominal) for value in moved))
