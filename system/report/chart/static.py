"""A chart drawn with matplotlib as inline SVG: for print, and where no JavaScript runs."""

from __future__ import annotations

import math
from textwrap import fill

import matplotlib.axes
import matplotlib.axis
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import (
    EngFormatter,
    FuncFormatter,
    MaxNLocator,
    NullFormatter,
    PercentFormatter,
)

from system.report.chart.base import COLOURS, Axis, Chart, Panel, Series
from system.report.chart.svg import WIDTH, embedded
from system.report.quantity import SUPERSCRIPT

LABEL_WIDTH = 30
"""Characters of a category's name before it is broken into lines."""
LINE, LETTER = 0.17, 0.072
"""Inches: height of a line of text, and mean width of a letter."""
NUMBER = 7
"""Letters of a number at an axis."""
GROUP_HEIGHT = 0.8
"""Share of a category's place that its bars fill."""


def drawing(chart: Chart) -> str:
    """Inline SVG of a chart."""

    def draw(figure: Figure) -> None:
        places = figure.subplots(len(chart.panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, panel in zip(places, chart.panels, strict=True):
            _panel(axes, panel, last=axes is places[-1])
        rows = _legend(figure, places[0], chart)
        _margins(figure, chart, rows)

    return embedded(draw, chart.name, chart.alternative, chart.size)


def _margins(figure: Figure, chart: Chart, rows: int) -> None:
    """Place for labels, by their lengths: matplotlib's own layout would draw everything twice."""
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
    bottom = LINE * 2.6
    height = (chart.size - top - bottom) / len(chart.panels)
    figure.subplots_adjust(
        left=left / WIDTH,
        right=1 - LINE / WIDTH,
        top=1 - top / chart.size,
        bottom=bottom / chart.size,
        hspace=1.6 * LINE / (height - 1.6 * LINE) if len(chart.panels) > 1 else 0.0,
    )


def _panel(axes: matplotlib.axes.Axes, panel: Panel, last: bool) -> None:
    bars = [one for one in panel.series if one.mark == "bars"]
    for series in panel.series:
        if series.mark == "bars":
            _bars(axes, series, panel, bars.index(series), len(bars))
        else:
            _curve(axes, series)
    for place, name in panel.marks:
        axes.axvline(place, linestyle=":", linewidth=1.0, color=axes.xaxis.label.get_color())
        axes.annotate(
            name,
            (place, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(2, 1),
            textcoords="offset points",
            fontsize=7,
        )
    if panel.title:
        axes.set_title(panel.title, loc="left", fontsize=8.5)
    if last:
        axes.set_xlabel(panel.x.title)
    axes.set_ylabel(panel.y.title)
    _scale(axes.xaxis, panel.x)
    _scale(axes.yaxis, panel.y)


def _curve(axes: matplotlib.axes.Axes, series: Series) -> None:
    colour = f"C{series.colour % COLOURS}"
    label = series.name if series.listed else None
    if series.mark == "band":
        assert series.low is not None and series.high is not None, "a band has two edges"
        axes.fill_between(
            series.x, series.low, series.high, alpha=0.25, lw=0, color=colour, label=label
        )
    elif series.mark == "steps":
        axes.step(series.x, series.y, where="post", color=colour, label=label, lw=0.9)
    elif series.low is not None and series.high is not None:
        ends = np.maximum(0.0, [series.y - series.low, series.high - series.y])
        style = "o-" if series.mark == "joined" else "o"
        axes.errorbar(
            series.x,
            series.y,
            yerr=ends,
            fmt=style,
            markersize=3,
            elinewidth=0.9,
            color=colour,
            label=label,
        )
    else:
        style = {"line": "-", "dashed": "--", "points": "o", "joined": "o-"}[series.mark]
        axes.plot(series.x, series.y, style, markersize=3, lw=1.3, color=colour, label=label)


def _bars(
    axes: matplotlib.axes.Axes, series: Series, panel: Panel, number: int, count: int
) -> None:
    beside = count if panel.grouped else 1
    height = GROUP_HEIGHT / beside
    offset = height * (number - (count - 1) / 2) if panel.grouped else 0.0
    start = np.zeros_like(series.x) if series.low is None else series.low
    drawn = axes.barh(
        series.y + offset,
        series.x - start,
        left=start,
        height=0.92 * height,
        color=f"C{series.colour % COLOURS}",
        label=series.name if series.listed else None,
    )
    if series.texts:
        axes.bar_label(drawn, labels=list(series.texts), padding=2, fontsize=7)


def _scale(axis: matplotlib.axis.Axis, wanted: Axis) -> None:
    vertical = isinstance(axis, matplotlib.axis.YAxis)
    if wanted.log:
        (axis.axes.set_yscale if vertical else axis.axes.set_xscale)("log")
        axis.set_major_formatter(FuncFormatter(_power))
        axis.set_minor_formatter(NullFormatter())
    if wanted.categories:
        names = [fill(name, LABEL_WIDTH) for name in wanted.categories]
        axis.set_ticks(np.arange(len(names)), names)
        axis.grid(visible=False)
        axis.set_inverted(True)
    elif wanted.percent:
        axis.set_major_formatter(PercentFormatter(1.0))
    elif wanted.unit == "1":
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    elif wanted.unit and not wanted.log:
        axis.set_major_formatter(EngFormatter(sep=""))
    elif wanted.whole:
        axis.set_major_locator(MaxNLocator(integer=True))
    if wanted.limits is not None:
        (axis.axes.set_ylim if vertical else axis.axes.set_xlim)(wanted.limits)


def _power(value: float, _position: int) -> str:
    """A power of ten without mathematical typesetting, which takes its time."""
    exponent = math.log10(value) if value > 0 else math.nan
    if not math.isclose(exponent, round(exponent), abs_tol=1e-9):
        return f"{value:g}"
    return f"10{str(round(exponent)).translate(SUPERSCRIPT)}"


def _legend(figure: Figure, axes: matplotlib.axes.Axes, chart: Chart) -> int:
    """Draw the legend where there is more than one name; its number of rows."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) < 2:
        return 0
    longest = max(len(label) for label in labels)
    columns = max(1, min(len(labels), 64 // (longest + 5)))
    figure.legend(
        handles,
        labels,
        ncols=columns,
        loc="upper center",
        bbox_to_anchor=(0.5, 1.0),
        borderaxespad=0.1,
        labelspacing=0.3,
        title=chart.legend or None,
    )
    return math.ceil(len(labels) / columns) + bool(chart.legend)
