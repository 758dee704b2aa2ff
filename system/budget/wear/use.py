"""How often the devices of each kind and layer switch, and how many pulses they see, for an image.

A bit is a RESET pulse, a write pulse and a read. With the stored state LRS at probability pi and a
RESET that succeeds with Pr, SET and RESET both happen in pi Pr of the bits: a *switching event*. A
device in HRS, 1 - pi of the bits, gets a RESET pulse for nothing and has got a write pulse in vain
(none where the number is 0); these *stress pulses* are counted apart. RESET is taken as given in
every cycle.

For training, switching is what training.nc recorded for each group of devices over the whole run
(``cycles_per_device``). Within a group it says how use is spread by rank where the file has
``cycles_by_rank``; else only its mean and its most used device are known: one device is at the
most, all others at the mean of the rest. For inference only the mean is known, from the mean bit
probabilities; devices are taken to be used as unequally as in training, no more than every bit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from formats.errors import InputError
from formats.training import Training
from system.budget.reading import whole_attribute
from system.budget.sng import SngTable, stored_probability
from system.budget.wear.failure import Rates
from system.budget.workload import COLUMN, KINDS, BinaryProduct, Operand, Product, Workload

Place = tuple[str, str, float]
"""Layer, kind and number of devices of a group."""
KIND_OF = {"x": "activation", "w": "parameter", "d": "error"}
"""The kinds of SNG by the operands of training.nc."""


@dataclass(frozen=True)
class Group:
    """The devices of one kind in one layer: events per image of ``switching`` and of ``pulses``
    (bits: a RESET and a write pulse each), and ``in_vain``: pulses of each kind that the mean
    device gets in HRS without switching. ``recorded``: the spread of use is from training.nc."""

    layer: str
    kind: str
    switching: Rates
    pulses: Rates
    in_vain: float
    recorded: bool


def named(layer: str, kind: str) -> str:
    """The devices of a group in words."""
    return f"{'cells of columns' if kind == COLUMN else f'{kind} SNGs'} of {layer}"


def recorded(training: Training) -> tuple[np.ndarray, np.ndarray]:
    """Cycles of the mean and of the most used device, (layers, operands), over the whole run.

    Raises :class:`InputError` where they are not numbers.
    """
    data = training.data["cycles_per_device"].transpose("layer", "operand", "statistic")
    mean, most = (
        np.asarray(data.sel(statistic=name).to_numpy(), float) for name in ("mean", "max")
    )
    if not (np.all(np.isfinite(mean)) and np.all(most >= mean)):
        raise InputError(
            training.path, "cycles_per_device holds no numbers, or a mean above its max"
        )
    return mean, most


def epoch_images(training: Training) -> int:
    """Images of an epoch: those in whole batches."""
    batch = whole_attribute(training, "batch_size")
    return max(1, whole_attribute(training, "train_images") // batch) * batch


def recorded_images(training: Training) -> int:
    """Images of the whole recorded run."""
    return epoch_images(training) * training.data["epoch"].size


def training_groups(
    training: Training, work: Workload, table: SngTable, reset: float
) -> tuple[Group, ...]:
    """Every group of devices in a training step of one image, each layer with its own devices; none
    where no stream was trained on.

    ``reset`` is Pr. Raises :class:`InputError` where cycles are not numbers.
    """
    mean, most = recorded(training)
    if not mean.any():
        return ()
    layers = [str(name) for name in training.data["layer"].to_numpy()]
    operands = [str(name) for name in training.data["operand"].to_numpy()]
    ranks = _ranks(training)
    images = recorded_images(training)
    found = []
    for layer, kind, devices in owned(work):
        place = layer, kind, devices
        pulses = pulse_rates(work, work.products, place)
        operand = next((name for name, known in KIND_OF.items() if known == kind), None)
        if operand is None:
            switching = Rates.alike(devices, mean_switching(work.products, place, table, reset))
        else:
            row, column = layers.index(layer), operands.index(operand)
            in_file = devices + _idle_biases(training, work, layer, kind)
            classes = None if ranks is None else (ranks[0], ranks[1][row, column])
            switching = spread_out(
                devices, in_file, float(mean[row, column]), float(most[row, column]), classes
            ).times(1 / images)
        found.append(_group(layer, kind, switching, pulses, reset, operand is not None))
    return tuple(found)


def inference_groups(
    work: Workload, table: SngTable, reset: float, trained: Iterable[Group]
) -> tuple[Group, ...]:
    """The same for one inference, at the mean bit probabilities; devices that only train do
    nothing. Use is spread as in the groups ``trained``, where those know."""
    spreads = {(group.layer, group.kind): group for group in trained if group.recorded}
    found = []
    for layer, kind, devices in owned(work):
        place = layer, kind, devices
        pulses = pulse_rates(work, work.forward, place)
        mean = mean_switching(work.forward, place, table, reset)
        known = spreads.get((layer, kind))
        shape = Rates.alike(devices, 1.0) if known is None else known.switching
        switching = capped(shape, mean, pulses.most * reset)
        found.append(_group(layer, kind, switching, pulses, reset, known is not None))
    return tuple(found)


def owned(work: Workload) -> list[Place]:
    """Every group."""
    return [
        (layer, kind, devices)
        for kind in KINDS
        for layer, devices in work.generators(kind).items()
        if devices > 0
    ]


def mean_switching(
    products: Iterable[Product], place: Place, table: SngTable, reset: float
) -> float:
    """Switching events of the mean device of a group in one image, from mean bit probabilities."""
    ones = sum(
        product.bits(operand) * stored_probability(table, operand.probability)
        for product, operand in _operands(products, place)
    )
    return ones * reset / place[2]


def pulse_rates(work: Workload, products: Iterable[Product], place: Place) -> Rates:
    """Bits that the devices of a group make for one image in ``products``.

    The SNGs of biases make streams in the update only, and where each use of a weight has an SNG,
    the update's come from that of its first use.
    """
    layer, _, devices = place
    mine = _operands(products, place)
    bits = sum(product.bits(operand) for product, operand in mine)
    update = next((pair for pair in mine if pair[0].name == "update"), None)
    if place[1] != "parameter" or update is None:
        making = max((operand.generators for _, operand in mine), default=devices)
        return Rates(np.array([making, devices - making]), np.array([bits / making, 0.0]))
    product, operand = update
    biases = product.parallel - _weights(work, layer)
    bias_bits = product.rounds * product.length
    own = operand.generators - biases
    shared = max((o.generators for p, o in mine if p is not product), default=0.0)
    matrix = (bits - product.bits(operand)) / shared if shared else 0.0
    first = matrix + (product.bits(operand) - biases * bias_bits) / own
    counts = np.array([own, max(shared, own) - own, biases], float)
    return Rates(counts, np.array([first, matrix, bias_bits], float))


def spread_out(
    devices: float,
    in_file: float,
    mean: float,
    most: float,
    classes: tuple[np.ndarray, np.ndarray] | None,
) -> Rates:
    """Use over ``devices`` of a group: one at ``most``, the rest by classes or at their mean.

    ``mean`` is that of the ``in_file`` devices of the file, of which some that do nothing were not
    built. ``classes`` are shares of those devices, in rising order of use, and each class's mean.
    """
    total = mean * in_file
    if devices <= 1:
        return Rates.alike(devices, total / devices if devices else 0.0)
    if classes is None:
        rest = max(0.0, total - most) / (devices - 1)
        return Rates(np.array([devices - 1, 1.0]), np.array([rest, most]))
    shares, uses = classes
    ends = np.concatenate([[0.0], np.cumsum(shares)]) * in_file
    counts = np.diff(np.clip(ends, in_file - devices, None))
    sums = shares * in_file * uses  # those that were not built did nothing
    # The most used one is taken out of the highest classes, which may hold a part of it only.
    taken = np.minimum(counts, np.maximum(0.0, 1.0 - (counts[::-1].cumsum()[::-1] - counts)))
    left = counts - taken
    sums = np.where(counts > 0, sums * left / np.where(counts > 0, counts, 1.0), 0.0)
    excess = max(0.0, most - float(np.sum(taken * uses)))
    top = int(np.flatnonzero(left > 0)[-1])
    sums[top] = max(0.0, sums[top] - excess)
    kept = left > 0
    return Rates(np.append(left[kept], 1.0), np.append(sums[kept] / left[kept], most))


def capped(shape: Rates, mean: float, cap: float) -> Rates:
    """Rates in the proportions of ``shape`` with this ``mean``, none above ``cap``: what the most
    used ones cannot do is spread over the others."""
    if not mean or not shape.mean:
        return Rates.alike(shape.devices, mean)
    if shape.most * mean / shape.mean <= cap:
        return shape.times(mean / shape.mean)
    wanted = min(mean, cap) * shape.devices
    low, high = 0.0, cap / float(shape.per_image[shape.per_image > 0].min())
    for _ in range(200):
        factor = (low + high) / 2
        reached = float(shape.counts @ np.minimum(shape.per_image * factor, cap))
        low, high = (factor, high) if reached < wanted else (low, factor)
    return Rates(shape.counts, np.minimum(shape.per_image * high, cap))


def _group(
    layer: str, kind: str, switching: Rates, pulses: Rates, reset: float, known: bool
) -> Group:
    # A device that no RESET pulse resets never switches: all its pulses are in vain.
    tried = switching.mean / reset if reset else 0.0
    in_vain = max(0.0, pulses.mean - tried)
    return Group(layer, kind, switching, pulses, in_vain, known)


def _operands(products: Iterable[Product], place: Place) -> list[tuple[Product, Operand]]:
    """The operands that a group makes, with their products."""
    layer, kind, _ = place
    return [(p, o) for p in products if p.layer == layer for o in p.operands if o.kind == kind]


def _weights(work: Workload, layer: str) -> float:
    """Weights of a layer: the sums of its weight gradient in one image."""
    every: tuple[Product | BinaryProduct, ...] = (*work.products, *work.binary)
    return next(p.outputs for p in every if p.layer == layer and p.name == "weight_gradient")


def _idle_biases(training: Training, work: Workload, layer: str, kind: str) -> float:
    """Biases that have a place in the file's statistics, but no SNG as their update is binary."""
    if kind != "parameter" or any(p.layer == layer for p in work.updates):
        return 0.0
    fan_in = float(training.data["fan_in"].sel(layer=layer, product="forward"))
    return _weights(work, layer) / fan_in


def _ranks(training: Training) -> tuple[np.ndarray, np.ndarray] | None:
    """Shares of the devices by rank and mean use (layers, operands, ranks); None: unknown."""
    if "cycles_by_rank" not in training.data:
        return None
    data = training.data["cycles_by_rank"].transpose("layer", "operand", "rank")
    return (
        np.asarray(training.data["rank_share"].to_numpy(), float),
        np.asarray(data.to_numpy(), float),
    )
