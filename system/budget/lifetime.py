"""How many images the devices last, and what part of their life a training has used."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from formats.cells import Cells
from formats.errors import InputError
from formats.training import Training
from system.budget.sng import conditions, sng_table, stored_probability
from system.budget.workload import Workload

TENSORS = {"x": "activation", "w": "parameter", "d": "error"}
"""The kinds of SNG by the operands of training.nc."""


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


@dataclass(frozen=True)
class Used:
    """SET + RESET cycles that a whole training put on the SNGs of ``layer`` and ``kind``: the mean
    device's and the most used one's, beside the ``endurance``."""

    layer: str
    kind: str
    mean: float
    most: float
    endurance: float

    @property
    def fraction(self) -> float:
        """Of the most used device's endurance; above 1 the training would not have ended."""
        return _ratio(self.most, self.endurance)

    @property
    def mean_fraction(self) -> float:
        """Of the mean device's endurance."""
        return _ratio(self.mean, self.endurance)


def lifetime(
    cells: Cells, work: Workload, endurance: float, source: str, *, inference: bool = False
) -> Lifetime | None:
    """Wear of training (or of inference) at the mean bit probabilities of training.nc; a device at
    probability 1 wears faster than the mean one. None where nothing runs on streams.

    A weight stream that lives for several images wears its device once; a device on which k weights
    take turns makes all their streams. With the stored state LRS at probability pi and a RESET that
    succeeds with Pr, SET and RESET both happen in pi Pr of the bits.
    """
    table = sng_table(cells)
    reset = float(cells.sng.isel(conditions(cells))["Pr"])
    worn: dict[tuple[str, str], list[float]] = {}
    for product in work.forward if inference else work.products:
        for operand in product.operands:
            bits = product.length * operand.each
            entry = worn.setdefault((product.layer, operand.kind), [0.0, 0.0])
            entry[0] += bits * stored_probability(table, operand.probability) * reset
            entry[1] += bits
    if not worn:
        return None
    (layer, kind), (cycles, pulses) = max(worn.items(), key=lambda item: item[1][0])
    return Lifetime(layer, kind, endurance, cycles, pulses, source)


def used(training: Training, endurance: float) -> Used:
    """What the run that training.nc records has taken from its most used device.

    Raises :class:`InputError` where cycles are not numbers.
    """
    data = training.data["cycles_per_device"].transpose("layer", "operand", "statistic")
    mean, most = (
        np.asarray(data.sel(statistic=name).to_numpy(), float) for name in ("mean", "max")
    )
    if not (np.all(np.isfinite(mean)) and np.all(most >= mean)):
        raise InputError(
            training.path, "cycles_per_device holds no numbers, or a mean above its max"
        )
    row, column = np.unravel_index(int(np.argmax(most)), most.shape)
    return Used(
        str(data["layer"].to_numpy()[row]),
        TENSORS[str(data["operand"].to_numpy()[column])],
        float(mean[row, column]),
        float(most[row, column]),
        endurance,
    )


def _ratio(numerator: float, denominator: float) -> float:
    if denominator:
        return numerator / denominator
    return math.inf if numerator else 0.0
