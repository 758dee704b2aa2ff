"""What the table tells beside the outcomes: devices, temperature, gate voltage, resistances."""

from __future__ import annotations

from dataclasses import dataclass

from characterization.fit.observations.base import rows_per_device
from characterization.fit.table.readers import Table
from characterization.fit.table.validation import numbers
from devices.cbram import Conduction
from formats.errors import InputError


@dataclass(frozen=True)
class Circumstances:
    """What the table tells beside the outcomes.

    ``devices`` (number, largest number of rows of one), ``temperature`` (K) and ``gate`` (lowest,
    highest gate voltage, V) are None where the table has no such column; ``conduction`` is fitted
    where it has resistances.
    """

    kind: str
    voltage_reference: str
    devices: tuple[int, int] | None
    temperature: float | None
    gate: tuple[float, float] | None
    conduction: Conduction
    unused: tuple[str, ...]


def circumstances_of(
    table: Table,
    kind: str,
    voltage_reference: str | None,
    conduction: Conduction,
    degrees: float | None,
    unused: list[str],
) -> Circumstances:
    """Gather them; raises :class:`InputError` for an unknown voltage reference."""
    gate = None
    if "gate_voltage_V" in table.frame:
        values = numbers(table, "gate_voltage_V")
        gate = (float(values.min()), float(values.max()))
    if voltage_reference not in (None, "cell", "1t1r"):
        raise InputError("--voltage-reference", f"{voltage_reference!r} is not cell or 1t1r")
    reference = voltage_reference or ("cell" if gate is None else "1t1r")
    return Circumstances(
        kind,
        reference,
        rows_per_device(table),
        degrees,
        gate,
        conduction,
        tuple(unused),
    )
