"""Wear of devices that layers share: the SNGs of one pass make the streams of the others too.

A product's streams come evenly from as many SNGs as one of its passes needs, from the first of
their kind on. So a device is used by every product that needs as many devices or more, and its use
is the sum of theirs. A device makes streams of many operands, so what one operand asks for more
than another averages out: all devices of a product are taken to be used alike.
"""

from __future__ import annotations

import numpy as np

from formats.training import Training
from system.budget.layout import Layout
from system.budget.sng import SngTable, stored_probability
from system.budget.wear.failure import Rates
from system.budget.wear.use import Group, training_groups
from system.budget.workload import COLUMN, KINDS, Operand, Product

EVERY_LAYER = "all layers"
Use = tuple[float, float, float]
"""Devices of one product; switching events and bits of each of them in an image."""


def shared_groups(
    layout: Layout, products: tuple[Product, ...], table: SngTable, reset: float
) -> tuple[Group, ...]:
    """A group for each kind of SNG, and of the cells of columns that are written, at the mean bit
    probabilities; ``reset`` is Pr."""
    found = []
    for kind in (*KINDS, COLUMN):
        uses = [
            _use(layout, product, operand, table, reset)
            for product in products
            for operand in product.operands
            if operand.kind == kind
        ]
        devices = layout.generators(kind)
        if devices:
            switching, pulses = _stacked(uses, devices)
            in_vain = max(0.0, pulses.mean - switching.mean / reset)
            found.append(Group(EVERY_LAYER, kind, switching, pulses, in_vain, False))
    return tuple(found)


def groups_of_training(
    training: Training, layout: Layout, table: SngTable, reset: float
) -> tuple[Group, ...]:
    """Groups of devices in a training step of one image, of layers' own SNGs or of shared ones;
    none where no stream was trained on. Raises :class:`InputError` where cycles are no numbers."""
    own = training_groups(training, layout.work, table, reset)
    if not (own and layout.architecture.shared):
        return own
    return shared_groups(layout, layout.work.products, table, reset)


def _use(layout: Layout, product: Product, operand: Operand, table: SngTable, reset: float) -> Use:
    devices = float(layout.at_once(product, operand))
    bits = product.bits(operand) / devices
    return devices, bits * stored_probability(table, operand.probability) * reset, bits


def _stacked(uses: list[Use], devices: float) -> tuple[Rates, Rates]:
    """Devices in classes of equal use: those up to each product's number of them."""
    ends = np.unique([0.0, devices, *(number for number, _, _ in uses)])
    counts = np.diff(ends)
    switching, pulses = np.zeros(counts.size), np.zeros(counts.size)
    for number, events, bits in uses:
        inside = ends[1:] <= number
        switching[inside] += events
        pulses[inside] += bits
    return Rates(counts, switching), Rates(counts, pulses)
