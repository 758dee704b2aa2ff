"""A chart drawn as inline SVG: for print, and where no JavaScript runs.

Places follow from the lengths of texts, at a mean width of a letter; nothing is measured.
"""

from __future__ import annotations

import math
from textwrap import fill

import numpy as np

from system.report.chart.base import Chart, Panel, Series
from system.report.chart.marks import (
    DASH,
    LINE_WIDTH,
    SMALL_FONT,
    Place,
    bars,
    curve,
    dot,
)
from system.report.chart.scale import Scale, fitted, ticks
from system.report.chart.svg import INCH, colour, element, text

WIDTH = 5.2 * INCH
LABEL_WIDTH = 30
"""Characters of a category's name before it is broken into lines."""
LINE, LETTER = 0.17 * INCH, 0.072 * INCH
"""Height of a line of text, and mean width of a letter."""
NUMBER = 7
"""Letters of a number at an axis."""
FONT, TITLE_FONT, LEGEND_FONT = 9, 8.5, 8
TICK, SMALL_TICK = 3.5, 2.0
SPINE = 0.7
HANDLE = 20.0
"""Width of a legend's line."""
LEGEND_LETTERS = 64
"""Letters that fit into a row of the legend."""


def drawing(chart: Chart) -> str:
    """Inline SVG of a chart."""
    height = chart.size * INCH
    rows, legend = _legend(chart)
    places = _places(chart, height, rows)
    parts = [
        _panel(panel, place, f"{chart.name}-{number}", last=place is places[-1])
        for number, (panel, place) in enumerate(zip(chart.panels, places, strict=True))
    ]
    return element(
        "svg",
        *parts,
        legend,
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        role="img",
        aria_label=chart.alternative,
        font_family="sans-serif",
        font_size=FONT,
        fill="currentColor",
    )


def _places(chart: Chart, height: float, rows: int) -> list[Place]:
    """Axes of all panels, with place for their labels."""
    names = [
        line
        for panel in chart.panels
        for name in panel.y.categories or ("0" * NUMBER,)
        for line in fill(name, LABEL_WIDTH).splitlines()
    ]
    titled = any(panel.y.title for panel in chart.panels)
    left = LETTER * max(map(len, names)) + LINE * (1.4 if titled else 0.5)
    over = any(panel.title or panel.marks for panel in chart.panels)
    top = LINE * (rows + (1.3 if over else 0.5))
    gap = 1.6 * LINE
    each = (height - top - 2.6 * LINE + gap) / len(chart.panels) - gap
    x = _across(chart)
    return [
        Place(left, top + number * (each + gap), WIDTH - LINE - left, each, x, _down(panel))
        for number, panel in enumerate(chart.panels)
    ]


def _across(chart: Chart) -> Scale:
    """The horizontal axis that all panels share."""
    everything = [series for panel in chart.panels for series in panel.series]
    values = [series.x for series in everything]
    values += [one.low for one in everything if one.mark == "bars" and one.low is not None]
    values += [np.array([at]) for panel in chart.panels for at, _ in panel.marks]
    from_zero = any(one.mark == "bars" and one.low is None for one in everything)
    return fitted(
        chart.panels[-1].x, [*values, np.zeros(int(from_zero))], 0.0 if from_zero else None
    )


def _down(panel: Panel) -> Scale:
    edges = [edge for one in panel.series for edge in (one.low, one.high) if edge is not None]
    drawn = [] if any(one.mark == "bars" for one in panel.series) else edges
    return fitted(panel.y, [*(one.y for one in panel.series), *drawn])


def _panel(panel: Panel, place: Place, name: str, last: bool) -> str:
    right, foot = place.left + place.width, place.top + place.height
    frame = element("rect", x=place.left, y=place.top, width=place.width, height=place.height)
    drawn, texts = [], []
    for series in panel.series:
        if series.mark == "bars":
            shapes, words = bars(series, panel, place)
            drawn.append(shapes)
            texts.append(words)
        else:
            drawn.append(curve(series, place))
    for value, _ in panel.marks:
        at = float(place.across(value))
        drawn.append(_line(at, place.top, at, foot, stroke_width=1, stroke_dasharray="1 1.6"))
    texts += [_mark(float(place.across(at)), place.top - 4, words) for at, words in panel.marks]
    if panel.title:
        texts.append(text(panel.title, place.left, place.top - 7, font_size=TITLE_FONT))
    if panel.y.title:
        middle = place.top + place.height / 2
        turn = f"rotate(-90 {LINE * 0.6:.1f} {middle:.1f})"
        texts.append(text(panel.y.title, LINE * 0.6, middle, text_anchor="middle", transform=turn))
    if last:
        middle = place.left + place.width / 2
        texts.append(text(panel.x.title, middle, foot + 2 * LINE, text_anchor="middle"))
    return "".join(
        (
            element("clipPath", frame, id=f"clip-{name}"),
            _horizontal(panel, place, named=last),
            _vertical(panel, place),
            element("g", *drawn, clip_path=f"url(#clip-{name})"),
            _line(place.left, place.top, place.left, foot),
            _line(place.left, foot, right, foot),
            *texts,
        )
    )


def _mark(x: float, y: float, name: str) -> str:
    """The name of a vertical line, on its left where the right has no place."""
    over = x + 2 + LETTER * (SMALL_FONT / FONT) * len(name) > WIDTH
    at, anchor = (x - 2, "end") if over else (x + 2, None)
    return text(name, at, y, font_size=SMALL_FONT, text_anchor=anchor)


def _horizontal(panel: Panel, place: Place, named: bool) -> str:
    """Grid, ticks and numbers below."""
    foot, parts = place.top + place.height, []
    for tick in ticks(panel.x, place.x, min(9, int(place.width / 38))):
        at = float(place.across(tick.value))
        length = TICK if tick.text else SMALL_TICK
        if tick.text:
            parts.append(_grid(at, place.top, at, foot))
        parts.append(_line(at, foot, at, foot + length))
        if named and tick.text:
            parts.append(text(tick.text, at, foot + 0.75 * LINE, text_anchor="middle"))
    return "".join(parts)


def _vertical(panel: Panel, place: Place) -> str:
    """The same on the left; categories have no grid."""
    parts = []
    for tick in ticks(panel.y, place.y, max(2, min(9, int(place.height / 20)))):
        at = float(place.down(tick.value))
        length = TICK if tick.text else SMALL_TICK
        if tick.text and not panel.y.categories:
            parts.append(_grid(place.left, at, place.left + place.width, at))
        parts.append(_line(place.left - length, at, place.left, at))
        words = fill(tick.text, LABEL_WIDTH)
        if words:
            parts.append(text(words, place.left - length - 3, at, text_anchor="end"))
    return "".join(parts)


def _legend(chart: Chart) -> tuple[int, str]:
    """Rows, and the names of the first panel's series where there is more than one."""
    listed = [series for series in chart.panels[0].series if series.listed]
    if len(listed) < 2:
        return 0, ""
    longest = max(len(series.name) for series in listed)
    columns = max(1, min(len(listed), LEGEND_LETTERS // (longest + 5)))
    rows = math.ceil(len(listed) / columns)
    width = HANDLE + 4 + LETTER * (LEGEND_FONT / FONT) * longest + 10
    left = (WIDTH - width * columns + 10) / 2
    titled = bool(chart.legend)
    parts = []
    if titled:
        parts.append(text(chart.legend, WIDTH / 2, 0.5 * LINE, text_anchor="middle"))
    for number, series in enumerate(listed):
        x = left + width * (number // rows)
        y = LINE * (number % rows + titled + 0.5)
        parts += [_handle(series, x, y), text(series.name, x + HANDLE + 4, y)]
    return rows + titled, element("g", *parts, font_size=LEGEND_FONT)


def _handle(series: Series, x: float, y: float) -> str:
    fill_with = f"fill:{colour(series.colour)}"
    if series.mark in ("bars", "band"):
        faint = ";opacity:.25" if series.mark == "band" else ""
        return element("rect", x=x, y=y - 3, width=HANDLE, height=6, style=f"{fill_with}{faint}")
    point = dot(x + HANDLE / 2, y, series.colour) if series.mark in ("points", "joined") else ""
    if series.mark == "points":
        return point
    dash = DASH if series.mark == "dashed" else None
    style = f"stroke:{colour(series.colour)}"
    ends: dict[str, float | str] = {"x1": x, "y1": y, "x2": x + HANDLE, "y2": y}
    return (
        element("line", **ends, style=style, stroke_width=LINE_WIDTH, stroke_dasharray=dash) + point
    )


def _line(x1: float, y1: float, x2: float, y2: float, **attributes: float | str) -> str:
    plain: dict[str, float | str] = {"stroke": "currentColor", "stroke_width": SPINE}
    given = plain | attributes
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, **given)


def _grid(x1: float, y1: float, x2: float, y2: float) -> str:
    return _line(x1, y1, x2, y2, opacity=0.15)
