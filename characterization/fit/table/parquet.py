"""Reads a Parquet file with fastparquet, which pandas will drop as an engine of its own.

Its decoder is compiled and never comes back from some damaged files: a child process tries first.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
import pandas as pd

from formats.child import refusal
from formats.errors import InputError

MAGIC = b"PAR1"
LARGEST = 50_000_000
"""Values (rows times columns) that are accepted."""


def read_parquet(data: bytes, where: str) -> pd.DataFrame:
    """The columns of a Parquet file as numbers or text.

    Raises :class:`InputError` where it cannot be read, is too large, or holds nested columns or
    dates.
    """
    if reason := refusal("characterization.fit.table.parquet:decoded", where, data):
        raise InputError(where, f"cannot be read as Parquet ({reason}); try CSV")
    frame = decoded(where, data)
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    if frame.empty:
        raise InputError(where, "holds no rows")
    frame.columns = [str(name) for name in frame.columns]
    return frame.apply(lambda column: _plain(column, where))


def decoded(where: str, data: bytes) -> pd.DataFrame:
    """The columns as fastparquet gives them; it raises whatever its decoder meets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fastparquet asks for options pandas has retired
        import fastparquet

        file = fastparquet.ParquetFile(io.BytesIO(data))
        size = int(file.count()) * max(1, len(file.columns))
        if size > LARGEST:
            raise ValueError(f"it holds {size} values, more than {LARGEST}: split it")
        frame: pd.DataFrame = file.to_pandas()
        return frame


def _plain(column: pd.Series, where: str) -> pd.Series:
    """Numbers as they are; text, categories and bytes as text, with '' for what is missing."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        raise InputError(
            f"{where}, column {column.name!r}",
            "holds dates or time spans; store seconds as numbers, or leave the column out",
        )
    if pd.api.types.is_bool_dtype(column) and not column.isna().any():
        return column.astype(bool)
    if pd.api.types.is_numeric_dtype(column):
        return pd.Series(column.to_numpy(float, na_value=np.nan), name=column.name)
    cells = [_cell(value, where, str(column.name)) for value in column]
    return pd.Series(cells, name=column.name, dtype=object)


def _cell(value: object, where: str, name: str) -> object:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, (list, dict, np.ndarray, tuple)):
        raise InputError(
            f"{where}, column {name!r}", "holds lists; expected one number or word a row"
        )
    return value if isinstance(value, (int, float, bool)) else str(value)
