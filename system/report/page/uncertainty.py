"""What the errors of the inputs do to the totals: intervals, and which inputs matter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from system.report.chart import Axis, Chart, Panel, Series
from system.report.page.budget import UNITS
from system.report.page.section import Given, Section, present
from system.report.quantity import quantity
from system.report.table import Column, Table, from_records, in_words

MOST_BARS = 10
CHARTED = (
    "area_mm2",
    "power_uW",
    "energy_per_inference_J",
    "energy_per_training_step_J",
    "energy_per_training_image_J",
)
"""Totals that get a chart; the table holds all."""


def section(given: Given) -> Section:
    return of(given.report)


def of(report: Mapping[str, Any]) -> Section:
    """The section of any report.json with totals and what is uncertain about them."""
    found = report["uncertainty"]
    units = {name: total["unit"] for name, total in report["totals"].items()}
    charts = [
        tornado(name, found["totals"][name]["value"], bars, units.get(name, ""))
        for name, bars in found["tornado"].items()
        if name in CHARTED and bars
    ]
    inputs = [{**one, "moves": [in_words(m) for m in one["moves"]]} for one in found["inputs"]]
    return Section(
        "uncertainty",
        "Uncertainty",
        tuple(charts),
        present(
            spreads(found["totals"], units),
            from_records("inputs", "What is uncertain, and how", inputs),
        ),
        {"found": found},
    )


def tornado(name: str, nominal: float, found: list[Mapping[str, Any]], file_unit: str) -> Chart:
    """The total with each input at either end of its 95 % range, the widest on top."""
    unit, factor = UNITS.get(file_unit, (file_unit, 1.0))
    bars = sorted(found, key=lambda bar: -abs(bar["high"] - bar["low"]))[:MOST_BARS]
    places, value = np.arange(float(len(bars))), factor * nominal
    middle = np.full(len(bars), value)
    ends = {end: np.array([factor * bar[end] for bar in bars]) for end in ("low", "high")}
    said = "; ".join(
        f"{bar['input']}: {quantity(factor * bar['low'], unit)} to "
        f"{quantity(factor * bar['high'], unit)}"
        for bar in bars
    )
    title = in_words(name)
    scale, shown = (1e6, "mm²") if unit == "m2" else (1.0, unit)
    return Chart(
        f"tornado-{name.replace('_', '-')}",
        f"{title} of {quantity(value, unit)}, with one input moved at a time. {said}",
        f"Derived: {title} with one input at a time at the low and the high end of its 95 % range "
        f"and all others at their nominal values"
        + (f"; the {MOST_BARS} widest of {len(found)}." if len(found) > MOST_BARS else "."),
        (
            Panel(
                tuple(
                    Series(f"input at its {end} end", scale * ends[end], places, "bars", number,
                           low=scale * middle)
                    for number, end in enumerate(("low", "high"))
                ),
                Axis(f"{title} ({shown})", unit="" if unit == "m2" else unit),
                Axis(categories=tuple(str(bar["input"]) for bar in bars)),
                grouped=False,
                marks=((scale * value, "nominal"),),
            ),
        ),
        size=1.1 + 0.36 * len(bars),
    )  # fmt: skip


def spreads(found: Mapping[str, Mapping[str, Any]], units: Mapping[str, str]) -> Table:
    """Nominal value, median and interval of each total."""
    rows = []
    for name, one in found.items():
        unit, factor = UNITS.get(units.get(name, ""), (units.get(name, ""), 1.0))
        ends = one["interval95"]
        rows.append(
            (
                in_words(name),
                (factor * one["value"], unit),
                (factor * one["median"], unit),
                None if ends is None else (tuple(factor * end for end in ends), unit),
            )
        )
    return Table(
        "spreads",
        "Totals with the errors of all inputs carried through",
        (
            Column("total"),
            Column("value", "amount"),
            Column("median", "amount"),
            Column("95 % interval", "amount"),
        ),
        tuple(rows),
        origin="derived",
    )
