"""Multiply-accumulate units in Verilog, mapped by Yosys onto the cells of extract.

``verilog/`` holds the sources, ``designs`` what they must compute, ``yosys`` runs the tool,
``netlist`` evaluates what came out, ``activity`` counts its events, ``smallest`` keeps the best
mapping that is right. ``mapped.json`` is the result for one preset, priced by each report with the
areas and energies of its own cells.nc.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

MAPPED = "mapped.json"


def mapped_file() -> Path:
    """Where the kept mappings stand in the source tree."""
    return Path(str(files("system.synthesis").joinpath(MAPPED)))


def mapped_designs() -> dict[str, Any]:
    """The kept mappings: ``tool``, ``technology``, ``designs`` by name."""
    content: dict[str, Any] = json.loads(mapped_file().read_text())
    return content
