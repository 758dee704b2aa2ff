"""Decimal commas of a sheet in a language that writes them, where the separator is not a comma."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from characterization.fit.table.base import as_floats

COMMA = r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?"
THOUSANDS = r"[+-]?[1-9]\d{0,2}(?:,\d{3})+"
_POINT = r"[+-]?(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?"
_CHUNK = 1000


def read_decimal_commas(
    frame: pd.DataFrame, with_commas: pd.DataFrame, columns: Iterable[str]
) -> tuple[pd.DataFrame, list[str]]:
    """The frame with the decimal commas of ``columns`` read, and the columns that had them.

    ``with_commas`` is the same text parsed with the decimal comma. A column is read where its cells
    use commas and none uses a point; cells that are no number stay for a later refusal. ``1,000``
    alone may be a thousand: a column of such cells is read only where another column of the file
    shows what a comma means (``0,5``).
    """
    certain: dict[str, pd.Series] = {}
    doubtful: dict[str, pd.Series] = {}
    for name in columns:
        cells, values = frame[name], with_commas[name]
        if not pd.api.types.is_numeric_dtype(values):
            cells = cells.astype(str).str.strip()
            commas = cells.str.fullmatch(COMMA).to_numpy(bool)
            if not commas.any() or cells.str.fullmatch(_POINT).any():
                continue
            points = cells.where(~commas, cells.str.replace(",", ".", regex=False))
            values = numeric_cells(cells, as_floats(points))
        (certain if _is_certain(cells) else doubtful)[name] = values
    if not certain:
        return frame, []
    found = {**certain, **doubtful}
    return frame.assign(**found), [str(name) for name in frame.columns if name in found]


def _is_certain(cells: pd.Series) -> bool:
    """Whether any cell has a comma that cannot separate thousands."""
    for start in range(0, len(cells), _CHUNK):
        part = cells.iloc[start : start + _CHUNK].astype(str).str.strip()
        part = part[part.str.fullmatch(COMMA)]
        if len(part) and not part.str.fullmatch(THOUSANDS).all():
            return True
    return False


def numeric_cells(cells: pd.Series, values: np.ndarray) -> pd.Series:
    """``values`` where they are numbers, the cell as it was written where they are not."""
    missing = np.isnan(values)
    if not missing.any():
        return pd.Series(values, index=cells.index)
    mixed = values.astype(object)
    mixed[missing] = cells.to_numpy(object)[missing]
    return pd.Series(mixed, index=cells.index, dtype=object)
