"""Single pulses: the fraction that switched against voltage (or width), the law, the residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import FigureBase
from matplotlib.ticker import MultipleLocator
from scipy.stats import poisson

from characterization.fit.account.figures.band import band, band_text, histories
from characterization.fit.account.figures.panel import Panel, legend, magnitude, sentence
from characterization.fit.account.figures.style import (
    MOST_CURVES,
    colours,
    of,
    representatives,
    scattered,
    time_text,
)
from characterization.fit.account.figures.temperatures import Heat, heats
from characterization.fit.goodness.points import binomial_interval
from characterization.fit.inference.candidate import Candidate
from characterization.fit.observations.base import Observations

MOST_GROUPS = 40
"""Dots of one curve; beyond it neighbours are pooled."""
_GRID = 160
_STRANGE = 1e-3


@dataclass(frozen=True)
class Fractions:
    """Outcomes along one curve: where, how many, and how many the law expects (with variance)."""

    at: np.ndarray
    trials: np.ndarray
    switched: np.ndarray
    expected: np.ndarray
    variance: np.ndarray

    @property
    def rarer(self) -> np.ndarray:
        """Expected outcomes of the sort the law makes the rarer one."""
        return np.minimum(self.expected, self.trials - self.expected)

    @property
    def strange(self) -> np.ndarray:
        """Less than one outcome of the rarer sort expected, and so many seen that p < 0.001."""
        some = self.expected < self.trials - self.expected
        seen = np.where(some, self.switched, self.trials - self.switched)
        return (self.rarer < 1) & (seen > 0) & (poisson.sf(seen - 1, self.rarer) < _STRANGE)


@dataclass(frozen=True)
class Curve:
    """The pulses of one width (or voltage): its label, the law's histories and the outcomes."""

    label: str
    line: Observations
    seen: Fractions


def pulse_panels(candidate: Candidate, direction: str) -> list[Panel]:
    """P against voltage per pulse width, one panel a temperature.

    Against the width per voltage where there is one voltage only, or few voltages and many widths.
    A temperature whose outcomes are scattered over too many settings has no panel.
    """
    shown, notes = heats(candidate.likelihood.data)
    panels = [_panel(candidate, direction, heat, notes) for heat in shown]
    return [panel for panel in panels if panel is not None]


def fractions(
    at: np.ndarray, trials: np.ndarray, switched: np.ndarray, fitted: np.ndarray
) -> Fractions:
    """The groups of one curve in order; more than ``MOST_GROUPS`` are pooled with neighbours."""
    order = np.argsort(at, kind="stable")
    variance = trials * fitted * (1 - fitted)
    columns = np.array([trials * at, trials, switched, trials * fitted, variance])[:, order]
    if at.size > MOST_GROUPS:
        reached = np.cumsum(columns[1])
        pool = np.minimum((reached - 0.5) / reached[-1] * MOST_GROUPS, MOST_GROUPS - 1).astype(int)
        columns = np.add.reduceat(columns, np.flatnonzero(np.diff(pool, prepend=-1)), axis=1)
    return Fractions(columns[0] / columns[1], *columns[1:])


def _panel(candidate: Candidate, direction: str, heat: Heat, heat_notes: list[str]) -> Panel | None:
    data = candidate.likelihood.data
    along_voltage = _along_voltage(data)
    x, setting = (data.voltage, data.duration)[:: 1 if along_voltage else -1]
    values, index = np.unique(setting[heat.here], return_inverse=True)
    weight = np.bincount(index, data.trials[heat.here])
    chosen = representatives(weight)
    if scattered(weight, chosen):
        return None
    left_out = of(chosen.size, values.size, "pulse widths" if along_voltage else "voltages")
    grid = _grid(x, along_voltage)
    curves = [
        _curve(candidate, heat, float(value), x, setting, grid, along_voltage)
        for value in values[chosen]
    ]
    pooled = any(np.sum(heat.here & (setting == v)) > MOST_GROUPS for v in values[chosen])
    strange = any(bool(np.any(curve.seen.strange)) for curve in curves)
    shifts = _shifts(len(curves), x) if along_voltage else np.zeros(len(curves))
    notes = [*left_out, *(["neighbouring pulses pooled"] if pooled else [])]

    def draw(figure: FigureBase) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        for curve, colour, shift in zip(curves, colours(len(curves)), shifts, strict=True):
            law, seen = band(candidate, curve.line), curve.seen
            upper.fill_between(grid, law.low, law.high, color=colour, alpha=0.18, linewidth=0)
            upper.plot(grid, law.p, color=colour)
            share = seen.switched / seen.trials
            bars = np.abs(np.array(binomial_interval(seen.switched, seen.trials)) - share)
            upper.errorbar(
                seen.at, share, yerr=bars, fmt="o", linewidth=0.9, color=colour, label=curve.label
            )
            telling = seen.rarer >= 1
            deviation = (seen.switched - seen.expected)[telling] / np.sqrt(seen.variance[telling])
            lower.plot((seen.at + shift)[telling], deviation, "o", color=colour)
            for side, mark in ((1, "^"), (-1, "v")):
                strange = seen.strange & (np.sign(seen.switched - seen.expected) == side)
                edge = lower.get_xaxis_transform()
                lower.plot(
                    (seen.at + shift)[strange],
                    np.full(int(strange.sum()), 0.5 + 0.42 * side),
                    mark,
                    color=colour,
                    transform=edge,
                )
        upper.set(ylabel="switched fraction", ylim=(-0.03, 1.03))
        lower.axhspan(-2, 2, color="#dfe3e7", alpha=0.5, linewidth=0)
        lower.axhline(0, color="#667078", linewidth=0.8)
        low, high = lower.get_ylim()
        lower.set(ylabel="residual", ylim=(min(low, -3), max(high, 3)))
        if max(-low, high) < 7:
            lower.yaxis.set_major_locator(MultipleLocator(2))
        lower.set_xlabel(magnitude(direction) if along_voltage else "pulse width (s)")
        if not along_voltage:
            lower.set_xscale("log")
        legend(upper, "pulse width" if along_voltage else "voltage", notes)

    against = "voltage" if along_voltage else "pulse width"
    return Panel(
        f"pulses{heat.suffix}",
        f"{direction.upper()}: switched fraction against {against}{heat.text}",
        "Dots: observed fractions with exact 95 % intervals (Clopper-Pearson). "
        f"{band_text(candidate)} Below: (observed - law)/standard error where the law expects at "
        f"least one outcome of each sort{', side by side' if np.any(shifts) else ''}; grey: "
        "within 2."
        + (" Triangles: outcomes the law hardly allows (p < 0.001)." if strange else "")
        + sentence([*heat_notes, *notes]),
        4.4,
        draw,
        complete=not left_out and not heat_notes,
    )


def _curve(
    candidate: Candidate,
    heat: Heat,
    value: float,
    x: np.ndarray,
    setting: np.ndarray,
    grid: np.ndarray,
    along_voltage: bool,
) -> Curve:
    data = candidate.likelihood.data
    here = heat.here & (setting == value)
    fitted = candidate.likelihood.probability(candidate.theta)[here]
    voltage, width = (grid, value) if along_voltage else (value, grid)
    return Curve(
        time_text(value) if along_voltage else f"{value:g} V",
        histories("pulses", voltage, width, heat.value),
        fractions(x[here], data.trials[here], data.switched[here], fitted),
    )


def _shifts(curves: int, x: np.ndarray) -> np.ndarray:
    """How far residuals of equal voltage stand apart (V): within a quarter of the least gap."""
    gap = float(np.min(np.diff(np.unique(x)), initial=np.inf))
    if not np.isfinite(gap) or gap < 0.02 * np.ptp(x):
        return np.zeros(curves)
    return np.asarray(gap * 0.25 * (np.arange(curves) - (curves - 1) / 2) / max(curves - 1, 1))


def _grid(x: np.ndarray, along_voltage: bool) -> np.ndarray:
    """A little beyond the data on both sides."""
    low, high = float(x.min()), float(x.max())
    if not along_voltage:
        return np.geomspace(low / 1.3, high * 1.3, _GRID)
    room = 0.04 * (high - low)
    return np.linspace(max(low - room, 0.5 * low), high + room, _GRID)


def _along_voltage(data: Observations) -> bool:
    voltages, widths = np.unique(data.voltage).size, np.unique(data.duration).size
    return not (voltages == 1 or (widths > MOST_CURVES >= voltages))
