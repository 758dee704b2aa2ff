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
    """The energy (J) of a product of an FP32 multiplier and adder over that of ours, as a range."""

    quantity: str
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
    """The energy of all products of a training step, by their number, beside that of an FP32 MAC:
    in each MAC cell alone, and in the whole system, with its products in plain arithmetic.

    A stochastic product needs a whole stream, so its energy is that of all its bits. Areas stand
    among the baselines, as do energies at the mean operands of one kind of MAC.
    """
    work, rows = bill.workload, []
    for line in bill.lines:
        if line.group == "MACs":
            alone = "the MAC cell alone" if len(work.macs_used) == 1 else f"the {line.cell} alone"
            products = tuple(p for p in work.products if p.mac == line.cell and not p.in_columns)
            count = math.fsum(product.macs for product in products)
            bits = lengths_text(products)
            rows.append(
                (f"energy of one product in {alone} ({bits} bits)", line.energy_training / count)
            )
    everything = math.fsum(p.macs for p in work.products) + math.fsum(p.macs for p in work.binary)
    whole = bill.energy_training / everything
    rows.append(("switching energy of the whole system per product", whole))
    return tuple(MacRatio(name, ours, *published.FP32_MAC_ENERGY) for name, ours in rows if ours)
