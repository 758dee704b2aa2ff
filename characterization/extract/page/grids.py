"""The tables of the page: SNG, gates, registers, MACs, conditions, ratings, sources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from characterization.extract.figures.energy import breakdown
from characterization.extract.figures.probability import nominal_condition
from characterization.extract.page.amounts import UNKNOWN, amount, number, signed_percent
from characterization.extract.screen import read_error, stored
from characterization.page.frame import Grid
from formats.cells import at_nominal

CURVE_ROWS = 12
"""Write voltages of the table."""
KINDS = ("measured", "fitted", "simulated", "derived", "taken", "assumed")
Groups = Mapping[str, xr.Dataset]


def curve_grid(sng: xr.Dataset) -> Grid:
    """Probability and energy at some of the write voltages, nominal condition."""
    here = sng.isel(nominal_condition(sng))
    count = here.sizes["write_voltage"]
    rows = []
    for place in np.unique(np.linspace(0, count - 1, min(CURVE_ROWS, count)).astype(int)):
        at = here.isel(write_voltage=place)
        energy = at["energy"].sum("phase").to_numpy()
        rows.append(
            (
                f"{float(at['write_voltage']):.3f} V",
                number(float(at["exposure"])),
                number(float(at["pi"])),
                number(float(at["Ps_stderr"]), 2),
                f"{number(float(stored(here, 'Ps_population_p05')[place]))} to "
                f"{number(float(stored(here, 'Ps_population_p95')[place]))}",
                number(float(at["lag1"]), 2),
                amount(float(energy[0]), "J"),
                amount(float(energy[1]), "J"),
            )
        )
    return Grid(
        (
            "write voltage",
            "exposure",
            "P(bit = 1)",
            "std. error of the fit",
            "5–95 % of devices",
            "lag-1",
            "energy of a 0",
            "energy of a 1",
        ),
        tuple(rows),
        f"{len(rows)} of {count} write voltages, nominal condition. Lag-1: correlation of one bit "
        "with the next.",
        frozenset(range(8)),
    )


def conditions_grid(groups: Groups, default_mac: str) -> Grid | None:
    """The SNG and the default MAC at every corner and temperature; None where there is one."""
    sng, mac = groups["sng"], groups[default_mac]
    if sng.sizes["temperature"] * sng.sizes["corner"] == 1:
        return None
    rows = []
    for corner in sng["corner"].to_numpy():
        for kelvin in sng["temperature"].to_numpy():
            one = sng.sel(temperature=[kelvin], corner=[corner])
            here = at_nominal(one)
            if not np.isfinite(here["pi"].isel(pulse_width=0).to_numpy()).all():
                there = _matching(mac, corner, kelvin)
                missing = ["missing"] * 5
                logic = [UNKNOWN] * 3 if there is None else _mac_numbers(there)
                rows.append((str(corner), f"{float(kelvin):g} K", *missing, *logic))
                continue
            p, parts = breakdown(one, 0.5)
            row = [
                str(corner),
                f"{float(kelvin):g} K",
                _voltage_at(one, p),
                amount(float(parts.sum()), "J"),
                read_error(here["e01"], 2),
                read_error(here["e10"], 2),
                amount(float(here["leakage_power"]), "W"),
            ]
            there = _matching(mac, corner, kelvin)
            row += [UNKNOWN] * 3 if there is None else _mac_numbers(there)
            rows.append(tuple(row))
    return Grid(
        (
            "corner",
            "temperature",
            "voltage for P = 1/2",
            "energy at P = 1/2",
            "e01",
            "e10",
            "SNG leakage",
            f"{default_mac}: energy",
            "leakage",
            "delay",
        ),
        tuple(rows),
        "e01: an HRS read as 1, e10: an LRS read as 0. Energy of the MAC: one product bit of "
        "operands at P = 1/2.",
        frozenset(range(2, 10)),
    )


def gate_grid(groups: Groups) -> Grid:
    """Gates and registers at the nominal condition."""
    rows = []
    for name, data in groups.items():
        role = data.attrs["role"]
        if role not in ("gate", "register"):
            continue
        here = at_nominal(data)
        if role == "gate":
            table = here["transition_energy"].to_numpy()
            energy = (amount(float(table.mean()), "J"), amount(float(table.max()), "J"))
        else:
            hold, toggle = (float(here[f"energy_{what}"]) for what in ("hold", "toggle"))
            energy = (f"{amount(hold, 'J')} held", f"{amount(toggle, 'J')} toggled")
        delay = amount(float(here["delay"]), "s") if "delay" in here else UNKNOWN
        leakage = here["leakage_power"]
        rows.append(
            (
                name,
                *energy,
                amount(float(leakage.mean()), "W"),
                delay,
                amount(float(data["area"]), "m2"),
            )
        )
    return Grid(
        ("cell", "mean energy", "largest", "leakage, mean of states", "delay, worst", "area"),
        tuple(rows),
        "Energy of one input transition, mean over all pairs of states (of a register: of one "
        "clock); no wires.",
        frozenset(range(1, 6)),
    )


def mac_grid(groups: Groups) -> Grid:
    """The MACs at the nominal condition."""
    rows = []
    for name, data in groups.items():
        if data.attrs["role"] != "mac":
            continue
        attributes = data.attrs
        energy, leakage, delay = _mac_numbers(at_nominal(data))
        error = attributes.get("composition_error")
        rows.append(
            (
                name,
                str(attributes["encoding"]),
                str(attributes["adder"]),
                str(attributes["fan_in"]),
                energy,
                leakage,
                delay,
                amount(float(data["area"]), "m2"),
                UNKNOWN if error is None else signed_percent(float(error)),
                _parts(attributes["cells"]),
            )
        )
    return Grid(
        (
            "MAC",
            "encoding",
            "adder",
            "fan-in",
            "energy",
            "leakage",
            "delay",
            "area",
            "sum of gates against transient",
            "made of",
        ),
        tuple(rows),
        "Energy of one product bit of operands at P = 1/2. The sum of the gates' energies is "
        "compared with one transient of the whole cell (skew, glitches, stack history).",
        frozenset(range(3, 9)),
    )


def reference_grid(groups: Groups) -> Grid:
    """Conventional CMOS at the nominal condition."""
    rows = []
    for name, data in groups.items():
        if data.attrs["role"] != "reference":
            continue
        here = at_nominal(data)
        numbers = (("energy", "J"), ("leakage_power", "W"), ("delay", "s"))
        rows.append(
            (
                name,
                str(data.attrs.get("description", "")),
                *(amount(float(here[key]), unit) for key, unit in numbers),
                amount(float(data["area"]), "m2"),
            )
        )
    return Grid(
        ("cell", "what it is", "energy of one operation", "leakage", "delay", "area"),
        tuple(rows),
        "From the same gates.",
        frozenset(range(2, 6)),
    )


def ratings_grid(groups: Groups) -> Grid:
    """The most stressed transistor of every cell."""
    rows = tuple(
        (name, str(data.attrs["worst_stress"]))
        for name, data in groups.items()
        if "worst_stress" in data.attrs
    )
    return Grid(
        ("cell", "most stressed transistor over all waveforms of the extraction"),
        rows,
        "A cell that exceeds a rating is refused by name, so none does.",
    )


def sources_grid(groups: Groups) -> Grid:
    """Where the numbers come from: each source once, with the quantities that rest on it."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, data in groups.items():
        for key, values in data.data_vars.items():
            source = str(values.attrs.get("source", ""))
            if source and not str(key).startswith("waveform_"):
                citation = str(values.attrs.get("citation", ""))
                text = f"{source} ({citation})" if citation else source
                found.setdefault(text, {}).setdefault(str(key), []).append(name)
    ordered = sorted(found, key=lambda text: (_kind_order(text), text))
    rows = []
    for text in ordered:
        quantities = "; ".join(
            f"{key.replace('_', ' ')} of {_few(names)}" for key, names in found[text].items()
        )
        rows.append((quantities, text.split(": ", 1)[-1]))
    return Grid(
        ("quantities", "where from"),
        tuple(rows),
        kinds=tuple(text.split(":", 1)[0] for text in ordered),
    )


def _kind_order(text: str) -> int:
    word = text.split(":", 1)[0]
    return KINDS.index(word) if word in KINDS else len(KINDS)


def _few(names: list[str]) -> str:
    return (
        ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
    )


def _mac_numbers(here: xr.Dataset) -> list[str]:
    energy = float(here["energy"].interp(a_probability=0.5, b_probability=0.5))
    return [
        amount(energy, "J"),
        amount(float(here["leakage_power"]), "W"),
        amount(float(here["delay"]), "s"),
    ]


def _matching(mac: xr.Dataset, corner: Any, kelvin: Any) -> xr.Dataset | None:
    if corner not in mac["corner"].to_numpy() or kelvin not in mac["temperature"].to_numpy():
        return None
    return mac.sel(corner=corner, temperature=kelvin)


def _voltage_at(sng: xr.Dataset, p: float) -> str:
    here = sng.isel(nominal_condition(sng))
    voltage = float(np.interp(p, here["pi"].to_numpy(), here["write_voltage"].to_numpy()))
    return f"{voltage:.3f} V" if abs(p - 0.5) < 1e-9 else f"P {p:.2g} at {voltage:.3f} V"


def _parts(text: Any) -> str:
    try:
        parts = json.loads(str(text))
    except ValueError:
        return str(text)
    if not isinstance(parts, dict):
        return str(text)
    return ", ".join(f"{count} {name}" for name, count in parts.items())
