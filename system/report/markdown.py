"""report.md: what report.json says, in short, for a repository."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from system.report.page import baselines, budget, lifetime
from system.report.page.summary import MAIN, MORE, accuracies, card
from system.report.table import Column, Table


def markdown(report: Mapping[str, Any], about: str) -> str:
    """The text; ``about`` says in a sentence what was costed."""
    parts = [
        "# What this stochastic computer costs, and how well it learns",
        about,
        *(f"**{warning}**" for warning in report["warnings"]),
        _totals(report).markdown(),
        *section("Budget", [_lines(report)]),
        *section("Lifetime", lifetime.tables(report)[:1]),
        *section("Baselines", baselines.tables(report)[:4], _verdict(report)),
        "## Assumptions",
        bullets(report["assumptions"]),
        "## Not modelled",
        bullets(report["not_modelled"]),
        "## Provenance",
        bullets(origins(report["provenance"])),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _totals(report: Mapping[str, Any]) -> Table:
    """The totals with their intervals, then the accuracies."""
    totals = report["totals"]
    cards = [
        *(card(name, totals[key]) for key, name in (MAIN | MORE).items() if key in totals),
        *accuracies(report),
    ]
    return Table(
        "totals",
        "",
        (Column("quantity"), Column("value"), Column("interval"), Column("kind and meaning")),
        tuple(
            (one.name, one.value, one.interval, f"{one.kind}: {'; '.join(one.more)}")
            for one in cards
        ),
    )


def _lines(report: Mapping[str, Any]) -> Table:
    """The bill of materials without units and events."""
    whole = budget.bill(report, scheduled=False)
    kept = [
        number
        for number, column in enumerate(whole.columns)
        if column.title in ("item", "count", "area", "leakage") or "energy per" in column.title
    ]
    return Table(
        whole.name,
        whole.caption,
        tuple(whole.columns[number] for number in kept),
        tuple(tuple(row[number] for number in kept) for row in whole.rows),
    )


def section(title: str, tables: list[Table], sentences: list[str] | None = None) -> list[str]:
    """A heading, sentences as bullets, and tables under their captions."""
    texts = [
        text for table in tables for text in (f"{table.caption.rstrip('.')}:", table.markdown())
    ]
    return [f"## {title}", bullets(sentences or []), *texts]


def _verdict(report: Mapping[str, Any]) -> list[str]:
    """Sentences on the published system, and on the orders of magnitude."""
    gap = report["gap"]
    return [
        *([gap["verdict"]] if gap else []),
        *(report.get("baselines") or {}).get("verdict", []),
    ]


def origins(record: Mapping[str, Any]) -> list[str]:
    """A provenance record in sentences."""
    options = ", ".join(f"{key} = {value}" for key, value in record["options"].items())
    return [
        *(f"{name}: SHA-256 `{digest}`" for name, digest in record["inputs"].items()),
        f"options: {options}",
        f"seed: {'none' if record['seed'] is None else record['seed']}",
        f"source: SHA-256 `{record['source_sha256']}`",
        "versions: " + ", ".join(f"{name} {text}" for name, text in record["versions"].items()),
    ]


def bullets(texts: list[str]) -> str:
    """A list."""
    return "\n".join(f"- {text}" for text in texts)
