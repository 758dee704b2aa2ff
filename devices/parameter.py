"""A number with its uncertainty and where it comes from: fitted, taken or assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SOURCES = ("fitted", "taken", "assumed")


@dataclass(frozen=True)
class Parameter:
    """A value in SI units.

    ``stderr`` and ``ci95`` are None unless fitted; an end of ``ci95`` is None where the data put
    no bound. ``note`` names the source or says why the value was assumed.
    """

    value: float
    unit: str
    source: str
    note: str = ""
    stderr: float | None = None
    ci95: tuple[float | None, float | None] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain types for device.json."""
        return {
            "value": self.value,
            "stderr": self.stderr,
            "ci95": None if self.ci95 is None else list(self.ci95),
            "unit": self.unit,
            "source": self.source,
            "note": self.note,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Parameter:
        """The inverse of :meth:`to_dict`."""
        ci95 = content["ci95"]
        return cls(
            value=float(content["value"]),
            unit=content["unit"],
            source=content["source"],
            note=content["note"],
            stderr=content["stderr"],
            ci95=None if ci95 is None else (ci95[0], ci95[1]),
        )
