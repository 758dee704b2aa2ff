"""report.html: one self-contained page from the report, the tables behind it and the drawings."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

import jinja2
import numpy as np

from devices.law import SwitchingLaw
from formats.cells import Cells, at_nominal
from formats.errors import InputError
from formats.training import Training
from system.budget.lines import Budget
from system.budget.sng import sng_table
from system.budget.units import gate_unit, register_unit, source
from system.budget.workload import lengths_text
from system.report import figures
from system.report.quantity import digits, percent, quantity, source_kind, whole
from system.report.summary import sentences


@dataclass(frozen=True)
class Row:
    """One row of a table: name, texts of its cells, and the source."""

    name: str
    texts: tuple[str, ...]
    source: str


def page(
    cells: Cells,
    training: Training,
    bill: Budget,
    report: Mapping[str, Any],
    device: Mapping[str, Any],
) -> str:
    """The HTML text. Raises :class:`InputError` for a device_json or fit_json that is broken."""
    fit = fit_content(cells)
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        quantity=quantity, digits=digits, percent=percent, whole=whole, kind=source_kind
    )
    template = environment.from_string(
        (resources.files("system.report") / "template.html").read_text("utf-8")
    )
    return template.render(
        report=report,
        totals=report["totals"],
        sentences=sentences(report, bill, training.data.sizes["epoch"]),
        epochs=training.data.sizes["epoch"],
        device=device,
        parameters=list(parameters(device)),
        fit=fit,
        fit_figure=_fit_figure(device, fit),
        cell_figures=[
            drawing
            for drawing in (
                figures.probability(cells),
                figures.bit_energy(cells),
                figures.waveforms(cells),
            )
            if drawing is not None
        ],
        gates=gate_rows(cells),
        sng=sng_rows(cells),
        training=training.attributes,
        training_figures=[figures.accuracy(training), figures.loss(training)],
        workload=bill.workload,
        lengths=lengths_text(bill.workload.products),
        shares=figures.shares(bill),
        macs=list(bill.workload.macs_used),
        technology=str(cells.attributes["technology"]),
        records=_records(cells, training, report),
    )


def parameters(device: Mapping[str, Any], path: str = "") -> Iterator[Row]:
    """Every parameter of a device.json, with its interval and source."""
    for key, value in device.items():
        if not isinstance(value, Mapping) or key == "provenance":
            continue
        name = f"{path} {key}".strip()
        if "value" not in value:
            reference = device.get("reference_voltage_V")
            for row in parameters(value, name):
                if key == "parameters" and row.name.endswith("tau_ref"):
                    yield replace(row, name=f"{row.name} at {reference:g} V")
                else:
                    yield row
            continue
        number, unit = value["value"], str(value.get("unit", "1"))
        if not isinstance(number, int | float):
            continue
        origin = str(value.get("source", "derived"))
        note = str(value.get("note") or "")
        yield Row(
            name.replace(" parameters", ""),
            (quantity(float(number), unit), _bounds(value.get("ci95"), unit)),
            f"{origin}: {note}" if note and not note.startswith(origin) else note or origin,
        )


def gate_rows(cells: Cells) -> list[Row]:
    """Area, mean energy, leakage and delay of every gate, register and MAC."""
    table = sng_table(cells)
    rows = []
    for name, data in cells.groups.items():
        role = data.attrs["role"]
        if role == "sng":
            continue
        if role == "mac":
            mac = cells.mac(name)
            energy, what = float(mac["energy"].mean()), "mean over the tabulated operands"
            numbers = (float(mac["area"]), energy, float(mac["leakage_power"]))
            delay: float | None = float(mac["delay"])
            origin = source(cells, name, "energy")
        elif role == "reference":
            here, what = at_nominal(data), "one operation"
            numbers = (float(here["area"]), float(here["energy"]), float(here["leakage_power"]))
            delay, origin = float(here["delay"]), source(cells, name, "energy")
        else:
            unit = (gate_unit if role == "gate" else register_unit)(cells, name, table)
            numbers, what = (unit.area, unit.energy, unit.leakage), ""
            delay = unit.delay if role == "gate" else None
            origin = unit.energy_source
        area, energy, leakage = numbers
        rows.append(
            Row(
                name,
                (
                    quantity(area, "m2"),
                    quantity(energy, "J"),
                    quantity(leakage, "W"),
                    "–" if delay is None else quantity(delay, "s"),
                ),
                f"{origin}{', ' + what if what else ''}. Area: {source(cells, name, 'area')}",
            )
        )
    return rows


def sng_rows(cells: Cells) -> list[Row]:
    """What the SNG group says in single numbers."""
    table = sng_table(cells)
    sng = cells.sng
    rows = [
        Row(
            f"{phase} phase",
            (quantity(float(time), "s"),),
            source(cells, "sng", "phase_time"),
        )
        for phase, time in zip(
            sng["phase"].to_numpy(), np.asarray(sng["phase_time"].to_numpy()), strict=True
        )
    ]
    rows += [
        Row("area", (quantity(float(sng["area"]), "m2"),), source(cells, "sng", "area")),
        Row("read error P(1 | stored 0)", (digits(table.e01),), source(cells, "sng", "e01")),
        Row("read error P(0 | stored 1)", (digits(table.e10),), source(cells, "sng", "e10")),
    ]
    return rows


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
    candidates = law.get("candidates")
    excluded = content.get("excluded")
    return {
        "kind": str(content.get("kind", "unknown kind")),
        "chosen": str(law.get("chosen", "")),
        "verdict": [str(line) for line in verdict] if isinstance(verdict, list) else [],
        "candidates": [
            (
                str(entry.get("family", "?")),
                *(_number(entry.get(key)) for key in ("loglik", "aic", "aicc", "bic")),
            )
            for entry in (candidates if isinstance(candidates, list) else [])
            if isinstance(entry, dict)
        ],
        "counts": {
            str(key): str(value)
            for key, value in (content.get("counts") or {}).items()
            if isinstance(value, int | float | str)
        }
        if isinstance(content.get("counts"), dict)
        else {},
        "excluded": [
            (str(entry.get("reason", "?")), str(entry.get("rows", "?")))
            for entry in (excluded if isinstance(excluded, list) else [])
            if isinstance(entry, dict)
        ],
        "points": law["points"] if isinstance(law.get("points"), dict) else {},
    }


def _fit_figure(device: Mapping[str, Any], fit: Mapping[str, Any]) -> figures.Drawing | None:
    if not fit or not fit["points"]:
        return None
    drawn = figures.fit_pulses if fit["kind"] == "pulses" else figures.fit_waits
    return drawn(SwitchingLaw.from_dict(device["set"]), fit["points"])


def _bounds(interval: Any, unit: str) -> str:
    if not isinstance(interval, list | tuple) or len(interval) != 2:
        return "–"
    low, high = (
        quantity(float(end), unit) if isinstance(end, int | float) else "unbounded"
        for end in interval
    )
    return f"{low} … {high}"


def _number(value: Any) -> str:
    if not isinstance(value, int | float) or not math.isfinite(value):
        return "–"
    return f"{value:.2f}"


def _records(cells: Cells, training: Training, report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Provenance records, pretty-printed."""
    return [
        ("report", json.dumps(report["provenance"], indent=2, ensure_ascii=False)),
        ("cells.nc", _pretty(str(cells.attributes["provenance"]))),
        ("training.nc", _pretty(str(training.attributes["provenance"]))),
    ]


def _pretty(text: str) -> str:
    """JSON indented; anything else as it stands."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
