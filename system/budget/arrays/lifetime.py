"""How often the devices of an array are written: by image of a training, or by programming."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from formats.binarized import BinarizedResult
from formats.synapse_training import SynapseTraining
from system.budget.arrays.binarized import layers_of
from system.budget.arrays.synapses import arrays_of, images_of
from system.budget.wear.failure import Rates

TRAINING_IMAGE, PROGRAMMING = "training image", "programming"


@dataclass(frozen=True)
class Use:
    """Pulses on the devices of each array in a ``unit``: a training image or a programming.

    ``spent`` are the pulses that the recorded run put on the mean and on the most used device of
    each array, its first programming included; ``per_epoch`` how many units an epoch has.
    """

    unit: str
    rates: Mapping[str, Rates]
    spent: Mapping[str, tuple[float, float]]
    per_epoch: float | None
    meaning: str

    @property
    def every(self) -> Rates:
        """All devices."""
        return Rates.joined(self.rates.values())


def use_of_training(training: SynapseTraining) -> Use:
    """Of a training on synapses: of each crossbar one device at the recorded most, all others at
    the mean of the rest; raises :class:`InputError` as :func:`arrays_of`."""
    images = images_of(training)
    rates, spent = {}, {}
    most = np.asarray(training.data["most_pulses"].to_numpy(), float)
    for array, largest in zip(arrays_of(training), most, strict=True):
        mean, top = array.pulses, max(array.pulses, float(largest) - array.first_pulses)
        top = min(top, mean * array.devices)
        rest = (mean * array.devices - top) / (array.devices - 1) if array.devices > 1 else 0.0
        counts = np.array([array.devices - 1, 1.0])
        rates[array.name] = Rates(counts, np.array([rest, top]) / images)
        spent[array.name] = (array.first_pulses + mean, float(largest))
    return Use(
        TRAINING_IMAGE,
        rates,
        spent,
        float(training.attributes["train_images"]),
        "A programming pulse counts as a SET + RESET cycle: the worst case (assumed), for a pulse "
        "of a conductance synapse moves it by one step only. Reads do not wear (assumed). The most "
        "used device is taken to have had the mean number of first pulses.",
    )


def use_of_programming(result: BinarizedResult) -> Use:
    """Of a network programmed once: a cycle on each device; raises :class:`InputError` as
    :func:`layers_of`."""
    layers, _ = layers_of(result)
    return Use(
        PROGRAMMING,
        {layer.name: Rates.alike(layer.devices, 1.0) for layer in layers},
        {layer.name: (1.0, 1.0) for layer in layers},
        None,
        "Weights are programmed once, and that counts as one SET + RESET cycle of every device "
        "(assumed, the worst case). Reads do not wear (assumed): inference has no end of life by "
        "endurance. The times below are how often the whole array could be programmed anew.",
    )
