"""What other stream rules would change of the wear: the same training, costed under them.

Counts of streams and of devices under other rules are those of the workload, as if training.nc had
been written under them. Nothing is trained anew: the bit probabilities stay, and the devices of a
group are used as unequally as under the rules that were trained, in proportion to the mean (for
devices that k weights share, more unequally than they would be).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from formats.training import PRODUCTS, Training
from system.bitstream import StreamRules
from system.budget.layout import Layout
from system.budget.reading import workload
from system.budget.sng import SngTable
from system.budget.wear.failure import Rates
from system.budget.wear.shared import shared_groups
from system.budget.wear.use import Group, mean_switching, owned, pulse_rates

LIVES = ("image", "batch")
SHARINGS = ("parameter", "turns:4", "use")


@dataclass(frozen=True)
class UnderRules:
    """The groups of devices under some rules; ``trained``: those are the ones trained under."""

    rules: StreamRules
    groups: tuple[Group, ...]
    trained: bool


def comparison(
    training: Training,
    layout: Layout,
    table: SngTable,
    reset: float,
    groups: Iterable[Group],
) -> tuple[UnderRules, ...]:
    """Training under each life and sharing, and under the rules trained, whose are ``groups``."""
    groups, work = tuple(groups), layout.work
    if layout.bank is not None:  # columns make no streams under other rules
        return (UnderRules(work.rules, groups, True),)
    asked = [StreamRules.parse(life, sharing) for life in LIVES for sharing in SHARINGS]
    others = [rules for rules in asked if rules != work.rules]
    return (
        UnderRules(work.rules, groups, True),
        *(
            UnderRules(rules, _under(training, layout, table, reset, groups, rules), False)
            for rules in others
        ),
    )


def under_rules(training: Training, rules: StreamRules) -> Training:
    """The tables of training.nc as they would stand under other rules."""
    data = training.data.copy(deep=True)
    streams = data["b_streams"].transpose("layer", "product").to_numpy().copy()
    place = {name: PRODUCTS.index(name) for name in PRODUCTS}
    macs, outputs = (
        np.asarray(data[name].transpose("layer", "product").to_numpy(), float)
        for name in ("macs", "outputs")
    )
    for name in ("forward", "input_gradient"):
        column = place[name]
        met = macs[:, column] if rules.kind == "use" else outputs[:, place["weight_gradient"]]
        streams[:, column] = np.where(macs[:, column] > 0, met, streams[:, column])
    data["b_streams"] = (("layer", "product"), streams, data["b_streams"].attrs)
    about = {"stream_life": rules.life_text, "sng_sharing": rules.sharing_text}
    return replace(training, attributes={**training.attributes, **about}, data=data)


def _under(
    training: Training,
    layout: Layout,
    table: SngTable,
    reset: float,
    groups: tuple[Group, ...],
    rules: StreamRules,
) -> tuple[Group, ...]:
    work, other = layout.work, workload(under_rules(training, rules))
    if layout.architecture.shared:
        return shared_groups(replace(layout, work=other), other.products, table, reset)
    before = {(layer, kind): (layer, kind, devices) for layer, kind, devices in owned(work)}
    after = {(layer, kind): (layer, kind, devices) for layer, kind, devices in owned(other)}
    found = []
    for group in groups:
        place = after[group.layer, group.kind]
        old, new = (
            mean_switching(of.products, at, table, reset)
            for of, at in ((work, before[group.layer, group.kind]), (other, place))
        )
        pulses = pulse_rates(other, other.products, place)
        switching = _moved(group.switching, place[2], new / old if old else 1.0)
        in_vain = max(0.0, pulses.mean - switching.mean / reset)
        found.append(replace(group, switching=switching, pulses=pulses, in_vain=in_vain))
    return tuple(found)


def _moved(rates: Rates, devices: float, factor: float) -> Rates:
    """The same mean and proportions among another number of devices, times a ``factor``; still one
    device is the most used."""
    uses = rates.per_image * factor
    if rates.counts.size < 2 or rates.counts[-1] != 1.0 or devices <= 1:
        return Rates(rates.counts * devices / rates.devices, uses)
    counts = np.append(rates.counts[:-1] * (devices - 1) / (rates.devices - 1), 1.0)
    rest = float(counts[:-1] @ uses[:-1])
    wanted = max(0.0, rates.mean * factor * devices - uses[-1])
    uses[:-1] *= wanted / rest if rest else 1.0
    return Rates(counts, uses)
