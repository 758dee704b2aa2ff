"""A chart as the data and layout that Plotly draws.

Colours stand as names (``@c0``, ``@ink``): the page's script puts the colours of the reader's
scheme, light or dark, in their place.
"""

from __future__ import annotations

import math
from textwrap import wrap
from typing import Any

import numpy as np

from system.report.chart.base import COLOURS, Axis, Chart, Panel, Series

PIXELS = 100
"""Height of an inch on the screen."""
LABEL_WIDTH = 20
MARGINS = {"l": 56, "r": 16, "t": 28, "b": 48}
MODEBAR = 30
"""Pixels above the legend: the place of Plotly's buttons."""
LABEL = 16
"""Pixels above a panel for the names of its vertical lines."""
GAP = 30
"""Pixels between two panels: the place of a title."""
MANY_DECADES = 1.5
"""Decades of an axis above which only their powers are labelled."""


def figure(chart: Chart) -> dict[str, Any]:
    """``{"data", "layout"}`` for Plotly, in plain types."""
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {
        "height": round(PIXELS * (chart.size + 0.4)),
        "margin": MARGINS,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "@ink", "size": 12, "family": "inherit"},
        "hoverlabel": {"bgcolor": "@card", "bordercolor": "@line", "font": {"color": "@ink"}},
        "hovermode": "closest",
        "barmode": "group" if all(panel.grouped for panel in chart.panels) else "overlay",
        "bargap": 0.25,
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "@soft", "activecolor": "@accent"},
        "annotations": [],
        "shapes": [],
    }
    layout["legend"] = {
        "orientation": "h",
        "x": 0,
        "y": 1 - MODEBAR / layout["height"],
        "yref": "container",
        "yanchor": "top",
    }
    if chart.legend:
        layout["legend"]["title"] = {"text": _text(chart.legend), "side": "left"}
    named: set[str] = set()
    for number, panel in enumerate(chart.panels):
        suffix = "" if number == 0 else str(number + 1)
        for series in panel.series:
            data += _traces(series, panel, suffix, named)
        _place(layout, panel, number, len(chart.panels), suffix)
    listed = sum(trace.get("showlegend", True) for trace in data)
    layout["showlegend"] = listed > 1
    return {"data": data, "layout": layout}


def _traces(series: Series, panel: Panel, suffix: str, named: set[str]) -> list[dict[str, Any]]:
    colour = f"@c{series.colour % COLOURS}"
    common: dict[str, Any] = {
        "name": _text(series.name),
        "xaxis": "x",
        "yaxis": f"y{suffix}",
        "showlegend": series.listed and series.name not in named,
        "legendgroup": _text(series.name),
    }
    named.add(series.name)
    x, y = _numbers(series.x), _numbers(series.y)
    if series.mark == "bars":
        return [_bars(series, panel, common | {"y": y, "marker": {"color": colour}})]
    if series.mark == "band":
        assert series.low is not None and series.high is not None, "a band has two edges"
        edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0, "color": colour}}
        low = edge | common | {"y": _numbers(series.low), "showlegend": False}
        high = {"fill": "tonexty", "fillcolor": f"{colour}/0.25", "y": _numbers(series.high)}
        return [low | {"hoverinfo": "skip"}, edge | common | high]
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": {"points": "markers", "joined": "lines+markers"}.get(series.mark, "lines"),
        "x": x,
        "y": y,
        "marker": {"color": colour, "size": 6},
        "line": {"color": colour, "width": 2},
    }
    if series.mark == "dashed":
        trace["line"]["dash"] = "dash"
    if series.mark == "steps":
        trace["line"] |= {"shape": "hv", "width": 1.2}
    if series.low is not None and series.high is not None:
        trace["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": _numbers(np.maximum(0.0, series.high - series.y)),
            "arrayminus": _numbers(np.maximum(0.0, series.y - series.low)),
            "thickness": 1,
            "width": 3,
            "color": colour,
        }
    return [trace | common]


def _bars(series: Series, panel: Panel, common: dict[str, Any]) -> dict[str, Any]:
    start = np.zeros_like(series.x) if series.low is None else series.low
    trace: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "base": _numbers(start),
        "x": _numbers(series.x - start),
        "customdata": [
            [_text(panel.y.categories[int(place)]), low, end]
            for place, low, end in zip(series.y, _numbers(start), _numbers(series.x), strict=True)
        ],
        "hovertemplate": _said(series, panel.x),
    }
    if series.texts:
        trace |= {
            "text": [_text(text) for text in series.texts],
            "textposition": "outside",
            "cliponaxis": False,
        }
    return trace | common


def _said(series: Series, axis: Axis) -> str:
    """What the pointer shows at a bar."""
    form = ".3~p" if axis.percent else ".3~s" if axis.unit else ".4~g"
    unit = _unit(axis)
    span = f"%{{customdata[1]:{form}}}{unit} … " if series.low is not None else ""
    return f"%{{customdata[0]}}<br>{span}%{{customdata[2]:{form}}}{unit}"


def _place(layout: dict[str, Any], panel: Panel, number: int, count: int, suffix: str) -> None:
    """Axes, title and vertical lines of a panel."""
    pixel = 1 / (layout["height"] - MARGINS["t"] - MARGINS["b"])
    height = (1 - GAP * pixel * (count - 1)) / count
    top = 1 - number * (height + GAP * pixel) - (LABEL * pixel if panel.marks else 0)
    bottom = max(0.0, top - height)
    layout[f"yaxis{suffix}"] = _axis(panel.y, *(series.y for series in panel.series)) | {
        "domain": [round(bottom, 4), round(top, 4)]
    }
    if number == count - 1:
        layout["xaxis"] = _axis(panel.x, *(series.x for series in panel.series))
        layout["xaxis"]["anchor"] = f"y{suffix}"
    if panel.title:
        layout["annotations"].append(
            {
                "text": _text(panel.title),
                "xref": "paper",
                "yref": "paper",
                "x": 0,
                "y": round(top, 4),
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
            }
        )
    for place, name in panel.marks:
        at = math.log10(place) if panel.x.log else place
        layout["shapes"].append(
            {
                "type": "line",
                "xref": "x",
                "yref": "paper",
                "x0": place,
                "x1": place,
                "y0": bottom,
                "y1": top,
                "line": {"color": "@ink", "width": 1, "dash": "dot"},
            }
        )
        layout["annotations"].append(
            {
                "text": _text(name),
                "xref": "x",
                "yref": "paper",
                "x": at,
                "y": top,
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 11},
            }
        )


def _whole(limits: tuple[float, float] | None) -> list[int] | None:
    """At most ten integers between the limits."""
    if limits is None:
        return None
    low, high = math.ceil(limits[0]), math.floor(limits[1])
    return list(range(low, high + 1, 1 + (high - low) // 10))


def _axis(wanted: Axis, *values: np.ndarray) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "title": {"text": _text(wanted.title), "standoff": 8},
        "gridcolor": "@line",
        "linecolor": "@soft",
        "zeroline": False,
        "showline": True,
        "ticks": "outside",
        "tickcolor": "@soft",
        "automargin": True,
    }
    if wanted.log:
        axis |= {"type": "log", "exponentformat": "power"}
        known = np.concatenate(values)
        known = known[np.isfinite(known) & (known > 0)]
        if known.size and math.log10(known.max() / known.min()) > MANY_DECADES:
            axis["dtick"] = 1
    if wanted.categories:
        names = ["<br>".join(wrap(_text(name), LABEL_WIDTH)) for name in wanted.categories]
        axis |= {
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": [len(names) - 0.5, -0.5],
            "showgrid": False,
        }
    elif wanted.percent:
        axis |= {"tickformat": ".3~p", "hoverformat": ".4~p"}
    elif wanted.unit not in ("", "1"):
        axis |= {"tickformat": "~s", "ticksuffix": _unit(wanted)}
    elif wanted.whole:
        axis["tickvals"] = _whole(wanted.limits)
    if wanted.limits is not None:
        low, high = wanted.limits
        axis["range"] = [math.log10(low), math.log10(high)] if wanted.log else [low, high]
    return axis


def _unit(axis: Axis) -> str:
    return "" if axis.unit == "1" else _text(axis.unit)


def _numbers(values: np.ndarray) -> list[float | None]:
    """Six digits are enough for a screen; NaN and infinity become gaps."""
    return [
        float(f"{value:.6g}") if math.isfinite(value) else None
        for value in np.asarray(values, dtype=float).tolist()
    ]


def _text(text: str) -> str:
    """Plotly reads a few HTML tags in its texts; ours hold none."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
