"""The summary: the totals with their intervals, the accuracies, and what the numbers say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from system.report.page.budget import in_si
from system.report.page.section import Given, Section
from system.report.quantity import digits, percent, quantity, whole
from system.report.summary import sentences

MAIN = {
    "area_mm2": "Area",
    "power_uW": "Average power",
    "energy_per_inference_J": "Energy per inference",
    "energy_per_training_step_J": "Energy per training step",
}
"""The four totals."""
MORE = {
    "latency_s": "Latency of an inference",
    "training_step_latency_s": "Latency of a training step",
    "energy_per_progressive_inference_J": "Energy per progressive inference",
}
COMPARED = {"area": "area_mm2", "average power": "power_uW"}
"""Totals by their names in the comparison with the published system."""


@dataclass(frozen=True)
class Card:
    """One number: its name, kind and value, its interval and what else is said of it."""

    name: str
    kind: str
    value: str
    interval: str
    more: tuple[str, ...] = ()


def section(given: Given) -> Section:
    report = given.report
    published = {
        COMPARED[row["quantity"]]: f"published system: {quantity(row['published'], row['unit'])}; "
        f"this is {digits(row['ratio'])} times that"
        for row in report["comparison"]["published_system"]
        if row["quantity"] in COMPARED
    }
    totals = report["totals"]
    return Section(
        "summary",
        "Summary",
        values={
            "main": [
                card(title, totals[name], published.get(name)) for name, title in MAIN.items()
            ],
            "more": [
                *(card(title, totals[name]) for name, title in MORE.items() if name in totals),
                *accuracies(report),
            ],
            "sentences": sentences(report, given.bill, given.epochs),
        },
    )


def card(title: str, total: Mapping[str, Any], also: str | None = None) -> Card:
    """A total of report.json."""
    value, interval, unit = in_si(total)
    more = (f"{total['meaning']}", *([also] if also else []))
    if interval is None:
        said = "95 % interval unknown"
    elif interval[0] == interval[1]:
        reason = str(total["reason"])
        said, _, why = reason.partition(": ")
        more = (*more, why)
    else:
        said = f"95 %: {quantity(interval[0], unit)} … {quantity(interval[1], unit)}"
    return Card(title, "derived", quantity(value, unit), said, more)


def accuracies(report: Mapping[str, Any]) -> list[Card]:
    """Accuracy with and without SC."""
    mapped = report["streams"]["mode"] == "float"
    after = ", mapped after training in floating point" if mapped else ""
    names = {
        "sc": f"Accuracy with SC{after}",
        "float": "Accuracy without SC (floating point)",
    }
    cards = []
    for key, title in names.items():
        one = report["accuracy"][key]
        low, high = one["interval95"]
        seeds = len(one["by_seed"])
        cards.append(
            Card(
                title,
                "simulated",
                percent(one["value"]),
                f"95 %: {percent(low)} … {percent(high)}",
                (
                    f"{whole(one['test_images'])} test images, {seeds} "
                    f"seed{'s' if seeds != 1 else ''}",
                ),
            )
        )
    return cards
