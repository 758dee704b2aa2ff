"""The report in plain sentences."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from formats.cells import Cells
from formats.training import Training
from system.budget.lines import Budget, Line
from system.budget.workload import lengths_text
from system.report.quantity import digits, percent, quantity, whole
from system.report.wear import row_of

AREA: Callable[[Line], float] = attrgetter("area")
ENERGY: Callable[[Line], float] = attrgetter("energy_training")


def about(cells: Cells, training: Training, bill: Budget) -> str:
    """What was costed, in a sentence."""
    device = json.loads(str(cells.attributes["device_json"]))
    macs, work = bill.workload.macs_used, bill.workload
    kinds = f"MAC{'s' if len(macs) > 1 else ''} {', '.join(macs)}, " if macs else ""
    return (
        f"Device {device.get('name', 'without a name')}, technology "
        f"{cells.attributes['technology']}, {kinds}streams of {lengths_text(work.products)} bits, "
        f"network {training.attributes['network']}, {whole(work.parameters)} parameters."
    )


def sentences(report: Mapping[str, Any], bill: Budget, epochs: int) -> list[str]:
    """What the numbers say of a training of so many ``epochs``."""
    totals, timing = report["totals"], bill.timing
    leak = totals["leakage_uW"]["value"] / totals["power_uW"]["value"]
    gap = report["accuracy"]["difference_points"]
    wear = row_of(report["wear"], "training") or row_of(report["wear"], "inference")
    used = report["endurance_used"]
    said = [
        f"The largest part of the area are the {_dominant(bill, AREA)}, of the switching energy of "
        f"training the {_dominant(bill, ENERGY)}.",
        f"At a frame rate of {timing.rate:.3g} per second (training steps of one image) the power "
        f"is {quantity(bill.power, 'W')}, of which {digits(100 * leak)} % is leakage.",
        f"One bit takes {quantity(timing.bit, 's')}, an inference "
        f"{quantity(timing.inference, 's')}, "
        f"a training step {quantity(timing.training_step, 's')}; nothing is pipelined.",
        *_scheduled(bill),
        _update(report["update"]),
        f"{_trained(report['accuracy']['sc_trained_in'])} the accuracy is "
        f"{percent(report['accuracy']['sc']['value'])}, "
        f"without {percent(report['accuracy']['float']['value'])}: a difference of "
        f"{_signed(gap['value'])} points (95 %: {_signed(gap['interval95'][0])} to "
        f"{_signed(gap['interval95'][1])}).",
        *_bit_by_bit(report["accuracy"].get("sc_bit_by_bit")),
        *_progressive(report),
        _published(report["comparison"]["published_system"]),
    ]
    if used["cycles"]:
        said.append(
            f"The most used device (one of the {used['most_used']}) has spent "
            f"{digits(100 * used['fraction'])} % of its endurance on this training of "
            f"{_epochs(epochs)} ({digits(used['cycles'])} of {digits(used['endurance_cycles'])} "
            "SET + RESET cycles): at this use it is worn out after "
            f"{digits(epochs / used['fraction'])} epochs"
            f"{_unfinished(epochs / used['fraction'], epochs)}. The mean one of the "
            f"{used['most_used']} has spent "
            f"{digits(100 * used['fraction_of_their_mean_device'])} %."
        )
    if wear is not None:
        said.append(_failures(wear, report["wear"]["endurance"]))
    low, high = report["comparison"]["floating_point"][-1]["ratio"]
    said.append(
        f"Per product the whole system takes {digits(1 / high)} to {digits(1 / low)} times the "
        "energy of a published FP32 multiply-add."
    )
    return said


def _scheduled(bill: Budget) -> list[str]:
    """Which epochs the figures are of, where the lengths of streams follow a schedule."""
    if not bill.workload.scheduled:
        return []
    return [
        "Energy and time of a training step are means over the epochs of the schedule of stream "
        "lengths; those of an inference are at the last epoch's lengths, so their ratio is not "
        "that of one step to its own forward pass."
    ]


def _published(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return "The published system: another network than the LeNet-5 reading: not compared."
    ratios = " and ".join(f"{digits(row['ratio'])} times its {row['quantity']}" for row in rows)
    return f"This candidate reading of the published system has {ratios}."


def _update(update: Mapping[str, Any]) -> str:
    """Whether all of the training is in stochastic arithmetic."""
    name, plain = update["rule"], update["parameters_binary"]
    if not update["parameters_on_streams"]:
        return f"The update ({name}) is not in stochastic arithmetic; a binary unit computes it."
    if plain:
        return (
            f"The update ({name}) runs on streams for {digits(update['parameters_on_streams'])} "
            f"parameters, in a binary unit for {digits(plain)}."
        )
    return f"The products of the update ({name}) run on streams too; its sums are binary."


def _trained(mode: str) -> str:
    if mode == "float":
        return "Mapped to stochastic arithmetic after training in floating point,"
    return "With stochastic arithmetic"


def _progressive(report: Mapping[str, Any]) -> list[str]:
    """What stopping early saves, where it was recorded."""
    early = report.get("progressive")
    if early is None:
        return []
    totals = report["totals"]
    energies = [
        totals[name]["value"]
        for name in ("energy_per_progressive_inference_J", "energy_per_inference_J")
    ]
    return [
        f"With progressive precision an inference takes {quantity(energies[0], 'J')} and "
        f"{quantity(totals['progressive_latency_s']['value'], 's')} on the mean, "
        f"{digits(100 * energies[0] / energies[1])} % of the energy at the trained length, at an "
        f"accuracy of {percent(early['accuracy'])} on {early['images']} images."
    ]


def _bit_by_bit(found: Mapping[str, Any] | None) -> list[str]:
    """The check of the moments by streams made bit by bit, where there was one."""
    if found is None:
        return []
    return [
        f"Computed bit by bit, the same network gets {percent(found['value'])} of "
        f"{found['test_images']} test images, by the moments "
        f"{percent(found['moments_on_the_same'])} of the same ones (McNemar's p = "
        f"{digits(found['mcnemar_p'])})."
    ]


def _failures(row: Mapping[str, Any], endurance: Mapping[str, Any]) -> str:
    """When devices fail, of the row of the device's own endurance."""
    what = "training images" if row["use"] == "training" else "inferences"
    times = [
        f"{name} after {digits(row[f'images_to_{key}'])}"
        for name, key in (("0.1 %", "per_mille"), ("1 %", "percent"))
        if row[f"images_to_{key}"] is not None
    ]
    return (
        f"Devices do not last equally long ({endurance['text']}): the first of all fails after "
        f"{digits(row['images_to_first'])} {what} (median), most probably one of the "
        f"{row['first_to_fail']}{''.join(f', {text}' for text in times)}."
    )


def _unfinished(worn: float | None, epochs: int) -> str:
    """Whether the devices outlive the training that was costed."""
    if worn is None or worn >= epochs:
        return ""
    return f"; the training of {_epochs(epochs)} behind these accuracies would not be finished"


def _epochs(count: int) -> str:
    return f"{count} epoch{'s' if count != 1 else ''}"


def _signed(points: float) -> str:
    return f"{points:+.2f}".replace("-", "−")


def _dominant(bill: Budget, of: Callable[[Line], float]) -> str:
    """The group that holds most of a quantity, with its share and its largest line."""
    groups = dict.fromkeys(line.group for line in bill.lines)
    group = max(groups, key=lambda name: bill.share(of, name))
    line = max((line for line in bill.lines if line.group == group), key=of)
    shown = group if group[1].isupper() else group.lower()
    return f"{shown} ({digits(100 * bill.share(of, group))} %; largest line: {line.item})"
