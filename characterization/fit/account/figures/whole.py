"""All outcomes on one line: what no single curve shows where there are too many settings."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import FigureBase

from characterization.fit.account.figures.panel import Panel
from characterization.fit.account.figures.scales import scale_of
from characterization.fit.account.figures.style import MOST_POINTS, spread_points
from characterization.fit.goodness.points import binomial_interval
from characterization.fit.goodness.risk import at_risk, sequential
from characterization.fit.goodness.survival import product_limit
from characterization.fit.inference.candidate import Candidate

_DOTS, _LINE = "#2f6f9f", "#667078"
_MOST_GROUPS = 20
_EXPECTED = 5.0
"""Outcomes of the rarer sort a group is meant to have."""


def whole_panel(candidate: Candidate, direction: str) -> Panel:
    """Every outcome against the law: observed against fitted fractions, or the exposures' P-P."""
    if np.any(candidate.likelihood.data.exact > 0):
        return _exact(candidate, direction)
    return _grouped(candidate, direction)


def residual_distribution(candidate: Candidate) -> tuple[np.ndarray, np.ndarray]:
    """Fitted P at each outcome's end, and the observed share (Kaplan-Meier) that ended before.

    If the law holds, the two are equal up to chance (Cox and Snell, JRSS B 30, 248 (1968),
    recalled).
    """
    data = candidate.likelihood.data
    _, hazard = candidate.likelihood.hazard(candidate.theta)
    at, share = product_limit(hazard, data.switched, data.trials)
    before = np.concatenate([[1.0], share[:-1]])
    return -np.expm1(-at), 1 - (before + share) / 2


def calibration(candidate: Candidate) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fitted fraction, outcomes at risk and switched, of segments grouped by their fitted P.

    Interval-censored waits are cut at common inspections first.
    """
    data, _ = sequential(candidate.likelihood.data)
    fitted = candidate.likelihood.on(data).probability(candidate.theta)
    risk = at_risk(data)
    used = np.flatnonzero(risk > 0)
    order = used[np.argsort(fitted[used], kind="stable")]
    weight = risk[order] * np.minimum(fitted[order], 1 - fitted[order])
    reached = np.cumsum(weight)
    count = int(np.clip(reached[-1] // _EXPECTED, 1, _MOST_GROUPS))
    group = np.minimum((reached - weight / 2) / reached[-1] * count, count - 1).astype(int)
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    columns = np.array([risk * fitted, risk, data.switched])[:, order]
    expected, trials, switched = np.add.reduceat(columns, starts, axis=1)
    return expected / trials, trials, switched


def _exact(candidate: Candidate, direction: str) -> Panel:
    scale = scale_of(candidate.family)
    fitted, observed = residual_distribution(candidate)

    def draw(figure: FigureBase) -> None:
        axes = figure.subplots()
        kept = spread_points(scale(observed))
        x, y = scale(fitted[kept]), scale(observed[kept])
        axes.plot(x, y, "o", color=_DOTS, markersize=3.0)
        ends = [min(x.min(), y.min()), max(x.max(), y.max())]
        axes.plot(ends, ends, color=_LINE, linewidth=1.0)
        scale.dress(axes, np.concatenate([fitted[kept], observed[kept]]))
        axes.set_xlim(axes.get_ylim())
        axes.set_xticks(axes.get_yticks(), [t.get_text() for t in axes.get_yticklabels()])
        axes.tick_params(axis="x", labelrotation=45)
        axes.set(xlabel=f"by the law ({scale.name})", ylabel="observed")

    many = fitted.size > MOST_POINTS
    return Panel(
        "whole",
        f"{direction.upper()}: all outcomes on one line",
        "Each event of every setting and temperature at the share the law gives to its exposure, "
        "against the observed share (Kaplan-Meier)"
        f"{'; at most 200 dots' if many else ''}. If the law holds, the dots follow the line.",
        3.7,
        draw,
    )


def _grouped(candidate: Candidate, direction: str) -> Panel:
    fitted, trials, switched = calibration(candidate)
    low, high = binomial_interval(switched, trials)
    share = switched / trials
    rare = float(fitted.min()) < 0.02

    def draw(figure: FigureBase) -> None:
        axes = figure.subplots()
        bars = np.abs(np.array([low, high]) - share)
        axes.errorbar(fitted, share, yerr=bars, fmt="o", linewidth=0.9, color=_DOTS)
        ends = (0.0, 1.0)
        if rare:
            ends = (float(max(min(fitted.min(), low[low > 0].min(initial=1.0)), 1e-9)), 1.0)
            axes.set(xscale="log", yscale="log", ylim=(ends[0] / 2, 1.3))
        axes.plot(ends, ends, color=_LINE, linewidth=1.0)
        axes.set(xlabel="fraction by the law", ylabel="observed fraction")

    return Panel(
        "whole",
        f"{direction.upper()}: all outcomes on one line",
        "Every pulse at risk, of all settings and temperatures, grouped by the probability the law "
        f"gives it ({fitted.size} groups, exact 95 % intervals). If the law holds, the bars cross "
        "the line.",
        3.7,
        draw,
    )
