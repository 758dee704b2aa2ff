"""Binary MACs in our own cells: the simulated reference of cells.nc, and what Yosys mapped."""

from __future__ import annotations

from collections.abc import Sequence

from formats.cells import Cells, at_nominal
from system.architecture.figures import Figure
from system.budget.baselines.figures import BaselineMac, Range
from system.budget.baselines.precision import Fixed, Floating, Format
from system.budget.baselines.synthesised import Synthesised
from system.budget.units import source

BINARY_MAC = "binary_mac8"
FORMATS: dict[str, Format] = {"FP32": Floating(23), "BF16": Floating(7), "int8": Fixed(7)}


def simulated_mac(cells: Cells) -> BaselineMac | None:
    """The unsigned 8-bit MAC of cells.nc at its longest path; None where the file has none."""
    if BINARY_MAC not in cells.groups:
        return None
    data = at_nominal(cells.groups[BINARY_MAC])

    def figure(name: str) -> Figure:
        return Figure(float(data[name]), source(cells, BINARY_MAC, name))

    return BaselineMac(
        "8-bit, our cells",
        Fixed(8),
        _twice(figure("area")),
        _twice(figure("energy")),
        _twice(figure("leakage_power")),
        figure("delay"),
        0,
    )


def synthesised_macs(designs: Sequence[Synthesised]) -> list[BaselineMac]:
    """The mapped designs that multiply binary numbers."""
    return [
        BaselineMac(
            f"{design.kind}, synthesised ({design.name})",
            FORMATS[design.kind],
            _twice(Figure(design.area, design.source)),
            _twice(Figure(design.energy, f"{design.source}; without glitches, a lower bound")),
            _twice(Figure(design.leakage, design.source)),
            Figure(design.delay, f"{design.source}; longest path, one inverter at each gate"),
            0,
        )
        for design in designs
        if not design.stream
    ]


def _twice(figure: Figure) -> Range:
    return figure, figure
