"""The rows of a table as pulses or waits: checked, grouped, ready for a likelihood.

Identical rows are merged with a weight and sorted, so neither the order of the rows nor the way
they were counted can change a fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from characterization.fit.table.readers import Table
from characterization.fit.table.validation import numbers, refuse_row, texts
from formats.errors import InputError

OPTIONAL_COLUMNS = (
    "device",
    "cycle",
    "temperature_K",
    "transition",
    "gate_voltage_V",
    "r_before_ohm",
    "r_after_ohm",
)
KIND_COLUMNS = {
    "pulses": ("voltage_V", "pulse_width_s", "trials", "switched"),
    "waits": ("voltage_V", "wait_time_s", "switched"),
}
_OTHER_KINDS = {
    "ramp_rate_V_per_s": "voltage ramps",
    "wait_time_low_s": "interval-censored waits",
    "v_set_V": "cycling records",
}


@dataclass(frozen=True)
class Pulses:
    """Groups of equal pulses: voltage (V), width (s), trials and switched counts."""

    voltage: np.ndarray
    width: np.ndarray
    trials: np.ndarray
    switched: np.ndarray
    kind: ClassVar[str] = "pulses"

    @property
    def size(self) -> float:
        """Number of yes/no outcomes."""
        return float(self.trials.sum())

    @property
    def duration(self) -> np.ndarray:
        """The times (s) the law is evaluated at."""
        return self.width


@dataclass(frozen=True)
class Waits:
    """Waits at constant voltage (V): time (s), 1 switched or 0 still waiting, and multiplicity."""

    voltage: np.ndarray
    time: np.ndarray
    switched: np.ndarray
    weight: np.ndarray
    kind: ClassVar[str] = "waits"

    @property
    def size(self) -> float:
        """Number of rows."""
        return float(self.weight.sum())

    @property
    def duration(self) -> np.ndarray:
        """The times (s) the law is evaluated at."""
        return self.time


Observations = Pulses | Waits


def group_pulses(
    voltage: np.ndarray, width: np.ndarray, trials: np.ndarray, switched: np.ndarray
) -> Pulses:
    """Sum the counts of rows of equal voltage and width."""
    keys, (n, s) = _merge((voltage, width), (trials, switched))
    return Pulses(keys[0], keys[1], n, s)


def group_waits(voltage: np.ndarray, time: np.ndarray, switched: np.ndarray) -> Waits:
    """Count rows of equal voltage, time and outcome."""
    keys, (weight,) = _merge((voltage, time, switched), (np.ones(len(voltage)),))
    return Waits(keys[0], keys[1], keys[2], weight)


def recognise_kind(table: Table, kind: str | None) -> str:
    """The kind of data, from the option or from the columns; raises :class:`InputError`."""
    if kind is not None:
        if kind not in KIND_COLUMNS:
            raise InputError("--kind", f"{kind!r} is not one of {', '.join(KIND_COLUMNS)}")
        return kind
    columns = set(table.frame.columns)
    for column, what in _OTHER_KINDS.items():
        if column in columns:
            raise InputError(
                table.where, f"has the column {column}: {what} are not fitted, only pulses or waits"
            )
    found = [k for k, c in (("pulses", "pulse_width_s"), ("waits", "wait_time_s")) if c in columns]
    if len(found) != 1:
        raise InputError(
            table.where,
            f"has the columns {', '.join(map(str, table.frame.columns))}; expected either "
            f"{','.join(KIND_COLUMNS['pulses'])} (trials may be absent) or "
            f"{','.join(KIND_COLUMNS['waits'])}",
        )
    return found[0]


def check_columns(
    table: Table, kind: str, *, switched_below: float | None, named: bool
) -> list[str]:
    """Refuse missing and unknown columns; return the columns that were named but not used.

    ``named``: the user named the columns, so a foreign one is meant to be there.
    """
    columns = [str(column) for column in table.frame.columns]
    needed = [c for c in KIND_COLUMNS[kind] if c != "trials"]
    if switched_below is not None:
        if kind != "pulses":
            raise InputError("--switched-below", "applies to pulses only")
        if "switched" in columns or "trials" in columns:
            raise InputError(
                "--switched-below",
                f"{table.where} already says what switched; drop the option or the columns "
                "switched and trials",
            )
        needed = [c for c in needed if c != "switched"] + ["r_after_ohm"]
    missing = [column for column in needed if column not in columns]
    if missing:
        hint = ""
        if "switched" in missing and "r_after_ohm" in columns:
            hint = "; derive it with --switched-below OHM"
        raise InputError(
            table.where,
            f"lacks the column {missing[0]} (kind {kind} needs {','.join(needed)}){hint}",
        )
    unknown = [c for c in columns if c not in (*KIND_COLUMNS[kind], *OPTIONAL_COLUMNS)]
    if unknown and not named:
        raise InputError(
            table.where,
            f"has the unknown column {unknown[0]!r}; expected {','.join(KIND_COLUMNS[kind])} and "
            f"optionally {','.join(OPTIONAL_COLUMNS)} (name foreign columns with --columns)",
        )
    return unknown


def observe(table: Table, kind: str, switched_below: float | None = None) -> Observations:
    """Check the rows and group them; raises :class:`InputError` for the first wrong one."""
    _check_direction(table)
    voltage = numbers(table, "voltage_V")
    refuse_row(
        table,
        voltage <= 0,
        "voltage_V",
        "found {found}: voltages of RESET data (negative) or zero are not fitted, SET only; "
        "select with --where 'voltage_V>0'",
    )
    _check_fresh_starts(table)
    observed: Observations
    if kind == "pulses":
        observed = _observe_pulses(table, voltage, switched_below)
        total, switched = observed.trials.sum(), observed.switched.sum()
    else:
        time = numbers(table, "wait_time_s", above=0.0)
        observed = group_waits(voltage, time, _outcomes(table))
        total, switched = observed.size, float(np.sum(observed.weight * observed.switched))
    _check_identifiable(table, observed, total, switched)
    return observed


def outcomes(table: Table, switched_below: float | None) -> np.ndarray:
    """1 switched, 0 not, of each row of single outcomes."""
    if switched_below is None:
        return _outcomes(table)
    return (numbers(table, "r_after_ohm", above=0.0) < switched_below).astype(float)


def temperature(table: Table) -> float | None:
    """The one temperature (K) of the table, None if it has no such column."""
    if "temperature_K" not in table.frame:
        return None
    values = numbers(table, "temperature_K", above=0.0)
    refuse_row(
        table,
        values != values[0],
        "temperature_K",
        f"found {{found}} after {values[0]:g}: temperatures are not mixed in one fit; select one "
        f"with --where 'temperature_K=={values[0]:g}'",
    )
    return float(values[0])


def rows_per_device(table: Table) -> tuple[int, int] | None:
    """(devices, largest number of rows of one device), None without a device column."""
    if "device" not in table.frame:
        return None
    _, counts = np.unique(texts(table, "device").astype(str), return_counts=True)
    return int(counts.size), int(counts.max())


def count_summary(data: Observations) -> dict[str, Any]:
    """The counts shown to the user."""
    voltages = int(np.unique(data.voltage).size)
    if isinstance(data, Pulses):
        return {
            "trials": int(data.trials.sum()),
            "switched": int(data.switched.sum()),
            "groups": int(data.voltage.size),
            "voltages": voltages,
            "widths": int(np.unique(data.width).size),
        }
    switched = int(np.sum(data.weight * data.switched))
    return {
        "switched": switched,
        "still_waiting": int(data.size) - switched,
        "groups": int(data.voltage.size),
        "voltages": voltages,
    }


def _observe_pulses(table: Table, voltage: np.ndarray, switched_below: float | None) -> Pulses:
    width = numbers(table, "pulse_width_s", above=0.0)
    if "trials" not in table.frame:
        switched = outcomes(table, switched_below)
        return group_pulses(voltage, width, np.ones(len(voltage)), switched)
    trials = numbers(table, "trials", above=0.0, integer=True)
    switched = numbers(table, "switched", integer=True)
    refuse_row(table, switched < 0, "switched", "found {found}, expected a count of at least 0")
    above = switched > trials
    if np.any(above):
        limit = trials[int(np.argmax(above))]
        refuse_row(table, above, "switched", f"found {{found}}, more than the {limit:g} trials")
    return group_pulses(voltage, width, trials, switched)


def _outcomes(table: Table) -> np.ndarray:
    switched = numbers(table, "switched")
    refuse_row(
        table,
        (switched != 0) & (switched != 1),
        "switched",
        "found {found}, expected 0 or 1 (counts need a column trials)",
    )
    return switched


def _check_direction(table: Table) -> None:
    if "transition" in table.frame:
        words = np.char.lower(texts(table, "transition").astype(str))
        refuse_row(
            table,
            words != "set",
            "transition",
            "found {found!r}: only SET rows are fitted; select with --where 'transition==set'",
        )


def _check_fresh_starts(table: Table) -> None:
    if "cycle" not in table.frame:
        return
    labels = [texts(table, column) for column in ("device", "cycle") if column in table.frame]
    seen = set()
    for row, key in enumerate(zip(*labels, strict=True)):
        if key in seen:
            raise InputError(
                table.place(row, "cycle"),
                f"cycle {key[-1]} occurs twice for one device, a train of pulses; each row must be "
                "a fresh start from HRS (one row per device and cycle)",
            )
        seen.add(key)


def _check_identifiable(table: Table, data: Observations, total: float, switched: float) -> None:
    if switched == 0:
        raise InputError(
            table.where,
            f"none of the {total:g} outcomes switched: tau cannot be found; add higher voltages or "
            "longer times, or check what counts as switched",
        )
    if isinstance(data, Pulses) and switched == total:
        raise InputError(
            table.where,
            f"all {total:g} pulses switched: tau cannot be found; add lower voltages or "
            "shorter pulses",
        )
    voltages = np.unique(data.voltage)
    if voltages.size == 1:
        raise InputError(
            f"{table.where}, column voltage_V",
            f"holds only {voltages[0]:g} V: V0 needs at least two voltages",
        )
    if isinstance(data, Pulses) and not np.any((data.switched > 0) & (data.switched < data.trials)):
        raise InputError(
            table.where,
            "every group of equal pulses switched always or never: tau and V0 are only bracketed; "
            "add voltages or widths between, with several trials each",
        )


def _merge(
    keys: tuple[np.ndarray, ...], sums: tuple[np.ndarray, ...]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    order = np.lexsort(keys[::-1])
    ordered = [np.asarray(key, float)[order] for key in keys]
    new = np.zeros(len(order), bool)
    new[0] = True
    for key in ordered:
        new[1:] |= key[1:] != key[:-1]
    starts = np.flatnonzero(new)
    totals = [np.add.reduceat(np.asarray(total, float)[order], starts) for total in sums]
    return [key[starts] for key in ordered], totals
