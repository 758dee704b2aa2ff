"""The page without a browser: its policy, contrast, labels, optional parts; report.md."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import product
from typing import Any

import numpy as np
import pytest

from formats.cells import Cells
from formats.training import Training
from system.report.chart import Axis, Chart, Panel, Series, drawing, figure
from system.report.markdown import markdown
from system.report.table import ABSENT
from tests.system_report.pages import whole_content, whole_page

SCHEMES = ("light", "dark", "print")


@pytest.fixture(scope="module")
def content(pair: tuple[Cells, Training]) -> dict[str, Any]:
    return whole_content(*pair)


@pytest.fixture(scope="module")
def text(pair: tuple[Cells, Training], content: dict[str, Any]) -> str:
    return whole_page(*pair, content)


class Elements(HTMLParser):
    """Every start tag with its attributes, and the texts of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] == "script":
            self.scripts.append(data)

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


def allowed(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def test_the_policy_allows_two_scripts_and_no_address(text: str) -> None:
    page = Elements(text)
    policy = next(m["content"] for m in page.named("meta") if "Security" in m.get("http-equiv", ""))
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'" and rules["img-src"] == "data:"
    assert "http" not in policy and "*" not in policy and "unsafe-eval" not in policy
    _, packed, run = (script for script in page.scripts if script.strip())
    library = gzip.decompress(base64.b64decode(packed)).decode()
    assert rules["script-src"].split() == [allowed(run), allowed(library)]
    assert library.lstrip("/*\n ").startswith("plotly.js")
    assert [s.get("type") for s in page.named("script")][2:] == [None]
    assert not any("on" in name[:2] for _, attributes in page.found for name in attributes)
    assert len(text.encode()) < 6e6


def luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance", of #rrggbb."""
    channels = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(a: str, b: str) -> float:
    """WCAG 2.2, "contrast ratio"."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_known_colours() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("scheme", range(3), ids=SCHEMES)
def test_texts_and_curves_stand_out_in_every_scheme(text: str, scheme: int) -> None:
    """4.5 for text, 3 for graphics (WCAG 2.2, 1.4.3 and 1.4.11)."""
    found = re.findall(r":root \{([^}]*)\}", text)
    assert len(found) == len(SCHEMES)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", found[scheme]))
    grounds = [colours["paper"], colours["card"]]
    for name, ground in product(("ink", "soft", "accent", "green", "violet", "orange"), grounds):
        assert contrast(colours[name], ground) >= 4.5, (name, ground)
    for name, ground in product((f"c{k}" for k in range(6)), grounds):
        assert contrast(colours[name], ground) >= 3, (name, ground)
    assert contrast(colours["ink"], colours["alarm-paper"]) >= 4.5
    assert contrast(colours["alarm"], colours["paper"]) >= 3


def test_every_table_and_chart_can_be_read_without_eyes_or_mouse(text: str) -> None:
    page = Elements(text)
    names = {a["id"] for _, a in page.found if "id" in a}
    assert all(heading.get("scope") in ("col", "row") for heading in page.named("th"))
    regions = [a for a in page.named("div") if a.get("class") == "scroll"]
    assert len(regions) == len(page.named("table")) > 15
    assert all(a["tabindex"] == "0" and a["aria-labelledby"] in names for a in regions)
    assert all(a["aria-labelledby"] in names for a in page.named("table"))
    live = [a for a in page.named("div") if a.get("class") == "live"]
    drawings = page.named("svg")
    charts = json.loads(page.scripts[0])
    assert len(live) == len(drawings) == len(charts) == len(page.named("figure"))
    for one, drawn in zip(live, drawings, strict=True):
        assert one["aria-label"] == drawn["aria-label"] and len(one["aria-label"]) > 20
    links = [a for a in page.named("a") if a.get("class") == "download"]
    assert len({a["aria-label"] for a in links}) == len(links) == len(regions)
    assert page.named("a")[0] == {"class": "skip", "href": "#summary"}
    assert page.named("html")[0]["lang"] == "en"


def test_sections_stand_in_order_and_absent_ones_are_left_out(
    pair: tuple[Cells, Training], content: dict[str, Any], text: str
) -> None:
    def sections(text: str) -> list[str]:
        return re.findall(r'<section id="([\w-]+)"', text)

    all_of_them = ["summary", "device", "cells", "training", "budget", "uncertainty", "lifetime"]
    all_of_them += ["baselines", "provenance"]
    assert sections(text) == all_of_them
    bare = {key: value for key, value in content.items() if key != "baselines"}
    bare["wear"] = {**content["wear"], "accuracy_with_worn_devices": []}
    less = whole_page(*pair, bare)
    assert sections(less) == all_of_them
    for name in ("chart-worn", "table-worn", "table-five-orders", "table-synthesised"):
        assert f'id="{name}"' in text and f'id="{name}"' not in less


def test_report_md_holds_totals_with_intervals_and_every_line(content: dict[str, Any]) -> None:
    said = markdown(content, "About a device.")
    assert "\n\nAbout a device.\n\n" in said
    for line in content["lines"]:
        assert f"\n| {line['item']} |" in said
    for key in ("assumptions", "not_modelled"):
        assert all(f"\n- {sentence}" in said for sentence in content[key])
    assert said.count("| 95 %: ") >= 6 and "Five orders hold for a bare cell only." in said
    assert content["provenance"]["source_sha256"] in said
    widths = [line.count("|") - line.count("\\|") for line in said.splitlines()]
    blocks = re.split(r"\n0(?:\n0)*\n", "\n".join(map(str, widths)))
    assert all(len(set(block.split())) == 1 for block in blocks if block.strip(" 0\n"))
    assert f"| {ABSENT} |" in said


def chart(panel: Panel) -> Chart:
    return Chart("t", "a chart", "", (panel,))


def test_both_drawings_hold_the_same_numbers() -> None:
    x, y = np.array([1.0, 2.0, 4.0]), np.array([0.1, np.nan, 0.4])
    series = (
        Series("a <b>", x, y, "joined", 1, y - 0.05, y + 0.1),
        Series("band", x, x, "band", 2, x - 1, x + 1),
        Series("steps", x, x, "steps", 3),
    )
    made = figure(chart(Panel(series, Axis("x", log=True), Axis("y", percent=True))))
    points, low, high, steps = made["data"]
    assert points["x"] == [1, 2, 4] and points["y"] == [0.1, None, 0.4]
    assert points["error_y"]["array"] == [0.1, None, 0.1] and points["name"] == "a &lt;b&gt;"
    assert low["y"] == [0, 1, 3] and high["y"] == [2, 3, 5] and high["fill"] == "tonexty"
    assert steps["line"]["shape"] == "hv" and made["layout"]["xaxis"]["type"] == "log"
    json.dumps(made, allow_nan=False)
    drawn = drawing(chart(Panel(series, Axis("x"), Axis("y"))))
    assert drawn.count("var(--c1)") >= 2 and 'aria-label="a chart"' in drawn


def test_bars_start_where_they_are_said_to() -> None:
    ends, starts = np.array([3.0, 1.0]), np.array([2.0, 2.0])
    bars = Series("s", ends, np.arange(2.0), "bars", low=starts, texts=("p", "q"))
    panel = Panel((bars,), Axis("x"), Axis(categories=("first", "second")), marks=((2.0, "m"),))
    (trace,) = figure(chart(panel))["data"]
    assert trace["base"] == [2, 2] and trace["x"] == [1, -1] and trace["text"] == ["p", "q"]
    assert trace["customdata"] == [["first", 2, 3], ["second", 2, 1]]
