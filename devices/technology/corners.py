"""Fast and slow corners of a BSIM4 card: stated shifts of a few parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from devices.technology.transistor import Transistor


@dataclass(frozen=True)
class CornerShift:
    """How far the slow corner lies from the typical one; the fast one mirrors it.

    ``vth0`` (V) more of the threshold's magnitude, ``toxe`` a share more, ``u0`` a share less of
    the typical value, ``xl`` (m) more channel length.
    """

    vth0: float
    toxe: float
    u0: float
    xl: float
    source: str

    def card(self, card: Mapping[str, float], direction: int) -> dict[str, float]:
        """A card moved towards slow (+1), fast (-1) or not at all (0)."""
        sign = 1 if card["vth0"] >= 0 else -1
        moved = dict(card)
        moved["vth0"] = card["vth0"] + sign * direction * self.vth0
        moved["toxe"] = card["toxe"] * (1 + direction * self.toxe)
        moved["u0"] = card["u0"] * (1 - direction * self.u0)
        moved["xl"] = card.get("xl", 0.0) + direction * self.xl
        return moved


DIRECTIONS = {"tt": 0, "ff": -1, "ss": 1}


def with_corners(
    typical: Mapping[str, Transistor], shifts: Mapping[str, CornerShift]
) -> dict[str, dict[str, Transistor]]:
    """``[corner][flavour]`` of typical transistors, each moved by the shift of its flavour."""
    return {
        corner: {
            flavour: replace(t, card=shifts[flavour].card(t.card, direction)) if direction else t
            for flavour, t in typical.items()
        }
        for corner, direction in DIRECTIONS.items()
    }
