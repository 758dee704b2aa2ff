"""Shows what conventional and stochastic MACs cost in the same cells: our Verilog mapped by Yosys.

Writes benchmarks/results/synthesis.json and system/synthesis/mapped.json, the counts that reports
price with their own cells.nc. Needs the extra `yosys` and the folder cells/ that extract writes.

    python benchmarks/synthesis.py out/cells.nc
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from common import write_result

from formats.atomic import write_text
from formats.cells import Cells, read_cells
from formats.errors import InputError
from system.budget.baselines.synthesised import gate_figures, price
from system.synthesis import mapped_file
from system.synthesis.designs import DESIGNS
from system.synthesis.smallest import record, smallest
from system.synthesis.yosys import required, version

SEED = 1


def liberty(cells: Cells) -> Path:
    """The Liberty file of the nominal environment beside cells.nc."""
    return cells.path.parent / "cells" / f"{cells.attributes['technology']}_tt_300K.lib"


def main(path: Path) -> None:
    """Map, check, count, price."""
    yosys, cells = required(), read_cells(path)
    figures = gate_figures(cells)
    if figures is None:
        raise InputError(path, "lacks a gate that the designs are mapped onto; extract all cells")
    designs: dict[str, Any] = {}
    rows = []
    for name, design in DESIGNS.items():
        start = time.perf_counter()
        netlist = smallest(yosys, design, liberty(cells), figures.area)
        designs[name] = record(netlist, design, figures.delay, SEED)
        unit = price(name, designs[name], figures)
        rows.append(
            {
                "design": name,
                "area_um2": unit.area * 1e12,
                "energy_J": unit.energy,
                "leakage_W": unit.leakage,
                "delay_s": unit.delay,
                "checked_vectors": designs[name]["checked_vectors"],
                "seconds": round(time.perf_counter() - start, 1),
            }
        )
        print(rows[-1], flush=True)
    kept = {
        "tool": f"Yosys {version(yosys)}",
        "technology": str(cells.attributes["technology"]),
        "designs": designs,
    }
    write_text(mapped_file(), json.dumps(kept, separators=(",", ":")).replace("},", "},\n") + "\n")
    write_result(
        "synthesis", {"tool": kept["tool"], "technology": kept["technology"], "rows": rows}
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
