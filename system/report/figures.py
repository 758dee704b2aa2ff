"""The drawings of the report, one function each; all return a Drawing with inline SVG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator, PercentFormatter

from devices.law import SwitchingLaw
from formats.cells import OUTCOMES, PHASES, Cells
from formats.training import ARITHMETICS, Training
from system.budget.accuracy import wilson
from system.budget.lines import Budget
from system.budget.reading import whole_attribute
from system.budget.sng import conditions
from system.budget.units import source
from system.report.quantity import quantity
from system.report.svg import drawing

MOST_CURVES = 6
MOST_POINTS = 60
MOST_STEPS = 200
"""Most curves of a drawing of the fit, and most points or steps of a curve."""


@dataclass(frozen=True)
class Drawing:
    """An inline SVG with its caption."""

    svg: str
    caption: str


def fit_pulses(law: SwitchingLaw, points: Mapping[str, Any]) -> Drawing | None:
    """Switched fraction against pulse voltage: the data of fit.json and the law's curves.

    None where the points lack a column.
    """
    table = _table(points, ("voltage_V", "width_s", "trials", "switched", "low", "high"))
    if table is None:
        return None
    voltage, width, trials, switched, low, high = table[:, table[2] > 0]
    if voltage.size == 0:
        return None
    fraction, voltage = switched / trials, np.abs(voltage)
    chosen = _chosen(width)
    grid = np.linspace(voltage.min(), voltage.max(), 121)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for index, each in enumerate(chosen):
            colour = f"C{index % 6}"
            here = np.flatnonzero(width == each)
            here = here[np.argsort(voltage[here])]
            here = here[_spread(here.size, MOST_POINTS)]
            below, above = fraction[here] - low[here], high[here] - fraction[here]
            axes.errorbar(
                voltage[here],
                fraction[here],
                yerr=np.maximum(0.0, [below, above]),
                fmt="o",
                markersize=3,
                linewidth=0.8,
                color=colour,
                label=quantity(float(each), "s"),
            )
            axes.plot(grid, law.probability(grid, each), color=colour)
        axes.set(xlabel="pulse voltage (V)", ylabel="P(SET)", ylim=(-0.03, 1.03))
        axes.legend(title="pulse width")

    return Drawing(
        drawing(draw, "fit", "Observed switching against voltage with the fitted law"),
        f"Input data: switched fraction with its 95 % interval (points; {chosen.size} of "
        f"{np.unique(width).size} pulse widths shown, at most {MOST_POINTS} points each) and the "
        "law of device.json (lines).",
    )


def fit_waits(law: SwitchingLaw, points: Mapping[str, Any]) -> Drawing | None:
    """Share still waiting against time: Kaplan-Meier steps of fit.json and the law's curves.

    None where the points lack a column.
    """
    table = _table(points, ("voltage_V", "wait_time_s", "survival_observed"))
    if table is None:
        return None
    voltage, time, survival = table[:, table[1] > 0]
    if voltage.size == 0:
        return None
    chosen = _chosen(voltage)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for index, each in enumerate(chosen):
            colour = f"C{index % 6}"
            here = np.flatnonzero(voltage == each)
            here = here[np.argsort(time[here])]
            here = here[_spread(here.size, MOST_STEPS)]
            label = quantity(float(each), "V")
            axes.step(time[here], survival[here], where="post", color=colour, label=label, lw=0.9)
            grid = np.geomspace(time[here].min(), time[here].max(), 81)
            still = [1.0 - float(law.probability(np.abs([each]), t)[0]) for t in grid]
            axes.plot(grid, still, "--", color=colour, lw=1.2)
        axes.set(xlabel="time (s)", ylabel="share still waiting", xscale="log", ylim=(-0.03, 1.03))
        axes.legend(title="voltage")

    return Drawing(
        drawing(draw, "fit", "Observed waiting times with the fitted law"),
        f"Input data: share of devices still waiting (steps, Kaplan-Meier; {chosen.size} of "
        f"{np.unique(voltage).size} voltages shown) and the law of device.json (dashed).",
    )


def probability(cells: Cells) -> Drawing:
    """P(V) of the SNG: nominal device, population mean and 5-95 % band."""
    at = cells.sng.isel(conditions(cells)).sortby("write_voltage")
    voltage = at["write_voltage"].to_numpy()

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.fill_between(
            voltage,
            at["Ps_population_p05"].to_numpy(),
            at["Ps_population_p95"].to_numpy(),
            alpha=0.25,
            linewidth=0,
            label="5–95 % of devices",
        )
        axes.plot(voltage, at["Ps"].to_numpy(), label="nominal device")
        axes.plot(voltage, at["Ps_population_mean"].to_numpy(), "--", label="population mean")
        axes.set(xlabel="write voltage (V)", ylabel="P(SET)", ylim=(-0.03, 1.03))
        axes.legend()

    return Drawing(
        drawing(draw, "probability", "Bit probability of the SNG against write voltage"),
        "Simulated: probability that the write pulse switches the SNG's device, against the write "
        "voltage (cells.nc sng/Ps and its population band).",
    )


def bit_energy(cells: Cells) -> Drawing:
    """Energy of one SNG phase against the write voltage, by outcome."""
    at = cells.sng.isel(conditions(cells)).sortby("write_voltage")
    voltage = at["write_voltage"].to_numpy()

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for number, phase in enumerate(PHASES):
            for outcome, line in zip(OUTCOMES, ("--", "-"), strict=True):
                energy = at["energy"].sel(phase=phase, outcome=outcome).to_numpy()
                axes.plot(
                    voltage,
                    np.where(energy > 0, energy, np.nan),
                    line,
                    color=f"C{number}",
                    label=f"{phase}, {outcome}",
                )
        axes.set(xlabel="write voltage (V)", ylabel="energy per bit (J)", yscale="log")
        figure.legend(ncols=3, loc="outside upper center")

    return Drawing(
        drawing(draw, "energy", "Energy of the SNG's phases against write voltage", 3.4),
        "Simulated: energy of the RESET, write and read phase of one SNG bit, where the device "
        "switched (or stores a 1) and where it held (cells.nc sng/energy).",
    )


def waveforms(cells: Cells) -> Drawing | None:
    """The simulated waveforms of the SNG, one panel a signal; None where cells.nc holds none."""
    sng = cells.sng
    if "waveform_time" not in sng.coords:
        return None
    names = [
        str(name)
        for name in sng.data_vars
        if str(name).startswith("waveform_") and sng[name].dims == ("waveform_time",)
    ]
    if not names:
        return None
    time = sng["waveform_time"].to_numpy()
    scale, time_unit = (1e6, "µs") if time.max() < 1e-2 else (1e3, "ms")

    def draw(figure: Figure) -> None:
        panels = figure.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
        for number, (axes, name) in enumerate(zip(panels, names, strict=True)):
            attributes = sng[name].attrs
            label = str(attributes.get("long_name", name.removeprefix("waveform_")))
            axes.plot(time * scale, sng[name].to_numpy(), color=f"C{number % 6}", linewidth=1.1)
            axes.yaxis.set_major_formatter(EngFormatter(sep=""))
            unit = str(attributes.get("units", "1"))
            title = label if unit in ("", "1") else f"{label} ({unit})"
            axes.set_title(title, loc="left", fontsize=8.5)
        panels[-1].set_xlabel(f"time ({time_unit})")

    return Drawing(
        drawing(draw, "waveforms", "Waveforms of the SNG cell over time", 0.7 + 0.95 * len(names)),
        f"Waveforms of the SNG cell ({source(cells, 'sng', names[0])} and the like).",
    )


def accuracy(training: Training) -> Drawing:
    """Test accuracy after each epoch with and without SC, with the binomial interval."""
    images = whole_attribute(training, "test_images")
    epochs = np.arange(1, training.data.sizes["epoch"] + 1)

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for number, name in enumerate(ARITHMETICS):
            curves = np.asarray(training.data["accuracy"].sel(arithmetic=name).to_numpy())
            mean = curves.mean(axis=0)
            known = np.flatnonzero((mean >= 0) & (mean <= 1))
            bounds = np.array([wilson(float(mean[k]), images) for k in known]).reshape(-1, 2)
            axes.errorbar(
                epochs[known] + 0.06 * (number - 0.5),
                mean[known],
                yerr=np.maximum(0.0, [mean[known] - bounds[:, 0], bounds[:, 1] - mean[known]]),
                fmt="o-",
                markersize=3,
                elinewidth=0.9,
                capsize=2,
                color=f"C{number}",
                label=name,
            )
        axes.set(xlabel="epochs trained", ylabel="test accuracy")
        axes.set_xlim(0.5, epochs.size + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.legend()

    return Drawing(
        drawing(draw, "accuracy", "Test accuracy per epoch, floating point and stochastic"),
        f"Simulated: accuracy on {images} test images, mean over seeds; the bars are the 95 % "
        "binomial (Wilson) interval of one test set.",
    )


def loss(training: Training) -> Drawing:
    """Training loss of each epoch, one line a seed."""
    epochs = np.arange(1, training.data.sizes["epoch"] + 1)
    largest = float(np.nanmax(np.append(training.data["loss"].to_numpy().ravel(), 0.0)))

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for number, name in enumerate(ARITHMETICS):
            curves = np.atleast_2d(training.data["loss"].sel(arithmetic=name).to_numpy())
            for seed, curve in enumerate(curves):
                label = name if seed == 0 else None
                axes.plot(epochs, curve, ".-", color=f"C{number}", label=label, alpha=0.8)
        axes.set(xlabel="epochs trained", ylabel="loss", ylim=(0, 1.08 * largest or 1.0))
        axes.set_xlim(0.5, epochs.size + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend()

    return Drawing(
        drawing(draw, "loss", "Loss per epoch, floating point and stochastic"),
        "Simulated: training loss per epoch, one line a seed.",
    )


def shares(bill: Budget) -> Drawing:
    """Shares of each group of lines in area, energy and leakage."""
    groups = list(dict.fromkeys(line.group for line in bill.lines))[::-1]

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for number, (label, of) in enumerate(QUANTITIES):
            values = [bill.share(of, group) for group in groups]
            places = np.arange(len(groups)) + 0.27 * (1 - number)
            bars = axes.barh(places, values, height=0.25, color=f"C{number}", label=label)
            texts = [f"{100 * value:.3g} %" for value in values]
            axes.bar_label(bars, labels=texts, padding=2, fontsize=7)
        axes.set_yticks(np.arange(len(groups)), groups)
        axes.set(xlim=(0, 1.12), xlabel="share of the total")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.grid(visible=False, axis="y")
        figure.legend(loc="outside upper center", ncols=3)

    said = "; ".join(
        f"{group}: "
        + ", ".join(f"{100 * bill.share(of, group):.3g} % of {label}" for label, of in QUANTITIES)
        for group in groups[::-1]
    )
    return Drawing(
        drawing(draw, "shares", f"Shares of the parts. {said}", 1.0 + 0.55 * len(groups)),
        "Derived: shares of the parts in area, in the switching energy of a training step and in "
        "leakage.",
    )


QUANTITIES = (
    ("area", lambda line: line.area),
    ("energy per training step", lambda line: line.energy_training),
    ("leakage", lambda line: line.leakage),
)


def _table(points: Mapping[str, Any], names: tuple[str, ...]) -> np.ndarray | None:
    """Columns as rows of one array, without incomplete points; None where a column is unusable."""
    try:
        columns = [np.array(points.get(name), dtype=float) for name in names]
    except (TypeError, ValueError):
        return None
    if len({column.shape for column in columns}) != 1 or columns[0].ndim != 1:
        return None
    table = np.stack(columns)
    table = table[:, np.all(np.isfinite(table), axis=0)]
    return table if table.shape[1] else None


def _chosen(values: np.ndarray) -> np.ndarray:
    """The distinct values to draw a curve for, evenly spread where they are many."""
    distinct = np.unique(values)
    return distinct[_spread(distinct.size, MOST_CURVES)]


def _spread(count: int, most: int) -> np.ndarray:
    """Indices of at most ``most`` of ``count`` items, evenly spread, ends included."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
