"""Which rows take part: conditions on columns, and rows that did not start in HRS.

Conditions are parsed into (column, comparison, value); nothing of them is ever executed.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from characterization.fit.table.readers import Table
from characterization.fit.table.validation import numbers, texts
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
        column = (
            texts(table, self.column)
            if isinstance(self.value, str)
            else numbers(table, self.column)
        )
        return np.asarray(_COMPARISONS[self.comparison](column, self.value), dtype=bool)


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


def select(
    table: Table, where: str | None, start_above: float | None
) -> tuple[Table, list[dict[str, Any]]]:
    """Drop the rows the options exclude; the list says how many, and why.

    Raises :class:`InputError` where no row is left.
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
    if start_above is not None:
        if "r_before_ohm" not in table.frame:
            raise InputError(table.where, "--start-above needs the column r_before_ohm")
        before = numbers(table, "r_before_ohm", above=0.0)
        drop(
            before > start_above,
            f"r_before_ohm is not above {start_above:.12g} ohm (the row did not start in HRS)",
        )
    return table, excluded


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
