"""The report as a picture: autocorrelation, P(1) in time, and the P-values of every test."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from system.bitstream.randomness import ALPHA, Row
from system.bitstream.report.analysis import Analysis

_INK, _BLUE, _RED, _BAND = "#333a41", "#0072b2", "#d55e00", "#dce3e8"
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "stochram",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
}
_LEAST_P = 1e-6
_HISTOGRAM = 55


def svg(found: Analysis) -> str:
    """The text of a stand-alone SVG; the same report gives the same bytes."""
    rows = [r for r in (*found.independence.rows, *found.fair) if r.made]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 3.9 + 0.17 * len(rows)), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=(2.6, 0.7 + 0.17 * len(rows)))
        above, below = parts
        left, right = above.subplots(1, 2)
        _lags(left, found)
        _course(right, found)
        _p_values(below.subplots(), rows)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "stochram"})
    return buffer.getvalue()


def _lags(axes: Axes, found: Analysis) -> None:
    lags = found.lags
    reach = 1.96 * lags.stderr
    axes.fill_between(lags.lag, -reach, reach, color=_BAND, label="95 % if independent")
    axes.axhline(0, color=_INK, linewidth=0.6)
    axes.vlines(lags.lag, 0, lags.corrected, color=_BLUE, linewidth=1.2)
    axes.plot(lags.lag, lags.corrected, "o", color=_BLUE, markersize=2.5)
    if found.origin.expected_lag1:
        axes.plot(1, found.origin.expected_lag1, "_", color=_RED, markersize=12, label="expected")
    axes.set(xlabel="lag (bits)", ylabel="autocorrelation")
    _legend(axes)


def _course(axes: Axes, found: Analysis) -> None:
    share = found.share
    count = share.blocks.size
    bits = share.bits / count
    spread = 1.96 * np.sqrt(share.value * (1 - share.value) / bits)
    place = (np.arange(count) + 0.5) * bits
    axes.axhspan(
        share.value - spread, share.value + spread, color=_BAND, label="95 % if independent"
    )
    axes.plot(place, share.blocks, "o", color=_BLUE, markersize=2.5, label=f"{bits:,.0f} bits")
    axes.axhline(found.origin.asked, color=_RED, linewidth=1.0, label="asked")
    axes.set(xlabel="bit", ylabel="share of ones")
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    _legend(axes)


def _legend(axes: Axes) -> None:
    """Above the axes, where it covers no point."""
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=3, handlelength=1.2, columnspacing=1.0
    )


def _p_values(axes: Axes, rows: list[Row]) -> None:
    smallest = min((float(row.p_values.min()) for row in rows), default=1.0)
    for height, row in enumerate(reversed(rows)):
        p = np.maximum(row.p_values, _LEAST_P)
        colour = _RED if row.ok is False else _BLUE
        size = 4.0 if row.made < _HISTOGRAM else 1.5
        axes.plot(p, np.full(p.size, height), "|", color=colour, markersize=size + 4)
    axes.axvline(ALPHA, color=_RED, linewidth=0.8)
    axes.set_xscale("log")
    axes.set(
        xlim=(max(_LEAST_P, min(smallest, ALPHA / 10)) / 2, 1.5),
        ylim=(-0.7, len(rows) - 0.3),
        xlabel=f"P of each sequence (pass: {ALPHA:g} or more; {_LEAST_P:g} stands for less)",
    )
    axes.set_yticks(range(len(rows)), [row.label for row in reversed(rows)])
