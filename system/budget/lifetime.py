"""How many images the devices last: endurance over the switching cycles that an image costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from formats.cells import Cells
from system.budget.sng import conditions, sng_table, stored_probability
from system.budget.workload import Workload


@dataclass(frozen=True)
class Lifetime:
    """Wear of the most used devices, those of ``layer`` and ``kind``.

    ``cycles_per_image`` counts SET + RESET pairs (a 1 wears, a 0 does not);
    ``pulses_per_image`` counts every bit, as if a 0 wore as much.
    """

    layer: str
    kind: str
    endurance: float
    cycles_per_image: float
    pulses_per_image: float
    source: str

    @property
    def images(self) -> float:
        """Training images until the mean device of this kind is worn out."""
        return _ratio(self.endurance, self.cycles_per_image)

    @property
    def images_if_every_pulse_wears(self) -> float:
        """The same if a bit that stays 0 wore as much as one that switches."""
        return _ratio(self.endurance, self.pulses_per_image)


def lifetime(
    cells: Cells, work: Workload, endurance: float, source: str, products: str | None = None
) -> Lifetime:
    """Wear of training (or, with ``products="forward"``, of inference) at the mean bit
    probabilities of training.nc; a device at probability 1 wears faster than the mean one. A weight
    stream that lives for several images wears its device once; a device on which k weights take
    turns makes all their streams.

    With the stored state LRS at probability pi and a RESET that succeeds with Pr, SET and RESET
    both happen in pi Pr of the bits.
    """
    table = sng_table(cells)
    reset = float(cells.sng.isel(conditions(cells))["Pr"])
    worn: dict[tuple[str, str], list[float]] = {}
    for product in work.products:
        if products is not None and product.name != products:
            continue
        for operand in product.operands:
            owned = work.generators(operand.kind)[product.layer]
            streams = operand.made * operand.turns * operand.generators
            bits = work.stream_length * streams / owned if owned else 0.0
            entry = worn.setdefault((product.layer, operand.kind), [0.0, 0.0])
            entry[0] += bits * stored_probability(table, operand.probability) * reset
            entry[1] += bits
    (layer, kind), (cycles, pulses) = max(worn.items(), key=lambda item: item[1][0])
    return Lifetime(layer, kind, endurance, cycles, pulses, source)


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.inf
