"""report.html of a network on arrays, in the frame and with the parts of the other report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from formats.cells import Cells
from system.report.arrays.case import Case
from system.report.arrays.sentences import sentences
from system.report.arrays.tables import accuracies, bill, corrupted, lifetimes, uses
from system.report.chart import Axis, Chart, Panel, Series
from system.report.page import budget, lifetime, provenance, uncertainty
from system.report.page.assemble import framed
from system.report.page.section import Section, present
from system.report.page.summary import Card, card
from system.report.quantity import digits, percent, whole

HEADING = "What this network on device arrays costs, and how well it does"
MAIN = {
    "area_mm2": "Area",
    "energy_per_inference_J": "Energy per inference",
    "energy_per_training_image_J": "Energy per training image",
    "programming_energy_J": "Energy of programming",
}
MORE = {"latency_s": "Latency of an inference"}
NAMES = {"float": "floating point", "synapses": "on synapses"}
SHARES = (
    ("area", "area_mm2"),
    ("energy per inference", "energy_per_inference_J"),
    ("energy per training image", "energy_per_training_image_J"),
    ("energy of programming", "programming_energy_J"),
)


def page(of: Case, cells: Cells, device: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """The HTML text."""
    records = {
        "device.json": device.get("provenance") or {},
        "cells.nc": provenance.parsed(str(cells.attributes["provenance"])),
        of.file: provenance.parsed(str(of.attributes["provenance"])),
        "report.json": report["provenance"],
    }
    return framed(
        [
            _summary(report),
            _accuracy(report["accuracy"]),
            _budget(report),
            uncertainty.of(report),
            _lifetime(report["wear"]),
            provenance.of(records, str(of.attributes["images_sha256"])),
        ],
        report,
        title=f"{of.system}, {of.attributes['network']}",
        heading=HEADING,
        said=of.about,
    )


def cards(report: Mapping[str, Any], titles: Mapping[str, str]) -> list[Card]:
    """Totals that are there."""
    totals = report["totals"]
    return [card(title, totals[name]) for name, title in titles.items() if name in totals]


def scores(found: Mapping[str, Any]) -> list[Card]:
    """Networks without devices and, of each one on chips, the first states as they are drawn."""
    runs = found["runs"]
    chosen: dict[tuple[str, bool], Mapping[str, Any]] = {}
    for row in found["networks"]:
        chosen.setdefault((row["network"], row["treatment"] is not None), row)
    made = []
    for (name, mapped), row in chosen.items():
        low, high = row["interval95"]
        count = len(row["by_run"])
        sure = f"95 %: {percent(low)} … {percent(high)}"
        more = [f"{whole(row['test_images'])} test images"]
        if mapped or runs == "seeds":
            more.append(f"{count} {runs if count != 1 else runs[:-1]}")
        if mapped and count > 1:
            more.append(f"{sure}, of the mean and by its test images alone")
            sure = f"chips: {percent(min(row['by_run']))} … {percent(max(row['by_run']))}"
        if mapped:
            more.append(
                f"R_OFF/R_ON {digits(row['ratio'])}, spreads {percent(row['spread_on'])} and "
                f"{percent(row['spread_off'])}, treatment {row['treatment']}"
            )
        on = " on chips" if mapped else ""
        made.append(
            Card(
                f"Accuracy, {NAMES.get(name, name)}{on}",
                "simulated",
                percent(row["value"]),
                sure,
                tuple(more),
            )
        )
    return made


def _summary(report: Mapping[str, Any]) -> Section:
    return Section(
        "summary",
        "Summary",
        values={
            "main": cards(report, MAIN),
            "more": [*cards(report, MORE), *scores(report["accuracy"])],
            "sentences": sentences(report),
        },
    )


def _accuracy(found: Mapping[str, Any]) -> Section:
    return Section(
        "accuracy",
        "Accuracy",
        present(
            _by_epoch(found["by_epoch"]), *_degradations(found["corrupted"]), _by_spread(found)
        ),
        present(accuracies(found), corrupted(found["corrupted"])),
    )


def _by_epoch(rows: list[Mapping[str, Any]]) -> Chart | None:
    """Test accuracy after each epoch."""
    if not rows:
        return None
    series = []
    for number, name in enumerate(dict.fromkeys(row["network"] for row in rows)):
        own = [row for row in rows if row["network"] == name]
        bounds = np.array([row["interval95"] for row in own])
        series.append(
            Series(
                NAMES[name],
                np.array([row["epoch"] + 0.06 * (number - 0.5) for row in own]),
                np.array([row["value"] for row in own]),
                "joined",
                number,
                bounds[:, 0],
                bounds[:, 1],
            )
        )
    last = max(row["epoch"] for row in rows)
    axis = Axis("epochs trained", whole=True, limits=(0.5, last + 0.5))
    return Chart(
        "accuracy",
        "Test accuracy per epoch, in floating point and on synapses",
        "Simulated: test accuracy, mean over seeds, with the 95 % Wilson interval of one test set.",
        (Panel(tuple(series), axis, Axis("test accuracy", percent=True)),),
    )


def _degradations(rows: list[Mapping[str, Any]]) -> list[Chart]:
    """Relative degradation against strength, a chart a corruption."""
    charts = []
    for corruption in dict.fromkeys(row["corruption"] for row in rows):
        words = corruption.replace("_", " ")
        series = []
        for number, (name, title) in enumerate(NAMES.items()):
            own = [r for r in rows if r["network"] == name and r["corruption"] == corruption]
            x, y = (np.array([r[k] for r in own]) for k in ("strength", "relative_degradation"))
            series.append(Series(title, x, y, "joined", number))
        charts.append(
            Chart(
                f"degradation-{corruption}",
                f"Relative degradation of the accuracy by {words}, both networks",
                f"Simulated: {words}: (accuracy on clean images - on spoilt ones) over that "
                "on clean images, by strength, mean over seeds.",
                (
                    Panel(
                        tuple(series),
                        Axis(f"strength ({words})"),
                        Axis("relative degradation", percent=True),
                    ),
                ),
            )
        )
    return charts


def _by_spread(found: Mapping[str, Any]) -> Chart | None:
    """Accuracy on chips against the spread of R_ON, a panel a ratio."""
    rows = [row for row in found["networks"] if row["treatment"] is not None]
    if not rows:
        return None
    kinds = list(dict.fromkeys((row["network"], row["treatment"]) for row in rows))
    panels = []
    for index, ratio in enumerate(sorted({row["ratio"] for row in rows})):
        series = []
        for number, kind in enumerate(kinds):
            own = [
                r for r in rows if r["ratio"] == ratio and (r["network"], r["treatment"]) == kind
            ]
            own.sort(key=lambda row: row["spread_on"])
            bounds = np.array([[min(r["by_run"]), max(r["by_run"])] for r in own])
            series.append(
                Series(
                    ", ".join(kind),
                    np.array([r["spread_on"] for r in own]),
                    np.array([r["value"] for r in own]),
                    "joined",
                    number,
                    bounds[:, 0],
                    bounds[:, 1],
                    listed=index == 0,
                )
            )
        panels.append(
            Panel(
                tuple(series),
                Axis("spread of R_ON", percent=True),
                Axis("test accuracy", percent=True),
                title=f"R_OFF/R_ON = {digits(ratio)}",
            )
        )
    return Chart(
        "chips",
        "Test accuracy on chips against the spread of R_ON, by network and treatment",
        "Simulated: test accuracy on drawn chips, mean; the bars reach from the least to the "
        "largest of the chips.",
        tuple(panels),
        size=1.2 + 1.9 * len(panels),
    )


def _budget(report: Mapping[str, Any]) -> Section:
    return Section(
        "budget",
        "Budget",
        (_shares(report["lines"]),),
        (bill(report), budget.totals(report), budget.sources(report)),
        {"progressive": None},
    )


def _shares(lines: list[Mapping[str, Any]]) -> Chart:
    """Shares of each group of lines in area and energies."""
    groups = tuple(dict.fromkeys(line["group"] for line in lines))
    places, series, said = np.arange(float(len(groups))), [], []
    for number, (name, key) in enumerate(SHARES):
        total = sum(line[key] for line in lines)
        if not total:
            continue
        values = np.array([sum(o[key] for o in lines if o["group"] == g) / total for g in groups])
        texts = tuple(f"{100 * value:.3g} %" for value in values)
        series.append(Series(name, values, places, "bars", number, texts=texts))
        said.append(f"{name}: " + ", ".join(f"{g} {t}" for g, t in zip(groups, texts, strict=True)))
    return Chart(
        "shares",
        f"Shares of the parts. {'; '.join(said)}",
        "Derived: shares of the parts in area and energies.",
        (
            Panel(
                tuple(series),
                Axis("share of the total", percent=True, limits=(0.0, 1.14)),
                Axis(categories=groups),
            ),
        ),
        size=1.0 + 0.6 * len(groups),
    )


def _lifetime(found: Mapping[str, Any]) -> Section:
    drawn = found["curve"]
    if drawn is not None:
        drawn = {
            **drawn,
            "use": "training",
            "stress": "programming",
            "failed": {"all": drawn["failed"]},
        }
    return Section(
        "endurance",
        "Lifetime",
        () if drawn is None else (lifetime.curve(drawn),),
        (lifetimes(found), uses(found)),
        {"wear": found},
    )
