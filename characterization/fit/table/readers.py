"""Reads a table of measurements (CSV or TSV, gzip or not) as it stands, before any judgement.

Numbers stay tied to the line of the file they came from, so that every later refusal can name it.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from formats.errors import InputError

LARGEST_TEXT = 512 * 2**20
"""Bytes of text, after expansion, that are accepted; about ten million rows."""
_CHUNK = 2**20
_SEPARATORS = "\t;,"


@dataclass(frozen=True)
class Table:
    """Rows of a file: ``frame`` as parsed, ``lines`` their line numbers in ``where``."""

    where: str
    frame: pd.DataFrame
    lines: np.ndarray
    comments: tuple[str, ...] = ()

    def place(self, row: int, column: str | None = None) -> str:
        """Where a row stands, in the words of an error message."""
        text = f"{self.where}, row {int(self.lines[row])}"
        return text if column is None else f"{text}, column {column}"

    def keep(self, mask: np.ndarray) -> Table:
        """The rows of the mask only."""
        return Table(
            self.where,
            self.frame.loc[mask].reset_index(drop=True),
            self.lines[mask],
            self.comments,
        )


def table_of_frame(frame: pd.DataFrame, where: str = "table") -> Table:
    """A table from memory; its rows count from 1."""
    return Table(where, frame.reset_index(drop=True), np.arange(1, len(frame) + 1))


def read_table(path: Path, *, header: bool = True, columns: Sequence[str] | None = None) -> Table:
    """Read a CSV or TSV file; '.gz' is expanded, lines that start with '#' are skipped.

    ``columns`` name the columns in file order; they replace the header line where there is one.
    Raises :class:`InputError` naming the line where the rows do not form a table.
    """
    where = str(path)
    lines = _read_text(Path(path)).splitlines()
    numbers = [i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")]
    comments = tuple(line.lstrip("# ").rstrip() for line in lines if line.startswith("#"))
    if not numbers:
        raise InputError(where, "holds no rows; expected a header line and at least one row")
    separator = _separator(Path(path), lines[numbers[0]])
    names = [name.strip() for name in _fields(lines[numbers[0]], separator)] if header else []
    if header and all(_is_number(name) for name in names):
        raise InputError(
            f"{where}, row {numbers[0] + 1}",
            "holds numbers where the header is expected; name the columns with "
            "--no-header --columns a,b,c",
        )
    if not header and not columns:
        raise InputError(where, "a file without header needs --columns a,b,c")
    body = numbers[1:] if header else numbers
    if columns:
        names = [name.strip() for name in columns]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(where, f"the column {twice!r} is named twice")
    if not body:
        raise InputError(where, "holds a header but no rows")
    _check_widths(where, lines, body, separator, names)
    frame = pd.read_csv(
        io.StringIO("\n".join(lines[i] for i in body)),
        sep=separator,
        header=None,
        names=names,
        keep_default_na=False,
        skipinitialspace=True,
        low_memory=False,
    )
    return Table(where, frame, np.asarray(body) + 1, comments)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as raw:
            packed = path.suffix.lower() == ".gz"
            data = _bounded(gzip.GzipFile(fileobj=raw) if packed else raw, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(path, f"is not a whole gzip file ({error})") from error
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            path,
            f"is not UTF-8 text (byte {error.start}); save the table as CSV UTF-8",
        ) from error


def _bounded(handle: IO[bytes] | gzip.GzipFile, path: Path) -> bytes:
    chunks, total = [], 0
    while chunk := handle.read(_CHUNK):
        total += len(chunk)
        if total > LARGEST_TEXT:
            raise InputError(path, f"holds more than {LARGEST_TEXT >> 20} MiB of text; split it")
        chunks.append(chunk)
    return b"".join(chunks)


def _separator(path: Path, line: str) -> str:
    if any(suffix.lower() == ".tsv" for suffix in path.suffixes):
        return "\t"
    return max(_SEPARATORS, key=line.count)


def _fields(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator))


def _check_widths(
    where: str, lines: list[str], body: list[int], separator: str, names: list[str]
) -> None:
    expected = len(names)
    for i in body:
        line = lines[i]
        found = len(_fields(line, separator)) if '"' in line else line.count(separator) + 1
        if found != expected:
            hint = ""
            if separator == "," and found > expected:
                hint = "; decimal commas? write 3.2, not 3,2"
            raise InputError(
                f"{where}, row {i + 1}",
                f"has {found} fields, expected {expected} ({', '.join(names)}){hint}",
            )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
