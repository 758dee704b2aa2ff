"""The four kinds of data: their columns, how they are recognised, and which rows they turn into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from characterization.fit.observations.base import Observations
from characterization.fit.observations.pulses import observe_pulses
from characterization.fit.observations.ramps import observe_ramps
from characterization.fit.observations.waits import observe_waits
from characterization.fit.table.headers import map_example
from characterization.fit.table.readers import Table
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
KIND_COLUMNS: dict[str, tuple[str, ...]] = {
    "pulses": ("voltage_V", "pulse_width_s", "switched"),
    "waits": ("voltage_V", "wait_time_s", "switched"),
    "ramps": ("ramp_rate_V_per_s", "set_voltage_V", "switched"),
    "cycling": ("cycle", "v_set_V", "v_reset_V"),
}
"""Columns each kind cannot do without."""
EXTRA_COLUMNS: dict[str, tuple[str, ...]] = {
    "pulses": ("trials",),
    "waits": ("wait_time_low_s", "wait_time_high_s"),
    "ramps": ("start_voltage_V", "voltage_step_V"),
    "cycling": ("r_lrs_ohm", "r_hrs_ohm", "ramp_rate_V_per_s"),
}
_TELLING: dict[str, tuple[str, ...]] = {
    "pulses": ("pulse_width_s",),
    "waits": ("wait_time_s", "wait_time_low_s", "wait_time_high_s"),
    "ramps": ("set_voltage_V",),
    "cycling": ("v_set_V", "v_reset_V"),
}
INTERVAL = ("voltage_V", "wait_time_low_s", "wait_time_high_s")

_OBSERVERS: dict[str, Callable[[Table], Observations]] = {
    "pulses": observe_pulses,
    "waits": observe_waits,
    "ramps": observe_ramps,
}


def observe(table: Table, kind: str) -> Observations:
    """Check the rows (magnitudes of one polarity) and group them.

    Cycling records are split into ramps beforehand (``cycling.as_ramps``). Raises
    :class:`InputError` for the first wrong row.
    """
    return _OBSERVERS[kind](table)


def recognise_kind(table: Table, kind: str | None) -> str:
    """The kind of data, from the option or from the columns; raises :class:`InputError`."""
    if kind is not None:
        if kind not in KIND_COLUMNS:
            raise InputError("--kind", f"{kind!r} is not one of {', '.join(KIND_COLUMNS)}")
        return kind
    columns = set(map(str, table.frame.columns))
    found = [name for name, telling in _TELLING.items() if columns & set(telling)]
    if len(found) == 1:
        return found[0]
    known = "; ".join(f"{name}: {','.join(needed)}" for name, needed in KIND_COLUMNS.items())
    if found:
        raise InputError(
            table.where,
            f"has columns of several kinds ({', '.join(found)}); say which with --kind",
        )
    raise InputError(
        table.where,
        f"has the columns {', '.join(map(str, table.frame.columns))}; expected those of one kind "
        f"({known}); name foreign columns with --map{_example(columns, ('voltage_V',))}",
    )


def _example(columns: Iterable[str], missing: Sequence[str]) -> str:
    """How one of the table's own columns is mapped to one that is missing."""
    made = map_example(columns, missing)
    return made and f", as in {made}"


def needed_columns(table: Table, kind: str) -> tuple[str, ...]:
    """The columns a table of this kind needs."""
    columns = set(map(str, table.frame.columns))
    if kind == "waits" and columns & set(INTERVAL[1:]) and "wait_time_s" not in columns:
        return INTERVAL
    return KIND_COLUMNS[kind]


def check_columns(table: Table, kind: str, *, derived: bool) -> list[str]:
    """Refuse missing columns; return those that are there but not used.

    ``derived``: ``switched`` comes from the resistances.
    """
    columns = [str(column) for column in table.frame.columns]
    needed = needed_columns(table, kind)
    if derived:
        if kind != "pulses":
            raise InputError("--switched-below/--switched-above", "apply to pulses only")
        if "switched" in columns or "trials" in columns:
            raise InputError(
                "--switched-below/--switched-above",
                f"{table.where} already says what switched; drop the option or the columns "
                "switched and trials",
            )
        needed = (*(c for c in needed if c != "switched"), "r_after_ohm")
    missing = [column for column in needed if column not in columns]
    if missing:
        hint = f"; name a foreign column with --map{_example(columns, missing)}"
        censored = [column for column in columns if "censor" in column.casefold()]
        if "switched" in missing and censored:
            hint = f"; add switched = 1 - {censored[0]} (0 where a row was censored, else 1)"
        elif "switched" in missing and "r_after_ohm" in columns:
            hint = "; derive it with --switched-below OHM (SET) or --switched-above OHM (RESET)"
        raise InputError(
            table.where,
            f"lacks the column {missing[0]} (kind {kind} needs {','.join(needed)}){hint}",
        )
    used = {*needed, *KIND_COLUMNS[kind], *EXTRA_COLUMNS[kind], *OPTIONAL_COLUMNS}
    return [column for column in columns if column not in used]
