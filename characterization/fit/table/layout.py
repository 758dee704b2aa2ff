"""The text of a table as lines: which hold rows, which comments, and how many fields each has.

Everything that touches each line works on the bytes as one array, so that a million rows cost a
fraction of a second and every row still knows its line.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

import numpy as np

from formats.errors import InputError

SEPARATORS = "\t;,"
"""In the order of preference: a comma may be a decimal comma where a tab or semicolon separates."""
_BLANKS = b" \t,;\r\"'"
_SHEET_ERROR = re.compile(rb"#(DIV/0!|N/A|REF!|VALUE!|NUM!|NAME\?|NULL!)")
_EXCEL_SEPARATOR = re.compile(rb"\"?sep=(?P<sign>[\t;,])\"?", re.IGNORECASE)
_LOOKED_AT = 20
_QUOTE = 0x22


@dataclass(frozen=True)
class Layout:
    """The lines that hold rows, in file order, beside the comments and what was skipped.

    ``starts`` and ``ends`` are byte positions in ``data``, ``lines`` the line numbers from 1.
    """

    data: bytes
    starts: np.ndarray
    ends: np.ndarray
    lines: np.ndarray
    comments: tuple[str, ...]
    comment_lines: tuple[int, ...]
    empty: int
    separator: str | None = None

    def line(self, index: int) -> str:
        """The text of a row."""
        return self.data[self.starts[index] : self.ends[index]].decode()

    def after(self, index: int) -> Layout:
        """The rows from ``index`` on."""
        cut = slice(index, None)
        return Layout(
            self.data,
            self.starts[cut],
            self.ends[cut],
            self.lines[cut],
            self.comments,
            self.comment_lines,
            self.empty,
            self.separator,
        )

    def text(self) -> bytes:
        """The rows as one text, without what was skipped between them."""
        first, last = int(self.starts[0]), int(self.ends[-1])
        if np.all(self.starts[1:] == self.ends[:-1] + 1):
            return self.data[first:last]
        mask = np.zeros(len(self.data) + 1, np.int8)
        mask[self.starts] += 1
        mask[np.minimum(self.ends + 1, len(self.data))] -= 1
        inside = np.cumsum(mask[:-1], dtype=np.int8).astype(bool)
        return np.frombuffer(self.data, np.uint8)[inside].tobytes()


def lay_out(data: bytes) -> Layout:
    """Find the lines of UTF-8 text; CR, LF and CRLF end a line, ``#`` opens a comment.

    Lines of nothing but blanks and separators (a sheet's unused rows) are skipped and, where they
    hold separators, counted in ``empty``.
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    array = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(array == ord("\n"))
    if data and not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.concatenate(([0], ends[:-1] + 1)) if ends.size else ends
    first = array[np.minimum(starts, max(len(data) - 1, 0))]
    keep = np.ones(len(starts), bool)
    comments, comment_lines, empty = [], [], 0
    separator = None
    for i in np.flatnonzero((first == ord("#")) | (first <= ord(" ")) | np.isin(first, [44, 59])):
        line = data[starts[i] : ends[i]]
        if line.startswith(b"#") and not _SHEET_ERROR.match(line):
            comments.append(line.decode().lstrip("# ").rstrip())
            comment_lines.append(int(i) + 1)
            keep[i] = False
        elif not line.strip(_BLANKS):
            empty += bool(line.strip())
            keep[i] = False
    if keep.any() and (
        match := _EXCEL_SEPARATOR.fullmatch(
            data[starts[keep.argmax()] : ends[keep.argmax()]].strip()
        )
    ):
        separator = match["sign"].decode()
        keep[keep.argmax()] = False
    return Layout(
        data,
        starts[keep],
        ends[keep],
        np.flatnonzero(keep) + 1,
        tuple(comments),
        tuple(comment_lines),
        empty,
        separator,
    )


def separator_of(layout: Layout, is_tsv: bool) -> str:
    """The separator: told by the file, else the first that all the first lines hold alike."""
    if layout.separator is not None:
        return layout.separator
    if is_tsv:
        return "\t"
    heads = [layout.line(i) for i in range(min(_LOOKED_AT, len(layout.lines)))]
    for separator in SEPARATORS:
        counts = {len(fields(line, separator)) for line in heads}
        if len(counts) == 1 and counts != {1}:
            return separator
    return max(SEPARATORS, key=heads[0].count)


def fields(line: str, separator: str) -> list[str]:
    """The fields of one line, quotes respected, blanks around them dropped."""
    try:
        found = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:  # a field beyond the module's limit: no header, no number
        found = line.split(separator)
    return [field.strip() for field in found]


def check_widths(where: str, layout: Layout, separator: str, names: tuple[str, ...]) -> None:
    """Raise :class:`InputError` at the first row that has not one field a column."""
    array = np.frombuffer(layout.data, np.uint8)
    positions = np.flatnonzero(array == ord(separator))
    widths = 1 + np.searchsorted(positions, layout.ends) - np.searchsorted(positions, layout.starts)
    if b'"' in layout.data:
        quotes = np.flatnonzero(array == _QUOTE)
        line = np.searchsorted(layout.starts, positions, side="right") - 1
        before = np.searchsorted(quotes, layout.starts)
        _refuse_open_quotes(where, layout, separator, np.searchsorted(quotes, layout.ends) - before)
        quoted = (np.searchsorted(quotes, positions) - before[line]) % 2 == 1
        inside = quoted & (line >= 0) & (positions < layout.ends[line])
        widths -= np.bincount(line[inside], minlength=widths.size)
        for i in np.flatnonzero(widths != len(names)):  # a quote may also be part of a word
            widths[i] = len(fields(layout.line(int(i)), separator))
            if widths[i] != len(names):
                break
    wrong = widths != len(names)
    if not np.any(wrong):
        return
    row = int(np.argmax(wrong))
    found, expected = int(widths[row]), len(names)
    hint = ""
    if separator == "," and found > expected:
        hint = "; decimal commas? write 3.2, not 3,2, or separate the columns with semicolons"
    raise InputError(
        f"{where}, row {int(layout.lines[row])}",
        f"has {found} fields, expected {expected} ({', '.join(names)}){hint}",
    )


def _refuse_open_quotes(where: str, layout: Layout, separator: str, quotes: np.ndarray) -> None:
    """Raise :class:`InputError` at the first row that opens a quote and does not close it."""
    for i in np.flatnonzero(quotes % 2 == 1):
        try:
            next(csv.reader([layout.line(int(i))], delimiter=separator, strict=True))
        except csv.Error as error:
            raise InputError(
                f"{where}, row {int(layout.lines[i])}",
                "opens a quote and does not close it; keep a row on one line",
            ) from error
