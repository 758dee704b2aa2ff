"""The report's further sections: devices, order of the outcomes, graded RESET, read disturb."""

from __future__ import annotations

import math
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from scipy.special import ndtri

from characterization.fit.account.figures.style import INK, STYLE, WIDTH
from characterization.fit.account.plot import text_of
from characterization.fit.account.section import Section
from characterization.fit.analysis import FitResult
from characterization.fit.conduction.figure import graded_figure
from characterization.fit.conduction.read_disturb import read_disturb
from characterization.fit.dependence.analysis import Dependence
from characterization.fit.inference.posterior import Posterior
from characterization.fit.population.fit import PopulationFit
from characterization.page.frame import Grid
from devices.cbram import CBRAM


def sections(
    result: FitResult,
    device: CBRAM,
    read: tuple[float, float],
    posteriors: dict[str, Posterior],
) -> list[Section]:
    """Sections of what the table holds beyond the laws; ``read`` is a voltage (V) and time (s)."""
    found = []
    for fit in result.laws:
        name = fit.direction.upper()
        if fit.population is not None and fit.population.posterior is not None:
            found.append(_devices(fit.population, name))
        if fit.dependence is not None:
            found.append(_order(fit.dependence, name))
        if fit.direction in posteriors:
            pooled = "" if fit.population is None else " of the law with devices pooled"
            told = posteriors[fit.direction].sentences
            found.append(Section(f"{name}: posterior{pooled}", told))
    conduction = result.conduction
    if conduction.graded is not None and conduction.graded_rows is not None:
        with mpl.rc_context({"svg.hashsalt": STYLE["svg.hashsalt"], "svg.fonttype": "none"}):
            drawn = text_of(graded_figure(conduction.graded, *conduction.graded_rows))
        found.append(
            Section(
                "Graded RESET",
                conduction.graded.sentences,
                svg=drawn,
                caption="Resistance after one RESET pulse: measured percentiles and the law.",
            )
        )
    return [*found, _read(device, *read)]


def _read(device: CBRAM, voltage: float, time: float) -> Section:
    rows: list[tuple[str, ...]] = []
    told: list[str] = []
    for direction, law in (("SET", device.set), ("RESET", device.reset)):
        if law is None:
            continue
        found = read_disturb(direction, law, voltage if direction == "SET" else -voltage, time)
        told += found.sentences
        flag = "extrapolated" if found.extrapolated else "within the data"
        for one in found.laws:
            rows.append(
                (
                    direction,
                    one.acceleration,
                    f"{one.probability:.2g}" if one.possible else "no such law",
                    f"{one.reads[0]:.2g}" if math.isfinite(one.reads[0]) else "never",
                    flag,
                )
            )
    return Section(
        "Read disturb",
        tuple(told),
        Grid(
            ("direction", "acceleration", "P per read", "reads until 1 % switched", ""),
            tuple(rows),
            caption=f"Reads of {voltage:g} V and {time:g} s, as --read-voltage and --read-time say "
            "(0.1 V and 1 us unless given: assumed).",
            right=frozenset({2, 3}),
        ),
    )


def _devices(fit: PopulationFit, name: str) -> Section:
    assert fit.posterior is not None
    deviation = np.sort(fit.posterior.mean[0])
    score = ndtri((np.arange(deviation.size) + 0.5) / deviation.size)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(score, deviation, "o", color="#440154", label="devices (posterior means)")
        slope = float(deviation.std())
        axes.plot(score, slope * score, color=INK, linewidth=0.9, label="normal")
        axes.set(xlabel="normal quantile", ylabel="ln tau of the device − median")
        axes.legend()

    return Section(
        f"{name}: devices",
        fit.sentences,
        svg=_drawn(draw, 2.8),
        caption="Each device's own ln tau against normal quantiles: a straight line where devices "
        "are log-normally spread. Posterior means are pulled together where a device has few "
        "outcomes.",
    )


def _order(found: Dependence, name: str) -> Section:
    correlation = found.autocorrelation

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        limit = 1.96 * correlation.stderr_none
        axes.fill_between(correlation.lag, -limit, limit, color="#dfe3e6", label="independent")
        axes.vlines(correlation.lag, 0, correlation.value, color="#440154", linewidth=2.2)
        axes.axhline(0, color=INK, linewidth=0.7)
        unit = "" if correlation.spacing == 1 else f" × {correlation.spacing}"
        axes.set(xlabel=f"lag (cycles{unit})", ylabel="autocorrelation of scores")
        axes.legend()

    return Section(
        f"{name}: order of the outcomes",
        found.sentences,
        svg=_drawn(draw, 2.4),
        caption="Correlation of normal scores at distances of up to 20; band: 95 % of independent "
        "outcomes.",
    )


def _drawn(draw: Callable[[Figure], None], height: float) -> str:
    with mpl.rc_context({**STYLE, "svg.fonttype": "none"}):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        draw(figure)
        return text_of(figure)
