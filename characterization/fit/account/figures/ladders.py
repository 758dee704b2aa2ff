"""Chains that begin alike and never fork: trains of pulses, and staircases of a ramp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import FigureBase
from matplotlib.ticker import MaxNLocator

from characterization.fit.account.figures.band import band, band_text
from characterization.fit.account.figures.panel import Panel, legend, magnitude, sentence
from characterization.fit.account.figures.scales import scale_of
from characterization.fit.account.figures.style import (
    MOST_POINTS,
    colours,
    of,
    representatives,
    spread_points,
    time_text,
)
from characterization.fit.account.figures.temperatures import Heat, heats
from characterization.fit.goodness.risk import at_risk
from characterization.fit.inference.candidate import Candidate
from characterization.fit.observations.base import Observations

_Z = 1.959964
_LONG = 30
"""Pulses beyond which their number is drawn on a logarithmic axis."""


@dataclass(frozen=True)
class Ladder:
    """One chain: its segments in order, the observed share switched by the end of each, its ends.

    Product-limit estimate over the segments, with Greenwood's 95 % interval on ln(-ln S)
    (recalled); NaN where none or all have switched.
    """

    segments: np.ndarray
    p: np.ndarray
    low: np.ndarray
    high: np.ndarray
    started: float


def ladders_of(data: Observations) -> list[Ladder]:
    """The chains of at least two segments that do not fork, in the order of their settings.

    ``data`` have equal histories joined.
    """
    children = np.bincount(data.parent[data.parent >= 0], minlength=data.parent.size)
    forked = np.unique(data.root[children > 1])
    risk = at_risk(data)
    long_ = np.bincount(data.root) >= 2
    roots = [i for i in np.flatnonzero(data.parent < 0) if long_[i] and not np.any(forked == i)]
    found = []
    order = np.argsort(data.root, kind="stable")  # parents come first, so a chain stays in order
    edges = np.searchsorted(data.root[order], np.arange(data.root.size + 1))
    for root in roots:
        path = order[edges[root] : edges[root + 1]]
        found.append(_ladder(path, data.within[path], risk[path]))
    return found


def ladder_panels(data: Observations, candidate: Candidate, direction: str) -> list[Panel]:
    """The share switched by the end of each pulse of a train, or of each level of a staircase.

    ``data`` are the candidate's with equal histories joined. Empty where every chain forks.
    """
    shown, notes = heats(data)
    panels = []
    for heat in shown:
        ladders = [ladder for ladder in ladders_of(data) if heat.here[ladder.segments[0]]]
        if ladders:
            ladders.sort(key=lambda one: _rate(data, one))
            panels.append(_panel(data, candidate, direction, heat, ladders, notes))
    return panels


def _ladder(path: np.ndarray, within: np.ndarray, risk: np.ndarray) -> Ladder:
    left = np.maximum(risk - within, 0.0)
    with np.errstate(all="ignore"):
        share = np.cumprod(np.where(risk > 0, left / risk, 1.0))
        steps = np.where((risk > 0) & (left > 0), within / (risk * left), 0.0)
        spread = _Z * np.sqrt(np.cumsum(steps)) / -np.log(share)
        told = (share > 0) & (share < 1)
        ends = [np.where(told, 1 - share ** np.exp(s), np.nan) for s in (-spread, spread)]
    return Ladder(path, 1 - share, ends[0], ends[1], float(risk[0]))


def _panel(
    data: Observations,
    candidate: Candidate,
    direction: str,
    heat: Heat,
    ladders: list[Ladder],
    heat_notes: list[str],
) -> Panel:
    ramp = data.kind == "ramps"
    what = "staircases" if ramp else "trains"
    chosen = [ladders[i] for i in representatives(np.array([one.started for one in ladders]))]
    left_out = of(len(chosen), len(ladders), what)
    rising = all(bool(np.all(np.diff(data.voltage[one.segments]) > 0)) for one in chosen)
    scale = scale_of(candidate.family) if ramp else None
    longest = max(one.segments.size for one in chosen)

    def height(p: np.ndarray) -> np.ndarray:
        return p if scale is None else scale(p)

    def draw(figure: FigureBase) -> None:
        axes = figure.subplots()
        for one, colour in zip(chosen, colours(len(chosen)), strict=True):
            at = data.voltage[one.segments] if rising else np.arange(1, one.segments.size + 1)
            law = band(candidate, data.select(data.root == one.segments[0]))
            low, high = height(law.low), height(law.high)
            axes.fill_between(at, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(at, height(law.p), color=colour)
            kept = np.flatnonzero((one.p > 0) & (one.p < 1)) if ramp else np.arange(one.p.size)
            kept = kept[spread_points(height(one.p[kept]))]
            ends = height(np.array([one.low[kept], one.high[kept]]))
            bars = np.nan_to_num(np.abs(ends - height(one.p[kept])))
            label = _label(data, one, rising)
            drawn = axes.errorbar(
                at[kept], height(one.p[kept]), yerr=bars, fmt="o", color=colour, label=label
            )
            for bar in drawn[2]:
                bar.set(alpha=0.45, linewidth=0.7)
        if scale is None:
            axes.set(ylabel="share switched so far", ylim=(-0.03, 1.03))
        else:
            inside = np.concatenate([one.p[(one.p > 0) & (one.p < 1)] for one in chosen])
            scale.dress(axes, inside)
            axes.set_ylabel(f"switched ({scale.name})")
        axes.set_xlabel(magnitude(direction) if rising else "pulses so far")
        if not rising and longest > _LONG:
            axes.set_xscale("log")
        elif not rising:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        legend(axes, "ramp rate" if ramp else "pulses of a train", left_out)

    many = any(one.segments.size > MOST_POINTS for one in chosen)
    return Panel(
        f"{what}{heat.suffix}",
        f"{direction.upper()}: "
        f"{'switching voltage of staircase ramps' if ramp else 'trains of pulses'}{heat.text}",
        f"Dots: share switched by the end of each {'level' if ramp else 'pulse'} (Kaplan-Meier "
        "over those still at risk, 95 % bars by Greenwood's formula"
        f"{f', at most {MOST_POINTS} a curve' if many else ''}). {band_text(candidate)}"
        + sentence([*heat_notes, *left_out]),
        3.7,
        draw,
        complete=not left_out and not heat_notes,
    )


def _rate(data: Observations, one: Ladder) -> tuple[float, float, float]:
    """What ladders are sorted by: ramp rate, then first voltage and width."""
    last, before = one.segments[-1], one.segments[-2]
    rate = (data.voltage[last] - data.voltage[before]) / data.duration[last]
    first = one.segments[0]
    return round(float(rate), 9), float(data.voltage[first]), float(data.duration[first])


def _label(data: Observations, one: Ladder, rising: bool) -> str:
    voltage, width = data.voltage[one.segments], data.duration[one.segments]
    if data.kind == "ramps":
        return f"{_rate(data, one)[0]:.3g} V/s"
    told = f"{voltage[0]:g} V" if np.ptp(voltage) == 0 else f"{voltage[0]:g} to {voltage[-1]:g} V"
    if rising:
        told = f"from {voltage[0]:g} V"
    return f"{told}, {time_text(width[0]) if np.ptp(width) == 0 else 'mixed widths'}"
