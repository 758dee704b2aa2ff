"""Tests on several sequences, and what their P-values say together (SP 800-22, section 4.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import gammaincc
from scipy.stats import binom

from system.bitstream.randomness.base import ALPHA, NotApplicable, Outcome, Test

FEWEST_FOR_UNIFORMITY = 55
LEAST_UNIFORMITY = 1e-4
_BINS = 10
_COARSEST = 0.1
"""Sequences x grain^2 up to which the grain adds less than 2 to the chi-square (derived)."""


@dataclass(frozen=True)
class Row:
    """One P-value's line of a report: ``outcomes`` by sequence, None where not applicable.

    ``reason`` says why not. A test passes if the proportion of sequences with P >= 0.01 lies in
    NIST's band and, from 55 sequences on, if the P-values are uniform (chi-square over ten bins,
    P >= 0.0001). Uniformity is not asked of P-values whose grain would show: of short sequences.
    """

    label: str
    sees: str
    outcomes: tuple[Outcome | None, ...]
    reason: str = ""

    @property
    def p_values(self) -> np.ndarray:
        """The P-values there are."""
        return np.array([o.p for o in self.outcomes if o is not None])

    @property
    def made(self) -> int:
        """Sequences that were tested."""
        return int(self.p_values.size)

    @property
    def passed(self) -> int:
        """Sequences with P >= 0.01."""
        return int(np.count_nonzero(self.p_values >= ALPHA))

    @property
    def uniformity(self) -> float | None:
        """P of the P-values' uniformity; None for fewer than 55 or too coarse ones."""
        coarse = max((o.grain for o in self.outcomes if o is not None), default=0.0)
        if self.made < FEWEST_FOR_UNIFORMITY or self.made * coarse**2 > _COARSEST:
            return None
        return uniformity(self.p_values)

    @property
    def ok(self) -> bool | None:
        """The verdict; None if no sequence could be tested."""
        if not self.made:
            return None
        spread = self.uniformity
        return self.passed >= least_passes(self.made) and (
            spread is None or spread >= LEAST_UNIFORMITY
        )

    @property
    def note(self) -> str:
        """The choices of the first sequence tested, or why there is none."""
        return next((o.note for o in self.outcomes if o is not None), self.reason)


@dataclass
class Battery:
    """Collects the outcomes of ``tests``, one sequence after the other."""

    tests: Sequence[Test]
    _outcomes: dict[str, list[Outcome | None]] = field(default_factory=dict)
    _reasons: dict[str, str] = field(default_factory=dict)

    def add(self, bits: np.ndarray) -> None:
        """Test one sequence of bits (n,) uint8."""
        for test in self.tests:
            found: tuple[Outcome | None, ...]
            try:
                found = test.run(bits)
            except NotApplicable as reason:
                found = (None,) * len(test.parts)
                self._reasons.setdefault(test.name, str(reason))
            for label, outcome in zip(test.labels, found, strict=True):
                self._outcomes.setdefault(label, []).append(outcome)

    def rows(self) -> tuple[Row, ...]:
        """A row for each P-value."""
        return tuple(
            Row(label, test.sees, tuple(self._outcomes[label]), self._reasons.get(test.name, ""))
            for test in self.tests
            for label in test.labels
            if label in self._outcomes
        )


def least_passes(sequences: int) -> int:
    """Fewest sequences that must pass: 0.99 - 3 sqrt(0.99 0.01 / S) of them (SP 800-22, 4.2.1)."""
    low = 1 - ALPHA - 3 * math.sqrt(ALPHA * (1 - ALPHA) / sequences)
    return math.ceil(sequences * low - 1e-9)


def false_alarm(sequences: int) -> float:
    """P(a test fails for want of passes though every P-value is uniform)."""
    return float(binom.cdf(least_passes(sequences) - 1, sequences, 1 - ALPHA))


def uniformity(p_values: np.ndarray) -> float:
    """P of the chi-square of P-values over ten equal bins (SP 800-22, 4.2.2)."""
    counts = np.histogram(p_values, _BINS, (0, 1))[0]
    expected = p_values.size / _BINS
    return float(gammaincc((_BINS - 1) / 2, np.sum((counts - expected) ** 2 / expected) / 2))
