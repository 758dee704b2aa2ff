"""Reads a Parquet file with fastparquet, which pandas will drop as an engine of its own.

Its decoder is compiled, and hangs or crashes at some damaged files: only a child process uses it,
and hands back the columns as numbers and JSON.
"""

from __future__ import annotations

import io
import json
import warnings

import numpy as np
import pandas as pd

from formats.child import RefusedError, delivered
from formats.errors import InputError

MAGIC = b"PAR1"
LARGEST = 50_000_000
"""Values (rows times columns) that are accepted."""
_REFUSALS = {
    "dates": "holds dates or time spans; store seconds as numbers, or leave the column out",
    "lists": "holds lists; expected one number or word a row",
}
_DTYPES = {"numbers": float, "truths": bool}


def read_parquet(data: bytes, where: str) -> pd.DataFrame:
    """The columns of a Parquet file as numbers or text, '' for a text that is missing.

    Raises :class:`InputError` where it cannot be read, is too large, or holds nested columns or
    dates.
    """
    try:
        stream = io.BytesIO(delivered("characterization.fit.table.parquet:packed", where, data))
    except RefusedError as reason:
        raise InputError(where, f"cannot be read as Parquet ({reason}); try CSV") from reason
    columns = []
    for name, kind, size in json.loads(stream.readline()):
        if kind in _REFUSALS:
            raise InputError(f"{where}, column {name!r}", _REFUSALS[kind])
        content = stream.read(size)
        if kind in _DTYPES:
            values = np.frombuffer(content, _DTYPES[kind]).copy()  # may be written to
            columns.append(pd.Series(values, name=name))
        else:
            columns.append(pd.Series(json.loads(content), name=name, dtype=object))
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame()
    if frame.empty:
        raise InputError(where, "holds no rows")
    return frame


def packed(_: str, data: bytes) -> bytes:
    """What the child makes of the file: a line with name, kind and size of each column, then these.

    It raises whatever the decoder meets.
    """
    frame = _decoded(data)
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    columns = [(str(name), *_plain(frame.iloc[:, i])) for i, name in enumerate(frame.columns)]
    header = json.dumps([(name, kind, len(content)) for name, kind, content in columns])
    return b"".join([header.encode(), b"\n", *(content for _, _, content in columns)])


def _decoded(data: bytes) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fastparquet asks for options pandas has retired
        import fastparquet

        file = fastparquet.ParquetFile(io.BytesIO(data))
        size = int(file.count()) * max(1, len(file.columns))
        if size > LARGEST:
            raise ValueError(f"it holds {size} values, more than {LARGEST}: split it")
        frame: pd.DataFrame = file.to_pandas()
        return frame


def _plain(column: pd.Series) -> tuple[str, bytes]:
    """The kind of a column and its values: numbers as they are, all else cell by cell."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column):
        return "dates", b""
    if pd.api.types.is_bool_dtype(column) and not column.isna().any():
        return "truths", column.to_numpy(bool).tobytes()
    if pd.api.types.is_numeric_dtype(column):
        return "numbers", column.to_numpy(float, na_value=np.nan).tobytes()
    if any(isinstance(value, (list, dict, np.ndarray, tuple)) for value in column):
        return "lists", b""
    return "cells", json.dumps([_cell(value) for value in column]).encode()


def _cell(value: object) -> object:
    """A number as it is, anything else as text."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return value if isinstance(value, (int, float, bool)) else str(value)
