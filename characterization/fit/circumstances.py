"""What the table tells beside the outcomes: devices, temperature, gate voltage, resistances."""

from __future__ import annotations

from dataclasses import dataclass

from characterization.fit.observations.columns import one_temperature, temperatures
from characterization.fit.table.readers import Table
from characterization.fit.table.validation import numbers
from formats.errors import InputError


@dataclass(frozen=True)
class Circumstances:
    """What the table tells beside the outcomes.

    ``temperature`` (lowest, highest, K) and ``gate`` (the same of the gate voltage, V) are None
    where the table has no such column.
    """

    kind: str
    voltage_reference: str
    temperature: tuple[float, float] | None
    gate: tuple[float, float] | None
    unused: tuple[str, ...]


def circumstances_of(
    table: Table, kind: str, voltage_reference: str | None, unused: list[str]
) -> Circumstances:
    """Gather them; raises :class:`InputError` for an unknown voltage reference."""
    gate = None
    if "gate_voltage_V" in table.frame:
        values = numbers(table, "gate_voltage_V")
        gate = (float(values.min()), float(values.max()))
    if voltage_reference not in (None, "cell", "1t1r"):
        raise InputError("--voltage-reference", f"{voltage_reference!r} is not cell or 1t1r")
    reference = voltage_reference or ("cell" if gate is None else "1t1r")
    heat = temperatures(table)
    one = one_temperature(table)
    if heat is not None:
        degrees: tuple[float, float] | None = (float(heat.min()), float(heat.max()))
    else:
        degrees = None if one is None else (one, one)
    return Circumstances(kind, reference, degrees, gate, tuple(unused))
