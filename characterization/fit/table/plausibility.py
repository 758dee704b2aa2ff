"""What a table probably gets wrong without breaking any rule: sentences, and repeated rows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from characterization.fit.table.base import Table, as_floats
from characterization.fit.table.names import CANONICAL
from characterization.fit.table.units import RESISTANCE, SI, TEMPERATURE, VOLTAGE
from formats.errors import InputError
from formats.plural import plural

LARGEST_VOLTAGE = 20.0
"""V; a larger median asks whether these are millivolts."""
LONGEST_PULSE = 10.0
"""s; a longer median asks whether these are micro- or nanoseconds."""
SMALLEST_RESISTANCE = 50.0
"""ohm; a smaller median asks whether these are kiloohms. A quantum point contact has 12.9 kohm."""
WARM_CELSIUS = (-60.0, 200.0)
"""A median in this range is no likely number of kelvins, but a likely one of degrees Celsius."""


def suspicions(table: Table) -> list[str]:
    """A sentence for each column whose median suggests another unit than the one read."""
    found = []
    for column in table.frame.columns:
        quantity = CANONICAL.get(column)
        if quantity not in SI:
            continue
        values = as_floats(table.frame[column])
        values = values[np.isfinite(values)]
        if not values.size:
            continue
        middle = float(np.median(values if quantity == TEMPERATURE else np.abs(values)))
        asks = None
        if quantity == VOLTAGE and middle > LARGEST_VOLTAGE:
            asks = (f"{middle:g} V", "mV", "name the unit in the header, as in 'voltage (mV)'")
        elif column == "pulse_width_s" and middle > LONGEST_PULSE:
            asks = (f"{middle:g} s", "us or ns", "name the unit in the header, 'pulse width (us)'")
        elif quantity == RESISTANCE and 0 < middle < SMALLEST_RESISTANCE:
            asks = (f"{middle:g} ohm", "kohm", "name the unit in the header, as in 'R (kohm)'")
        elif quantity == TEMPERATURE and WARM_CELSIUS[0] < middle < WARM_CELSIUS[1]:
            asks = (f"{middle:g} K", "degrees Celsius", "name the unit, as in 'temperature (C)'")
        if asks is not None:
            size, unit, remedy = asks
            found.append(
                f"the median size in {table.naming(column)} is {size}: are these {unit}? "
                f"If so, {remedy}"
            )
    return found


def repeated_rows(parts: Iterable[tuple[Table, str]]) -> list[str]:
    """Count rows that repeat another one of their part (a table and its kind) in every column.

    Where device and cycle are both given, one row is one event: a second row with the same device,
    cycle and everything else is refused. The exception are single pulses that did not switch: a
    train of equal pulses in one cycle repeats itself until the last.

    Raises :class:`InputError` naming both rows.
    """
    own = trains = 0
    for table, kind in parts:
        again = table.frame.duplicated().to_numpy(bool)
        if not {"device", "cycle"} <= set(table.frame.columns):
            own += int(again.sum())
        elif again.any():
            _refuse_copies(table, kind, again)
            trains += int(again.sum())
    told = []
    if own:
        rows = f"{own} {plural(own, 'row')}"
        told.append(f"{rows} like an earlier one, as repeated measurements give: each counts")
    if trains:
        rows = f"{trains} {plural(trains, 'row')}"
        told.append(f"{rows} like an earlier pulse of the device and cycle: read as a train")
    return told


def _refuse_copies(table: Table, kind: str, again: np.ndarray) -> None:
    """Raise :class:`InputError` at a repeated row that is no pulse of a train."""
    frame = table.frame
    train = np.zeros(len(frame), bool)
    if kind == "pulses" and "trials" not in frame:
        train[:] = True
        if "switched" in frame:
            train = as_floats(frame["switched"]) == 0
    wrong = again & ~train
    if wrong.any():
        row = int(np.argmax(wrong))
        first = int(np.argmax((frame == frame.iloc[row]).all(axis=1).to_numpy(bool)))
        raise InputError(
            table.place(row),
            f"repeats row {int(table.lines[first])} in every column, device "
            f"{frame['device'].iloc[row]} and cycle {frame['cycle'].iloc[row]} included; remove "
            "one of them",
        )
