"""What the transistors of a technology must meet, each figure with its source.

``benchmarks/technology.py`` simulates them, ``tests/circuits/test_foundry_figures.py`` holds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_PREDICTIVE = "taken: published predictive 45-nm low-power card, 1.1 V"
_TYPICAL = "recalled: typical of 45- and 40-nm low-power bulk"
_FREEPDK = "taken: an earlier simulation of the same cards with another netlist, 1.1 V"


@dataclass(frozen=True)
class Target:
    """One figure (SI units) at the typical corner and 300 K, between ``low`` and ``high``.

    ``role`` is None for a figure of a gate. ``figure`` is a field of ``TransistorFigures`` or
    "fo4".
    """

    figure: str
    role: str | None
    value: float
    low: float
    high: float
    unit: str
    source: str

    def met_by(self, value: float) -> bool:
        """Whether a simulated value lies within the limits."""
        return self.low <= value <= self.high


def _share(
    figure: str, role: str | None, value: float, share: float, unit: str, source: str
) -> Target:
    return Target(figure, role, value, value * (1 - share), value * (1 + share), unit, source)


def _factor(
    figure: str, role: str | None, value: float, factor: float, unit: str, source: str
) -> Target:
    return Target(figure, role, value, value / factor, value * factor, unit, source)


TARGETS: Mapping[str, tuple[Target, ...]] = {
    "cmos40lp": (
        _share("ion", "nmos", 519.0, 0.10, "A/m", _PREDICTIVE),
        _share("ion", "pmos", 305.0, 0.10, "A/m", _PREDICTIVE),
        _factor("ioff", "nmos", 28e-6, 1.5, "A/m", _PREDICTIVE),
        _factor("ioff", "pmos", 23e-6, 1.5, "A/m", _PREDICTIVE),
        Target("dibl", "nmos", 0.100, 0.050, 0.150, "V/V", _TYPICAL),
        Target("dibl", "pmos", 0.100, 0.050, 0.150, "V/V", _TYPICAL),
        Target("swing", "nmos", 0.090, 0.080, 0.100, "V/decade", _TYPICAL),
        Target("swing", "pmos", 0.090, 0.080, 0.100, "V/decade", _TYPICAL),
        _share("fo4", None, 42e-12, 0.15, "s", _PREDICTIVE),
    ),
    "freepdk45": (
        _share("ion", "nmos", 1148.0, 0.02, "A/m", _FREEPDK),
        _share("ion", "pmos", 776.0, 0.02, "A/m", _FREEPDK),
        _share("ioff", "nmos", 13.5e-3, 0.05, "A/m", _FREEPDK),
        _share("ioff", "pmos", 14.4e-3, 0.05, "A/m", _FREEPDK),
        _share("fo4", None, 14.4e-12, 0.15, "s", _FREEPDK),
    ),
}
"""By technology; a technology not listed has none."""
