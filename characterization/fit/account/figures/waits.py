"""Waits and smooth ramps: probability plots, one curve a voltage or a ramp setting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase

from characterization.fit.account.figures.band import band, band_text, histories
from characterization.fit.account.figures.empirical import (
    Plotted,
    exact_points,
    interval_boxes,
)
from characterization.fit.account.figures.panel import Panel, legend, magnitude, sentence
from characterization.fit.account.figures.scales import Scale, scale_of
from characterization.fit.account.figures.style import (
    MOST_POINTS,
    colours,
    of,
    representatives,
    scattered,
    spread_points,
)
from characterization.fit.account.figures.temperatures import Heat, heats
from characterization.fit.goodness.risk import spans
from characterization.fit.goodness.settings import grouped
from characterization.fit.inference.candidate import Candidate
from characterization.fit.observations.base import Observations

_GRID = 120
_MOST_IDLE = 3
"""Settings without a switch that a caption names one by one."""


@dataclass(frozen=True)
class Curve:
    """One setting: its label, its empirical distribution and the histories of the law's line."""

    label: str
    seen: Plotted
    line: Callable[[np.ndarray], Observations]


@dataclass(frozen=True)
class Axis:
    """The horizontal axis, alike at all temperatures: wait time (s) or voltage (V)."""

    label: str
    key: str
    logarithmic: bool
    limits: tuple[float, float]


def wait_panels(candidate: Candidate, direction: str) -> list[Panel]:
    """Probability plot of the wait times (s), one panel a temperature."""
    data = candidate.likelihood.data
    end = spans(data)[1] if data.chained else data.duration
    axis = Axis("wait time (s)", "voltage", True, _limits(end, data.switched, logarithmic=True))
    return _panels(candidate, axis, _wait_curves, "waits", f"{direction.upper()}: wait times")


def ramp_panels(candidate: Candidate, direction: str) -> list[Panel]:
    """Probability plot of the voltages (V) at which smooth ramps switched."""
    data = candidate.likelihood.data
    limits = _limits(data.voltage, data.switched, logarithmic=False)
    axis = Axis(magnitude(direction), "ramp rate", False, limits)
    title = f"{direction.upper()}: switching voltage of ramps"
    return _panels(candidate, axis, _ramp_curves, "ramps", title)


def _panels(
    candidate: Candidate,
    axis: Axis,
    curves_of: Callable[[Observations, Heat], tuple[list[Curve], list[str], list[str]]],
    name: str,
    title: str,
) -> list[Panel]:
    shown, heat_notes = heats(candidate.likelihood.data)
    panels = []
    for heat in shown:
        curves, left_out, idle = curves_of(candidate.likelihood.data, heat)
        if curves:
            panels.append(
                Panel(
                    f"{name}{heat.suffix}",
                    f"{title}{heat.text}",
                    _caption(candidate, curves, axis) + sentence([*heat_notes, *left_out, *idle]),
                    3.7,
                    _drawing(candidate, curves, axis, left_out),
                    complete=not left_out and not heat_notes,
                )
            )
    return panels


def _wait_curves(data: Observations, heat: Heat) -> tuple[list[Curve], list[str], list[str]]:
    voltages, index = np.unique(data.voltage[heat.here], return_inverse=True)
    labels = [f"{voltage:g} V" for voltage in voltages]
    trials, events = (
        np.bincount(index, values[heat.here], voltages.size)
        for values in (data.trials, data.switched)
    )
    drawn, chosen, idle = _chosen(labels, trials, events)
    begin, end = spans(data) if data.chained else (np.zeros(data.voltage.size), data.duration)
    begin = np.where(data.parent < 0, 0.0, begin)  # not the rounding of a difference
    curves = []
    for i in chosen:
        here = heat.here & (data.voltage == voltages[i]) & (data.trials > 0)
        if np.any(data.exact > 0):
            seen = exact_points(end[here], data.exact[here], data.waiting[here])
        else:
            seen = interval_boxes(begin[here], end[here], data.within[here], data.waiting[here])

        def line(grid: np.ndarray, voltage: float = float(voltages[i])) -> Observations:
            return histories("waits", voltage, grid, heat.value)

        curves.append(Curve(labels[i], seen, line))
    return curves, of(chosen.size, drawn, "voltages"), idle


def _ramp_curves(data: Observations, heat: Heat) -> tuple[list[Curve], list[str], list[str]]:
    rate = (data.voltage - data.start) / data.duration
    settings = grouped({"rate": rate, "start": data.start})
    rates, starts = settings.columns["rate"], settings.columns["start"]
    trials, events = (
        np.bincount(settings.index, np.where(heat.here, values, 0.0), settings.count)
        for values in (data.trials, data.switched)
    )
    several = np.unique(starts).size > 1
    labels = [
        f"{r:.3g} V/s" + (f" from {s:.3g} V" if several else "")
        for r, s in zip(rates, starts, strict=True)
    ]
    drawn, chosen, idle = _chosen(labels, trials, events)
    curves = []
    for i in chosen:
        here = heat.here & (settings.index == i)
        seen = exact_points(data.voltage[here], data.exact[here], data.waiting[here])

        def line(
            grid: np.ndarray, rate: float = float(rates[i]), start: float = float(starts[i])
        ) -> Observations:
            top = np.maximum(grid, start + 1e-6)
            return histories("ramps", top, (top - start) / rate, heat.value, start)

        curves.append(Curve(labels[i], seen, line))
    return curves, of(chosen.size, drawn, "ramp settings"), idle


def _chosen(
    labels: list[str], trials: np.ndarray, events: np.ndarray
) -> tuple[int, np.ndarray, list[str]]:
    """How many settings have events, those drawn, and what to say of those without.

    None are drawn where the outcomes are scattered over so many settings that eight show nothing.
    """
    idle = np.flatnonzero((events == 0) & (trials > 0))
    said = [f"{labels[i]}: none of {trials[i]:,.0f} switched, not drawn" for i in idle[:_MOST_IDLE]]
    if idle.size > _MOST_IDLE:
        said.append(f"{idle.size - _MOST_IDLE} more settings without a switch")
    some = np.flatnonzero(events > 0)
    chosen = some[representatives(events[some])]
    if scattered(events, chosen):
        return int(some.size), chosen[:0], said
    return int(some.size), chosen, said


def _caption(candidate: Candidate, curves: list[Curve], axis: Axis) -> str:
    if any(curve.seen.boxed for curve in curves):
        marks = (
            "Boxes: between two inspections the observed share rises from the lower to the upper "
            "edge, how is not known (Turnbull estimate); dots: their upper corners, which are "
            "known."
        )
    else:
        many = any(curve.seen.at.size > MOST_POINTS for curve in curves)
        marks = (
            "Dots: observed share at each event, censoring respected (Kaplan-Meier, middle of each "
            f"step){f', at most {MOST_POINTS} a curve' if many else ''}."
        )
    straight = ""
    if axis.logarithmic and candidate.family.name != "gamma":
        straight = f" A law of the family {candidate.family.name} is a straight line here."
    return f"{marks} {band_text(candidate)}{straight}"


def _drawing(
    candidate: Candidate, curves: list[Curve], axis: Axis, left_out: list[str]
) -> Callable[[FigureBase], None]:
    scale = scale_of(candidate.family)

    def draw(figure: FigureBase) -> None:
        axes = figure.subplots()
        inside = np.concatenate([c.seen.p[(c.seen.p > 0) & (c.seen.p < 1)] for c in curves])
        scale.dress(axes, inside)
        if axis.logarithmic:
            axes.set_xscale("log")
        for curve, colour in zip(curves, colours(len(curves)), strict=True):
            grid = _grid(curve.seen, axis)
            law = band(candidate, curve.line(grid))
            axes.fill_between(
                grid, scale(law.low), scale(law.high), color=colour, alpha=0.2, linewidth=0
            )
            axes.plot(grid, scale(law.p), color=colour)
            _observed(axes, curve, scale, axis, colour)
        axes.set(xlim=axis.limits, xlabel=axis.label, ylabel=f"switched ({scale.name})")
        legend(axes, axis.key, left_out)

    return draw


def _observed(axes: Axes, curve: Curve, scale: Scale, axis: Axis, colour: Any) -> None:
    seen = curve.seen
    if seen.left is not None and seen.before is not None:
        floor, ceiling = axes.get_ylim()
        bottom = np.where(seen.before > 0, scale(seen.before), floor)
        top = np.where(seen.p < 1, scale(seen.p), ceiling)
        left = np.maximum(seen.left, axis.limits[0])
        axes.bar(
            left,
            top - bottom,
            seen.at - left,
            bottom,
            align="edge",
            color=colour,
            alpha=0.16,
            linewidth=0,
        )
    kept = np.flatnonzero((seen.p > 0) & (seen.p < 1))
    kept = kept[spread_points(scale(seen.p[kept]))]
    axes.plot(
        seen.at[kept], scale(seen.p[kept]), "o", color=colour, label=curve.label, markersize=3.0
    )


def _grid(seen: Plotted, axis: Axis) -> np.ndarray:
    """Where the law is drawn: over the events of the curve, or around a single one."""
    low = float(seen.at.min() if seen.left is None else max(seen.left.min(), axis.limits[0]))
    high = float(seen.at.max())
    if axis.logarithmic:
        return np.geomspace(low, high, _GRID) if high > low else np.geomspace(low / 2, 2 * low, 9)
    room = 0.02 * (axis.limits[1] - axis.limits[0])
    return np.linspace(low - room, high + room, _GRID)


def _limits(at: np.ndarray, switched: np.ndarray, *, logarithmic: bool) -> tuple[float, float]:
    """A little beyond the events of all temperatures."""
    events = at[switched > 0]
    low, high = float(events.min()), float(events.max())
    if logarithmic:
        room = max((high / low) ** 0.04, 1.1)
        return low / room, high * room
    room = max(0.04 * (high - low), 0.01 * high)
    return low - room, high + room
