"""The device: what was fitted to which data, and every parameter with its interval and source."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from devices.law import SwitchingLaw
from formats.cells import Cells
from formats.errors import InputError
from system.report.chart import Axis, Chart, Panel, Series
from system.report.chart.base import evenly
from system.report.page.section import Given, Section, present
from system.report.quantity import quantity
from system.report.table import Column, Table

MOST_CURVES = 6
MOST_POINTS = 60
MOST_STEPS = 200
"""Most curves of a chart of the fit, and most points or steps of a curve."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of device.json; ``interval`` may have unbounded (None) ends."""

    name: str
    value: float
    interval: tuple[float | None, float | None] | None
    unit: str
    source: str


def section(given: Given) -> Section:
    """Raises :class:`InputError` for a fit_json that is broken."""
    fit = fit_content(given.cells)
    found = Table(
        "parameters",
        "Parameters of device.json",
        (
            Column("parameter"),
            Column("value", "amount"),
            Column("95 % interval", "amount"),
            Column("source", "source", wide=True),
        ),
        tuple(
            (
                one.name,
                (one.value, one.unit),
                None if one.interval is None else (one.interval, one.unit),
                one.source,
            )
            for one in parameters(given.device)
        ),
    )
    return Section(
        "device",
        "Device",
        present(fit_chart(given.device, fit)),
        present(_candidates(fit), found),
        {"fit": fit},
    )


def parameters(device: Mapping[str, Any], path: str = "") -> Iterator[Parameter]:
    """Every parameter of a device.json, with its interval and source."""
    for key, value in device.items():
        if not isinstance(value, Mapping) or key == "provenance":
            continue
        name = f"{path} {key}".strip()
        if "value" not in value:
            reference = device.get("reference_voltage_V")
            for one in parameters(value, name):
                if key == "parameters" and one.name.endswith("tau_ref"):
                    yield replace(one, name=f"{one.name} at {reference:g} V")
                else:
                    yield one
            continue
        number = value["value"]
        if not isinstance(number, int | float):
            continue
        origin = str(value.get("source", "derived"))
        note = str(value.get("note") or "")
        yield Parameter(
            name.replace(" parameters", ""),
            float(number),
            _interval(value.get("ci95")),
            str(value.get("unit", "1")),
            f"{origin}: {note}" if note and not note.startswith(origin) else note or origin,
        )


def fit_content(cells: Cells) -> dict[str, Any]:
    """fit.json held in cells.nc; empty where the device came without a fit."""
    text = str(cells.attributes["fit_json"]).strip()
    if not text:
        return {}
    try:
        content = json.loads(text)
    except ValueError as error:
        raise InputError(cells.path, f"attribute fit_json is not JSON ({error})") from error
    if not isinstance(content, dict):
        raise InputError(cells.path, "attribute fit_json is not a JSON object")
    laws = content.get("laws")
    law = laws[0] if isinstance(laws, list) and laws and isinstance(laws[0], dict) else {}
    verdict = content.get("verdict")
    return {
        "kind": str(content.get("kind", "unknown kind")),
        "chosen": str(law.get("chosen", "")),
        "verdict": [str(line) for line in verdict] if isinstance(verdict, list) else [],
        "candidates": _entries(law.get("candidates")),
        "counts": {
            str(key): str(value)
            for key, value in (content.get("counts") or {}).items()
            if isinstance(value, int | float | str)
        }
        if isinstance(content.get("counts"), dict)
        else {},
        "excluded": [
            (str(entry.get("reason", "?")), str(entry.get("rows", "?")))
            for entry in _entries(content.get("excluded"))
        ],
        "points": law["points"] if isinstance(law.get("points"), dict) else {},
    }


def fit_chart(device: Mapping[str, Any], fit: Mapping[str, Any]) -> Chart | None:
    """The data of fit.json with the law of device.json; None where there is nothing to draw."""
    if not fit or not fit["points"]:
        return None
    chart = fit_pulses if fit["kind"] == "pulses" else fit_waits
    return chart(SwitchingLaw.from_dict(device["set"]), fit["points"])


def fit_pulses(law: SwitchingLaw, points: Mapping[str, Any]) -> Chart | None:
    """Switched fraction against pulse voltage: the data of fit.json and the law's curves.

    None where the points lack a column.
    """
    table = _table(points, ("voltage_V", "width_s", "trials", "switched", "low", "high"))
    if table is None:
        return None
    voltage, width, trials, switched, low, high = table[:, table[2] > 0]
    if voltage.size == 0:
        return None
    fraction, voltage = switched / trials, np.abs(voltage)
    chosen = _chosen(width)
    grid = np.linspace(voltage.min(), voltage.max(), 121)
    series = []
    for index, each in enumerate(chosen):
        here = np.flatnonzero(width == each)
        here = here[np.argsort(voltage[here])]
        here = here[evenly(here.size, MOST_POINTS)]
        name = quantity(float(each), "s")
        observed = voltage[here], fraction[here]
        series += [
            Series(name, *observed, "points", index, np.minimum(low[here], fraction[here]),
                   np.maximum(high[here], fraction[here])),
            Series(name, grid, law.probability(grid, each), "line", index, listed=False),
        ]  # fmt: skip
    return Chart(
        "fit",
        "Observed switching against voltage with the fitted law",
        f"Input data: switched fraction with its 95 % interval (points; {chosen.size} of "
        f"{np.unique(width).size} pulse widths shown, at most {MOST_POINTS} points each) and the "
        "law of device.json (lines).",
        (
            Panel(
                tuple(series),
                Axis("pulse voltage (V)"),
                Axis("P(SET)", limits=(-0.03, 1.03)),
            ),
        ),
        legend="pulse width",
    )


def fit_waits(law: SwitchingLaw, points: Mapping[str, Any]) -> Chart | None:
    """Share still waiting against time: Kaplan-Meier steps of fit.json and the law's curves.

    None where the points lack a column.
    """
    table = _table(points, ("voltage_V", "wait_time_s", "survival_observed"))
    if table is None:
        return None
    voltage, time, survival = table[:, table[1] > 0]
    if voltage.size == 0:
        return None
    chosen = _chosen(voltage)
    series = []
    for index, each in enumerate(chosen):
        here = np.flatnonzero(voltage == each)
        here = here[np.argsort(time[here])]
        here = here[evenly(here.size, MOST_STEPS)]
        name = quantity(float(each), "V")
        grid = np.geomspace(time[here].min(), time[here].max(), 81)
        still = np.array([1.0 - float(law.probability(np.abs([each]), t)[0]) for t in grid])
        series += [
            Series(name, time[here], survival[here], "steps", index),
            Series(name, grid, still, "dashed", index, listed=False),
        ]
    return Chart(
        "fit",
        "Observed waiting times with the fitted law",
        f"Input data: share of devices still waiting (steps, Kaplan-Meier; {chosen.size} of "
        f"{np.unique(voltage).size} voltages shown) and the law of device.json (dashed).",
        (
            Panel(
                tuple(series),
                Axis("time (s)", log=True),
                Axis("share still waiting", limits=(-0.03, 1.03)),
            ),
        ),
        legend="voltage",
    )


def _candidates(fit: Mapping[str, Any]) -> Table | None:
    if not fit or not fit["candidates"]:
        return None
    names = {"loglik": "log-likelihood", "aic": "AIC", "aicc": "AICc", "bic": "BIC"}
    chosen = f"; chosen: {fit['chosen']}" if fit["chosen"] else ""
    return Table(
        "candidates",
        f"Candidate families{chosen}",
        (Column("family"), *(Column(title, "number") for title in names.values())),
        tuple(
            (str(entry.get("family", "?")), *(_number(entry.get(key)) for key in names))
            for entry in fit["candidates"]
        ),
        origin="fitted",
    )


def _entries(found: Any) -> list[dict[str, Any]]:
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _interval(found: Any) -> tuple[float | None, float | None] | None:
    if not isinstance(found, list | tuple) or len(found) != 2:
        return None
    low, high = (float(end) if isinstance(end, int | float) else None for end in found)
    return low, high


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _table(points: Mapping[str, Any], names: tuple[str, ...]) -> np.ndarray | None:
    """Columns as rows of one array, without incomplete points; None where a column is unusable."""
    try:
        columns = [np.array(points.get(name), dtype=float) for name in names]
    except (TypeError, ValueError):
        return None
    if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1:
        return None
    table = np.stack(columns)
    table = table[:, np.all(np.isfinite(table), axis=0)]
    return table if table.shape[1] else None


def _chosen(values: np.ndarray) -> np.ndarray:
    """The distinct values to draw a curve for, evenly spread where they are many."""
    distinct = np.unique(values)
    return distinct[evenly(distinct.size, MOST_CURVES)]
