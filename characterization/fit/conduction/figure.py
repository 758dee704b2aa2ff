"""The picture of a graded RESET: resistance after a pulse, measured and by the law, per width."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FormatStrFormatter

from characterization.fit.conduction.graded_check import positive_rows
from characterization.fit.conduction.graded_reset import GradedFit

PERCENTILES = (10.0, 25.0, 50.0, 75.0, 90.0)
_MOST_WIDTHS = 4
_MOST_DOTS = 120
_LAW = "#c2410c"
_DATA = "#1e3a5f"
_QUIET = "#64748b"
_PREFIXES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"), (1e-12, "ps"))


def graded_figure(
    fit: GradedFit,
    voltage: np.ndarray,
    width: np.ndarray,
    r_after: np.ndarray,
    title: str = "RESET as a graded response",
) -> Figure:
    """Percentiles of R_after (ohm) against |V| (V), one panel a width (s), with the law's.

    Dots: single cells, at most 120 a condition. Bars: measured 10 to 90 % (thin) and 25 to 75 %
    (thick), ring: median. Bands and line: the same of the law. Of more than four widths the
    shortest and the three with the most RESETs are shown, and the title says so. The last panel
    has the fractions above the thresholds of the fit against every width, at the highest
    voltage, with 95 % binomial intervals (Wilson). Uses no state of pyplot.
    """
    v, t, y, _ = positive_rows(voltage, width, r_after)
    widths = np.unique(t)
    shown = _telling(widths, t, np.exp(y) > fit.conditions.thresholds[0])
    figure = Figure(figsize=(2.75 * (shown.size + 1.35), 4.3), layout="constrained")
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(1, shown.size + 1, width_ratios=[1.0] * shown.size + [1.35]))
    limits = (
        min(float(np.exp(y).min()), fit.law.r_lrs.value) * 0.9,
        float(np.exp(y).max()) * 1.15,
    )
    for axes, one in zip(panels, shown, strict=False):
        _panel(axes, fit, v[t == one], np.exp(y[t == one]), float(one), limits)
        axes.set_xlabel("RESET voltage |V| (V)")
        axes.tick_params(labelleft=axes is panels[0])
    panels[0].set_ylabel("resistance after one pulse (kΩ)")
    panels[0].legend(handles=_key(), frameon=False, fontsize=8, loc="upper left")
    _fractions(panels[-1], fit)
    more = "" if shown.size == widths.size else f"; {shown.size} of {widths.size} widths shown"
    figure.suptitle(
        f"{title}: {fit.rows} pulses{more}", fontsize=12, x=0.01, horizontalalignment="left"
    )
    return figure


def _telling(widths: np.ndarray, t: np.ndarray, above: np.ndarray) -> np.ndarray:
    """The widths (s) worth a panel: the shortest and those with the most RESETs."""
    if widths.size <= _MOST_WIDTHS:
        return widths
    share = np.array([above[t == one].mean() for one in widths])
    most = np.lexsort((widths, share))[::-1]
    kept = [0, *[i for i in most if i != 0][: _MOST_WIDTHS - 1]]
    return np.asarray(widths[np.sort(kept)])


def _key() -> list[Artist]:
    """What the marks of a panel mean."""
    return [
        Line2D([], [], ls="", marker=".", ms=4, color=_QUIET, label="single cells"),
        Line2D(
            [], [], color=_DATA, lw=1.1, marker="o", mfc="white", ms=5, label="10-25-50-75-90 %"
        ),
        Line2D([], [], color=_LAW, lw=1.6, label="law: median"),
        Patch(color=_LAW, alpha=0.3, lw=0, label="law: 25-75, 10-90 %"),
    ]


def _panel(
    axes: Axes,
    fit: GradedFit,
    v: np.ndarray,
    r: np.ndarray,
    width: float,
    limits: tuple[float, float],
) -> None:
    law = fit.law
    fine = np.linspace(law.valid_voltage[0], law.valid_voltage[1], 121)
    predicted = [law.quantile(p / 100, fine, np.array(width)) / 1e3 for p in PERCENTILES]
    axes.fill_between(fine, predicted[0], predicted[4], color=_LAW, alpha=0.14, lw=0)
    axes.fill_between(fine, predicted[1], predicted[3], color=_LAW, alpha=0.26, lw=0)
    axes.plot(fine, predicted[2], color=_LAW, lw=1.6)
    gap = float(np.min(np.diff(np.unique(v)), initial=1.0))
    random = np.random.default_rng(0)  # places dots beside each other; no result depends on it
    for one in np.unique(v):
        cells = r[v == one]
        some = cells[np.linspace(0, cells.size - 1, min(cells.size, _MOST_DOTS)).astype(int)]
        beside = one + gap * random.uniform(-0.28, 0.28, some.size)
        axes.plot(beside, some / 1e3, ".", ms=3.4, mew=0, color=_QUIET, alpha=0.5, rasterized=True)
        q = np.percentile(r[v == one], PERCENTILES) / 1e3
        axes.plot([one, one], [q[0], q[4]], color=_DATA, lw=1.1, solid_capstyle="butt")
        axes.plot([one, one], [q[1], q[3]], color=_DATA, lw=3.6, solid_capstyle="butt")
        axes.plot([one], [q[2]], "o", ms=5, mfc="white", mec=_DATA, mew=1.3)
    for level in fit.conditions.thresholds:
        axes.axhline(level / 1e3, color=_QUIET, lw=0.6, ls=(0, (2, 3)), zorder=0)
    axes.set_yscale("log")
    axes.set_ylim(limits[0] / 1e3, limits[1] / 1e3)
    _decades(axes, limits)
    axes.set_title(f"pulse of {_time(width)}", fontsize=10, loc="left")
    _plain(axes)


def _fractions(axes: Axes, fit: GradedFit) -> None:
    """Fractions above each threshold against the width, at the highest voltage."""
    told = fit.conditions
    here = told.voltage == told.voltage.max()
    widths, count = told.width[here], told.count[here]
    fine = np.geomspace(widths.min(), widths.max(), 161)
    colours = mpl.colormaps["viridis"](np.linspace(0.0, 0.75, len(told.thresholds)))
    for k, level in enumerate(told.thresholds):
        colour = colours[k]
        curve = fit.law.probability_above(level, told.voltage.max(), fine)
        axes.plot(fine * 1e6, 100 * curve, color=colour, lw=1.6)
        share = told.above[here, k]
        centre, half = _wilson(share, count)
        bars = 100 * np.abs(np.stack([share - (centre - half), centre + half - share]))
        axes.errorbar(
            widths * 1e6 * 1.05 ** (k - (len(told.thresholds) - 1) / 2),
            100 * share,
            bars,
            fmt="o",
            ms=4.5,
            color=colour,
            lw=1,
            capsize=2,
            label=f"> {_kilo(level)}",
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    top = 100 * max(told.above[here].max(), 0.4)
    axes.set_ylim(-0.03 * top, min(103.0, 1.35 * top))
    axes.set_xlabel("pulse width (µs)")
    axes.set_ylabel("% of cells")
    axes.set_title(
        f"fractions at {told.voltage.max():g} V: dots measured, lines law", fontsize=10, loc="left"
    )
    axes.legend(frameon=False, fontsize=9, loc="upper left", handletextpad=0.2)
    _plain(axes)


def _wilson(share: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and half width of the 95 % interval of a fraction (Wilson 1927, recalled)."""
    z = 1.96
    scale = 1 + z * z / count
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / scale
    return (share + z * z / (2 * count)) / scale, half


def _decades(axes: Axes, limits: tuple[float, float]) -> None:
    """Round ticks (kilo-ohm) on a logarithmic axis of any span."""
    span = limits[1] / limits[0]
    steps: tuple[float, ...] = (1, 1.5, 2, 3, 5, 7) if span < 30 else (1, 2, 5)
    steps = steps if span < 300 else (1,)
    powers = np.arange(np.floor(np.log10(limits[0])), np.ceil(np.log10(limits[1])) + 1)
    ticks = [s * 10.0**p / 1e3 for p in powers for s in steps]
    inside = [tick for tick in ticks if limits[0] <= tick * 1e3 <= limits[1]]
    axes.set_yticks(inside, [f"{tick:g}" for tick in inside])
    axes.minorticks_off()


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8.5)


def _kilo(ohm: float) -> str:
    return f"{ohm / 1e3:g} kΩ" if ohm < 1e6 else f"{ohm / 1e6:g} MΩ"


def _time(seconds: float) -> str:
    scale, unit = next((p for p in _PREFIXES if seconds >= 0.9999 * p[0]), _PREFIXES[-1])
    return f"{seconds / scale:.4g} {unit}"
