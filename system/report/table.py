"""A table of the page: cells as a reader wants them, and the same rows as CSV in plain numbers."""

from __future__ import annotations

import base64
import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from system.report.quantity import digits, percent, quantity, whole

Kind = Literal["text", "source", "number", "whole", "percent", "range", "percents", "amount"]
"""``number``, ``whole`` (a count, in full) and ``percent`` (of a fraction) hold a number or None,
``range`` and ``percents`` a pair of them, ``amount`` a number or a pair with a unit of its own,
``source`` a text that begins with the kind of a number."""
NUMBERS = ("number", "whole", "percent", "range", "percents", "amount")
SUFFIXES = {
    "um2": ("m2", 1e-12),
    "mm2": ("m2", 1e-6),
    "uW": ("W", 1e-6),
    **{unit: (unit, 1.0) for unit in ("J", "W", "s", "Hz", "V", "K", "m2", "ohm")},
}
"""Units at the end of a key of report.json, in SI units, with the factor to these."""
ABSENT = "–"
_PLACE = "; cells.nc "
_SHORT = 60
"""Signs of a source that are told again in each row."""


@dataclass(frozen=True)
class Column:
    """A column; ``unit`` is that of its numbers in SI units."""

    title: str
    kind: Kind = "text"
    unit: str = ""
    wide: bool = False

    @property
    def numeric(self) -> bool:
        return self.kind in NUMBERS

    def shown(self, value: Any) -> str:
        """The text of a cell."""
        if value is None or (self.kind == "amount" and value[0] is None):
            return ABSENT
        if self.kind == "amount":
            return _amount(*value)
        if self.kind in ("number", "range"):
            return _amount(value, self.unit)
        if self.kind in ("percent", "percents"):
            ends = value if self.kind == "percents" else (value,)
            return " … ".join(percent(float(end)) for end in ends)
        if self.kind == "whole":
            return whole(value) if value == 0 or value >= 1 else digits(value)
        return str(value)

    def headers(self) -> tuple[str, ...]:
        """Names of this column's fields in the CSV."""
        named = f"{self.title} ({self.unit})" if self.unit else self.title
        if self.kind in ("range", "percents"):
            return f"{named} low", f"{named} high"
        if self.kind == "amount":
            return f"{self.title} low", f"{self.title} high", f"{self.title} unit"
        return (named,)

    def fields(self, value: Any) -> tuple[Any, ...]:
        """A cell as the fields of the CSV: plain numbers in SI units, and texts."""
        if self.kind in ("range", "percents"):
            return tuple(map(_plain, value)) if value is not None else ("", "")
        if self.kind == "amount":
            number, unit = value if value is not None else (None, "")
            low, high = number if isinstance(number, list | tuple) else (number, number)
            return _plain(low), _plain(high), unit
        return (_plain(value),)


@dataclass(frozen=True)
class Table:
    """Rows under columns; the first column names the row.

    ``name`` is unique on a page and that of the CSV file. ``origin`` is the kind of all numbers
    where no column of the table tells, ``total`` says that the last row is the sum of the others.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    origin: str = ""
    total: bool = False

    @property
    def crowded(self) -> bool:
        """Whether long texts stand beside so many columns that they need a width of their own."""
        return len(self.columns) > 7 and any(column.wide for column in self.columns)

    def shown(self, row: int, column: int) -> str:
        """The text of a cell on a page; a long source that the row above has is not told again."""
        here = self.columns[column].shown(self.rows[row][column])
        if self.columns[column].kind != "source" or row == 0:
            return here
        text, _, place = here.partition(_PLACE)
        above = self.columns[column].shown(self.rows[row - 1][column]).partition(_PLACE)[0]
        kind, colon, _ = text.partition(":")
        if text != above or len(text) <= _SHORT or not colon or not place:
            return here
        return f"{kind}: as above{_PLACE}{place}"

    def csv(self) -> str:
        """The table as comma-separated values (RFC 4180)."""
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow([name for column in self.columns for name in column.headers()])
        for row in self.rows:
            writer.writerow(
                [
                    field
                    for column, value in zip(self.columns, row, strict=True)
                    for field in column.fields(value)
                ]
            )
        return buffer.getvalue()

    def markdown(self) -> str:
        """The table for a Markdown file, without its caption."""
        rows = [
            [column.title for column in self.columns],
            ["--:" if column.numeric else "---" for column in self.columns],
            *(
                [column.shown(value) for column, value in zip(self.columns, row, strict=True)]
                for row in self.rows
            ),
        ]
        texts = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
        return "\n".join(f"| {' | '.join(row)} |" for row in texts)

    def link(self) -> str:
        """The CSV as an address that needs no network and no script."""
        return "data:text/csv;charset=utf-8;base64," + base64.b64encode(self.csv().encode()).decode(
            "ascii"
        )


def from_records(
    name: str,
    caption: str,
    records: Sequence[Mapping[str, Any]],
    origin: str = "",
    without: Sequence[str] = (),
) -> Table | None:
    """A table of objects of report.json; None where there are none.

    Columns follow the keys in the order met, ``without`` some of them; their units are what the
    keys end with. An object inside gives columns of its own; texts and sources stand last.
    """
    flat = [_flat(record) for record in records]
    met = dict.fromkeys(key for record in flat for key in record)
    keys = [key for key in met if key not in without and not _emptied(key, flat)]
    keys.sort(key=_is_source)
    if not keys:
        return None
    columns, factors = zip(
        *(_column(key, [record.get(key) for record in flat]) for key in keys), strict=True
    )
    rows = tuple(
        tuple(
            _scaled(record.get(key), column, factor)
            for key, column, factor in zip(keys, columns, factors, strict=True)
        )
        for record in flat
    )
    return Table(name, caption, tuple(columns), rows, origin)


def in_words(key: str) -> str:
    """A key of report.json as a reader wants it, without its unit."""
    words = key.split("_")
    if len(words) > 1 and words[-1] in SUFFIXES:
        words = words[:-1]
    text = " ".join(words).replace("interval95", "95 % interval")
    text = text.replace("to per mille", "to 0.1 %").replace("to percent", "to 1 %")
    if words[0] == "seconds":
        text = f"time{text.removeprefix('seconds')}"
    for plain, proper in (("sng", "SNG"), ("mac", "MAC"), ("d2d", "D2D"), ("fp32", "FP32")):
        text = " ".join(proper if word == plain else word for word in text.split(" "))
    return text


def _flat(record: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{key}_")
        else:
            found[f"{before}{key}"] = value
    return found


def _column(key: str, values: Sequence[Any]) -> tuple[Column, float]:
    """The column of a key, and the factor of its numbers to SI units."""
    unit, factor = SUFFIXES.get(key.rsplit("_", 1)[-1], ("", 1.0)) if "_" in key else ("", 1.0)
    if key.split("_", 1)[0] == "seconds":
        unit = "s"
    title = in_words(key)
    known = [value for value in values if value is not None]
    if _is_source(key):
        return Column(title, "source", wide=True), 1.0
    if known and not unit and all(type(value) is int for value in known):
        return Column(title, "whole"), 1.0
    if known and all(isinstance(value, int | float) and value is not True for value in known):
        return Column(title, "number", unit), factor
    if known and all(_pair(value) for value in known):
        return Column(title, "range", unit), factor
    longest = max((len(_words(value)) for value in known), default=0)
    return Column(title, "text", wide=longest > 40), 1.0


def _is_source(key: str) -> bool:
    return "source" in key.split("_")


def _emptied(key: str, records: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a key holds nothing where other records have an object in its place."""
    return all(record.get(key) is None for record in records) and any(
        other.startswith(f"{key}_") for record in records for other in record
    )


def _pair(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and all(isinstance(end, int | float) for end in value)
    )


def _scaled(value: Any, column: Column, factor: float) -> Any:
    if value is None:
        return None
    if column.kind == "number":
        return float(value) * factor
    if column.kind == "range":
        return tuple(float(end) * factor for end in value)
    return value if column.kind in ("source", "whole") else _words(value)


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return whole(value)
    if isinstance(value, float):
        return digits(value)
    if isinstance(value, list | tuple):
        return ", ".join(_words(one) for one in value)
    return str(value)


def _amount(value: Any, unit: str) -> str:
    """A number or a pair of them; an end that is None is unbounded."""
    if not isinstance(value, list | tuple):
        return quantity(float(value), unit)
    low, high = ("unbounded" if end is None else quantity(float(end), unit) for end in value)
    return f"{low} … {high}"


def _plain(value: Any) -> Any:
    """Floats in full, whole ones as integers; None and NaN as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < 2**53 else repr(number)
