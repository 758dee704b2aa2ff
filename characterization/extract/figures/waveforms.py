"""Write, read and RESET of the SNG over several cycles, with the switching events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from characterization.extract.figures.picture import Picture
from characterization.extract.figures.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PAGE,
    PURPLE,
    RED,
    SKY,
    SOFT,
    time_text,
)

_SHADES = {"write": "#fdf1dc", "read": "#e7f1f8"}
_KNOWN = ("bl", "be", "sense", "bit", "state", "exposure", "threshold")
_LABELS = {"reset": "RESET", "write": "write", "read": "read"}


@dataclass(frozen=True)
class Events:
    """Times (s) of SET and RESET in a waveform, and the bit read at the end of each cycle."""

    sets: np.ndarray
    resets: np.ndarray
    bits: np.ndarray


def waveform_picture(sng: xr.Dataset) -> Picture | None:
    """The picture, or None where the group holds no waveforms of device and bit line."""
    if any(f"waveform_{name}" not in sng for name in ("bl", "be", "state", "exposure")):
        return None
    told = ", ".join(f"{_LABELS.get(name, name)} {time_text(t)}" for name, t in _phases(sng))
    found = events(sng)
    return Picture(
        "waveforms",
        "Write, read and RESET of the SNG",
        f"ngspice transient of {found.bits.size} cycles; each phase is drawn to its own time scale "
        f"({told}). Triangles: the device switches, where its exposure u reaches its threshold; "
        "numbers: the bit at the output at the end of the cycle.",
        PAGE,
        4.6,
        lambda figure: _draw(figure, sng, found),
    )


def events(sng: xr.Dataset) -> Events:
    """When the device of the stored waveforms switched, and which bits were read."""
    time, state = sng["waveform_time"].to_numpy(), sng["waveform_state"].to_numpy()
    above = state > 0.5
    ends = np.arange(1, _cycles(sng) + 1) * float(sng["phase_time"].sum())
    output = sng["waveform_bit" if "waveform_bit" in sng else "waveform_state"].to_numpy()
    # The amplifier latches within the read phase and holds its bit until the next one.
    levels = np.interp(ends - 0.01 * _phases(sng)[-1][1], time, output)
    return Events(
        time[1:][above[1:] & ~above[:-1]],
        time[1:][above[:-1] & ~above[1:]],
        (levels > max(float(output.max()), 1e-9) / 2).astype(int),
    )


def stretched(sng: xr.Dataset, time: np.ndarray) -> np.ndarray:
    """Time as phases passed: each phase has the width 1, time runs linearly within it."""
    times = [seconds for _, seconds in _phases(sng)]
    edges = np.concatenate([[0.0], np.cumsum(np.tile(times, _cycles(sng)))])
    return np.asarray(np.interp(time, edges, np.arange(edges.size)))


def _phases(sng: xr.Dataset) -> list[tuple[str, float]]:
    """Names and lengths (s) of the phases in the order of time (attribute ``phase_order``)."""
    names = [str(name) for name in sng["phase"].to_numpy()]
    lengths = dict(zip(names, sng["phase_time"].to_numpy().tolist(), strict=True))
    order = str(sng.attrs.get("phase_order", ",".join(names))).split(",")
    return [(name, lengths[name]) for name in order]


def _cycles(sng: xr.Dataset) -> int:
    return max(1, round(float(sng["waveform_time"][-1] / sng["phase_time"].sum())))


def _draw(figure: Figure, sng: xr.Dataset, found: Events) -> None:
    x = stretched(sng, sng["waveform_time"].to_numpy())
    wave = {
        str(name).removeprefix("waveform_"): data.to_numpy()
        for name, data in sng.data_vars.items()
        if str(name).startswith("waveform_")
    }
    rows = figure.subplots(4, 1, sharex=True, height_ratios=[1.5, 1.0, 1.0, 0.4])
    _backdrop(sng, rows)
    top, sense, exposure, state = rows
    # The two lie on each other while the device is in HRS: the lower one is the wider.
    top.plot(x, wave["bl"], color=SKY, linewidth=2.6, label="bit line")
    top.plot(x, wave["bl"] - wave["be"], color=RED, linewidth=1.0, label="$V_{cell}$")
    top.set_ylabel("voltage (V)")
    for name, colour in (("sense", GREEN), ("bit", INK)):
        if name in wave:
            label = {"sense": "sense node", "bit": "output bit"}[name]
            sense.plot(x, wave[name], color=colour, linewidth=1.1, label=label)
    others = [n for n in wave if n not in _KNOWN and sng[f"waveform_{n}"].attrs.get("units") == "V"]
    for name, colour in zip(others, (PURPLE, SKY, ORANGE, SOFT), strict=False):
        label = str(sng[f"waveform_{name}"].attrs.get("long_name", name))
        sense.plot(x, wave[name], color=colour, linewidth=0.9, label=label)
    sense.set_ylabel("voltage (V)")
    exposure.plot(x, wave["exposure"], color=PURPLE, label="exposure $u$")
    highest = 1.25 * float(wave["exposure"].max())
    if "threshold" in wave:
        shown = np.where(wave["threshold"] < highest, wave["threshold"], np.nan)
        exposure.plot(x, shown, "--", color=SOFT, linewidth=0.9, label="threshold")
    else:
        _reached(exposure, x, wave["exposure"], stretched(sng, found.sets))
    exposure.set(ylabel="exposure (1)", ylim=(-0.05 * highest, highest))
    state.plot(x, wave["state"], color=INK)
    state.set(ylim=(-0.3, 1.3), yticks=(0, 1), yticklabels=("HRS", "LRS"))
    state.grid(visible=False)
    for times, marker, colour, label in (
        (found.sets, "^", RED, "SET"),
        (found.resets, "v", BLUE, "RESET"),
    ):
        at = stretched(sng, times)
        for place in at:
            for axes in rows:
                axes.axvline(place, color=colour, linewidth=0.8, linestyle=":")
        if at.size:
            height = [1.0] * at.size
            top.plot(
                at,
                height,
                marker,
                color=colour,
                markersize=6,
                clip_on=False,
                transform=top.get_xaxis_transform(),
                label=f"{label} event",
                linestyle="none",
            )
    for axes in rows[:3]:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.05))
    figure.align_ylabels(list(rows))


def _reached(axes: Axes, x: np.ndarray, exposure: np.ndarray, sets: np.ndarray) -> None:
    """The threshold of each device that switched: its exposure at that moment."""
    for index, place in enumerate(sets):
        before = exposure[(x > place - 0.5) & (x <= place)].max(initial=0.0)
        label = "threshold reached" if index == 0 else None
        axes.plot([np.floor(place), place], [before] * 2, "--", color=SOFT, label=label)
        axes.plot(place, before, "o", color=SOFT)


def _backdrop(sng: xr.Dataset, rows: np.ndarray) -> None:
    """Phases shaded and named, cycles numbered with the bit they made."""
    phases = [name for name, _ in _phases(sng)]
    cycles, bits = _cycles(sng), events(sng).bits
    last: Axes = rows[-1]
    for place in range(cycles * len(phases)):
        name = phases[place % len(phases)]
        for axes in rows:
            if name in _SHADES:
                axes.axvspan(place, place + 1, color=_SHADES[name], linewidth=0, zorder=0)
        rows[0].text(
            place + 0.5,
            1.09,
            _LABELS.get(name, name),
            transform=rows[0].get_xaxis_transform(),
            ha="center",
            fontsize=7.5,
        )
    for axes in rows:
        axes.set_xlim(0, cycles * len(phases))
        axes.grid(visible=False, axis="x")
        axes.tick_params(axis="x", length=0)
        for cycle in range(1, cycles):
            axes.axvline(cycle * len(phases), color=SOFT, linewidth=0.9)
    centres = (np.arange(cycles) + 0.5) * len(phases)
    labels = [f"cycle {cycle + 1}: bit {bit}" for cycle, bit in enumerate(bits)]
    last.set_xticks(centres, labels)
