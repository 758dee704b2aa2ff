"""Waits at constant voltage: exact, right-censored (still waiting), or known to an interval."""

from __future__ import annotations

import numpy as np

from characterization.fit.observations.base import Observations, Rows, Step, chains, single
from characterization.fit.observations.columns import (
    cycle_order,
    device_index,
    refuse_repeated_cycles,
    temperatures,
    zero_or_one,
)
from characterization.fit.table.readers import Table
from characterization.fit.table.validation import numbers, refuse_row


def observe_waits(table: Table) -> Observations:
    """Waits in magnitudes; raises :class:`InputError`."""
    voltage = numbers(table, "voltage_V", above=0.0)
    device, devices = device_index(table)
    heat = temperatures(table)
    refuse_repeated_cycles(table, "wait")
    if "wait_time_s" not in table.frame:
        return _intervals(table, voltage, device, devices, heat)
    time = numbers(table, "wait_time_s", above=0.0)
    switched = zero_or_one(table)
    rows = Rows(np.empty(0, int), 2 * switched.astype(int), device, cycle_order(table), table.lines)
    return single(
        "waits",
        voltage,
        time,
        exact=switched,
        waiting=1 - switched,
        temperature=heat,
        device=device,
        devices=devices,
        rows=rows,
    )


def _intervals(
    table: Table,
    voltage: np.ndarray,
    device: np.ndarray,
    devices: tuple[str, ...],
    heat: np.ndarray | None,
) -> Observations:
    """Between low (0: from the start) and high (empty or inf: still waiting at low)."""
    low = numbers(table, "wait_time_low_s")
    refuse_row(table, low < 0, "wait_time_low_s", "found {found}, expected a time of at least 0")
    raw = table.frame["wait_time_high_s"]
    text = np.asarray([str(value).strip().lower() for value in raw])
    open_end = np.isin(text, ["", "inf", "+inf", "infinity", "nan"])
    closed = table.keep(~open_end)
    high = np.full(low.size, np.inf)
    if len(closed.frame):
        high[~open_end] = numbers(closed, "wait_time_high_s", above=0.0)
    refuse_row(
        table,
        high <= low,
        "wait_time_high_s",
        "found {found}, not above wait_time_low_s; an exact time belongs into wait_time_s",
    )
    refuse_row(
        table,
        open_end & (low == 0),
        "wait_time_low_s",
        "found {found} with an open end: that says nothing; expected the time waited so far",
    )
    present = low > 0
    steps = [
        Step(voltage, np.where(present, low, 1.0), present),
        Step(voltage, np.where(open_end, 1.0, high - low), ~open_end),
    ]
    outcome = np.where(open_end, 0, 1)
    rows = Rows(np.empty(0, int), outcome, device, cycle_order(table), table.lines)
    return chains(
        "waits",
        steps,
        outcome,
        temperature=heat,
        device=device,
        devices=devices,
        rows=rows,
    )
