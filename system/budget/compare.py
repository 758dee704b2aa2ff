"""The candidate reading beside published totals, and its MAC beside a floating-point one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from formats.training import Training
from system.budget import published
from system.budget.lines import Budget
from system.budget.published import Figure
from system.budget.workload import lengths_text

READING = ("lenet5", 61_706)
"""Network and parameters (LeNet-5 on 28 x 28 images, ten classes) of the candidate reading."""


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


def is_reading(training: Training) -> bool:
    """Whether the network is the one that the published system is read as."""
    about = training.attributes
    return (str(about["network"]), int(about["parameters"])) == READING


def with_publication(bill: Budget, training: Training) -> tuple[Comparison, ...]:
    """Area and power beside the published system's; none of another network than its reading."""
    if not is_reading(training):
        return ()
    return (
        Comparison("area", "m2", bill.area, published.PUBLISHED_AREA),
        Comparison("average power", "W", bill.power, published.PUBLISHED_POWER),
    )


def with_floating_point(bill: Budget) -> tuple[MacRatio, ...]:
    """Each MAC cell alone, and the whole system's share of one MAC, beside an FP32 MAC.

    A stochastic product needs a whole stream, so its energy is that of all its bits.
    """
    work = bill.workload
    area, energy = published.FP32_MAC_AREA, published.FP32_MAC_ENERGY
    rows = []
    for line in bill.lines:
        if line.group == "MACs":
            alone = "the MAC cell alone" if len(work.macs_used) == 1 else f"the {line.cell} alone"
            products = tuple(p for p in work.products if p.mac == line.cell and not p.in_columns)
            count = math.fsum(product.macs for product in products)
            bits = lengths_text(products)
            rows += [
                (f"area of {alone}", "m2", line.unit_area, area),
                (
                    f"energy of one product in {alone} ({bits} bits)",
                    "J",
                    line.energy_training / count,
                    energy,
                ),
            ]
    if work.products and bill.layout.bank is None:
        rows.append(
            ("area of the whole system per MAC", "m2", bill.area / bill.layout.macs(), area)
        )
    everything = math.fsum(p.macs for p in work.products) + math.fsum(p.macs for p in work.binary)
    rows.append(
        (
            "switching energy of the whole system per product",
            "J",
            bill.energy_training / everything,
            energy,
        )
    )
    return tuple(MacRatio(name, unit, ours, *figures) for name, unit, ours, figures in rows if ours)
