"""Which rows are SET and which RESET, by the sign of the voltage and the column ``transition``.

``voltage_V`` is signed, SET positive and RESET negative (V of the active against the inert
electrode); everything behind this file works with magnitudes of one polarity.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from characterization.fit.table.base import Table
from characterization.fit.table.validation import numbers, refuse_row, texts
from formats.errors import InputError

SIGNED, MAGNITUDE = "signed", "magnitude"
SET_WORDS = ("set", "program", "programme", "prog", "write", "on", "hrstolrs", "hrslrs")
RESET_WORDS = ("reset", "erase", "off", "lrstohrs", "lrshrs")
_VOLTAGES = ("voltage_V", "set_voltage_V", "start_voltage_V")
_SPEEDS = ("voltage_step_V", "ramp_rate_V_per_s")
"""Of a falling ramp these are given with a sign or without: their magnitude counts."""


def polarity(
    table: Table, kind: str, option: str = SIGNED, direction: str | None = None
) -> dict[str, Table]:
    """Split rows into "set" and "reset", those that there are, with voltages as magnitudes.

    A row's direction is its word in ``transition``, else ``direction`` where the caller knows it
    for all rows, else the sign of its voltage. RESET voltages are negative; positive ones are read
    as magnitudes with ``option`` "magnitude" only, and then a table of positive voltages without
    ``transition`` is RESET as a whole. The column is ``set_voltage_V`` for ``kind`` "ramps",
    ``voltage_V`` otherwise; what was taken as what is added to the notes of the tables.

    Raises :class:`InputError` for an unknown option, and by row for an unknown word, a voltage of
    0 or a sign that contradicts the direction.
    """
    if option not in (SIGNED, MAGNITUDE):
        raise InputError("--reset-polarity", f"{option!r} is not {SIGNED} or {MAGNITUDE}")
    column = "set_voltage_V" if kind == "ramps" else "voltage_V"
    voltage = numbers(table, column)
    refuse_row(
        table,
        voltage == 0,
        column,
        "found {found}: a row at 0 V is neither SET nor RESET; leave it out with "
        f"--where '{column}!=0'",
    )
    reset = _words(table)
    by_sign = reset is None and direction is None
    if reset is None:
        whole = direction == "reset" or (direction is None and option == MAGNITUDE)
        reset = voltage < 0 if by_sign and option == SIGNED else np.full(voltage.shape, whole)
    _check_signs(table, column, voltage, reset, option)
    notes = []
    if by_sign and reset.any() and not reset.all():
        notes.append(f"{int(reset.sum())} of {reset.size} rows are RESET, by their negative sign")
    if option == MAGNITUDE and reset.any():
        everything = " (all rows: there is no column transition)" if by_sign else ""
        notes.append(f"{column} of RESET rows read as a magnitude{everything}")
    noted = table.noting(notes)
    found = {"set": noted.keep(~reset)} if not reset.all() else {}
    if reset.any():
        found["reset"] = _magnitudes(noted.keep(reset), 1.0 if option == MAGNITUDE else -1.0)
    return found


def _words(table: Table) -> np.ndarray | None:
    """True where ``transition`` says RESET, False where SET; None without the column."""
    if "transition" not in table.frame:
        return None
    labels = texts(table, "transition")
    kinds = {label: re.sub(r"[^a-z]", "", label.casefold()) for label in set(labels)}
    unknown = {k for k, word in kinds.items() if word not in SET_WORDS + RESET_WORDS}
    refuse_row(
        table,
        np.isin(labels.astype(str), list(unknown)),
        "transition",
        "found {found!r}, expected set or reset (program, write and on, erase and off are read so)",
    )
    is_reset = {label: word in RESET_WORDS for label, word in kinds.items()}
    return np.asarray([is_reset[label] for label in labels], dtype=bool)


def _check_signs(
    table: Table, column: str, voltage: np.ndarray, reset: np.ndarray, option: str
) -> None:
    refuse_row(
        table,
        ~reset & (voltage < 0),
        column,
        "found {found} in a SET row; SET voltages are positive (active against inert electrode). "
        "Swap the sign of the column, or correct its direction",
    )
    if option == MAGNITUDE:
        refuse_row(
            table,
            reset & (voltage < 0),
            column,
            "found {found} in a RESET row with --reset-polarity magnitude, expected a magnitude",
        )
    else:
        refuse_row(
            table,
            reset & (voltage > 0),
            column,
            "found {found} in a RESET row; RESET voltages are negative. If these are magnitudes, "
            "say --reset-polarity magnitude",
        )


def _magnitudes(table: Table, sign: float) -> Table:
    """RESET rows with voltages times ``sign``."""
    frame = table.frame.copy(deep=False)
    for column in (*_VOLTAGES, *_SPEEDS):
        if column in frame:
            values = numbers(table, column)
            frame[column] = np.abs(values) if column in _SPEEDS else sign * values
    return replace(table, frame=frame)
