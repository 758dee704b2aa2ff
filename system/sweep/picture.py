"""sweep.svg: accuracy against the first varied option that is a number."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from system.budget.accuracy import wilson
from system.sweep.collect import Result

INK, GREY = "#333a41", "#9aa3ab"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_MARKERS = ("o", "s", "^", "D", "v", "P")
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "stochram",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.2,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 7.0,
}
REPLICATES = ("seed",)
"""Varied options whose values are repetitions: averaged over, no line of their own."""


@dataclass(frozen=True)
class Point:
    """Accuracies of the seeds at one place of a line."""

    x: float
    sc: tuple[float, ...]
    floating: tuple[float, ...]
    images: int


def svg(results: Sequence[Result]) -> str | None:
    """The text of a stand-alone SVG, the same bytes for the same results; None without results.

    The bars are the 95 % Wilson interval of the mean over the seeds on one set of test images, on
    which all seeds are tested.
    """
    done = [result for result in results if result.scores is not None]
    if not done:
        return None
    axis = first_number(results)
    texts = list(dict.fromkeys(r.cell.varied[axis].text for r in results))
    numeric = all(_is_number(r.cell.varied[axis].value) for r in results)
    lines = group(done, axis, None if numeric else texts)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 3.6 + 0.12 * max(0, len(lines) - 6)), layout="constrained")
        axes = figure.subplots()
        _draw(axes, lines, "-" if numeric else "none")
        _scale(axes, lines, texts, numeric)
        axes.set(xlabel=axis, ylabel="test accuracy (%)")
        count = len({point.images for line in lines.values() for point in line}) == 1
        first = next(iter(lines.values()))[0]
        of = f"{first.images:,} test images" if count else "the test images"
        several = any(len(point.sc) > 1 for line in lines.values() for point in line)
        seeds = ", mean over the seeds (dashes)" if several else ""
        axes.set_title(
            f"simulated, after the last epoch{seeds}; bars: Wilson 95 % on {of}",
            fontsize=8,
            loc="left",
        )
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "stochram"})
    return buffer.getvalue()


def first_number(results: Sequence[Result]) -> str:
    """The first varied option with several values that are all numbers, or else the first."""
    varied = results[0].cell.varied
    candidates = [name for name in varied if name not in REPLICATES] or list(varied)
    for name in candidates:
        values = {result.cell.varied[name].value for result in results}
        if len(values) > 1 and all(map(_is_number, values)):
            return name
    return candidates[0]


def group(
    done: Sequence[Result], axis: str, texts: Sequence[str] | None
) -> Mapping[str, list[Point]]:
    """Points along ``axis`` for each combination of the other options, sorted by x.

    ``texts`` are the values of the axis where it has no numbers: x is then their place.
    """
    found: dict[str, dict[float, list[Result]]] = {}
    for result in done:
        others = [
            f"{name}={each.text}"
            for name, each in result.cell.varied.items()
            if name != axis and name not in REPLICATES
        ]
        each = result.cell.varied[axis]
        x = float(each.value) if texts is None else float(texts.index(each.text))
        found.setdefault(", ".join(others), {}).setdefault(x, []).append(result)
    return {line: [_point(x, places[x]) for x in sorted(places)] for line, places in found.items()}


def _point(x: float, results: Sequence[Result]) -> Point:
    found = [result.scores for result in results if result.scores is not None]
    sc, floating = (
        tuple(float(value) for scores in found for value in scores.accuracy(name))
        for name in ("sc", "float")
    )
    return Point(x, sc, floating, min(scores.images for scores in found))


def _draw(axes: Axes, lines: Mapping[str, list[Point]], style: str) -> None:
    """Means with their bars, a dash for each seed, joined by lines of this ``style``."""
    known: list[list[tuple[float, float]]] = []
    for points in lines.values():
        line = [(point.x, 100 * float(np.mean(point.floating))) for point in points]
        if line not in known:
            known.append(line)
            label = "floating point" if len(known) == 1 else None
            axes.plot(
                *zip(*line, strict=True),
                color=GREY,
                marker=".",
                linestyle=style,
                zorder=1,
                label=label,
            )
    for index, (name, points) in enumerate(lines.items()):
        colour = COLOURS[index % len(COLOURS)]
        x = [point.x for point in points]
        mean = np.array([np.mean(point.sc) for point in points])
        limits = np.array([wilson(m, p.images) for m, p in zip(mean, points, strict=True)])
        bars = 100 * np.abs(limits.T - mean)
        axes.errorbar(
            x,
            100 * mean,
            yerr=bars,
            color=colour,
            marker=_MARKERS[index // len(COLOURS) % len(_MARKERS)],
            markersize=4,
            linestyle=style,
            linewidth=1.4,
            elinewidth=0.9,
            capsize=2,
            label=name or "stochastic",
        )
        for point in points:
            if len(point.sc) > 1:
                values = 100 * np.array(point.sc)
                axes.plot(
                    [point.x] * values.size, values, "_", color=colour, markersize=5, alpha=0.6
                )


def _scale(
    axes: Axes, lines: Mapping[str, list[Point]], texts: Sequence[str], numeric: bool
) -> None:
    """Ticks at the values; a logarithmic axis over more than a decade."""
    x = sorted({point.x for points in lines.values() for point in points})
    if not numeric:
        axes.set_xticks(range(len(texts)), texts, rotation=20 if len(texts) > 4 else 0)
        axes.margins(x=0.1)
        return
    if x[0] > 0 and x[-1] > 10 * x[0]:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(x, [f"{value:g}" for value in x])
    elif len(x) <= 8:
        axes.set_xticks(x, [f"{value:g}" for value in x])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
