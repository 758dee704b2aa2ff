"""The sections put into the frame, with style, script and the library that draws the charts.

Nothing is fetched from anywhere: the policy in the page's head allows two scripts, by their
SHA-256, and no address at all. Plotly stands compressed in the page, a third of its size; where a
browser runs no script or cannot unpack it, the drawings stay.
"""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs, get_plotlyjs_version

from formats.cells import Cells
from formats.training import Training
from system.budget.lines import Budget
from system.report.chart import drawing, figure
from system.report.page import (
    baselines,
    budget,
    cells,
    device,
    lifetime,
    provenance,
    summary,
    training,
    uncertainty,
)
from system.report.page.section import Given, Section
from system.report.quantity import digits, percent, quantity, source_kind, whole
from system.report.summary import about

SECTIONS = (
    summary,
    device,
    cells,
    training,
    budget,
    uncertainty,
    lifetime,
    baselines,
    provenance,
)
"""In the order of the page."""


def page(
    cells: Cells,
    training: Training,
    bill: Budget,
    report: Mapping[str, Any],
    device: Mapping[str, Any],
) -> str:
    """The HTML text. Raises :class:`InputError` for a device_json or fit_json that is broken."""
    given = Given(cells, training, bill, report, device)
    name = given.device.get("name", "device")
    return framed(
        [module.section(given) for module in SECTIONS],
        report,
        title=f"{name}, {training.attributes['network']}",
        heading="What this stochastic computer costs, and how well it learns",
        said=about(cells, training, bill),
    )


def framed(
    sections: Sequence[Section],
    report: Mapping[str, Any],
    *,
    title: str,
    heading: str,
    said: str,
) -> str:
    """The HTML text of any sections; ``said`` is the sentence under the heading."""
    environment = _environment()
    library, packed = _plotly()
    script = _text("page.js")
    return environment.get_template("frame.html").render(
        report=report,
        sections=[
            (section, Markup(_rendered(environment, section, report))) for section in sections
        ],
        title=title,
        heading=heading,
        about=said,
        style=Markup(_text("style.css")),
        script=Markup(script),
        hashes=[_sha256(script), library],
        plotly=Markup(packed),
        plotly_version=get_plotlyjs_version(),
        charts=Markup(_charts(sections)),
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        quantity=quantity, digits=digits, percent=percent, whole=whole, kind=source_kind
    )
    return environment


def _rendered(environment: jinja2.Environment, section: Section, report: Mapping[str, Any]) -> str:
    return environment.get_template(f"{section.name}.html").render(
        report=report,
        charts={chart.name: (chart, Markup(drawing(chart))) for chart in section.charts},
        tables={table.name: table for table in section.tables},
        **section.values,
    )


def _charts(sections: Sequence[Section]) -> str:
    """What Plotly draws, by the name of the chart, as JSON that can stand in a page."""
    found = {chart.name: figure(chart) for section in sections for chart in section.charts}
    text = json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


@functools.cache
def _plotly() -> tuple[str, str]:
    """The hash of Plotly's script, and the script compressed, in characters of a page."""
    text = get_plotlyjs()
    packed = gzip.compress(text.encode(), 9, mtime=0)
    return _sha256(text), base64.b64encode(packed).decode("ascii")


def _sha256(text: str) -> str:
    """As a Content-Security-Policy names a script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


@functools.cache
def _text(name: str) -> str:
    return (resources.files("system.report.page") / name).read_text("utf-8")
