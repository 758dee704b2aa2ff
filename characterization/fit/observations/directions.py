"""The directions of a table: SET and RESET rows, in magnitudes, that started where they must."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from characterization.fit.choices import Choices
from characterization.fit.conduction.deembed import cell_voltage
from characterization.fit.conduction.transistor import parse_transistor
from characterization.fit.observations.cycling import as_ramps
from characterization.fit.observations.pulses import after_the_switch
from characterization.fit.table.polarity import polarity
from characterization.fit.table.readers import Table
from characterization.fit.table.states import Threshold, find_threshold
from characterization.fit.table.validation import numbers
from devices.defaults import assumed_conduction
from formats.errors import InputError

TERMINAL = "terminal_voltage_V"
"""Where the voltage of transistor and device together is kept once the cell's is known."""
_ONLY_FOR = {"set": ("start_above", "switched_below"), "reset": ("start_below", "switched_above")}


@dataclass(frozen=True)
class Part:
    """Rows of one direction.

    ``threshold`` (ohm) is what made a row switched, None if the table says; ``whole`` are the rows
    before those after the switch of a train were left out.
    """

    direction: str
    kind: str
    table: Table
    threshold: float | None
    sentences: tuple[str, ...]
    whole: Table


def parts_of(table: Table, kind: str, choices: Choices) -> tuple[list[Part], list[dict[str, Any]]]:
    """Split, drop rows that did not start in the starting state, derive what switched.

    The list of exclusions says how many rows, and why. Raises :class:`InputError`.
    """
    _check_options(kind, choices)
    if kind == "cycling":
        ramps = as_ramps(table, choices.ramp_rate, choices.voltage_step, choices.reset_polarity)
        return [Part(name, "ramps", part, None, (), part) for name, part in ramps.items()], []
    excluded: list[dict[str, Any]] = []
    parts = []
    directions = polarity(table, kind, choices.reset_polarity)
    for direction, names in _ONLY_FOR.items():
        for name in names:
            if direction not in directions and getattr(choices, name) is not None:
                raise InputError(_flag(name), f"{table.where} has no {direction.upper()} rows")
    for direction, rows in directions.items():
        part, gone = _started(rows, kind, direction, choices, table.notes)
        parts.append(part)
        excluded += gone
    return parts, excluded


def with_threshold(part: Part, threshold: float) -> Table:
    """The rows with ``switched`` derived from r_after_ohm at another threshold (ohm)."""
    table = _derived(part.whole, part.direction, threshold)
    return table.keep(~after_the_switch(table)) if part.kind == "pulses" else table


def _derived(table: Table, direction: str, threshold: float) -> Table:
    after = numbers(table, "r_after_ohm", above=0.0)
    switched = after < threshold if direction == "set" else after > threshold
    return replace(table, frame=table.frame.assign(switched=switched.astype(int)))


def _check_options(kind: str, choices: Choices) -> None:
    """Refuse by name what this kind of table has no use for."""
    if kind != "cycling":
        for name in ("ramp_rate", "voltage_step"):
            if getattr(choices, name) is not None:
                raise InputError(_flag(name), "applies to cycling records only")
    if kind != "pulses" and choices.transistor is not None:
        raise InputError("--transistor", "applies to pulses only")
    if kind == "cycling":
        for name in (*_ONLY_FOR["set"], *_ONLY_FOR["reset"]):
            if getattr(choices, name) is not None:
                raise InputError(_flag(name), "does not apply to cycling records")
    derived = choices.switched_below is not None or choices.switched_above is not None
    if choices.thresholds and not derived:
        raise InputError(
            "--thresholds", "needs --switched-below or --switched-above: nothing is derived here"
        )


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _started(
    table: Table, kind: str, direction: str, choices: Choices, before: tuple[str, ...]
) -> tuple[Part, list[dict[str, Any]]]:
    excluded: list[dict[str, Any]] = []
    sentences = [note for note in table.notes if note not in before]

    def drop(kept: np.ndarray, reason: str) -> None:
        nonlocal table
        if np.all(kept):
            return
        if not np.any(kept):
            raise InputError(table.where, f"no rows left: {reason} excludes all {kept.size}")
        excluded.append({"reason": reason, "rows": int(np.sum(~kept))})
        table = table.keep(kept)

    start = choices.start_above if direction == "set" else choices.start_below
    if start is not None:
        option = "--start-above" if direction == "set" else "--start-below"
        found = _threshold(table, "r_before_ohm", start, option)
        sentences += found.sentences
        started = numbers(table, "r_before_ohm", above=0.0)
        side, state = ("above", "HRS") if direction == "set" else ("below", "LRS")
        drop(
            started > found.value if direction == "set" else started < found.value,
            f"r_before_ohm is not {side} {found.value:.12g} ohm (the row did not start in {state})",
        )
    limit = choices.switched_below if direction == "set" else choices.switched_above
    threshold = None
    if limit is not None:
        option = "--switched-below" if direction == "set" else "--switched-above"
        found = _threshold(table, "r_after_ohm", limit, option)
        sentences += found.sentences
        threshold = found.value
        table = _derived(table, direction, threshold)
    if choices.transistor is not None:
        table, told = _across_the_cell(table, direction, choices.transistor)
        sentences += told
    whole = table
    if kind == "pulses":
        late = after_the_switch(table)
        drop(~late, "the device had switched earlier in this train of pulses")
    return Part(direction, kind, table, threshold, tuple(sentences), whole), excluded


def _across_the_cell(
    table: Table, direction: str, transistor: str
) -> tuple[Table, tuple[str, ...]]:
    """voltage_V behind the access transistor, before the device switches."""
    for column in ("gate_voltage_V", "voltage_V"):
        if column not in table.frame:
            raise InputError(table.where, f"--transistor needs the column {column}")
    known = assumed_conduction()
    resistance = known.r_hrs.value if direction == "set" else known.r_lrs.value
    whence = "assumed"
    if "r_before_ohm" in table.frame:
        resistance = float(np.median(numbers(table, "r_before_ohm", above=0.0)))
        whence = "the median r_before_ohm"
    magnitude = numbers(table, "voltage_V")
    terminal = magnitude if direction == "set" else -magnitude
    found = cell_voltage(
        terminal, numbers(table, "gate_voltage_V"), resistance, parse_transistor(transistor)
    )
    across = np.round(np.abs(found.voltage), 6)
    frame = table.frame.assign(voltage_V=across, **{TERMINAL: magnitude})
    note = f"voltages are those across the cell, {resistance:.4g} ohm ({whence}) in series with "
    return replace(table, frame=frame), (f"{note}the transistor {transistor}", *found.sentences)


def _threshold(table: Table, column: str, given: float | str, option: str) -> Threshold:
    if column not in table.frame:
        raise InputError(table.where, f"{option} needs the column {column}")
    if isinstance(given, str):
        if given != "auto":
            raise InputError(option, f"found {given!r}, expected ohms or auto")
        columns = [c for c in ("r_before_ohm", "r_after_ohm") if c in table.frame]
        readings = np.concatenate([numbers(table, c, above=0.0) for c in columns])
        return find_threshold(readings, f"{table.where}, {' and '.join(columns)}")
    return Threshold(float(given), ())
