"""What a test of a fit says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Test:
    """One test: its statistic, p-value (None where it cannot be given) and what it is."""

    __test__ = False  # not a test of pytest's

    name: str
    statistic: float
    p_value: float | None
    note: str
