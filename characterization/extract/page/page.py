"""The page itself: headline, cards, pictures and tables into the template.

Nothing is fetched from anywhere and nothing runs in it. All texts are escaped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from characterization.extract.figures.all import pictures
from characterization.extract.figures.energy import breakdown
from characterization.extract.figures.probability import counted, nominal_condition
from characterization.extract.figures.style import COLUMN, time_text
from characterization.extract.page.amounts import amount, number
from characterization.extract.page.grids import (
    KINDS,
    conditions_grid,
    curve_grid,
    gate_grid,
    mac_grid,
    ratings_grid,
    reference_grid,
    sources_grid,
)
from characterization.extract.screen import assumed_parameters
from characterization.page.frame import Card, Drawing, Grid, provenance, render
from characterization.page.inline_svg import inline
from devices.cbram import CBRAM
from formats.atomic import write_text
from formats.cells import Cells


def write_page(cells: Cells, path: Path) -> Path:
    """Write the page on ``cells`` atomically and return its path."""
    write_text(path, page(cells))
    return path


def page(cells: Cells) -> str:
    """The HTML text, the same for the same cells."""
    groups, attributes = cells.groups, cells.attributes
    device = _device(attributes)
    return render(
        "characterization.extract.page",
        name=device.name,
        technology=str(attributes["technology"]),
        headline=headline(cells),
        cards=cards(cells),
        drawings=[
            Drawing(
                inline(one.svg(outlines=False), one.name, one.title),
                one.title,
                one.caption,
                one.width > COLUMN,
            )
            for one in pictures(groups)
        ],
        description=str(cells.sng.attrs.get("description", "")),
        tables=_tables(cells),
        gaps=list(cells.faults),
        assumed=assumed_grid(device),
        sources=sources_grid(groups),
        kinds=KINDS,
        provenance=provenance(json.loads(str(attributes["provenance"]))),
    )


def headline(cells: Cells) -> str:
    """The cells in a sentence."""
    sng = cells.sng.isel(nominal_condition(cells.sng))
    p, parts = breakdown(cells.sng, 0.5)
    mac = cells.mac(str(cells.attributes["default_mac"]))
    product = float(mac["energy"].interp(a_probability=0.5, b_probability=0.5))
    stored, v = sng["pi"].to_numpy(), sng["write_voltage"].to_numpy()
    return (
        f"Bits of P = {number(float(stored[0]), 2)} to {number(float(stored[-1]))} by "
        f"{v[0]:.2f} to {v[-1]:.2f} V in {time_text(float(sng['pulse_width']))}; a bit at "
        f"P = {number(p, 2)} costs {amount(float(parts.sum()), 'J')}, its product in the MAC "
        f"{cells.attributes['default_mac']} {amount(product, 'J')}."
    ).replace(" = ", "\u00a0=\u00a0")


def cards(cells: Cells) -> list[Card]:
    """The numbers a reader looks for first."""
    sng = cells.sng
    here = sng.isel(nominal_condition(sng))
    p, parts = breakdown(sng, 0.5)
    cycle = float(sng["phase_time"].sum())
    mac = cells.mac(str(cells.attributes["default_mac"]))
    found = [
        Card(f"energy of a bit, P = {number(p, 2)}", amount(float(parts.sum()), "J"), "SNG, mean"),
        Card("time of a bit", time_text(cycle), "RESET, write and read"),
        Card("area of the SNG", amount(float(sng["area"]), "m2"), "without the DAC"),
        Card("leakage of the SNG", amount(float(here["leakage_power"]), "W"), "at rest"),
        Card(
            f"area of {cells.attributes['default_mac']}",
            amount(float(mac["area"]), "m2"),
            "the default MAC",
        ),
    ]
    total = sum(check.bits for check in counted(sng))
    if total:
        found.append(Card("checked by Monte Carlo", f"{total:,} bits", "marks in the picture"))
    return found


def assumed_grid(device: CBRAM) -> Grid:
    """What the device's data do not tell and was assumed."""
    rows = [
        (name, amount(p.value, p.unit), p.note.removeprefix("assumed: ") or "–")
        for name, p in assumed_parameters(device)
    ]
    if device.reset is None:
        rows.append(("RESET", "ideal", "it always succeeds: the data hold no RESET law"))
    return Grid(("parameter", "value", "why"), tuple(rows), right=frozenset({1}))


def _tables(cells: Cells) -> list[tuple[str, str, Grid]]:
    groups = cells.groups
    conditions = conditions_grid(groups, str(cells.attributes["default_mac"]))
    found = [("sng", "SNG", curve_grid(cells.sng))]
    if conditions is not None:
        found.append(("conditions", "Corners and temperatures", conditions))
    found += [
        ("gates", "Gates and registers", gate_grid(groups)),
        ("macs", "MACs", mac_grid(groups)),
        ("reference", "Conventional CMOS", reference_grid(groups)),
        ("ratings", "Ratings", ratings_grid(groups)),
    ]
    return [one for one in found if one[2].rows]


def _device(attributes: Mapping[str, Any]) -> CBRAM:
    content = json.loads(str(attributes["device_json"]))
    return CBRAM.from_dict({key: content[key] for key in content if key != "provenance"})
