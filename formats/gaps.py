"""What ngspice could not do for a cells.nc: conditions that are absent, circuits that were changed.

Both are attributes in JSON: ``missing``, a list of :class:`Gap`, and ``rescued``, what happened by
deck where only a slightly different circuit gave a result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from formats.errors import InputError
from formats.json_file import parse_json

SNG, LOGIC = "sng", "logic"
"""Cells of a :class:`Gap` whose numbers are NaN."""


@dataclass(frozen=True)
class Gap:
    """What ngspice failed to give, and why.

    ``cell`` is ``sng`` (absent at that pulse width, temperature and corner), ``logic`` (gates and
    all that is made of them, absent at that temperature and corner, whatever the width), or what is
    absent altogether. Absent numbers of a group are NaN.
    """

    cell: str
    pulse_width: float | None
    temperature: float
    corner: str
    reason: str
    deck: str | None

    def __str__(self) -> str:
        width = "" if self.pulse_width is None else f", {self.pulse_width:g} s"
        deck = "" if self.deck is None else f" (deck {self.deck})"
        return f"{self.cell} at {self.corner}, {self.temperature:g} K{width}: {self.reason}{deck}"


def gaps(path: Path, attributes: Mapping[str, Any]) -> tuple[Gap, ...]:
    """What is absent; raises :class:`InputError` for what is no list of gaps."""
    found = parse_json(str(attributes.get("missing", "[]")), f"{path}, attribute missing")
    try:
        return tuple(
            Gap(
                str(one["cell"]),
                None if one["pulse_width_s"] is None else float(one["pulse_width_s"]),
                float(one["temperature_K"]),
                str(one["corner"]),
                str(one["reason"]),
                None if one["deck"] is None else str(one["deck"]),
            )
            for one in found
        )
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(path, "the attribute 'missing' is not a list of gaps") from error


def changed_circuits(path: Path, attributes: Mapping[str, Any]) -> dict[str, str]:
    """What happened, by deck; raises :class:`InputError` for what is no table of texts."""
    found = parse_json(str(attributes.get("rescued", "{}")), f"{path}, attribute rescued")
    if not isinstance(found, dict) or not all(isinstance(words, str) for words in found.values()):
        raise InputError(path, "the attribute 'rescued' is not a table of texts by deck")
    return found
