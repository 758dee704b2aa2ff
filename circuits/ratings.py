"""Does every transistor stay within its voltage ratings over a waveform?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySpice.Spice.Netlist import Circuit

from circuits.simulator import Waveforms
from circuits.transistors import placed_transistors
from devices.technology import Technology
from devices.technology.transistor import PAIRS

SHORTEST_STRESS = 1e-9
"""s, summed over a waveform; what lasts shorter (feed-through of an edge) is no violation."""


@dataclass(frozen=True)
class Stress:
    """The largest voltage (V) sustained between two terminals of a transistor; its rating (V)."""

    transistor: str
    model: str
    pair: str
    voltage: float
    rating: float

    @property
    def violated(self) -> bool:
        """Whether the rating is exceeded."""
        return self.voltage > self.rating

    def __str__(self) -> str:
        return (
            f"{self.transistor} ({self.model}): |V{self.pair}| reaches {self.voltage:.4g} V, "
            f"rated {self.rating:.4g} V"
        )


def all_stresses(
    circuit: Circuit | str, waveforms: Waveforms, technology: Technology
) -> list[Stress]:
    """|Vgs|, |Vgd| and |Vds| of every transistor, each against its own rating, worst first.

    ``circuit`` is a PySpice circuit or the text of its netlist; transistors in nested
    subcircuits and in raw lines are seen alike. Raises KeyError where the waveforms lack one of
    their nodes.
    """
    ratings = {t.model: t.ratings for t in technology.library[technology.corner].values()}
    found = []
    for placed in placed_transistors(str(circuit), ratings):
        v = {
            pin: _voltage(waveforms, node)
            for pin, node in (("d", placed.drain), ("g", placed.gate), ("s", placed.source))
        }
        for pair in PAIRS:
            voltage = _sustained(waveforms.time, np.abs(v[pair[0]] - v[pair[1]]))
            rating = ratings[placed.model].of(pair)
            found.append(Stress(placed.name, placed.model, pair, voltage, rating))
    return sorted(found, key=lambda stress: stress.voltage / stress.rating, reverse=True)


def stresses(circuit: Circuit | str, waveforms: Waveforms, technology: Technology) -> list[Stress]:
    """The worst pair of every transistor, relative to its rating, most stressed first."""
    worst: dict[str, Stress] = {}
    for stress in all_stresses(circuit, waveforms, technology):
        worst.setdefault(stress.transistor, stress)
    return list(worst.values())


def violations(
    circuit: Circuit | str, waveforms: Waveforms, technology: Technology
) -> list[Stress]:
    """Every terminal pair that exceeds its rating; empty where all stay within."""
    return [s for s in all_stresses(circuit, waveforms, technology) if s.violated]


def _sustained(time: np.ndarray, values: np.ndarray) -> float:
    """The highest level reached for ``SHORTEST_STRESS`` at least, all excursions summed."""
    order = np.argsort(values)[::-1]
    spans = np.gradient(time)
    held = np.cumsum(spans[order])
    index = int(np.searchsorted(held, SHORTEST_STRESS))
    return float(values[order[min(index, len(order) - 1)]])


def _voltage(waveforms: Waveforms, node: str) -> np.ndarray:
    if node == "0":
        return np.zeros_like(waveforms.time)
    return waveforms[f"v({node})"]
