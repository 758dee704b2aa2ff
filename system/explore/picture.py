"""explore.svg: error against energy, with discs as large as the area, and against area."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import (
    EngFormatter,
    FixedLocator,
    Formatter,
    FuncFormatter,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

from system.explore.judge import Judged
from system.explore.points import Point
from system.explore.screen import spans
from system.sweep.picture import COLOURS, GREY, INK, STYLE

_DOT, _LARGEST = 26.0, 200.0
_LABELS = 12
_NEAR = 0.04
"""Decades within which points share a label."""
Amount = Callable[[Point], float]


def energy(point: Point) -> float:
    """Of an inference, J."""
    return point.costs.energy


def area(point: Point) -> float:
    """In mm2."""
    return point.costs.area * 1e6


def svg(points: Sequence[Judged]) -> str | None:
    """The text of a stand-alone SVG, the same bytes for the same points; None without any.

    Bars are 95 % Wilson intervals. The line joins, of the points of the front, the best accuracy
    that there is for an energy (or area) whatever the other costs.
    """
    shown = [each for each in points if not each.too_slow]
    if not shown:
        return None
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        largest = max(area(each.point) for each in shown)
        _draw(left, shown, energy, [_LARGEST * area(each.point) / largest for each in shown])
        _draw(right, shown, area, [_DOT] * len(shown))
        _positive(left, EngFormatter("J"))
        _positive(right, FuncFormatter(lambda value, _: f"{value:.3g}"))
        _numbers(left, shown)
        _layouts(right, shown)
        _scale(left, np.array([1 - each.point.estimate.value for each in shown]))
        left.set(xlabel="energy per inference", ylabel="test error (%)")
        right.set(xlabel="area (mm²)")
        left.set_title(
            f"discs: area, the largest {largest:.3g} mm²; numbers of the front",
            fontsize=8,
            loc="left",
        )
        right.set_title("filled: Pareto front; bars: Wilson 95 %", fontsize=8, loc="left")
        handles, labels = right.get_legend_handles_labels()
        named = [f"{option_of(shown)} {label}" for label in labels]
        figure.legend(handles, named, loc="outside lower center", ncols=min(4, len(named)))
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "stochram"})
    return buffer.getvalue()


def option_of(points: Sequence[Judged]) -> str:
    """The first varied option with several values on the front, which the colours tell apart."""
    front = [each.point.varied for each in points if each.on_front]
    several = [name for name in front[0] if len({varied[name] for varied in front}) > 1]
    return several[0] if several else next(iter(front[0]))


def best_so_far(x: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Places of the points that err less than all with a smaller or equal x, by x."""
    found, best = [], np.inf
    for place in np.lexsort((error, x)):
        if error[place] < best:
            found.append(place)
            best = error[place]
    return np.array(found, int)


def _draw(axes: Axes, points: Sequence[Judged], along: Amount, sizes: Sequence[float]) -> None:
    x, size = np.array([along(each.point) for each in points]), np.array(sizes)
    error = np.array([1 - each.point.estimate.value for each in points])
    limits = np.array([each.point.estimate.interval95 for each in points])
    bars = 100 * np.abs(np.stack([1 - limits[:, 1], 1 - limits[:, 0]]) - error)
    axes.errorbar(x, 100 * error, yerr=bars, fmt="none", ecolor=GREY, elinewidth=0.7, zorder=1)
    line = best_so_far(x, error)
    axes.step(x[line], 100 * error[line], where="post", color=INK, linewidth=0.9, zorder=2)
    name = option_of(points)
    values = list(dict.fromkeys(each.point.varied[name] for each in points))
    for place in np.argsort(-size, kind="stable"):  # the small discs over the large ones
        each = points[place]
        colour = COLOURS[values.index(each.point.varied[name]) % len(COLOURS)]
        axes.scatter(
            x[place],
            100 * error[place],
            s=size[place],
            facecolors=colour if each.on_front else "none",
            edgecolors="white" if each.on_front else colour,
            linewidths=0.6,
            alpha=1.0 if each.on_front else 0.6,
            zorder=4 if each.on_front else 3,
        )
    for place, value in enumerate(values):
        axes.scatter([], [], s=_DOT, color=COLOURS[place % len(COLOURS)], label=value)


def _positive(axes: Axes, named: Formatter) -> None:
    """A logarithmic axis below, with more numbers than those of decades where it is short."""
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(named)
    low, high = axes.get_xlim()
    if high < 20 * low:
        axes.xaxis.set_major_locator(FixedLocator(ticks(low, high)))


def ticks(low: float, high: float) -> list[float]:
    """Places between two limits, in the coarsest division that has three."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    divisions = [
        [step * 10.0**decade for decade in decades for step in steps]
        for steps in ((1, 2, 5), (1, 1.5, 2, 3, 4, 6))
    ]
    for places in (*divisions, MaxNLocator(5).tick_values(low, high)):
        found = [float(place) for place in places if low <= place <= high]
        if len(found) >= 3:
            break
    return found


def _scale(axes: Axes, error: np.ndarray) -> None:
    """A logarithmic axis of errors where none is 0 and they differ much."""
    if error.min() > 0 and error.max() > 4 * error.min():
        axes.set_yscale("log")
        ticks = [step * 10.0**decade for decade in range(-3, 3) for step in (1, 2, 5)]
        low, high = axes.get_ylim()
        axes.yaxis.set_major_locator(FixedLocator([t for t in ticks if low <= t <= high]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _numbers(axes: Axes, points: Sequence[Judged]) -> None:
    """The numbers of the points of the front; those of one place share a label."""
    for x, error, group in list(_places(points, energy))[:_LABELS]:
        axes.annotate(
            spans(sorted(each.number for each in group)),
            (x, error),
            xytext=(9, 5),
            textcoords="offset points",
            fontsize=6.5,
            va="center",
            zorder=5,
        )


def _layouts(axes: Axes, points: Sequence[Judged]) -> None:
    """The layouts of the most accurate training."""
    best = max((each for each in points if each.on_front), key=lambda e: e.point.estimate.value)
    same = [each for each in points if each.on_front and each.point.training == best.point.training]
    for x, error, group in list(_places(same, area))[:_LABELS]:
        axes.annotate(
            ", ".join(each.point.layout for each in group),
            (x, error),
            xytext=(0, -12),
            textcoords="offset points",
            fontsize=6.5,
            ha="center",
            va="top",
            zorder=5,
        )


def _places(points: Sequence[Judged], along: Amount) -> Iterator[tuple[float, float, list[Judged]]]:
    """Points of the front that fall on one place: its x, its error in percent, and they."""
    places: dict[tuple[int, float], list[Judged]] = {}
    for each in points:
        if each.on_front:
            near = round(float(np.log10(along(each.point))) / _NEAR)
            places.setdefault((near, each.point.estimate.value), []).append(each)
    for (_, value), group in places.items():
        yield max(along(each.point) for each in group), 100 * (1 - value), group
