"""The canonical columns, what each measures, and the names other people give them."""

from __future__ import annotations

import re
import unicodedata

from characterization.fit.table.units import (
    COUNT,
    LABEL,
    OUTCOME,
    RAMP_RATE,
    RESISTANCE,
    SI,
    TEMPERATURE,
    TIME,
    VOLTAGE,
)

CANONICAL: dict[str, str] = {
    "voltage_V": VOLTAGE,
    "pulse_width_s": TIME,
    "wait_time_s": TIME,
    "wait_time_low_s": TIME,
    "wait_time_high_s": TIME,
    "ramp_rate_V_per_s": RAMP_RATE,
    "set_voltage_V": VOLTAGE,
    "start_voltage_V": VOLTAGE,
    "voltage_step_V": VOLTAGE,
    "v_set_V": VOLTAGE,
    "v_reset_V": VOLTAGE,
    "r_lrs_ohm": RESISTANCE,
    "r_hrs_ohm": RESISTANCE,
    "trials": COUNT,
    "switched": OUTCOME,
    "device": LABEL,
    "cycle": COUNT,
    "temperature_K": TEMPERATURE,
    "transition": LABEL,
    "gate_voltage_V": VOLTAGE,
    "r_before_ohm": RESISTANCE,
    "r_after_ohm": RESISTANCE,
}
"""Canonical column -> what it measures (a quantity of :mod:`units`)."""

ONLY_IN = {
    "pulse_width_s": "pulses",
    "trials": "pulses",
    "wait_time_s": "waits",
    "wait_time_low_s": "waits",
    "wait_time_high_s": "waits",
    "ramp_rate_V_per_s": "ramps",
    "set_voltage_V": "ramps",
    "start_voltage_V": "ramps",
    "voltage_step_V": "ramps",
    "v_set_V": "cycling",
    "v_reset_V": "cycling",
    "r_lrs_ohm": "cycling",
    "r_hrs_ohm": "cycling",
}
"""Canonical columns that one kind of data alone has, and which."""

ALIASES: dict[str, tuple[str, ...]] = {
    "voltage_V": (
        *("v", "bias", "v_applied", "applied_voltage", "pulse_voltage", "v_pulse"),
        *("pulse_amplitude", "amplitude", "write_voltage", "v_write", "v_cell", "cell_voltage"),
        *("v_set", "set_voltage", "v_reset", "reset_voltage"),
    ),
    "pulse_width_s": (
        *("width", "pulse_duration", "pulse_length", "pulse_time", "t_pulse", "t_width"),
        *("t_p", "pw", "time", "t", "duration"),
    ),
    "wait_time_s": (
        *("wait", "waiting_time", "t_wait", "switching_time", "t_switch", "delay", "delay_time"),
        *("set_time", "t_set", "reset_time", "t_reset", "time", "t", "duration"),
    ),
    "wait_time_low_s": ("wait_low", "t_low", "wait_time_lower", "wait_time_min"),
    "wait_time_high_s": ("wait_high", "t_high", "wait_time_upper", "wait_time_max"),
    "ramp_rate_V_per_s": ("ramp", "sweep_rate", "ramp_speed", "dv/dt", "dv_dt"),
    "set_voltage_V": ("v_set", "switching_voltage", "v_switch", "v_sw"),
    "start_voltage_V": ("v_start", "ramp_start"),
    "voltage_step_V": ("v_step", "step_voltage", "ramp_step", "step_size"),
    "v_set_V": ("set_voltage",),
    "v_reset_V": ("reset_voltage",),
    "r_lrs_ohm": ("lrs", "r_on", "ron", "r_low", "lrs_resistance", "resistance_lrs"),
    "r_hrs_ohm": ("hrs", "r_off", "roff", "r_high", "hrs_resistance", "resistance_hrs"),
    "trials": ("n_trials", "number_of_trials", "pulses", "n_pulses", "attempts", "shots"),
    "switched": (
        *("switch", "success", "successes", "event", "n_switched", "switched_count"),
        *("number_switched", "has_switched"),
    ),
    "device": ("device_id", "device_name", "device_number", "dev", "cell", "cell_id"),
    "cycle": ("cycles", "cycle_number", "cycle_no", "cycle_id", "cycle_index", "n_cycle"),
    "temperature_K": ("temp", "t"),
    "transition": ("operation", "direction", "switching_direction"),
    "gate_voltage_V": (
        *("v_gate", "vg", "gate", "word_line_voltage", "wordline_voltage", "v_wl", "wl_voltage"),
    ),
    "r_before_ohm": ("resistance_before", "r_start", "r_initial", "initial_resistance", "r_pre"),
    "r_after_ohm": ("resistance_after", "r_end", "r_final", "final_resistance", "r_post"),
}
"""Other people's names, without unit. One that stands in several places is decided by the kind of
data that the other columns show, or refused."""


def base_name(column: str) -> str:
    """A canonical column's name without its unit."""
    quantity = CANONICAL[column]
    return column.removesuffix("_" + SI[quantity]) if quantity in SI else column


def key(name: str) -> str:
    """What is left of a name when case, blanks, underscores and signs do not count."""
    return re.sub(r"[^0-9a-z]", "", unicodedata.normalize("NFKC", name).casefold())


def index() -> dict[str, tuple[str, ...]]:
    """Key of a name without unit -> the canonical columns it may stand for."""
    found: dict[str, list[str]] = {}
    for column in CANONICAL:
        for name in (base_name(column), *ALIASES.get(column, ())):
            entry = found.setdefault(key(name), [])
            if column not in entry:
                entry.append(column)
    return {name: tuple(columns) for name, columns in found.items()}


def distance(one: str, other: str) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours between two words.

    Optimal string alignment distance (F. J. Damerau, 1964; recalled).
    """
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]
