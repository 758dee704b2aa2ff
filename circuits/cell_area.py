"""Area of a cell from its transistors, by the technology's pitch and row rules."""

from __future__ import annotations

from PySpice.Spice.Netlist import SubCircuit

from circuits.transistors import placed_transistors
from devices.technology import Technology
from devices.technology.areas import poly_pitches


def cell_pitches(cell: SubCircuit, technology: Technology) -> int:
    """Width of a cell of core transistors in poly pitches; its last two pins are the rails."""
    rails = [str(node) for node in cell.external_nodes]
    netlist = f".title {cell.name}\n{cell}\nXcell {' '.join(rails)} {cell.name}\n"
    n, p = (technology.transistors[role].model for role in ("nmos", "pmos"))
    placed = placed_transistors(netlist, (n, p))
    return poly_pitches(
        [(t.drain, t.source) for t in placed if t.model == n],
        [(t.drain, t.source) for t in placed if t.model == p],
    )


def derived_area(cell: SubCircuit, technology: Technology) -> float:
    """Area (m2) of a cell of core transistors in a row, a lower bound (``devices/technology``)."""
    return technology.area_rules.area(cell_pitches(cell, technology))
