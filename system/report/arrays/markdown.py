"""report.md of a network on arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from system.report.arrays.page import HEADING, MAIN, MORE, cards, scores
from system.report.arrays.sentences import sentences
from system.report.arrays.tables import accuracies, bill, lifetimes
from system.report.markdown import bullets, origins, section
from system.report.table import Column, Table


def markdown(report: Mapping[str, Any], about: str) -> str:
    """The text; ``about`` says in a sentence what was costed."""
    found = accuracies(report["accuracy"])
    parts = [
        f"# {HEADING}",
        about,
        *(f"**{warning}**" for warning in report["warnings"]),
        _totals(report).markdown(),
        bullets(sentences(report)),
        *section("Accuracy", [] if found is None else [found]),
        *section("Budget", [bill(report)]),
        *section("Lifetime", [_without_sources(lifetimes(report["wear"]))]),
        "## Assumptions",
        bullets([*report["assumptions"], report["wear"]["meaning"]]),
        "## Not modelled",
        bullets(report["not_modelled"]),
        "## Provenance",
        bullets(origins(report["provenance"])),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _totals(report: Mapping[str, Any]) -> Table:
    found = [*cards(report, MAIN | MORE), *scores(report["accuracy"])]
    return Table(
        "totals",
        "",
        (Column("quantity"), Column("value"), Column("interval"), Column("kind and meaning")),
        tuple(
            (one.name, one.value, one.interval, f"{one.kind}: {'; '.join(one.more)}")
            for one in found
        ),
    )


def _without_sources(table: Table) -> Table:
    return Table(
        table.name,
        table.caption,
        table.columns[:-1],
        tuple(row[:-1] for row in table.rows),
    )
