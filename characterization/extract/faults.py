"""What ngspice could not do: the extraction goes on with the rest and says what is missing.

A condition (SNG: pulse width, temperature, corner; gates: temperature, corner) is there as a whole
or not at all. The nominal one cannot be missing: all that is built on the cells takes it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from circuits.simulator import SimulationError
from formats.errors import Remark

Found = TypeVar("Found")


@dataclass(frozen=True)
class Missing:
    """A cell (``sng``, ``logic`` or a name) at a condition, and why it is not there."""

    cell: str
    pulse_width: float | None
    temperature: float
    corner: str
    error: SimulationError

    def to_dict(self) -> dict[str, Any]:
        """The entry of cells.nc; without the folder of the kept deck, which is this machine's."""
        return {
            "cell": self.cell,
            "pulse_width_s": self.pulse_width,
            "temperature_K": self.temperature,
            "corner": self.corner,
            "reason": self.error.reason,
            "deck": None if self.error.kept is None else self.error.kept.name,
        }


def attempt(
    work: Callable[[], Found], what: str, faults: list[SimulationError], essential: bool
) -> Found | None:
    """What ``work`` gives; None where ngspice failed in it, now or before (``faults``).

    The user is told at once. Raises :class:`SimulationError` for what is ``essential``.
    """
    if faults:
        return None
    try:
        return work()
    except SimulationError as error:
        if essential:
            raise
        faults.append(error)
        warnings.warn(f"{what} is left out: {error}", Remark, stacklevel=2)
        return None
