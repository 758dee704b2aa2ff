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
from formats.cells import CONDITIONS, LEAST_READ_ERROR, Cells, at_nominal, read_cells

REACHED = 0.99
"""Bit probability below which the screen says that the curve ends early."""


def read_error(value: xr.DataArray, digits: int) -> str:
    """A read error, or the least that is shown."""
    if float(value) < LEAST_READ_ERROR:
        return f"< {LEAST_READ_ERROR:g}"
    return f"{float(value):.{digits}g}"


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
            found |= {f"{law_name}.tau_ref": law.tau_ref, f"{law_name}.V0": law.v0}
            if law.shape is not None:
                found[f"{law_name}.shape"] = law.shape
            if law.activation is not None:
                found[f"{law_name}.Ea"] = law.activation
    found |= dict(device.conduction.parameters())
    return [(name, value) for name, value in found.items() if value.source == "assumed"]


def _temperature(sng: xr.Dataset, device: CBRAM) -> str:
    """How the SET law came to the temperatures of the cells; empty where they are its own."""
    law = device.set
    own = float(sng.attrs.get("law_temperature_K", sng["temperature"][0]))
    other = [float(kelvin) for kelvin in sng["temperature"] if float(kelvin) != own]
    if not other:
        return ""
    there = ", ".join(f"{kelvin:g}" for kelvin in other)
    if law.activation is None:
        return f"temperature: the law of {own:g} K is taken as that of {there} K (no Ea)"
    low, high = law.valid_temperature
    beyond = [f"{kelvin:g}" for kelvin in other if not low <= kelvin <= high]
    words = f", beyond the data's {low:g} to {high:g} K at {', '.join(beyond)} K" if beyond else ""
    laws = "SET and RESET laws" if device.reset else "SET law"
    return (
        f"temperature: {laws} moved from {own:g} K to {there} K by Ea = "
        f"{law.activation.value:g} eV ({law.activation.source}){words}; "
        "resistances do not move with temperature"
    )


def _unused(device: CBRAM) -> str:
    """Members of the conduction that the cells leave aside; empty where there are none."""
    names = ", ".join(device.conduction.members())
    return f"not used by the cells: {names} (R_LRS and R_HRS are constant there)" if names else ""


def show(path: Path, console: Console) -> None:
    """The SNG's curve, the gates and MACs, and what was assumed."""
    cells = read_cells(path)
    console.print(_curve(cells.sng))
    for line in _other_conditions(cells.sng):
        console.print(line)
    console.print(_logic(cells))
    console.print(f"largest stress: {cells.sng.attrs['worst_stress']}")
    content = json.loads(cells.attributes["device_json"])
    device = CBRAM.from_dict({key: content[key] for key in content if key != "provenance"})
    sng = at_nominal(cells.sng).isel(pulse_width=0)
    if device.reset is None:
        console.print("RESET: ideal, it always succeeds (assumed: the data hold no RESET law)")
    else:
        console.print(
            f"RESET: P(LRS to HRS) = {float(sng['Pr']):.4f} a pulse "
            f"({float(sng['Pr_population_mean']):.4f} over devices); successive bits correlate by "
            f"up to {float(sng['lag1'].max()):.3f}"
        )
    console.print(
        f"{cells.sng.attrs['terminal']}: SET loses {float(sng['set_loss'].max()) * 1e3:.0f} mV of "
        f"{float(sng['loss_voltage'].max()):.3g} V, RESET {float(sng['reset_loss']):.2f} V of "
        f"{float(cells.sng.attrs['reset_voltage_V']):.2f} V (source follower)"
    )
    console.print(
        f"sense amplifier: trips at {float(sng['trip_resistance']):.3g} ohm, offset "
        f"{float(sng['sense_offset']) * 1e3:.1f} mV (frozen), noise "
        f"{float(sng['sense_noise']) * 1e3:.1f} mV a bit; HRS read as 1 "
        f"{read_error(sng['e01'], 1)}, LRS as 0 {read_error(sng['e10'], 1)}"
    )
    console.print(_errors_of_p(sng))
    for line in _column(cells):
        console.print(line)
    for line in (_temperature(cells.sng, device), _unused(device), *_checked(sng)):
        if line:
            console.print(line)
    highest = float(sng["pi"].max())
    if highest < REACHED:
        console.print(
            f"P ends at {highest:.3f}, {float(sng['write_voltage'].max()):.3g} V: a longer "
            "--pulse-width or a higher --io-class reaches further"
        )
    names = ", ".join(
        f"{name} = {p.value:g}{'' if p.unit == '1' else ' ' + p.unit}"
        for name, p in assumed_parameters(device)
    )
    console.print(f"assumed: {names}")
    for line in cells.faults:
        console.print(line, markup=False)
    console.print(f"wrote {path}, cells.html, and the libraries in {path.parent / 'cells'}")


def incomplete(path: Path) -> list[str]:
    """What a cells.nc lacks as ngspice failed, and what to do; empty for a whole one."""
    cells = read_cells(path)
    if not cells.missing:
        return []
    return [
        *(f"missing: {gap}" for gap in cells.missing),
        f"incomplete: {path} is written without what is missing above. The warnings name the kept "
        "decks; once the cause is gone, run the same command again: what succeeded is remembered",
    ]


def _curve(group: xr.Dataset) -> Table:
    sng = at_nominal(group).isel(pulse_width=0)
    curve = Table(title=str(group.attrs["description"]))
    for column in ("V_write", "P(bit = 1)", "5-95 % of cells", "energy, bit 0", "energy, bit 1"):
        curve.add_column(column, justify="right")
    v = sng["write_voltage"].to_numpy()
    by_outcome = sng["energy"].sum("phase").to_numpy()
    for i in np.linspace(0, v.size - 1, min(9, v.size)).astype(int):
        low, high = (stored(sng, f"Ps_population_{end}")[i] for end in ("p05", "p95"))
        curve.add_row(
            f"{v[i]:.3f} V",
            f"{float(sng['pi'][i]):.4f}",
            f"{low:.4f}-{high:.4f}",
            f"{by_outcome[i, 0] * 1e12:.1f} pJ",
            f"{by_outcome[i, 1] * 1e12:.1f} pJ",
        )
    return curve


def stored(sng: xr.Dataset, name: str) -> np.ndarray:
    """A probability of SET as that of the stored bit, Ps/(Ps + Pr (1 - Ps))."""
    ps, pr = sng[name].to_numpy(), float(sng["Pr"])
    return np.asarray(ps / np.maximum(ps + pr * (1 - ps), 1e-300))


def _other_conditions(group: xr.Dataset) -> list[str]:
    """The write voltage of P = 1/2 at every condition, where there is more than one."""
    if group["exposure"].size == group.sizes["write_voltage"]:
        return []
    v, found = group["write_voltage"].to_numpy(), []
    flat = group["pi"].stack(condition=CONDITIONS[1:]).transpose("condition", ...)
    for one in flat:
        width, kelvin, corner = one["condition"].item()
        p = one.to_numpy()
        if not np.isfinite(p).all():
            found.append(f"{width:g} s, {kelvin:g} K, {corner}: missing")
            continue
        half = (
            f"{np.interp(0.5, p, v):.3f} V" if p[0] < 0.5 < p[-1] else f"beyond, P to {p[-1]:.2f}"
        )
        found.append(f"{width:g} s, {kelvin:g} K, {corner}: P = 1/2 at {half}")
    return found


def _logic(cells: Cells) -> Table:
    logic = Table(
        title="logic, MACs and conventional CMOS: a transition, a product bit at P = 1/2, a clock, "
        "an operation"
    )
    for column in ("cell", "mean energy", "leakage", "delay", "area"):
        logic.add_column(column, justify="left" if column == "cell" else "right")
    for name, data in cells.groups.items():
        if data.attrs["role"] != "sng":
            here = at_nominal(data)
            delay = f"{float(here['delay']) * 1e12:.0f} ps" if "delay" in here else "-"
            logic.add_row(
                name,
                f"{_typical(here) * 1e15:.2f} fJ",
                f"{float(here['leakage_power'].mean()) * 1e9:.3f} nW",
                delay,
                f"{float(here['area']) * 1e12:.3g} um2",
            )
    return logic


def _column(cells: Cells) -> list[str]:
    """How many cells a column may have, and what was left out with the reason."""
    lines = []
    for name, data in cells.groups.items():
        if "usable_n" in data:
            here = at_nominal(data)
            by_share = here["usable_n"].to_series()
            found = [
                f"{int(n)} {'untrimmed' if share == 1 else f'with {share:g} of the offset left'}"
                for share, n in by_share.items()
            ]
            lines.append(
                f"{name}: {here.attrs['fan_in']} cells are tabulated; usable n is "
                f"{', '.join(found)} ({here.attrs['usable_n_rule']}); a trim is assumed; the "
                f"worst count of {here.attrs['fan_in']} cells is wrong with P = "
                f"{float(here['size_worst_error_probability'].sel(size=here.attrs['fan_in'])):.2g}"
            )
    left_out = json.loads(str(cells.attributes.get("left_out", "{}")))
    return [*lines, *(f"left out: {name}, {reason}" for name, reason in left_out.items())]


def _typical(group: xr.Dataset) -> float:
    """Mean energy (J): of all transitions, of a product bit at P = 1/2, of a clock."""
    if group.attrs["role"] == "mac":
        return float(group["energy"].interp(a_probability=0.5, b_probability=0.5))
    if group.attrs["role"] == "register":
        return float(group["energy_hold"] + group["energy_toggle"]) / 2
    return float(group["energy" if "energy" in group else "transition_energy"].mean())


def _errors_of_p(sng: xr.Dataset) -> str:
    """The largest error of P by origin."""
    parts = []
    for name, words in (
        ("dac", f"DAC of {sng.attrs['dac_bits']} bits"),
        ("supply", f"supply noise of {float(sng.attrs['supply_noise_V']) * 1e3:g} mV (assumed)"),
        ("d2d", "spread over devices and transistors"),
        ("fit", "the fit"),
    ):
        largest = float(np.max(sng[f"code_error_{name}"].to_numpy()[1:]))
        if np.isfinite(largest):
            parts.append(f"{words} {largest:.2g}")
    return f"largest error of P(SET) from: {', '.join(parts)}"


def _checked(sng: xr.Dataset) -> list[str]:
    """The Monte Carlo comparison, where it was asked for."""
    return str(sng.attrs.get("check_lines", "")).splitlines()
