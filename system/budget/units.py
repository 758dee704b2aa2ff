"""Unit areas, energies and leakages of the gates, registers and MACs of cells.nc, with sources."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from formats.cells import Cells
from formats.errors import InputError
from system.budget.sng import SngTable


@dataclass(frozen=True)
class Unit:
    """One cell: area (m2), mean energy (J) of an event, leakage (W), delay (s), with sources.

    ``stderr`` is that of the energy, NaN where unknown.
    """

    area: float
    energy: float
    stderr: float
    leakage: float
    delay: float
    area_source: str
    energy_source: str
    leakage_source: str


def source(cells: Cells, group: str, name: str) -> str:
    """What cells.nc says about a number's origin, and where in the file it stands."""
    attributes = cells.groups[group].variables[name].attrs
    parts = [str(attributes.get("source", "")), str(attributes.get("citation", ""))]
    return "; ".join([part for part in parts if part] + [f"cells.nc {group}/{name}"])


def gate_unit(cells: Cells, group: str, table: SngTable) -> Unit:
    """A logic gate: mean over all its input transitions, and over its states for the leakage."""
    data = _group(cells, group, "gate")
    energies = _at(data["transition_energy"], table)
    stderr = float("nan")
    if "transition_energy_stderr" in data:
        stderr = float(np.mean(_at(data["transition_energy_stderr"], table)))
    return Unit(
        area=float(data["area"]),
        energy=float(np.mean(energies)),
        stderr=stderr,
        leakage=float(np.mean(_at(data["leakage_power"], table))),
        delay=float(_at(data["delay"], table)),
        area_source=source(cells, group, "area"),
        energy_source=f"{source(cells, group, 'transition_energy')}, mean over "
        f"{energies.size} equally likely input transitions",
        leakage_source=f"{source(cells, group, 'leakage_power')}, mean over states",
    )


def register_unit(cells: Cells, group: str, table: SngTable) -> Unit:
    """A flip-flop per clock: half of the clocks hold, half toggle."""
    data = _group(cells, group, "register")
    hold, toggle = (float(_at(data[name], table)) for name in ("energy_hold", "energy_toggle"))
    stderr = float("nan")
    if "energy_hold_stderr" in data and "energy_toggle_stderr" in data:
        stderr = 0.5 * float(
            _at(data["energy_hold_stderr"], table) + _at(data["energy_toggle_stderr"], table)
        )
    return Unit(
        area=float(data["area"]),
        energy=(hold + toggle) / 2,
        stderr=stderr,
        leakage=float(_at(data["leakage_power"], table)),
        delay=0.0,
        area_source=source(cells, group, "area"),
        energy_source=f"{source(cells, group, 'energy_hold')} and energy_toggle, half each",
        leakage_source=source(cells, group, "leakage_power"),
    )


@dataclass(frozen=True)
class MacTable:
    """Energy (J) of one product bit and its standard error at operand probabilities ``a`` (rows)
    and ``b`` (columns)."""

    a: np.ndarray
    b: np.ndarray
    energy: np.ndarray
    stderr: np.ndarray


def mac_table(mac: xr.Dataset) -> MacTable:
    """The energies of a MAC group at one temperature and corner."""
    axes = ("a_probability", "b_probability")
    a, b = (np.asarray(mac[name].to_numpy(), float) for name in axes)
    energy, stderr = (mac[name].transpose(*axes).to_numpy() for name in ("energy", "energy_stderr"))
    return MacTable(a, b, energy, stderr)


def mac_energy(table: MacTable, a: float, b: float) -> tuple[float, float]:
    """Energy (J) of one product bit and its standard error at operand probabilities a and b.

    Bilinear between the tabulated probabilities, held at the edge values outside them.
    """
    weights = np.outer(_weights(table.a, a), _weights(table.b, b))
    energy, stderr = (
        float(np.sum(np.where(weights > 0, weights * values, 0.0)))
        for values in (table.energy, table.stderr)
    )
    return energy, stderr


def _weights(knots: np.ndarray, value: float) -> np.ndarray:
    """Weights of linear interpolation at ``value`` over ``knots`` in any order."""
    order = np.argsort(knots)
    return np.array([np.interp(value, knots[order], row[order]) for row in np.eye(knots.size)])


def _group(cells: Cells, group: str, role: str) -> xr.Dataset:
    data = cells.groups.get(group)
    if data is None or data.attrs["role"] != role:
        raise InputError(
            cells.path, f"lacks the {role} {group!r}, which the accumulators are made of"
        )
    return data


def _at(variable: xr.DataArray, table: SngTable) -> np.ndarray:
    """The values at the temperature and corner the SNG is read at."""
    corners = [str(name) for name in np.atleast_1d(variable["corner"].to_numpy())]
    corner = corners.index(table.corner) if table.corner in corners else 0
    temperatures = np.asarray(variable["temperature"].to_numpy(), float)
    nearest = int(np.argmin(np.abs(temperatures - table.temperature)))
    return np.asarray(variable.isel(temperature=nearest, corner=corner).to_numpy(), float)
