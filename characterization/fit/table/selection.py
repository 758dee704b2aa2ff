"""Which rows take part: those where conditions on columns hold, and groups that are not empty.

Conditions are parsed into (column, comparison, value); nothing of them is ever executed.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from characterization.fit.table.base import Table
from characterization.fit.table.validation import (
    numbers,
    numbers_of_any_size,
    refuse_row,
    texts,
)
from formats.errors import InputError

TEXT_COLUMNS = ("device", "transition")
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_SAME = 1e-12
"""Relative difference of numbers that are taken as equal."""
_TERM = re.compile(r"\s*([A-Za-z_]\w*)\s*(>=|<=|==|!=|>|<)\s*([^\s<>=!]+)\s*")


@dataclass(frozen=True)
class Condition:
    """``column comparison value``; the value is a number, or a word for the text columns."""

    column: str
    comparison: str
    value: float | str

    def __str__(self) -> str:
        value = self.value if isinstance(self.value, str) else f"{self.value:.12g}"
        return f"{self.column}{self.comparison}{value}"

    def holds(self, table: Table) -> np.ndarray:
        """One truth value per row; raises :class:`InputError` where the column is absent."""
        if self.column not in table.frame:
            raise InputError(
                "--where",
                f"names the column {self.column!r}; {table.where} has "
                f"{', '.join(map(str, table.frame.columns))}",
            )
        compare = _COMPARISONS[self.comparison]
        if isinstance(self.value, str):
            return np.asarray(compare(texts(table, self.column), self.value), dtype=bool)
        column = numbers_of_any_size(table, self.column)
        # An instrument's 2.3999999999999995 is the 2.4 it was told.
        same = np.isclose(column, self.value, rtol=_SAME, atol=0.0)
        return np.asarray(compare(np.where(same, self.value, column), self.value), dtype=bool)


def parse_where(text: str) -> tuple[Condition, ...]:
    """Parse ``column op number and column op number ...``; raises :class:`InputError`."""
    conditions = []
    for term in re.split(r"\s+and\s+", text.strip()):
        match = _TERM.fullmatch(term)
        if match is None:
            raise InputError(
                "--where",
                f"{term!r} is not 'column op number' with op one of {' '.join(_COMPARISONS)}, "
                "terms joined by 'and'",
            )
        column, comparison, value = match.groups()
        conditions.append(Condition(column, comparison, _value(column, comparison, value)))
    return tuple(conditions)


def select(table: Table, where: str | None) -> tuple[Table, list[dict[str, Any]]]:
    """Drop the rows ``where`` excludes, and empty groups; the list says how many, and why.

    Raises :class:`InputError` where no row is left, or an empty group (``trials`` 0) claims to
    have switched.
    """
    excluded: list[dict[str, Any]] = []

    def drop(kept: np.ndarray, reason: str) -> None:
        nonlocal table
        count = int(np.sum(~kept))
        if count == len(kept):
            raise InputError(table.where, f"no rows left: {reason} excludes all {count}")
        excluded.append({"reason": reason, "rows": count})
        table = table.keep(kept)

    for condition in parse_where(where) if where else ():
        drop(condition.holds(table), f"--where {condition} does not hold")
    if "trials" in table.frame:
        empty = _empty_groups(table)
        if empty.any():
            drop(~empty, "trials is 0 (an empty group)")
    return table, excluded


def _empty_groups(table: Table) -> np.ndarray:
    """Rows of 0 trials and 0 switched."""
    empty = numbers(table, "trials", integer=True) == 0
    if empty.any() and "switched" in table.frame:
        switched = numbers(table, "switched", integer=True)
        refuse_row(
            table, empty & (switched > 0), "switched", "found {found}, more than the 0 trials"
        )
    return empty


def _value(column: str, comparison: str, text: str) -> float | str:
    try:
        value = float(text)
    except ValueError:
        if column in TEXT_COLUMNS and comparison in ("==", "!="):
            return text.strip("'\"")
        raise InputError(
            "--where", f"expected a number after {column}{comparison}, found {text!r}"
        ) from None
    if not np.isfinite(value):
        raise InputError("--where", f"expected a finite number after {column}{comparison}")
    return value
