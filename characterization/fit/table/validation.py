"""One clear message for each thing that can be wrong in a column of numbers."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from characterization.fit.table.readers import Table
from formats.errors import InputError

LIMITS = {
    "voltage_V": (0.0, 1e3),
    "gate_voltage_V": (0.0, 1e3),
    "pulse_width_s": (1e-15, 1e9),
    "wait_time_s": (1e-15, 1e9),
    "temperature_K": (0.0, 1e4),
}
"""Smallest and largest size of a value in a column; 0 to 1e15 elsewhere."""
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")


def numbers(
    table: Table, column: str, *, above: float | None = None, integer: bool = False
) -> np.ndarray:
    """The column as finite floats.

    Raises :class:`InputError` with file, row, column, the value found and what was expected, for
    the first empty, textual, non-finite value, or one not ``above`` or not an ``integer``.
    """
    raw = table.frame[column]
    try:
        values = np.asarray(pd.to_numeric(raw, errors="coerce"), dtype=float)
    except OverflowError as error:
        raise InputError(
            f"{table.where}, column {column}", "holds an integer too large to be a measurement"
        ) from error
    expected = "an integer" if integer else "a number"
    if above is not None:
        expected += f" above {above:g}"
    wrong = ~np.isfinite(values)
    if above is not None:
        wrong |= ~(values > above)
    if integer:
        wrong |= values != np.round(values)
    if not np.any(wrong):
        _refuse_absurd(table, column, values)
        return values
    row = int(np.argmax(wrong))
    found = str(raw.iloc[row]).strip()
    if not found:
        problem = f"is empty; expected {expected}"
    elif _DECIMAL_COMMA.fullmatch(found):
        problem = f"found the decimal comma {found!r}; write {found.replace(',', '.')!r}"
    else:
        problem = f"found {found!r}, expected {expected}"
    raise InputError(table.place(row, column), problem)


def _refuse_absurd(table: Table, column: str, values: np.ndarray) -> None:
    """Raise :class:`InputError` at the first value no instrument gives."""
    low, high = LIMITS.get(column, (0.0, 1e15))
    size = np.abs(values)
    refuse_row(
        table,
        (size > high) | ((size < low) & (size > 0)),
        column,
        f"found {{found}}, expected a size from {low:g} to {high:g} in the column's unit",
    )


def texts(table: Table, column: str) -> np.ndarray:
    """The column as stripped text; raises :class:`InputError` for an empty field."""
    values = np.asarray([str(value).strip() for value in table.frame[column]], dtype=object)
    empty = values == ""
    if np.any(empty):
        raise InputError(table.place(int(np.argmax(empty)), column), "is empty; expected a label")
    return values


def refuse_row(table: Table, wrong: np.ndarray, column: str, problem: str) -> None:
    """Raise :class:`InputError` at the first row of the mask, if there is one.

    ``problem`` may hold ``{found}``, which becomes the value in the table.
    """
    if np.any(wrong):
        row = int(np.argmax(wrong))
        found = str(table.frame[column].iloc[row])
        raise InputError(table.place(row, column), problem.format(found=found))
