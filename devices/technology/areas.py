"""Areas of standard cells: from pitch and row height, compared with published cells.

A cell in a row is as wide as its poly columns. Each column holds one n and one p transistor; each
uninterrupted run of diffusion needs one column more to end it (half at either end, shared with the
neighbour). How few runs a cell needs follows from its transistors: source and drain nodes are the
vertices of a graph, transistors its edges, and a connected graph with k vertices of odd degree is
drawn in max(1, k/2) runs (Euler). n and p rows are counted independently, so the count is a lower
bound; routing inside the cell is taken to fit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TOLERANCE = 0.15
"""Largest relative distance from the published cell at which the derived area is used."""

PITCHES: Mapping[str, int] = {
    "inv": 2,
    "nand2": 3,
    "nor2": 3,
    "and2": 4,
    "or2": 4,
    "xor2": 7,
    "xnor2": 7,
    "mux2": 7,
    "half_adder": 11,
    "full_adder": 16,
    "dff": 12,
    "dffr": 14,
    "dlh": 9,
}
"""Poly pitches of the cells, as :func:`poly_pitches` counts them on their netlists.

xor2, xnor2: two inverters and a complementary gate of eight transistors; half_adder: xor2 and and2
side by side, which share an end; full_adder: mirror adder of 28 transistors; dff: two clock
inverters, two latches of two inverters and two transmission gates; dffr: two of those inverters
made NAND2; dlh: two clock inverters, one latch and an output inverter."""


@dataclass(frozen=True)
class AreaRules:
    """Contacted gate pitch (m), row height (m) and where they come from."""

    gate_pitch: float
    row_height: float
    source: str

    def area(self, pitches: int) -> float:
        """Area (m2) of a cell that many poly pitches wide."""
        return pitches * self.gate_pitch * self.row_height


@dataclass(frozen=True)
class CellArea:
    """Areas (m2) of one cell; ``published`` is None where no library is stated."""

    pitches: int
    derived: float
    published: float | None

    @property
    def ratio(self) -> float | None:
        """Derived over published."""
        return None if self.published is None else self.derived / self.published

    @property
    def used(self) -> float:
        """The derived area where it lies within 15 % of the published one, else that."""
        if self.published is None or self.ratio is None:
            return self.derived
        return self.derived if abs(self.ratio - 1) <= TOLERANCE else self.published


def cell_areas(rules: AreaRules, published: Mapping[str, float]) -> dict[str, CellArea]:
    """The table of all standard cells."""
    return {
        name: CellArea(pitches, rules.area(pitches), published.get(name))
        for name, pitches in PITCHES.items()
    }


def poly_pitches(nmos: Iterable[tuple[str, str]], pmos: Iterable[tuple[str, str]]) -> int:
    """Width of a cell in poly pitches, from (drain, source) node names of its transistors."""
    return max(_row(list(nmos)), _row(list(pmos)))


def _row(edges: list[tuple[str, str]]) -> int:
    degree: Counter[str] = Counter()
    group = {node: node for edge in edges for node in edge}

    def root(node: str) -> str:
        while group[node] != node:
            node = group[node]
        return node

    for drain, source in edges:
        degree[drain] += 1
        degree[source] += 1
        group[root(drain)] = root(source)
    odd = Counter(root(node) for node, count in degree.items() if count % 2)
    runs = sum(max(1, odd[part] // 2) for part in {root(node) for node in group})
    return len(edges) + runs
