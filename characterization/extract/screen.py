"""What the extraction tells on the screen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import xarray as xr
from rich.console import Console
from rich.table import Table

from devices.cbram import CBRAM
from devices.parameter import Parameter
from formats.cells import read_cells


def assumed_parameters(device: CBRAM) -> list[tuple[str, Parameter]]:
    """Parameters of the device that are assumed, by name."""
    found: dict[str, Parameter] = {
        "ideal_reset_time": device.ideal_reset_time,
        "endurance": device.endurance,
    }
    for law_name, law in (("set", device.set), ("reset", device.reset)):
        if law is not None:
            spread = law.spread
            found |= {
                f"{law_name}.{name}": getattr(spread, name) for name in spread.__dataclass_fields__
            }
    found |= dict(device.conduction.parameters())
    return [(name, value) for name, value in found.items() if value.source == "assumed"]


def _temperature(sng: xr.Dataset, device: CBRAM) -> str:
    """How the SET law came to the temperature of the cells; empty where it is its own."""
    law, kelvin = device.set, float(sng["temperature"][0])
    own = float(sng.attrs.get("law_temperature_K", kelvin))
    if own == kelvin:
        return ""
    if law.activation is None:
        return f"temperature: the law of {own:g} K is taken as that of {kelvin:g} K (no Ea)"
    low, high = law.valid_temperature
    beyond = "" if low <= kelvin <= high else f", beyond the data's {low:g} to {high:g} K"
    ea = law.activation.value
    return f"temperature: SET law moved from {own:g} K to {kelvin:g} K by Ea = {ea:g} eV{beyond}"


def _unused(device: CBRAM) -> str:
    """Members of the conduction that the cells leave aside; empty where there are none."""
    names = ", ".join(device.conduction.members())
    return f"not used by the cells: {names} (R_LRS and R_HRS are constant there)" if names else ""


def show(path: Path, console: Console) -> None:
    """The SNG's curve, the gates and MACs, and what was assumed."""
    cells = read_cells(path)
    sng = cells.sng.isel(pulse_width=0, temperature=0, corner=0)
    curve = Table(title=str(cells.sng.attrs["description"]))
    for column in ("V_write", "P(bit = 1)", "D2D 5-95 %", "energy, bit 0", "energy, bit 1"):
        curve.add_column(column, justify="right")
    v = sng["write_voltage"].to_numpy()
    by_outcome = sng["energy"].sum("phase").to_numpy()
    for i in np.linspace(0, v.size - 1, min(9, v.size)).astype(int):
        low, high = float(sng["Ps_population_p05"][i]), float(sng["Ps_population_p95"][i])
        curve.add_row(
            f"{v[i]:.3f} V",
            f"{float(sng['pi'][i]):.4f}",
            f"{low:.4f}-{high:.4f}",
            f"{by_outcome[i, 0] * 1e12:.1f} pJ",
            f"{by_outcome[i, 1] * 1e12:.1f} pJ",
        )
    console.print(curve)
    logic = Table(title="cells of the MACs")
    for column in ("cell", "mean energy", "leakage", "area"):
        logic.add_column(column, justify="left" if column == "cell" else "right")
    for name, data in cells.groups.items():
        key = {"gate": "transition_energy", "register": "energy_toggle", "mac": "energy"}.get(
            data.attrs["role"]
        )
        if key:
            logic.add_row(
                name,
                f"{float(data[key].mean()) * 1e15:.2f} fJ",
                f"{float(data['leakage_power'].mean()) * 1e9:.3f} nW",
                f"{float(data['area']) * 1e12:.2f} um2",
            )
    console.print(logic)
    console.print(f"largest stress: {cells.sng.attrs['worst_stress']}")
    content = json.loads(cells.attributes["device_json"])
    device = CBRAM.from_dict({key: content[key] for key in content if key != "provenance"})
    if device.reset is None:
        console.print("RESET: ideal, it always succeeds (assumed: the data hold no RESET law)")
    for line in (_temperature(cells.sng, device), _unused(device)):
        if line:
            console.print(line)
    names = ", ".join(f"{name} = {p.value:g} {p.unit}" for name, p in assumed_parameters(device))
    console.print(f"assumed: {names}")
    console.print(f"wrote {path}")
