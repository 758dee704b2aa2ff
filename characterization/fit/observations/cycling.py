"""Cycling records: per cycle one SET ramp and one RESET ramp, and the resistances after them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from characterization.fit.table.readers import Table
from characterization.fit.table.validation import numbers, refuse_row
from formats.errors import InputError


def as_ramps(
    table: Table,
    ramp_rate: float | None,
    voltage_step: float | None,
    reset_polarity: str = "signed",
) -> dict[str, Table]:
    """The records as two tables of ramps, "set" and "reset", in magnitudes.

    ``ramp_rate`` (V/s) stands for an absent column ``ramp_rate_V_per_s``; ``voltage_step`` (V) is
    that of the instrument, None for a smooth ramp; ``reset_polarity`` "magnitude" allows positive
    RESET voltages. Raises :class:`InputError` where neither tells
    the rate, or v_set_V and v_reset_V have the same sign.
    """
    if "ramp_rate_V_per_s" not in table.frame and ramp_rate is None:
        raise InputError(
            table.where,
            "holds cycling records without ramp_rate_V_per_s; say how fast the voltage rose with "
            "--ramp-rate V_PER_S",
        )
    set_voltage, reset_voltage = numbers(table, "v_set_V"), numbers(table, "v_reset_V")
    refuse_row(table, set_voltage <= 0, "v_set_V", "found {found}, expected a voltage above 0")
    refuse_row(table, reset_voltage == 0, "v_reset_V", "found {found}, expected a RESET voltage")
    refuse_row(
        table,
        np.sign(reset_voltage) != np.sign(reset_voltage[0]),
        "v_reset_V",
        "found {found}, of another sign than the rows before",
    )
    if reset_polarity == "signed":
        refuse_row(
            table,
            reset_voltage > 0,
            "v_reset_V",
            "found {found}, expected a negative voltage; if these are magnitudes, say "
            "--reset-polarity magnitude",
        )
    kept = [c for c in ("device", "cycle", "temperature_K", "gate_voltage_V") if c in table.frame]
    rate = (
        numbers(table, "ramp_rate_V_per_s", above=0.0)
        if "ramp_rate_V_per_s" in table.frame
        else np.full(len(table.frame), ramp_rate)
    )
    result = {}
    for name, voltage in (("set", set_voltage), ("reset", np.abs(reset_voltage))):
        columns = {
            "ramp_rate_V_per_s": rate,
            "set_voltage_V": voltage,
            "switched": np.ones(voltage.size, int),
        }
        if voltage_step is not None:
            columns["voltage_step_V"] = np.full(voltage.size, voltage_step)
        frame = pd.concat([table.frame[kept].reset_index(drop=True), pd.DataFrame(columns)], axis=1)
        result[name] = replace(table, frame=frame)
    return result
