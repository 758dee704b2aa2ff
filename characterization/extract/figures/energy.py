"""Where the energy goes: the SNG by phase and bit, and every cell beside the others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from characterization.extract.figures.picture import Picture
from characterization.extract.figures.probability import nominal_condition
from characterization.extract.figures.style import (
    BLUE,
    COLUMN,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    SOFT,
)
from formats.cells import at_nominal

TARGETS = (0.1, 0.5, 0.9)
"""Bit probabilities of the bars."""
_PHASES = {"reset": (SKY, "RESET"), "write": (ORANGE, "write"), "read": (GREEN, "read")}
_ROLES = {"sng": PURPLE, "mac": RED, "reference": SOFT, "register": GREEN, "gate": BLUE}
_NAMES = {
    "sng": "SNG",
    "mac": "MAC",
    "reference": "binary CMOS",
    "register": "register",
    "gate": "gate",
}
_HATCH = ("////", "")
_UNITS = ((1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ"), (1e-12, "pJ"), (1e-15, "fJ"), (1e-18, "aJ"))


def energy_pictures(groups: Mapping[str, xr.Dataset]) -> list[Picture]:
    """The breakdown of the SNG and the comparison of all cells."""
    return [breakdown_picture(groups["sng"]), cells_picture(groups)]


def breakdown(sng: xr.Dataset, target: float) -> tuple[float, np.ndarray]:
    """Bit probability and mean energy (J) by (phase, bit) at the nominal condition.

    Entries are the shares of 0s and 1s in the mean of a cycle. ``target`` is moved to the nearest
    probability that the write voltages reach.
    """
    here = sng.isel(nominal_condition(sng))
    stored = here["pi"].to_numpy()
    p = float(np.clip(target, stored[0], stored[-1]))
    place = np.interp(p, stored, np.arange(stored.size))
    energy = here["energy"].transpose("write_voltage", "phase", "outcome").to_numpy()
    low = int(min(place, stored.size - 2))
    by_bit = energy[low] + (place - low) * (energy[low + 1] - energy[low])
    return p, by_bit * np.array([1 - p, p])


def breakdown_picture(sng: xr.Dataset) -> Picture:
    """Stacked bars at three probabilities, and each part by itself on a logarithmic axis."""
    phases = [str(name) for name in sng["phase"].to_numpy()]
    found = [breakdown(sng, target) for target in TARGETS]
    labels = [f"{p:.2g}" for p, _ in found]
    factor, unit = _unit(max(float(parts.sum()) for _, parts in found))
    moved = [f"{target:g}" for target, (p, _) in zip(TARGETS, found, strict=True) if p != target]
    note = f" P = {', '.join(moved)} is out of reach: the nearest is shown." if moved else ""

    def draw(figure: Figure) -> None:
        axes, parts_axes = figure.subplots(2, 1, height_ratios=[1.0, 1.15])
        for column, (_, parts) in enumerate(found):
            base = 0.0
            for row, phase in enumerate(phases):
                colour, _ = _PHASES.get(phase, (SOFT, phase))
                for bit in (0, 1):
                    value = parts[row, bit] / factor
                    axes.bar(
                        column, value, 0.6, base, color=colour, hatch=_HATCH[bit], edgecolor=INK,
                        linewidth=0.4,
                    )  # fmt: skip
                    base += value
            axes.text(column, base * 1.02, f"{base:.3g}", ha="center", va="bottom", fontsize=7.5)
        axes.set_xticks(range(len(found)), labels)
        axes.set(ylabel=f"energy per bit ({unit})", xlabel="bit probability")
        axes.grid(visible=False, axis="x")
        axes.margins(y=0.14)
        width = 0.8 / (2 * len(phases))
        smallest = np.inf
        for column, (_, parts) in enumerate(found):
            for row, phase in enumerate(phases):
                colour, word = _PHASES.get(phase, (SOFT, phase))
                for bit in (0, 1):
                    if parts[row, bit] <= 0:
                        continue
                    smallest = min(smallest, parts[row, bit])
                    offset = (2 * row + bit + 0.5) * width - 0.4
                    parts_axes.bar(
                        column + offset, parts[row, bit], width, color=colour, hatch=_HATCH[bit],
                        edgecolor=INK, linewidth=0.4,
                        label=f"{word}, {'of 1s' if bit else 'of 0s'}" if column == 1 else None,
                    )  # fmt: skip
        parts_axes.set_yscale("log")
        parts_axes.set_ylim(bottom=smallest / 3)
        parts_axes.set_xticks(range(len(found)), labels)
        parts_axes.yaxis.set_major_formatter(EngFormatter("J"))
        parts_axes.set(ylabel="part of the energy", xlabel="bit probability")
        parts_axes.grid(visible=False, axis="x")
        figure.legend(*parts_axes.get_legend_handles_labels(), loc="outside upper center", ncols=3)
        figure.align_ylabels([axes, parts_axes])

    return Picture(
        "energy_sng",
        "Energy of one bit of the SNG",
        "Mean energy of a cycle by phase and by the bit that is stored (hatched: 0), at the "
        "nominal condition; above their sum, below each share by itself on a logarithmic axis. "
        f"Means over the time at which the device switches.{note}",
        COLUMN,
        4.2,
        draw,
    )


def cell_energies(groups: Mapping[str, xr.Dataset]) -> list[tuple[str, str, float, str]]:
    """(cell, role, energy in J, of what) of every cell at the nominal condition."""
    found = []
    for name, data in groups.items():
        role = str(data.attrs["role"])
        if role == "sng":
            p, parts = breakdown(data, 0.5)
            found.append((name, role, float(parts.sum()), f"one bit at P = {p:.2g}"))
            continue
        here = at_nominal(data)
        if role == "gate":
            value = float(here["transition_energy"].mean())
            found.append((name, role, value, "mean of all input transitions"))
        elif role == "register":
            value = float(here["energy_toggle"] + here["energy_hold"]) / 2
            found.append((name, role, value, "one clock, half of the data toggle"))
        elif role == "mac":
            value = float(here["energy"].interp(a_probability=0.5, b_probability=0.5))
            found.append((name, role, value, "one product bit at P = 0.5"))
        elif role == "reference":
            found.append((name, role, float(here["energy"]), "one operation"))
    return sorted(found, key=lambda item: item[2])


def cells_picture(groups: Mapping[str, xr.Dataset]) -> Picture:
    """One bar a cell on a logarithmic axis."""
    found = cell_energies(groups)
    roles = [role for role in _ROLES if any(item[1] == role for item in found)]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for place, (_, role, energy, _) in enumerate(found):
            axes.barh(place, energy, 0.7, color=_ROLES[role])
            axes.text(energy * 1.15, place, _energy_text(energy), va="center", fontsize=7.5)
        values = [item[2] for item in found]
        axes.set_xscale("log")
        axes.set_xlim(min(values) / 3, max(values) * 30)
        axes.set_yticks(range(len(found)), [item[0] for item in found])
        axes.xaxis.set_major_formatter(EngFormatter("J"))
        axes.set_xlabel("energy")
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        handles = [axes.barh(0, 0, color=_ROLES[role], label=_NAMES[role]) for role in roles]
        axes.legend(handles=handles, loc="lower right")

    told = {item[1]: f"{_NAMES[item[1]]}: {item[3]}" for item in reversed(found)}
    return Picture(
        "energy_cells",
        "Energy of the cells",
        f"At the nominal condition. {'; '.join(told[role] for role in roles)}.",
        COLUMN,
        0.75 + 0.19 * len(found),
        draw,
    )


def _unit(value: float) -> tuple[float, str]:
    return next((u for u in _UNITS if value >= u[0]), _UNITS[-1])


def _energy_text(value: float) -> str:
    factor, unit = _unit(value)
    return f"{value / factor:.3g} {unit}"
