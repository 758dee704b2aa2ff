"""The candidate reading beside published totals, and its MAC beside a floating-point one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from formats.cells import Cells
from formats.training import Training
from system.budget import published
from system.budget.lines import Budget
from system.budget.published import Figure


@dataclass(frozen=True)
class Comparison:
    """Ours beside a published figure (SI units); ``ratio`` is ours over theirs."""

    quantity: str
    unit: str
    ours: float
    published: Figure

    @property
    def ratio(self) -> float:
        """Ours / published."""
        return self.ours / self.published.value


@dataclass(frozen=True)
class MacRatio:
    """An FP32 multiplier and adder over ours, as a range, in area or energy."""

    quantity: str
    unit: str
    ours: float
    low: Figure
    high: Figure

    @property
    def ratios(self) -> tuple[float, float]:
        """FP32 / ours, with the smallest and the largest published FP32 unit."""
        return (self.low.value / self.ours, self.high.value / self.ours)

    @property
    def orders(self) -> tuple[float, float]:
        """Decimal logarithms of ``ratios``."""
        return (math.log10(self.ratios[0]), math.log10(self.ratios[1]))


def with_publication(bill: Budget) -> tuple[Comparison, ...]:
    """Area and power beside the published system's."""
    return (
        Comparison("area", "m2", bill.area, published.PUBLISHED_AREA),
        Comparison("average power", "W", bill.power, published.PUBLISHED_POWER),
    )


def with_floating_point(cells: Cells, training: Training, bill: Budget) -> tuple[MacRatio, ...]:
    """The MAC cell alone, and the whole system's share of one MAC, beside an FP32 MAC.

    A stochastic product needs a whole stream, so its energy is that of ``stream_length`` bits.
    """
    mac = cells.mac(str(training.attributes["mac"]))
    area, energy = published.FP32_MAC_AREA, published.FP32_MAC_ENERGY
    work = bill.workload
    products = math.fsum(product.macs for product in work.products)
    line = next(line for line in bill.lines if line.group == "MACs")
    rows = [
        ("area of the MAC cell alone", "m2", float(mac["area"]), area),
        ("area of the whole system per MAC", "m2", bill.area / work.macs(), area),
        (
            f"energy of one product in the MAC cell alone ({work.stream_length} bits)",
            "J",
            line.energy_training / products,
            energy,
        ),
        (
            "switching energy of the whole system per product",
            "J",
            bill.energy_training / products,
            energy,
        ),
    ]
    return tuple(MacRatio(name, unit, ours, *figures) for name, unit, ours, figures in rows if ours)
