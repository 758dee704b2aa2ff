"""The line of products in plain arithmetic: one floating-point multiply-accumulate unit.

The training computes such a product in 32-bit floating point, so an FP32 unit is what it costs.
"""

from __future__ import annotations

import math

from system.budget import published
from system.budget.lines import Line, unit_line
from system.budget.units import Unit
from system.budget.workload import TABLES, Workload


def plain_lines(work: Workload, full_adder: Unit) -> list[Line]:
    """The unit that all plain products of all layers take turns on, one product a clock."""
    if not work.binary:
        return []
    (small, large), (little, much) = published.FP32_MAC_AREA, published.FP32_MAC_ENERGY
    area, energy = (small.value + large.value) / 2, (little.value + much.value) / 2
    middle = "the middle of the smallest and the largest (assumed)"
    unit = Unit(
        area=area,
        energy=energy,
        stderr=math.nan,
        leakage=full_adder.leakage * area / full_adder.area,
        delay=0.0,
        area_source=f"{small.source}; {large.source}; {middle}",
        energy_source=f"{little.source}; {much.source}; {middle}",
        leakage_source="assumed: that of full adders of the same area "
        f"({full_adder.leakage_source})",
    )
    events = [math.fsum(p.macs for p in ps) for ps in (work.binary_forward, work.binary)]
    return [
        unit_line(
            "FP32 multiply-accumulate unit",
            "Binary products",
            "published binary arithmetic",
            unit,
            1.0,
            (events[0], events[1]),
            f"{TABLES}; one for all products in plain arithmetic, which follow one another "
            "(assumed)",
        )
    ]
