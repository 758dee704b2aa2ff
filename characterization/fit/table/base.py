"""A table of measurements: rows that remember the line, and columns the header, they came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Table:
    """Rows of a file in canonical columns and SI units.

    ``lines`` are the line numbers of the rows in ``where``; ``origins`` the file's own header of
    each column that was renamed or converted. A cell that is not a number stays as it was written
    until :func:`~characterization.fit.table.validation.numbers` refuses it. ``notes`` are plain
    sentences on what the reader converted.
    """

    where: str
    frame: pd.DataFrame
    lines: np.ndarray
    comments: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def place(self, row: int, column: str | None = None) -> str:
        """Where a row (counted from 0) stands, in the words of an error message."""
        text = f"{self.where}, row {int(self.lines[row])}"
        return text if column is None else f"{text}, {self.naming(column)}"

    def naming(self, column: str) -> str:
        """The words ``column name``, with the file's own header where that differs."""
        if column in self.origins:
            return f"column {column} ({self.origins[column]!r} in the file)"
        return f"column {column}"

    def keep(self, mask: np.ndarray) -> Table:
        """The rows of the mask only."""
        return replace(
            self, frame=self.frame.loc[mask].reset_index(drop=True), lines=self.lines[mask]
        )

    def noting(self, sentences: Iterable[str]) -> Table:
        """The same table with more notes."""
        return replace(self, notes=(*self.notes, *sentences))


def as_floats(cells: pd.Series) -> np.ndarray:
    """The cells as floats: NaN where one is no number, infinite where it is too large for one."""
    try:
        return np.asarray(pd.to_numeric(cells, errors="coerce"), dtype=float)
    except OverflowError:  # an integer of hundreds of digits
        return np.asarray(pd.to_numeric(cells.astype(str), errors="coerce"), dtype=float)


def table_of_frame(frame: pd.DataFrame, where: str = "table") -> Table:
    """A table from memory, its columns canonical and in SI units; its rows count from 1."""
    return Table(where, frame.reset_index(drop=True), np.arange(1, len(frame) + 1))
