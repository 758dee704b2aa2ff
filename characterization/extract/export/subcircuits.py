"""Transistor cards, gates and what is made of them as one SPICE library for ngspice and PySpice.

A deck needs ``.include cells.lib`` and one line an instance; the CBRAM itself is in ``device.lib``
of the fit.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from circuits.logic.cell import LogicCell
from circuits.logic.gates import GATES
from devices.technology import Technology
from formats.atomic import write_text


def write_subcircuits(
    technology: Technology, folder: Path, cells: Iterable[LogicCell], name: str = "cells.lib"
) -> Path:
    """Write the library of a technology at its corner and temperature; returns its path."""
    path = Path(folder) / name
    write_text(path, subcircuits(technology, cells))
    return path


def subcircuits(technology: Technology, cells: Iterable[LogicCell]) -> str:
    """The text of the library: cards with their temperature, every gate, ``cells`` made of them.

    Models that may not be given to others are named in comments instead.

    Pins of a cell: inputs, outputs, vdd, vss; of the supply of the technology. The cards' names
    and the temperature are the deck's, so two libraries do not go into one deck.
    """
    shown = technology.redistributable
    cards = technology.models_text() if shown else technology.models_reference()
    lines = [
        f"* Cells of {technology.name}, corner {technology.corner}, {technology.temperature:g} K; "
        f"core supply {technology.supply:g} V.",
        "* Use: .include cells.lib, then for example: x1 a b y vdd 0 and2",
        "",
        cards.strip(),
        "",
    ]
    for gate in GATES.values():
        lines += [f"* {gate.name}: {' '.join(gate.pins)}", str(gate.subcircuit(technology)).strip()]
        lines.append("")
    for cell in cells:
        lines += [f"* {cell.name}: {cell.description}", str(cell.subcircuit()).strip(), ""]
    return "\n".join(lines)
