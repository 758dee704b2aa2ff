"""Reads a table of measurements: CSV, TSV or semicolons, gzip or not, or Parquet.

Numbers stay tied to the line of the file they came from, so that every later refusal can name it.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from characterization.fit.table.base import Table, as_floats, table_of_frame
from characterization.fit.table.decimal_commas import numeric_cells, read_decimal_commas
from characterization.fit.table.headers import parse_map, recognise_headers
from characterization.fit.table.layout import (
    Layout,
    check_widths,
    fields,
    lay_out,
    separator_of,
)
from characterization.fit.table.names import CANONICAL
from characterization.fit.table.parquet import MAGIC, read_parquet
from characterization.fit.table.units import LABEL, Unit, is_unit
from formats.errors import InputError
from formats.makers import TABLE
from formats.plural import plural

__all__ = ["LARGEST_TEXT", "Table", "read_table", "table_of_frame"]

LARGEST_TEXT = 512 * 2**20
"""Bytes of text, after expansion, that are accepted; about ten million rows."""
_CHUNK = 2**20
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_NAMELESS = "column {} (no name)"
_LABELS = tuple(name for name, quantity in CANONICAL.items() if quantity == LABEL)


def read_table(
    path: Path,
    *,
    header: bool = True,
    columns: Sequence[str] | None = None,
    mapping: Sequence[str] | None = None,
    kind: str | None = None,
) -> Table:
    """Read a table; what it is, and whether it is packed, is seen from its content.

    ``columns`` name the columns in file order, with or without units; they replace the header
    line where there is one. ``mapping`` holds ``canonical=foreign[:unit]`` items, ``kind`` helps
    to decide a header that could be two things. The frame of the result has canonical columns in
    SI units where headers are recognised; see :class:`Table` for the notes on what was converted.

    Raises :class:`InputError` naming the line where the rows do not form a table, or the header
    that is unclear.
    """
    where = str(path)
    maps = tuple(parse_map(text) for text in mapping or ())
    path = Path(path)
    data = _read_bytes(path)
    if data[:4] == MAGIC:
        if not header or columns:
            raise InputError(where, "is Parquet and names its columns; use --map to rename them")
        frame = read_parquet(data, where)
        found = recognise_headers(where, list(frame.columns), mapping=maps, kind=kind)
        frame.columns = pd.Index(found.names)
        table = Table(where, frame, np.arange(1, len(frame) + 1))
    else:
        layout = lay_out(_checked_text(data, where))
        if not layout.lines.size:
            raise InputError(where, "holds no rows; expected a header line and at least one row")
        separator = separator_of(layout, ".tsv" in Path(path.name.lower()).suffixes)
        names = _names(where, layout, separator, header, columns)
        body = layout.after(1) if header else layout
        if not body.lines.size:
            raise InputError(where, "holds a header but no rows")
        found = recognise_headers(where, names, mapping=maps, kind=kind, named=columns is not None)
        check_widths(where, body, separator, found.names)
        _refuse_units_row(where, body, separator)
        table = _parsed(where, body, separator, found.names)
    table = _without_nameless(replace(table, frame=_converted(table.frame, found.units)))
    return replace(
        table,
        origins=found.origins,
        notes=(*found.notes, *table.notes),
    )


def _read_bytes(path: Path) -> bytes:
    """The content, expanded if it is gzip; raises :class:`InputError` naming what it is not."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            if not packed and path.suffix.lower() == ".gz":
                raise InputError(path, "is named .gz but is not a gzip file; rename or pack it")
            data = _bounded(gzip.GzipFile(fileobj=raw) if packed else raw, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(path, f"is not a whole gzip file ({error})") from error
    except OSError as error:
        problem = f"cannot be read ({error.strerror or error}); expected {TABLE}"
        raise InputError(path, problem) from error
    if data.startswith(_ZIP):
        raise InputError(
            path, "is an Excel workbook or zip archive; save the sheet as CSV UTF-8 and give that"
        )
    return data


def _bounded(handle: IO[bytes] | gzip.GzipFile, path: Path) -> bytes:
    chunks, total = [], 0
    while chunk := handle.read(_CHUNK):
        total += len(chunk)
        if total > LARGEST_TEXT:
            raise InputError(path, f"holds more than {LARGEST_TEXT >> 20} MiB of text; split it")
        chunks.append(chunk)
    return b"".join(chunks)


def _checked_text(data: bytes, where: str) -> bytes:
    """The bytes without byte-order mark; raises :class:`InputError` where they are not UTF-8."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(where, "is UTF-16 text; save the table as CSV UTF-8")
    data = data.removeprefix(codecs.BOM_UTF8)
    for begin, kind in ((b"{", "JSON"), (b"\x89HDF", "NetCDF")):
        if data.lstrip().startswith(begin):
            raise InputError(where, f"is {kind}, not measurements; expected {TABLE}")
    if b"\0" in data:
        raise InputError(where, "holds zero bytes: not a text file; save the table as CSV UTF-8")
    if not data.isascii():
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            sign = data[error.start : error.start + 1].decode("latin-1")
            raise InputError(
                f"{where}, row {line}",
                f"is not UTF-8 text (byte {error.start}, {sign!r} in Latin-1); save the table as "
                "CSV UTF-8, or convert it: iconv -f latin1 -t utf-8",
            ) from error
    return data


def _names(
    where: str, layout: Layout, separator: str, header: bool, columns: Sequence[str] | None
) -> list[str]:
    """The column names: the header line's, or those given; raises :class:`InputError`."""
    first = fields(layout.line(0), separator)
    place = f"{where}, row {int(layout.lines[0])}"
    if not header and not columns:
        raise InputError(where, "a file without header needs --columns a,b,c")
    if header and all(_is_number(name, separator) for name in first):
        raise InputError(
            place,
            "holds numbers where the header is expected; name the columns with "
            f"--no-header --columns a,b,c{_commented_header(layout, separator, len(first))}",
        )
    names = [name.strip() for name in columns] if columns else first
    if len(first) == 1 and len(names) == 1 and len(layout.line(0).split()) > 1:
        raise InputError(
            place, "holds one column; expected columns separated by commas, semicolons or tabs"
        )
    return [name or _NAMELESS.format(i + 1) for i, name in enumerate(names)]


def _commented_header(layout: Layout, separator: str, width: int) -> str:
    """A hint where a comment line has as many fields as the rows: savetxt writes headers so."""
    for number, comment in zip(layout.comment_lines, layout.comments, strict=True):
        names = fields(comment, separator)
        if width > 1 and len(names) == width and not any(map(_is_number, names)):
            return f" (or remove the '#' of row {number}, if that is the header)"
    return ""


def _refuse_units_row(where: str, body: Layout, separator: str) -> None:
    """Raise :class:`InputError` where units stand in a row of their own below the header."""
    cells = [cell.strip("()[] ") for cell in fields(body.line(0), separator)]
    if any(cells) and all(not cell or is_unit(cell) for cell in cells):
        raise InputError(
            f"{where}, row {int(body.lines[0])}",
            "holds units, not values; put them into the header, as in 'pulse width (us)', and "
            "remove the row",
        )


def _parsed(where: str, body: Layout, separator: str, names: tuple[str, ...]) -> Table:
    """The rows as a frame, each cell a number or the text that stands there."""
    frame = _frame(where, body, separator, names)
    notes = []
    texts = [
        name
        for name in names
        if name not in _LABELS and not pd.api.types.is_numeric_dtype(frame[name])
    ]
    if separator != "," and texts:
        other = _frame(where, body, separator, names, decimal=",")
        frame, commas = read_decimal_commas(frame, other, texts)
        if commas:
            notes.append(f"decimal commas read as points in {', '.join(map(repr, commas))}")
    if body.empty:
        notes.append(f"{body.empty} {plural(body.empty, 'row')} without any value skipped")
    return Table(where, frame, body.lines, body.comments, notes=tuple(notes))


def _frame(
    where: str, body: Layout, separator: str, names: tuple[str, ...], decimal: str = "."
) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # it says that data were lost
            frame = pd.read_csv(
                io.BytesIO(body.text()),
                sep=separator,
                decimal=decimal,
                header=None,
                names=list(names),
                dtype=dict.fromkeys((name for name in _LABELS if name in names), str),
                index_col=False,
                na_filter=False,
                skipinitialspace=True,
                skip_blank_lines=False,
                low_memory=False,
                encoding="utf-8",
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, csv.Error) as error:
        raise InputError(where, f"does not form a table ({error}); check the quotes") from error
    if len(frame) != body.lines.size:
        raise InputError(where, "has a quoted field over several lines; keep a row on one line")
    return frame


def _without_nameless(table: Table) -> Table:
    """The table without columns that have neither a name nor a value (a sheet's last commas)."""
    nameless = [_NAMELESS.format(i + 1) for i in range(table.frame.shape[1])]
    drop = [
        name
        for name in nameless
        if name in table.frame and (table.frame[name].astype(str).str.strip() == "").all()
    ]
    return replace(table, frame=table.frame.drop(columns=drop)) if drop else table


def _converted(frame: pd.DataFrame, units: Mapping[str, Unit]) -> pd.DataFrame:
    """The frame with each number of a column with a unit in SI; what is no number stays."""
    frame = frame.copy(deep=False)
    for name, unit in units.items():
        if unit.is_si:
            continue
        cells = frame[name]
        frame[name] = numeric_cells(cells, unit.to_si(as_floats(cells)))
    return frame


def _is_number(text: str, separator: str = ",") -> bool:
    try:
        float(text if separator == "," else text.replace(",", "."))
    except ValueError:
        return False
    return True
