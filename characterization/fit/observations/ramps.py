"""Voltage ramps: where each switched, or where it ended without; smooth, or in known steps."""

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

MOST_STEPS = 20_000
_OFF_STEP = 0.1
"""Share of a step by which a voltage may miss a level of the staircase (rounding of the file)."""


def observe_ramps(table: Table) -> Observations:
    """Ramps in magnitudes; ``set_voltage_V`` is where it switched, or ended without.

    Without ``voltage_step_V`` the ramp is smooth and the voltage exact. With it the instrument
    steps from ``start_voltage_V`` by that much every step/rate seconds, and the switch lies
    somewhere in the dwell at ``set_voltage_V``. Raises :class:`InputError`.
    """
    rate = numbers(table, "ramp_rate_V_per_s", above=0.0)
    top = numbers(table, "set_voltage_V", above=0.0)
    switched = zero_or_one(table)
    start = np.zeros(top.size)
    if "start_voltage_V" in table.frame:
        start = numbers(table, "start_voltage_V")
        refuse_row(
            table, start < 0, "start_voltage_V", "found {found}, expected 0 or above (magnitude)"
        )
    device, devices = device_index(table)
    heat = temperatures(table)
    refuse_repeated_cycles(table, "ramp")
    stepped = "voltage_step_V" in table.frame
    outcome = (1 if stepped else 2) * switched.astype(int)
    rows = Rows(np.empty(0, int), outcome, device, cycle_order(table), table.lines)
    common = {"temperature": heat, "device": device, "devices": devices, "rows": rows}
    if stepped:
        steps = _staircase(table, rate, start, top)
        return chains("ramps", steps, outcome, **common)  # type: ignore[arg-type]
    refuse_row(
        table,
        top <= start,
        "set_voltage_V",
        "found {found}, not above start_voltage_V: the ramp never began",
    )
    return single(
        "ramps",
        top,
        (top - start) / rate,
        exact=switched,
        waiting=1 - switched,
        start=start,
        **common,  # type: ignore[arg-type]
    )


def _staircase(table: Table, rate: np.ndarray, start: np.ndarray, top: np.ndarray) -> list[Step]:
    step = numbers(table, "voltage_step_V", above=0.0)
    count = np.round((top - start) / step)
    refuse_row(
        table,
        np.abs(top - start - count * step) > _OFF_STEP * step,
        "set_voltage_V",
        "found {found}, which is no level of the staircase (start_voltage_V plus whole "
        "voltage_step_V)",
    )
    refuse_row(table, count < 0, "set_voltage_V", "found {found}, below start_voltage_V")
    refuse_row(
        table,
        count > MOST_STEPS,
        "voltage_step_V",
        f"found {{found}}: more than {MOST_STEPS:,} steps to set_voltage_V; leave the column out "
        "(a smooth ramp)",
    )
    dwell = step / rate
    return [
        Step(
            start + level * step,
            dwell,
            (level <= count) & ((start + level * step > 0) | (level == count)),
        )
        for level in range(int(count.max()) + 1)
    ]
