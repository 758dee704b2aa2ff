"""The cells: bit probability and energies of the SNG, and what each cell costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from formats.cells import LEAST_READ_ERROR, OUTCOMES, PHASES, Cells, at_nominal
from system.budget.sng import conditions, sng_table
from system.budget.units import gate_unit, register_unit, source
from system.report.chart import Axis, Chart, Panel, Series
from system.report.chart.base import Mark
from system.report.page.section import Given, Section, present
from system.report.page.waveforms import waveforms
from system.report.table import Column, Table


def section(given: Given) -> Section:
    cells = given.cells
    return Section(
        "cells",
        "Cells",
        present(probability(cells), bit_energy(cells), waveforms(cells)),
        (sng(cells), gates(cells)),
    )


def sng(cells: Cells) -> Table:
    """What the SNG group says in single numbers."""
    table, group = sng_table(cells), cells.sng
    rows = [
        (f"{phase} phase", (float(time), "s"), source(cells, "sng", "phase_time"))
        for phase, time in zip(
            group["phase"].to_numpy(), np.asarray(group["phase_time"].to_numpy()), strict=True
        )
    ]
    rows += [
        ("area", (float(group["area"]), "m2"), source(cells, "sng", "area")),
        _read_error("read error P(1 | stored 0)", table.e01, source(cells, "sng", "e01")),
        _read_error("read error P(0 | stored 1)", table.e10, source(cells, "sng", "e10")),
    ]
    return Table(
        "sng",
        "The stochastic number generator (SNG)",
        (Column("quantity"), Column("value", "amount"), Column("source", "source", wide=True)),
        tuple(rows),
    )


def _read_error(name: str, value: float, origin: str) -> tuple[str, tuple[Any, str], str]:
    if value >= LEAST_READ_ERROR:
        return name, (value, "1"), origin
    limit = f"not known so far out in the tails: shown as below {LEAST_READ_ERROR:g} (assumed)"
    return name, ((0.0, LEAST_READ_ERROR), "1"), f"{origin}; {limit}"


def gates(cells: Cells) -> Table:
    """Area, mean energy, leakage and delay of every gate, register and MAC."""
    table = sng_table(cells)
    rows = []
    for name, data in cells.groups.items():
        role = data.attrs["role"]
        if role == "sng":
            continue
        if role == "mac":
            mac = cells.mac(name)
            energy, what = float(mac["energy"].mean()), "mean over the tabulated operands"
            numbers = (float(mac["area"]), energy, float(mac["leakage_power"]))
            delay: float | None = float(mac["delay"])
            origin = source(cells, name, "energy")
        elif role == "reference":
            here, what = at_nominal(data), "one operation"
            numbers = (float(here["area"]), float(here["energy"]), float(here["leakage_power"]))
            delay, origin = float(here["delay"]), source(cells, name, "energy")
        else:
            unit = (gate_unit if role == "gate" else register_unit)(cells, name, table)
            numbers, what = (unit.area, unit.energy, unit.leakage), ""
            delay = unit.delay if role == "gate" else None
            origin = unit.energy_source
        said = f"{origin}{', ' + what if what else ''}"
        rows.append((name, *numbers, delay, said, source(cells, name, "area")))
    return Table(
        "gates",
        "Gates, registers and MACs",
        (
            Column("cell"),
            Column("area", "number", "m2"),
            Column("mean energy", "number", "J"),
            Column("leakage", "number", "W"),
            Column("delay", "number", "s"),
            Column("source of energy, leakage and delay", "source", wide=True),
            Column("source of the area", "source", wide=True),
        ),
        tuple(rows),
    )


def probability(cells: Cells) -> Chart:
    """P(V) of the SNG: nominal device, population mean and 5-95 % band."""
    at = cells.sng.isel(conditions(cells)).sortby("write_voltage")
    voltage = at["write_voltage"].to_numpy()
    mean = at["Ps_population_mean"].to_numpy()
    low, high = (at[f"Ps_population_{end}"].to_numpy() for end in ("p05", "p95"))
    return Chart(
        "probability",
        "Bit probability of the SNG against write voltage",
        "Simulated: probability that the write pulse switches the SNG's device, against the write "
        "voltage (cells.nc sng/Ps and its population band).",
        (
            Panel(
                (
                    Series("5–95 % of devices", voltage, mean, "band", 0, low, high),
                    Series("nominal device", voltage, at["Ps"].to_numpy(), "line", 0),
                    Series("population mean", voltage, mean, "dashed", 1),
                ),
                Axis("write voltage (V)"),
                Axis("P(SET)", limits=(-0.03, 1.03)),
            ),
        ),
    )


def bit_energy(cells: Cells) -> Chart:
    """Energy of one SNG phase against the write voltage, by outcome."""
    at = cells.sng.isel(conditions(cells)).sortby("write_voltage")
    voltage = at["write_voltage"].to_numpy()
    series = []
    for number, phase in enumerate(PHASES):
        for outcome in OUTCOMES:
            mark: Mark = "dashed" if outcome == OUTCOMES[0] else "line"
            energy = at["energy"].sel(phase=phase, outcome=outcome).to_numpy()
            positive = np.where(energy > 0, energy, np.nan)
            series.append(Series(f"{phase}, {outcome}", voltage, positive, mark, number))
    return Chart(
        "energy",
        "Energy of the SNG's phases against write voltage",
        "Simulated: energy of the RESET, write and read phase of one SNG bit, where the device "
        "switched (or stores a 1) and where it held (cells.nc sng/energy).",
        (
            Panel(
                tuple(series),
                Axis("write voltage (V)"),
                Axis("energy per bit (J)", log=True),
            ),
        ),
        size=3.4,
    )
