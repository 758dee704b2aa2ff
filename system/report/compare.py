"""Two report.json side by side: what differs in the totals, the lines, the accuracies and the
options; as the lines of a plain text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from formats.errors import InputError
from formats.json_file import check, parse_json, read_text, schema
from system.report.page.budget import in_si
from system.report.quantity import digits, percent, quantity

MOST_LINES = 10
LINE_KEYS = {
    "area_mm2": ("area", "m2", 1e-6),
    "energy_per_training_step_J": ("energy per training step", "J", 1.0),
    "leakage_W": ("leakage", "W", 1.0),
}
"""What lines are compared by: its name, SI unit and the factor to that."""
SAME = 1e-12
"""Relative difference below which two numbers are called the same."""


def compare(first: Path, second: Path) -> list[str]:
    """The comparison; raises :class:`InputError` for what is no report.json of this version."""
    a, b = read_report(first), read_report(second)
    return [
        f"A: {first}",
        f"B: {second}",
        *_block("totals", ("total", "A", "B", "B / A"), _totals(a, b)),
        *_block("lines that changed most", ("line", "of", "A", "B", "B / A"), _lines(a, b)),
        *_block("accuracies", ("arithmetic", "A", "B", "B - A, points"), _accuracies(a, b)),
        *_block("what differs in the making", ("record", "A", "B"), _records(a, b)),
    ]


def read_report(path: Path) -> dict[str, Any]:
    """A report.json of this version; raises :class:`InputError`."""
    found = parse_json(read_text(path), path)
    wanted = schema("report")["properties"]["schema"]["const"]
    if isinstance(found, dict) and found.get("schema", wanted) != wanted:
        raise InputError(
            path,
            f"has schema {found['schema']!r}; expected a report.json of schema {wanted}. Make it "
            "anew with `python -m system.report`",
        )
    check(found, "report", path)
    return dict(found)


def _totals(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows = []
    for name in dict.fromkeys([*a["totals"], *b["totals"]]):
        found = [report["totals"].get(name) for report in (a, b)]
        texts = ["–" if total is None else _total(total) for total in found]
        ratio = "–" if None in found else _ratio(*(total["value"] for total in found))
        rows.append((name, *texts, ratio))
    return rows


def _total(total: Mapping[str, Any]) -> str:
    """A total with its interval, where it has one that is not a point."""
    value, interval, unit = in_si(total)
    if interval is None or interval[0] == interval[1]:
        return quantity(value, unit)
    low, high = (quantity(end, unit) for end in interval)
    return f"{quantity(value, unit)} ({low} … {high})"


def _lines(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The largest changes, measured by the larger of both sums of the quantity; a line that one
    report lacks counts as zero there."""
    lines = [{line["item"]: line for line in report["lines"]} for report in (a, b)]
    changes = []
    for key, (name, unit, factor) in LINE_KEYS.items():
        sums = [math.fsum(line[key] for line in held.values()) for held in lines]
        for item in dict.fromkeys([*lines[0], *lines[1]]):
            values = [held[item][key] if item in held else 0.0 for held in lines]
            if _alike(*values):
                continue
            texts = [
                quantity(factor * value, unit) if item in held else "absent"
                for value, held in zip(values, lines, strict=True)
            ]
            weight = abs(values[1] - values[0]) / max(sums)
            changes.append((weight, (item, name, *texts, _ratio(*values))))
    changes.sort(key=lambda change: -change[0])
    return [row for _, row in changes[:MOST_LINES]]


def _accuracies(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows = []
    for key, name in (("float", "floating point"), ("sc", "stochastic")):
        found = [report["accuracy"][key] for report in (a, b)]
        texts = []
        for one in found:
            low, high = one["interval95"]
            texts.append(f"{percent(one['value'])} ({percent(low)} … {percent(high)})")
        points = 100 * (found[1]["value"] - found[0]["value"])
        rows.append((name, *texts, f"{points:+.2f}"))
    return rows


def _records(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Entries of the provenance that are not equal."""
    rows = []
    for part in ("inputs", "options", "versions"):
        held = [report["provenance"].get(part) or {} for report in (a, b)]
        for key in dict.fromkeys([*held[0], *held[1]]):
            values = [one.get(key) for one in held]
            if values[0] != values[1]:
                rows.append((f"{part}: {key}", *map(_short, values)))
    sources = [report["provenance"].get("source_sha256") for report in (a, b)]
    if sources[0] != sources[1]:
        rows.append(("source", *map(_short, sources)))
    return rows


def _short(value: Any) -> str:
    text = "none" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _alike(first: float, second: float) -> bool:
    return math.isclose(first, second, rel_tol=SAME, abs_tol=0.0)


def _ratio(first: float, second: float) -> str:
    if _alike(first, second):
        return "same"
    return digits(second / first) if first else "–"


def _block(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A titled table in columns; one sentence where it has no rows."""
    if not rows:
        return ["", f"{title}: nothing"]
    widths = [max(len(row[k]) for row in (header, *rows)) for k in range(len(header))]
    return [
        "",
        f"{title}:",
        *(
            "  "
            + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in (header, *rows)
        ),
    ]
