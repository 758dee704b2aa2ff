"""The report of a network on arrays as a function: report.json, .html and .md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from formats.atomic import write_text
from formats.cells import read_cells
from formats.device import parse_device
from formats.json_file import write_json
from system.budget.arrays import ArrayBill, Converter
from system.budget.wear.endurance import Endurance, EnduranceChoice
from system.report.arrays.case import case
from system.report.arrays.content import content
from system.report.arrays.markdown import markdown
from system.report.arrays.page import MAIN, MORE, cards, page, scores

SCHEMA = "array-report"


@dataclass(frozen=True)
class ArrayResult:
    """The files written and the bill in them."""

    json: Path
    html: Path
    markdown: Path
    bill: ArrayBill
    content: dict[str, Any]


def run(
    kind: str,
    cells_path: Path,
    result: Path,
    output: Path,
    converter: Converter | None,
    lasting: EnduranceChoice,
    provenance: Mapping[str, Any],
) -> ArrayResult:
    """Write the report of a ``result`` of this kind; raises :class:`InputError`."""
    cells = read_cells(cells_path)
    device = parse_device(
        str(cells.attributes["device_json"]), f"{cells.path}, attribute device_json"
    )
    of = case(kind, result, cells, converter)
    found = content(of, Endurance.of(device, lasting), provenance)
    text = page(of, cells, device, found)
    files = tuple(output / f"report.{ending}" for ending in ("json", "html", "md"))
    write_text(files[1], text)
    write_text(files[2], markdown(found, of.about))
    write_json(files[0], found, SCHEMA)  # last: where it is new, all are
    return ArrayResult(files[0], files[1], files[2], of.bill, found)


def screen(result: ArrayResult) -> list[str]:
    """The lines printed at the end."""
    found = [*cards(result.content, MAIN | MORE), *scores(result.content["accuracy"])]
    return [
        *(f"{one.name:<38}{one.value:>14}   ({one.kind}; {one.interval})" for one in found),
        *(f"warning: {warning}" for warning in result.content["warnings"]),
        f"report: {result.html}, {result.json.name} and {result.markdown.name}",
    ]
