"""The report in plain sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from system.budget.lines import Budget, Line
from system.report.quantity import digits, percent, quantity

AREA: Callable[[Line], float] = attrgetter("area")
ENERGY: Callable[[Line], float] = attrgetter("energy_training")


def sentences(report: Mapping[str, Any], bill: Budget, epochs: int) -> list[str]:
    """What the numbers say of a training of so many ``epochs``."""
    totals, timing = report["totals"], bill.timing
    leak = totals["leakage_uW"]["value"] / totals["power_uW"]["value"]
    gap = report["accuracy"]["difference_points"]
    published = report["comparison"]["published_system"]
    wear = report["lifetime"][0]
    said = [
        f"Area is dominated by the {_dominant(bill, AREA)}, the switching energy of training by "
        f"the {_dominant(bill, ENERGY)}.",
        f"At a frame rate of {timing.rate:.3g} per second (training steps of one image) the power "
        f"is {quantity(bill.power, 'W')}, of which {digits(100 * leak)} % is leakage.",
        f"One bit takes {quantity(timing.bit, 's')}, an inference "
        f"{quantity(timing.inference, 's')}, "
        f"a training step {quantity(timing.training_step, 's')}; nothing is pipelined.",
        f"With stochastic arithmetic the accuracy is {percent(report['accuracy']['sc']['value'])}, "
        f"without {percent(report['accuracy']['float']['value'])}: a difference of "
        f"{_signed(gap['value'])} points (95 %: {_signed(gap['interval95'][0])} to "
        f"{_signed(gap['interval95'][1])}).",
        *_bit_by_bit(report["accuracy"].get("sc_bit_by_bit")),
        "This candidate reading of the published system has "
        + " and ".join(f"{digits(row['ratio'])} times its {row['quantity']}" for row in published)
        + ".",
    ]
    if wear["images"] is not None:
        said.append(
            f"The {wear['first_to_wear']} wear out first: at an endurance of "
            f"{digits(wear['endurance_cycles'])} cycles after {digits(wear['images'])} training "
            f"images, {digits(wear['epochs'])} epochs{_unfinished(wear['epochs'], epochs)}."
        )
    low, high = report["comparison"]["floating_point"][-1]["ratio"]
    said.append(
        f"Per product the whole system takes {digits(1 / high)} to {digits(1 / low)} times the "
        "energy of a published FP32 multiply-add."
    )
    return said


def _bit_by_bit(found: Mapping[str, Any] | None) -> list[str]:
    """The check of the moments by streams made bit by bit, where there was one."""
    if found is None:
        return []
    return [
        f"Computed bit by bit, the network trained by moments gets {percent(found['value'])} of "
        f"{found['test_images']} test images, by the moments "
        f"{percent(found['moments_on_the_same'])} of the same ones (McNemar's p = "
        f"{digits(found['mcnemar_p'])})."
    ]


def _unfinished(worn: float | None, epochs: int) -> str:
    """Whether the devices outlive the training that was costed."""
    if worn is None or worn >= epochs:
        return ""
    return f"; the training of {epochs} epochs behind these accuracies would not be finished"


def _signed(points: float) -> str:
    return f"{points:+.2f}".replace("-", "−")


def _dominant(bill: Budget, of: Callable[[Line], float]) -> str:
    """The group that holds most of a quantity, with its share and its largest line."""
    groups = dict.fromkeys(line.group for line in bill.lines)
    group = max(groups, key=lambda name: bill.share(of, name))
    line = max((line for line in bill.lines if line.group == group), key=of)
    shown = group if group[1].isupper() else group.lower()
    return f"{shown} ({digits(100 * bill.share(of, group))} %; largest line: {line.item})"
