"""The plot of a fit as a deterministic SVG: the law and its band over the observed points."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from characterization.fit.analysis import FitResult
from characterization.fit.goodness.points import binomial_interval, kaplan_meier
from characterization.fit.inference.candidate import Candidate
from characterization.fit.observations.base import Pulses, Waits

_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "stochram",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "legend.frameon": False,
}
_MOST_CURVES = 8
_PREFIXES = ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s"))


def svg(result: FitResult, title: str) -> str:
    """The text of fit.svg."""
    with mpl.rc_context(_STYLE):
        figure = draw(result, title)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "stochram"})
    return buffer.getvalue()


def draw(result: FitResult, title: str) -> Figure:
    """The figure: P against voltage for pulses, a probability plot for waits."""
    if isinstance(result.data, Pulses):
        return _pulse_figure(result.chosen, result.data, title)
    return _wait_figure(result.chosen, result.data, title)


def band(
    candidate: Candidate, voltage: np.ndarray, time: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fitted P, and the ends of its 95 % band (delta method on ln H; NaN without covariance)."""
    law, theta = candidate.likelihood, candidate.theta
    shape, floor = law.ln_shape(theta), law.floor_value(theta)
    where = (voltage, law.reference, theta[0], theta[1])
    terms = law.family.hazard_terms(np.log(time) - law.acceleration.evaluate(*where), shape)
    rows = [*(-terms["x"] / terms["H"] * law.acceleration.gradient(*where))]
    if law.family.has_shape:
        rows.append(terms["s"] / terms["H"])
    slope = np.array(rows)
    c = candidate.covariance[: len(rows), : len(rows)]
    spread = 1.96 * np.sqrt(np.einsum("in,ij,jn->n", slope, c, slope))

    def probability(shift: np.ndarray | float) -> np.ndarray:
        return np.asarray(floor - (1 - floor) * np.expm1(-terms["H"] * np.exp(shift)))

    return probability(0.0), probability(-spread), probability(spread)


def _pulse_figure(candidate: Candidate, data: Pulses, title: str) -> Figure:
    figure = Figure(figsize=(6.6, 5.2), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    widths = _thinned(np.unique(data.width))
    span = np.ptp(data.voltage)
    grid = np.linspace(data.voltage.min() - 0.04 * span, data.voltage.max() + 0.04 * span, 300)
    fitted = candidate.likelihood.probability(candidate.theta)
    for width, colour in zip(widths, _colours(widths.size), strict=True):
        here = data.width == width
        p, low, high = band(candidate, grid, np.full(grid.size, width))
        upper.fill_between(grid, low, high, color=colour, alpha=0.18, linewidth=0)
        upper.plot(grid, p, color=colour, linewidth=1.4)
        n, s = data.trials[here], data.switched[here]
        ends = binomial_interval(s, n)
        upper.errorbar(
            data.voltage[here],
            s / n,
            yerr=np.abs(np.array(ends) - s / n),
            fmt="o",
            markersize=3.5,
            linewidth=1,
            color=colour,
            label=_time(width),
        )
        deviation = (s - n * fitted[here]) / np.sqrt(
            np.maximum(n * fitted[here] * (1 - fitted[here]), 1e-12)
        )
        shown = n * np.minimum(fitted[here], 1 - fitted[here]) >= 1
        lower.plot(data.voltage[here][shown], deviation[shown], "o", markersize=3.5, color=colour)
    upper.set(ylabel="P(switched)", ylim=(-0.03, 1.03), title=title)
    upper.legend(title="pulse width", loc="center left", bbox_to_anchor=(1.0, 0.5))
    lower.axhspan(-2, 2, color="#dddddd", alpha=0.5, linewidth=0)
    lower.axhline(0, color="#555555", linewidth=0.8)
    lower.set(xlabel="voltage (V)", ylabel="(observed − law)\n/ std. error")
    return figure


def _wait_figure(candidate: Candidate, data: Waits, title: str) -> Figure:
    figure = Figure(figsize=(6.6, 4.6), layout="constrained")
    axes: Axes = figure.subplots()
    voltages = _thinned(np.unique(data.voltage))
    for voltage, colour in zip(voltages, _colours(voltages.size), strict=True):
        time, survival = kaplan_meier(data, float(voltage))
        inside = (survival > 0) & (survival < 1)
        if not np.any(inside):
            continue
        time, survival = time[inside], survival[inside]
        if time.size > 200:
            kept = np.unique(np.geomspace(1, time.size, 200).astype(int)) - 1
            time, survival = time[kept], survival[kept]
        grid = np.geomspace(time.min(), time.max(), 120)
        p, low, high = band(candidate, np.full(grid.size, voltage), grid)
        axes.fill_between(grid, _score(low), _score(high), color=colour, alpha=0.2, linewidth=0)
        axes.plot(grid, _score(p), color=colour, linewidth=1.4)
        axes.plot(
            time,
            np.log(-np.log(survival)),
            "o",
            markersize=2.6,
            color=colour,
            label=f"{voltage:g} V",
        )
    marks = np.array([0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999])
    axes.set_yticks(_score(marks), [f"{100 * mark:g} %" for mark in marks])
    axes.set(xscale="log", xlabel="wait time (s)", ylabel="switched (Weibull scale)", title=title)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _score(p: np.ndarray) -> np.ndarray:
    """ln(-ln(1 - p)): straight lines for Weibull laws."""
    return np.asarray(np.log(-np.log1p(-np.clip(p, 1e-12, 1 - 1e-12))))


def _thinned(values: np.ndarray) -> np.ndarray:
    """At most ``_MOST_CURVES`` of the values, evenly over their order."""
    if values.size <= _MOST_CURVES:
        return values
    return values[np.linspace(0, values.size - 1, _MOST_CURVES).astype(int)]


def _colours(count: int) -> np.ndarray:
    return np.asarray(mpl.colormaps["viridis"](np.linspace(0.0, 0.85, count)))


def _time(seconds: float) -> str:
    scale, unit = next((p for p in reversed(_PREFIXES) if seconds >= 0.9999 * p[0]), _PREFIXES[0])
    return f"{seconds / scale:.4g} {unit}"
