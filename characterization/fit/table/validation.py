"""One clear message for each thing that can be wrong in a column of numbers or labels."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from characterization.fit.table.base import Table, as_floats
from characterization.fit.table.decimal_commas import COMMA, THOUSANDS
from characterization.fit.table.names import CANONICAL
from characterization.fit.table.units import VOLTAGE, is_unit
from formats.errors import InputError

LIMITS = {
    "voltage": (0.0, 1e3),
    "time": (1e-15, 1e9),
    "temperature": (0.0, 1e4),
    "ramp rate": (1e-12, 1e12),
}
"""Smallest and largest size of a value of a quantity in SI units; 0 to 1e15 elsewhere."""
_OVERFLOW = 9.8e37
"""What source-measure units write for an overflow (9.9e37) or for no reading (9.91e37)."""
_SHOWN = 40
"""Characters of a cell that a message repeats."""
_GERMAN = r"[+-]?\d{1,3}(?:\.\d{3})+,\d+"
_ENGLISH = r"[+-]?\d{1,3}(?:,\d{3})+\.\d+"
_MONTHS = "jan|feb|mar|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez"
_DATE = (
    r"\d{4}-\d{1,2}-\d{1,2}.*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}.*|\d{1,2}/\d{1,2}"
    rf"|\d{{1,2}}[ .-]*(?:{_MONTHS})[a-z]*\.?(?:[ -]\d+)?|(?:{_MONTHS})[a-z]*[ .-]\d{{1,4}}"
)
_SHEET_ERROR = r"#(?:DIV/0!|N/A|REF!|VALUE!|NUM!|NAME\?|NULL!|ZAHL!|WERT!|#+)"
_UNTIL_THE_SWITCH = {"wait_time_s", "set_voltage_V"}
_BOUND = re.compile(r"(?:>=?|≥)\s*(.+)")
_WITH_UNIT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\d\s].*)")


def numbers(
    table: Table, column: str, *, above: float | None = None, integer: bool = False
) -> np.ndarray:
    """The column as finite floats in SI units, one per row.

    Raises :class:`InputError` with file, row, column, the value found and what was expected, for
    the first empty, textual, non-finite value, one not ``above``, not an ``integer``, or of a size
    no instrument gives.
    """
    values = numbers_of_any_size(table, column, above=above, integer=integer)
    _refuse_absurd(table, column, values)
    return values


def numbers_of_any_size(
    table: Table, column: str, *, above: float | None = None, integer: bool = False
) -> np.ndarray:
    """As :func:`numbers`, an instrument's overflow mark included: conditions may exclude it."""
    raw = table.frame[column]
    values = as_floats(raw)
    expected = "an integer" if integer else "a number"
    if above is not None:
        expected += f" above {above:g}"
    if column == "switched" and "trials" not in table.frame:
        expected = "0 or 1"
    wrong = ~np.isfinite(values)
    if above is not None:
        wrong |= ~(values > above)
    if integer:
        wrong |= values != np.round(values)
    if not np.any(wrong):
        return values
    row = int(np.argmax(wrong))
    found = str(raw.iloc[row]).strip()
    if len(found) > _SHOWN:
        found = f"{found[:_SHOWN]}..."
    if not found and (raw.astype(str).str.strip() == "").all():
        raise InputError(
            f"{table.where}, {table.naming(column)}",
            f"is empty in every row; expected {expected}; fill it or remove the column",
        )
    problem = problem_of(found, expected)
    if column in _UNTIL_THE_SWITCH and (bound := _BOUND.fullmatch(found)):
        problem += f"; one that had not switched by then is {bound[1]} here and 0 in switched"
    raise InputError(table.place(row, column), problem)


def problem_of(found: str, expected: str) -> str:
    """Why a cell is not the number expected, and what to write instead."""
    if not found:
        return f"is empty; expected {expected}"
    return (
        _comma_problem(found)
        or _sheet_problem(found, expected)
        or (f"found {found!r}, expected {expected}")
    )


def _comma_problem(found: str) -> str | None:
    """Decimal commas and thousands separators."""
    if re.fullmatch(THOUSANDS, found):
        plain, point = found.replace(",", ""), found.replace(",", ".")
        either = f" (or {point}, if this is a decimal comma)" if found.count(",") == 1 else ""
        return f"found {found!r}, with a thousands separator; write {plain}{either}"
    for pattern, thousands in ((_ENGLISH, ","), (_GERMAN, ".")):
        if re.fullmatch(pattern, found):
            plain = found.replace(thousands, "").replace(",", ".")
            return f"found {found!r}, with a thousands separator; write {plain}"
    if re.fullmatch(COMMA, found):
        return f"found the decimal comma {found!r}; write {found.replace(',', '.')!r}"
    return None


def _sheet_problem(found: str, expected: str) -> str | None:
    """What spreadsheets make of numbers: errors, dates, units in the cell."""
    if re.fullmatch(_SHEET_ERROR, found, re.IGNORECASE):
        return f"found {found!r}, an error of the spreadsheet, expected {expected}; mend its source"
    if re.fullmatch(_DATE, found, re.IGNORECASE):
        return (
            f"found {found!r}, which looks like a date, expected {expected}; spreadsheets turn "
            "numbers such as 1.2 or 3/4 into dates: format the cells as numbers and export again"
        )
    match = _WITH_UNIT.fullmatch(found)
    if match and is_unit(match[2]):
        return (
            f"found {found!r}, a number with its unit, expected {expected}; write {match[1]} and "
            f"put the unit into the header, as in 'name ({match[2]})'"
        )
    return None


def _refuse_absurd(table: Table, column: str, values: np.ndarray) -> None:
    """Raise :class:`InputError` at the first value no instrument gives."""
    low, high = LIMITS.get(CANONICAL.get(column, ""), (0.0, 1e15))
    size = np.abs(values)
    wrong = (size > high) | ((size < low) & (size > 0))
    if not np.any(wrong):
        return
    overflow = size[np.argmax(wrong)] >= _OVERFLOW
    hint = " (an instrument's overflow mark? exclude it with --where)" if overflow else ""
    if CANONICAL.get(column) == VOLTAGE and not overflow and np.any(size > high):
        hint = "; for mV, name the unit in the header, as in 'voltage (mV)'"
    refuse_row(
        table,
        wrong,
        column,
        f"found {{found}}, expected a size from {low:g} to {high:g} in the column's unit{hint}",
    )


def texts(table: Table, column: str) -> np.ndarray:
    """The column as stripped text; raises :class:`InputError` for an empty field."""
    codes, labels = pd.factorize(table.frame[column], use_na_sentinel=False)
    stripped = np.asarray([_label(value) for value in labels], dtype=object)
    values = stripped[codes]
    empty = values == ""
    if np.any(empty):
        raise InputError(table.place(int(np.argmax(empty)), column), "is empty; expected a label")
    return np.asarray(values)


def _label(value: object) -> str:
    """A label's text: 7.0 of a column of floats is the device 7, a missing one is empty."""
    if isinstance(value, (float, np.floating)):
        if np.isnan(value):
            return ""
        if float(value).is_integer():
            return str(int(value))
    return str(value).strip()


def refuse_row(table: Table, wrong: np.ndarray, column: str, problem: str) -> None:
    """Raise :class:`InputError` at the first row of the mask, if there is one.

    ``problem`` may hold ``{found}``, which becomes the value in the table.
    """
    if np.any(wrong):
        row = int(np.argmax(wrong))
        found = str(table.frame[column].iloc[row])
        raise InputError(table.place(row, column), problem.format(found=found))
