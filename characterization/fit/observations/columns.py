"""Columns every kind shares: devices, cycles, temperature, 0/1 outcomes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from characterization.fit.table.base import Table, as_floats
from characterization.fit.table.validation import numbers, refuse_row, texts


def device_index(table: Table) -> tuple[np.ndarray, tuple[str, ...]]:
    """An index for each row and the labels, in order of appearance; zeros without the column."""
    if "device" not in table.frame:
        return np.zeros(len(table.frame), int), ()
    codes, labels = pd.factorize(texts(table, "device").astype(str))
    return np.asarray(codes, int), tuple(str(label) for label in labels)


def cycle_order(table: Table) -> np.ndarray | None:
    """The cycle of each row as a number; its rank of appearance where it is a label."""
    if "cycle" not in table.frame:
        return None
    values = as_floats(table.frame["cycle"])
    if np.all(np.isfinite(values)):
        return values
    codes, _ = pd.factorize(texts(table, "cycle").astype(str))
    return np.asarray(codes, float)


def temperatures(table: Table) -> np.ndarray | None:
    """Temperature (K) of each row where they differ, else None."""
    if "temperature_K" not in table.frame:
        return None
    values = numbers(table, "temperature_K", above=0.0)
    return None if np.all(values == values[0]) else values


def one_temperature(table: Table) -> float | None:
    """The temperature (K) of all rows, None without the column or where they differ."""
    if "temperature_K" not in table.frame or temperatures(table) is not None:
        return None
    return float(numbers(table, "temperature_K", above=0.0)[0])


def zero_or_one(table: Table) -> np.ndarray:
    """The column ``switched`` of single outcomes."""
    switched = numbers(table, "switched")
    refuse_row(
        table,
        (switched != 0) & (switched != 1),
        "switched",
        "found {found}, expected 0 or 1 (counts need a column trials)",
    )
    return switched


def refuse_repeated_cycles(table: Table, what: str) -> None:
    """Raise :class:`InputError` where one device has a cycle twice: ``what`` has no trains."""
    if "cycle" not in table.frame:
        return
    device, _ = device_index(table)
    order = cycle_order(table)
    repeated = pd.DataFrame({"device": device, "cycle": order}).duplicated().to_numpy()
    refuse_row(
        table,
        repeated,
        "cycle",
        f"found {{found}} a second time for one device; a cycle holds one {what}, from a fresh "
        "start to its end",
    )
