"""Bit probability against write voltage: the device, its population, the fit, the Monte Carlo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from characterization.extract.check.intervals import clopper_pearson
from characterization.extract.figures.picture import Picture
from characterization.extract.figures.style import (
    BLUE,
    COLUMN,
    GREEN,
    INK,
    KINDS,
    MOST_CURVES,
    ORANGE,
    RED,
    between,
    colours,
    double_log,
    time_text,
)
from formats.cells import nominal_index

CONFIDENCE = 0.999
"""Of the intervals of counted bits."""
NOMINAL = "nominal"
_CHECKS = {NOMINAL: ("s", "Squares", RED), "population": ("D", "Diamonds", GREEN)}
_Z = 1.959964
_FAMILIES = {"pulse_width": "pulse width", "temperature": "temperature", "corner": "corner"}
_LOWEST = 1e-4
_CERTAIN = 10.0
"""Of ln(-ln(1 - P)): P is 1 to the last digit."""


def probability_pictures(sng: xr.Dataset) -> list[Picture]:
    """P(V) at the nominal condition, and a family of curves for each condition that varies."""
    nominal = nominal_condition(sng)
    found = [_nominal_picture(sng.isel(nominal))]
    for name, word in _FAMILIES.items():
        if sng.sizes[name] > 1:
            others = {key: place for key, place in nominal.items() if key != name}
            found.append(_family_picture(sng.isel(others), name, word))
    return found


def nominal_condition(sng: xr.Dataset) -> dict[str, int]:
    """Indices of the first pulse width and of the nominal temperature and corner."""
    temperature, corner = nominal_index(
        sng["temperature"].to_numpy(), [str(name) for name in sng["corner"].to_numpy()]
    )
    return {"pulse_width": 0, "temperature": temperature, "corner": corner}


def fit_band(p: np.ndarray, stderr: np.ndarray) -> np.ndarray | None:
    """Ends (2, n) of the 95 % interval of P from its standard error; None where it is unknown.

    Delta method on ln(-ln(1 - P)), so that the ends stay within 0 and 1.
    """
    if not np.all(np.isfinite(stderr)) or not np.any(stderr > 0):
        return None
    inside = np.clip(p, 1e-12, 1 - 1e-12)
    spread = _Z * stderr / ((1 - inside) * -np.log1p(-inside))
    middle = double_log(inside)
    ends = np.minimum([middle - spread, middle + spread], _CERTAIN)
    return np.asarray(-np.expm1(-np.exp(ends)))


@dataclass(frozen=True)
class Counted:
    """Bits counted in a Monte Carlo: voltages (V), shares of ones, intervals (2, n), their number.

    ``kind``: "nominal" (one device and cell) or "population" (a new one for each bit).
    """

    kind: str
    voltage: np.ndarray
    share: np.ndarray
    ends: np.ndarray
    bits: int


def counted(sng: xr.Dataset) -> list[Counted]:
    """The Monte Carlo points by kind; none where it did not run.

    Intervals are those of the file (corrected for early stop), else exact binomial ones of 99.9 %.
    """
    if any(name not in sng for name in ("check_voltage", "check_count", "check_ones")):
        return []
    kinds = np.full(sng["check_voltage"].shape, NOMINAL)
    if "check" in sng.coords and sng["check"].dtype.kind in "UO":
        kinds = sng["check"].to_numpy().astype(str)
    voltage, count, ones = (
        sng[name].to_numpy() for name in ("check_voltage", "check_count", "check_ones")
    )
    if "check_low" in sng and "check_high" in sng:
        ends = np.array([sng["check_low"].to_numpy(), sng["check_high"].to_numpy()])
    else:
        pairs = zip(ones, count, strict=True)
        ends = np.array([clopper_pearson(k, n, CONFIDENCE) for k, n in pairs]).reshape(-1, 2).T
    found = []
    for kind in dict.fromkeys(kinds.tolist()):
        here = kinds == kind
        share = ones[here] / count[here]
        found.append(Counted(kind, voltage[here], share, ends[:, here], int(count[here].sum())))
    return found


def _nominal_picture(sng: xr.Dataset) -> Picture:
    width, kelvin = float(sng["pulse_width"]), float(sng["temperature"])
    where = f"{time_text(width)}, {kelvin:g} K, {sng['corner'].item()}"
    band = fit_band(sng["Ps"].to_numpy(), sng["Ps_stderr"].to_numpy())
    parts = [
        f"Write pulse {where}.",
        "Dots: simulated write voltages (P from the exposure, without sampling); line: the nominal "
        "device, its stored bit where the RESET may fail.",
        "Wide band: 5 to 95 % of devices and cells (D2D, mismatch).",
    ]
    if band is not None:
        parts.append("Dashed: 95 % interval by the fit.")
    checks = counted(sng)
    for check in checks:
        _, mark, _ = _CHECKS.get(check.kind, _CHECKS[NOMINAL])
        whose = "a new device and cell each" if check.kind != NOMINAL else "the nominal device"
        parts.append(
            f"{mark}: Monte Carlo in ngspice, {check.bits:,} bits of {whose}, 99.9 % intervals."
        )

    def draw(figure: Figure) -> None:
        lowest = max(_LOWEST, float(sng["Ps_population_p05"].min()) / 2)
        linear, logarithmic = figure.subplots(2, 1, sharex=True, height_ratios=[1.35, 1.0])
        for axes in (linear, logarithmic):
            _curve(axes, sng, band)
            for check in checks:
                marker, _, colour = _CHECKS.get(check.kind, _CHECKS[NOMINAL])
                axes.errorbar(
                    check.voltage,
                    check.share,
                    np.abs(check.ends - check.share),
                    fmt=marker,
                    color=colour,
                    linewidth=1.0,
                    label=f"Monte Carlo, {check.kind}",
                )
        linear.set(ylabel="bit probability", ylim=(-0.03, 1.03))
        linear.legend(loc="upper left")
        logarithmic.set(
            yscale="log", ylim=(lowest, 1.5), ylabel="bit probability", xlabel="write voltage (V)"
        )
        figure.align_ylabels([linear, logarithmic])

    return Picture(
        "probability", "Bit probability against write voltage", " ".join(parts), COLUMN, 3.9, draw
    )


def _curve(axes: Axes, sng: xr.Dataset, band: np.ndarray | None) -> None:
    v, p = sng["write_voltage"].to_numpy(), sng["Ps"].to_numpy()
    grid = np.linspace(v[0], v[-1], 201)

    def fine(values: np.ndarray) -> np.ndarray:
        return between(v, values, grid)

    low, high = (sng[f"Ps_population_{end}"].to_numpy() for end in ("p05", "p95"))
    if np.any(high > low):
        axes.fill_between(
            grid,
            fine(low),
            fine(high),
            color=BLUE,
            alpha=0.18,
            linewidth=0,
            label="5–95 % of devices",
        )
    axes.plot(grid, fine(p), color=BLUE, label="P(SET)")
    mean = sng["Ps_population_mean"].to_numpy()
    if np.max(np.abs(mean - p)) > 1e-3:
        axes.plot(grid, fine(mean), ":", color=BLUE, label="mean of devices")
    axes.plot(v, p, "o", color=BLUE, markersize=2.6)
    if band is not None:
        for end, label in zip(band, ("fit, 95 %", None), strict=True):
            axes.plot(grid, fine(end), "--", color=INK, linewidth=0.8, label=label)
    stored = sng["pi"].to_numpy()
    if np.max(np.abs(stored - p)) > 1e-3:
        axes.plot(grid, fine(stored), "-.", color=ORANGE, label="stored bit, π")


def _family_picture(sng: xr.Dataset, name: str, word: str) -> Picture:
    if name != "corner":
        sng = sng.sortby(name)
    there = np.isfinite(sng["pi"].to_numpy()).all(axis=sng["pi"].get_axis_num("write_voltage"))
    gaps = [_text(name, value) for value in sng[name].to_numpy()[~there]]
    sng = sng.isel({name: there})
    values = sng[name].to_numpy()
    shown = np.unique(np.linspace(0, values.size - 1, min(values.size, MOST_CURVES)).astype(int))
    left_out = f" {shown.size} of {values.size} shown." if shown.size < values.size else ""
    left_out += f" Missing, as ngspice failed: {', '.join(gaps)}." if gaps else ""
    held = ", ".join(_text(other, sng[other].item()) for other in _FAMILIES if other != name)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        v = sng["write_voltage"].to_numpy()
        grid = np.linspace(v[0], v[-1], 201)
        family = colours(shown.size) if name != "corner" else KINDS
        for order, (colour, place) in enumerate(zip(family, shown, strict=False)):
            here = sng.isel({name: place})
            p = here["pi"].to_numpy()
            # Where curves lie on each other, as those of corners may, the lower ones are wider.
            axes.plot(
                grid,
                between(v, p, grid),
                color=colour,
                linewidth=1.2 + 1.1 * (shown.size - 1 - order) * (name == "corner"),
                label=_text(name, values[place]),
            )
            axes.plot(v, p, "o", color=colour, markersize=2.4)
        axes.set(xlabel="write voltage (V)", ylabel="bit probability", ylim=(-0.03, 1.03))
        axes.legend(loc="upper left", title=word, title_fontsize=7.5, alignment="left")

    return Picture(
        f"probability_{name}",
        f"Bit probability by {word}",
        f"Nominal device, otherwise at {held}. Dots: simulated write voltages.{left_out}",
        COLUMN,
        2.6,
        draw,
    )


def _text(name: str, value: float | str) -> str:
    if name == "corner":
        return str(value)
    return f"{float(value):g} K" if name == "temperature" else time_text(float(value))
