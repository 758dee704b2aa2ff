"""The budget: shares of the parts, the bill of materials, where its numbers come from, totals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from system.budget.lines import Budget
from system.report.chart import Axis, Chart, Panel, Series
from system.report.page.section import Given, Section, present
from system.report.quantity import percent
from system.report.table import Column, Table, from_records

QUANTITIES = (
    ("area", lambda line: line.area),
    ("energy per training step", lambda line: line.energy_training),
    ("leakage", lambda line: line.leakage),
)
UNITS = {"mm2": ("m2", 1e-6), "uW": ("W", 1e-6)}
"""Units of totals in report.json that are not SI units, with the factor to these."""


def section(given: Given) -> Section:
    report = given.report
    return Section(
        "budget",
        "Budget",
        (shares(given.bill),),
        present(
            from_records(
                "built", "What was built", [report["architecture"]], "derived", ("passes",)
            ),
            from_records(
                "passes",
                "Stream lengths that a product takes, one after the other",
                report["architecture"]["passes"] if given.bill.layout.folded else (),
                "derived",
            ),
            bill(report, given.bill.workload.scheduled),
            sources(report),
            totals(report),
            stages(report.get("progressive")),
        ),
        {"progressive": report.get("progressive")},
    )


def shares(found: Budget) -> Chart:
    """Shares of each group of lines in area, energy and leakage."""
    groups = tuple(dict.fromkeys(line.group for line in found.lines))
    places = np.arange(float(len(groups)))
    series = []
    for number, (name, of) in enumerate(QUANTITIES):
        values = np.array([found.share(of, group) for group in groups])
        texts = tuple(f"{100 * value:.3g} %" for value in values)
        series.append(Series(name, values, places, "bars", number, texts=texts))
    said = "; ".join(
        f"{group}: "
        + ", ".join(f"{100 * found.share(of, group):.3g} % of {name}" for name, of in QUANTITIES)
        for group in groups
    )
    return Chart(
        "shares",
        f"Shares of the parts. {said}",
        "Derived: shares of the parts in area, in the switching energy of a training step and in "
        "leakage.",
        (
            Panel(
                tuple(series),
                Axis("share of the total", percent=True, limits=(0.0, 1.14)),
                Axis(categories=groups),
            ),
        ),
        size=1.0 + 0.55 * len(groups),
    )


def bill(report: Mapping[str, Any], scheduled: bool) -> Table:
    """The lines and their sums."""
    energies = (
        "; those of a training step are the mean over the epochs of the schedule of stream "
        "lengths, those of an inference are at the last epoch's lengths"
    )
    sums = report["totals"]
    rows = [
        (
            line["item"],
            line["group"],
            line["count"],
            1e-12 * line["unit_area_um2"],
            1e-6 * line["area_mm2"],
            line["unit_energy_J"],
            line["events_per_training_step"],
            line["energy_per_inference_J"],
            line["energy_per_training_step_J"],
            line["leakage_W"],
        )
        for line in report["lines"]
    ]
    rows.append(
        (
            *("Total", None, None, None),
            1e-6 * sums["area_mm2"]["value"],
            *(None, None),
            sums["energy_per_inference_J"]["value"],
            sums["energy_per_training_step_J"]["value"],
            1e-6 * sums["leakage_uW"]["value"],
        )
    )
    return Table(
        "bill",
        f"Bill of materials; energies are switching energies of one image"
        f"{energies if scheduled else ''}",
        (
            Column("item"),
            Column("part"),
            Column("count", "whole"),
            Column("unit area", "number", "m2"),
            Column("area", "number", "m2"),
            Column("mean energy of an event", "number", "J"),
            Column("events per training step", "whole"),
            Column("energy per inference", "number", "J"),
            Column("energy per training step", "number", "J"),
            Column("leakage", "number", "W"),
        ),
        tuple(rows),
        origin="derived",
        total=True,
    )


def sources(report: Mapping[str, Any]) -> Table:
    """Where each number of each line comes from."""
    kinds = ("count", "area", "energy", "leakage")
    return Table(
        "sources",
        "Where each line's numbers come from",
        (Column("item"), *(Column(kind, "source", wide=True) for kind in kinds)),
        tuple((line["item"], *(line["source"][k] for k in kinds)) for line in report["lines"]),
    )


def in_si(total: Mapping[str, Any]) -> tuple[float, tuple[float, float] | None, str]:
    """Value, interval and unit of a total of report.json, in SI units."""
    unit, factor = UNITS.get(total["unit"], (total["unit"], 1.0))
    ends = total["interval95"]
    interval = None if ends is None else (factor * ends[0], factor * ends[1])
    return factor * total["value"], interval, unit


def totals(report: Mapping[str, Any]) -> Table:
    """Every total of report.json; an exact one has no interval but its reason."""
    rows = []
    for name, total in report["totals"].items():
        value, interval, unit = in_si(total)
        spread = interval is not None and interval[0] != interval[1]
        rows.append(
            (
                name,
                (value, unit),
                (interval, unit) if spread else None,
                total["meaning"],
                total["reason"],
            )
        )
    return Table(
        "totals",
        "Totals and their uncertainty",
        (
            Column("total"),
            Column("value", "amount"),
            Column("95 % interval", "amount"),
            Column("meaning", wide=True),
            Column("of the interval", wide=True),
        ),
        tuple(rows),
        origin="derived",
    )


def stages(early: Mapping[str, Any] | None) -> Table | None:
    """Inference in stages, where it was recorded."""
    if early is None:
        return None
    return from_records(
        "stages",
        f"Progressive precision: {early['images']} images, each until its decision is safe; "
        f"{percent(early['accuracy'])} right",
        [{"stage": str(number), **row} for number, row in enumerate(early["stages"], start=1)],
        origin="derived",
    )
