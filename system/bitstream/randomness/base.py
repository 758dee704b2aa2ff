"""What a test of randomness answers: a statistic and its P-value, or why it was not made."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

ALPHA = 0.01
"""A sequence passes a test if P is at least this (SP 800-22)."""
SHORTEST = 100
"""Bits below which no test is made."""


@dataclass(frozen=True)
class Outcome:
    """One P-value of one sequence; ``note`` says what choices were made (block length, ...).

    ``grain`` is about how much probability one value of P has where the statistic is an integer:
    many P-values can be no more uniform than that.
    """

    statistic: float
    p: float
    note: str = ""
    grain: float = 0.0


class NotApplicable(Exception):
    """A test says nothing about this sequence; the text is the reason."""


Function = Callable[[np.ndarray], tuple[Outcome, ...]]


@dataclass(frozen=True)
class Test:
    """A test by name; ``run`` takes the bits (n,) uint8 and returns an outcome for each part.

    ``parts`` name the P-values where there are several. ``run`` raises :class:`NotApplicable`.
    ``sees`` is what makes it fail, in a few words.
    """

    name: str
    run: Function
    sees: str
    parts: tuple[str, ...] = ("",)

    __test__ = False  # no test of pytest's

    @property
    def labels(self) -> tuple[str, ...]:
        """One name for each P-value."""
        return tuple(f"{self.name}, {part}" if part else self.name for part in self.parts)


def grain_of(spread: float) -> float:
    """The grain of a two-sided P of an integer of this standard deviation: at its mean."""
    return math.sqrt(2 / math.pi) / spread


def need(bits: np.ndarray, least: int) -> int:
    """The length of a sequence; raises :class:`NotApplicable` below ``least`` bits."""
    if bits.size < least:
        raise NotApplicable(f"needs {least:,} bits, has {bits.size:,}")
    return int(bits.size)
