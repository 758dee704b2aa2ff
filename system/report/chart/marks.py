"""How a series of a panel is drawn: lines, points, error bars, bands and bars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from system.report.chart.base import Panel, Series
from system.report.chart.scale import Scale
from system.report.chart.svg import colour, element, path, text

GROUP_HEIGHT = 0.8
"""Share of a category's place that its bars fill."""
FILL = 0.92
"""Of a bar's place that it fills."""
LINE_WIDTH, THIN = 1.3, 0.9
RADIUS = 1.5
SMALL_FONT = 7
DASH = "5 2.2"


@dataclass(frozen=True)
class Place:
    """Where a panel's axes stand in the drawing, and what they show."""

    left: float
    top: float
    width: float
    height: float
    x: Scale
    y: Scale

    def across(self, values: np.ndarray | float) -> np.ndarray:
        """Horizontal places."""
        return self.left + self.width * self.x.at(values)

    def down(self, values: np.ndarray | float) -> np.ndarray:
        """Vertical places."""
        return self.top + self.height * (1 - self.y.at(values))

    def held(self, values: np.ndarray) -> np.ndarray:
        """Vertical places of edges: those below a logarithmic axis stand at its foot."""
        foot = min(self.y.low, self.y.high)
        return self.down(np.where(values <= 0, foot, values) if self.y.log else values)


def curve(series: Series, place: Place) -> str:
    """Any series but bars."""
    style = f"stroke:{colour(series.colour)}"
    x, y = place.across(series.x), place.down(series.y)
    if series.mark == "band":
        assert series.low is not None and series.high is not None, "a band has two edges"
        edges = zip(x, place.held(series.low), place.held(series.high), strict=True)
        return "".join(_bands(edges, series.colour))
    parts = []
    if series.low is not None and series.high is not None:
        ends = (
            place.held(np.minimum(series.low, series.y)),
            place.held(np.maximum(series.high, series.y)),
        )
        sticks = (p for at, low, high in zip(x, *ends, strict=True) for p in _bar(at, low, high))
        parts.append(element("path", d=path(sticks), style=style, stroke_width=THIN))
    if series.mark == "steps":
        stairs = zip(np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1], strict=True)
        parts.append(element("path", d=path(stairs), style=style, stroke_width=THIN))
    elif series.mark != "points":
        dash = DASH if series.mark == "dashed" else None
        line = path(zip(x, y, strict=True))
        parts.append(
            element("path", d=line, style=style, stroke_width=LINE_WIDTH, stroke_dasharray=dash)
        )
    if series.mark in ("points", "joined"):
        parts += [
            dot(a, b, series.colour) for a, b in zip(x, y, strict=True) if np.isfinite([a, b]).all()
        ]
    return element("g", *parts, fill="none")


def dot(x: float, y: float, number: int) -> str:
    """One point."""
    return element("circle", cx=x, cy=y, r=RADIUS, style=f"fill:{colour(number)};stroke:none")


def bars(series: Series, panel: Panel, place: Place) -> tuple[str, str]:
    """The bars of one series beside those of the others, and the texts at their ends."""
    all_bars = [one for one in panel.series if one.mark == "bars"]
    beside = len(all_bars) if panel.grouped else 1
    number = next(k for k, one in enumerate(all_bars) if one is series)
    height = GROUP_HEIGHT / beside
    offset = height * (number - (beside - 1) / 2) if panel.grouped else 0.0
    start = np.zeros_like(series.x) if series.low is None else series.low
    ends, begins = place.across(series.x), place.across(start)
    middles, thick = place.down(series.y + offset), FILL * height * _unit(place)
    style = f"fill:{colour(series.colour)}"
    drawn = [
        element("rect", x=min(a, b), y=m - thick / 2, width=abs(b - a), height=thick, style=style)
        for a, b, m in zip(begins, ends, middles, strict=True)
        if np.isfinite([a, b]).all()
    ]
    texts = [
        text(
            words,
            b + (2 if b >= a else -2),
            m,
            font_size=SMALL_FONT,
            text_anchor=None if b >= a else "end",
        )
        for words, a, b, m in zip(series.texts, begins, ends, middles, strict=bool(series.texts))
        if words and np.isfinite([a, b]).all()
    ]
    return "".join(drawn), "".join(texts)


def _unit(place: Place) -> float:
    """Height of a category."""
    return place.height / abs(place.y.high - place.y.low)


def _bar(x: float, low: float, high: float) -> tuple[tuple[float, float], ...]:
    return (x, low), (x, high), (x, np.nan)


def _bands(edges: Iterator[tuple[float, float, float]], number: int) -> Iterator[str]:
    """An area for each run of known edges."""
    run: list[tuple[float, float, float]] = []
    for edge in (*edges, (np.nan, np.nan, np.nan)):
        if not np.isnan(edge).any():
            run.append(edge)
        elif run:
            around = [(x, low) for x, low, _ in run] + [(x, high) for x, _, high in run[::-1]]
            style = f"fill:{colour(number)};opacity:.25"
            yield element("path", d=f"{path(around)}Z", style=style)
            run = []
