"""Cells with every quantity the exports and pictures know, at several conditions.

Drawn numbers without physics: what is written must come back, whatever it is.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import xarray as xr

from circuits.logic.gates import GATES, Gate
from devices.presets import knag2014
from formats.cells import ENVIRONMENT, Cells, variable
from tests.synthetic_cells import synthetic_device, synthetic_groups

CORNERS, TEMPERATURES, WIDTHS = ["tt", "ff"], [300.0, 398.15], [1e-4, 1e-5]
ARC = (*ENVIRONMENT, "arc", "input_slew", "output_load")
SOURCE = "assumed: drawn for a test"
CYCLES = 3


def rich_cells() -> Cells:
    """The content, as if read from a file."""
    attributes = {
        "device_json": json.dumps(synthetic_device()),
        "fit_json": "",
        "technology": "cmos40lp",
        "default_mac": "sign_magnitude_counter",
        "provenance": json.dumps({"stage": "extract", "options": {"note": "<b>&</b>"}}),
    }
    return Cells(Path("cells.nc"), "", attributes, rich_groups())


def rich_groups() -> dict[str, xr.Dataset]:
    """The groups of :func:`rich_cells`."""
    random = np.random.default_rng(1)
    groups = {name: _spread(data) for name, data in synthetic_groups().items()}
    groups["sng"] = _sng(groups["sng"])
    for name, gate in GATES.items():
        if gate.function is not None:
            groups[name] = _gate(gate, random)
    groups["dff"] = _register(groups["dff"], random)
    groups["column"] = _column(groups["bipolar_mux"])
    groups["lfsr_sng8"] = _reference(groups["column"])
    return groups


def without(cells: Cells, *names: str) -> Cells:
    """The same cells, some variables left out of every group."""
    groups = {
        group: data.drop_vars([name for name in names if name in data])
        for group, data in cells.groups.items()
    }
    return Cells(cells.path, cells.sha256, cells.attributes, groups)


def _spread(data: xr.Dataset) -> xr.Dataset:
    """The same numbers at every condition."""
    for name, values in (
        ("corner", CORNERS),
        ("temperature", TEMPERATURES),
        ("pulse_width", WIDTHS),
    ):
        if name in data.dims:
            data = data.isel({name: [0] * len(values)}).assign_coords({name: values})
    return data.copy(deep=True)


def _sng(sng: xr.Dataset) -> xr.Dataset:
    law, v = knag2014().set, sng["write_voltage"].to_numpy()
    widths, hotter = np.array(WIDTHS), np.array([1.0, 3.0])
    u = law.rate(v)[:, None, None, None] * (widths[:, None, None] * hotter[:, None])
    u = np.broadcast_to(u, sng["exposure"].shape) * np.array([1.0, 1.3])
    for name, factor in (
        ("Ps", 1.0),
        ("pi", 1.0),
        ("Ps_population_mean", 1.02),
        ("Ps_population_p05", 0.7),
        ("Ps_population_p95", 1.4),
    ):
        sng[name].values[:] = law.probability_of_exposure(factor * u)
    sng["exposure"].values[:] = u
    sng["Ps_stderr"].values[:] = 0.05 * u * np.exp(-u)
    codes = sng["code_voltage"].to_numpy()
    here = law.rate(codes) * WIDTHS[0] * np.exp(-law.rate(codes) * WIDTHS[0])
    for name, size in (("dac", 0.003), ("supply", 0.03), ("d2d", 0.2), ("fit", 0.05)):
        sng[f"code_error_{name}"] = variable(
            "code", np.where(codes > 0, size * here, 0), "1", SOURCE
        )
    sng["check"] = ["nominal"] * 3 + ["population"]
    sng["check_voltage"] = variable("check", [3.0, 3.2, 3.4, 3.2], "V", SOURCE)
    sng["check_count"] = variable("check", [1000, 1000, 1000, 500], "1", SOURCE)
    sng["check_ones"] = variable("check", [70, 240, 650, 130], "1", SOURCE)
    sng.attrs |= {
        "dac_bits": 10,
        "supply_noise_V": 0.01,
        "worst_stress": "mwr (p33): 3.6 of 3.63 V",
    }
    return sng.assign(_waveforms(sng))


def _waveforms(sng: xr.Dataset) -> dict[str, xr.Variable]:
    """Cycles of RESET, write and read; the second one switches at u = 0.3, midway in the write."""
    times = sng["phase_time"].to_numpy()
    time = np.linspace(0, CYCLES * times.sum(), 3000, endpoint=False)
    at = np.mod(time, times.sum())
    reset, write = at < times[0], (at >= times[0]) & (at < times[:2].sum())
    read = at >= times[:2].sum()
    share = np.where(write, (at - times[0]) / times[1], 0.0)
    second = (time >= times.sum()) & (time < 2 * times.sum())
    third = time >= 2 * times.sum()
    state = np.where(second & ((write & (share > 0.5)) | read), 1.0, 0.0)
    values = {
        "bl": np.where(write, 3.3, np.where(read, 1.1, 0.0)),
        "be": np.where(reset, 1.5, 0.0),
        "sense": np.where(read & (state > 0), 1.0, 0.0),
        "bit": np.where((second & read) | (third & ~read), 1.1, 0.0),  # held to the next read
        "state": state,
        "exposure": np.where(state > 0, 0.0, np.where(write, 0.6 * share, 0.0)),
    }
    found = {
        f"waveform_{name}": variable("waveform_time", v, "V", SOURCE) for name, v in values.items()
    }
    return {**found, "waveform_time": variable("waveform_time", time, "s", SOURCE)}


def _gate(gate: Gate, random: np.random.Generator) -> xr.Dataset:
    shape = (len(TEMPERATURES), len(CORNERS))
    states = ["".join(bits) for bits in itertools.product("01", repeat=len(gate.inputs))]
    arcs = [
        f"{pin} {way} > {out} {edge}"
        for pin, out in itertools.product(gate.inputs, gate.outputs)
        for way, edge in itertools.product(("rise", "fall"), repeat=2)
        if _follows(gate, pin, out, way == edge)
    ]

    def drawn(units: str, scale: float, low: float, *more: tuple[str, int]) -> xr.Variable:
        values = scale * random.uniform(low, 5.0, (*shape, *(size for _, size in more)))
        return variable((*ENVIRONMENT, *(name for name, _ in more)), values, units, SOURCE)

    tables = (("arc", len(arcs)), ("input_slew", 2), ("output_load", 3))
    data = {
        "transition_energy": drawn("J", 1e-15, -1.0, ("transition", len(states) ** 2)),
        "leakage_power": drawn("W", 1e-11, 0.1, ("state", len(states))),
        "delay": drawn("s", 1e-11, 0.1),
        "area": variable((), random.uniform(1e-12, 4e-12), "m2", SOURCE),
        "input_capacitance": drawn("F", 1e-15, 0.1, ("pin", len(gate.inputs))),
        "arc_delay": drawn("s", 1e-11, 0.1, *tables),
        "arc_slew": drawn("s", 2e-11, 0.1, *tables),
    }
    coordinates = {
        "temperature": TEMPERATURES,
        "corner": CORNERS,
        "transition": [f"{a}>{b}" for a in states for b in states],
        "state": states,
        "pin": [*gate.inputs],
        "arc": arcs,
        "input_slew": [1e-11, 4e-11],
        "output_load": [1e-15, 4e-15, 1.6e-14],
    }
    return xr.Dataset(data, coordinates, {"role": "gate", "description": gate.name})


def _follows(gate: Gate, pin: str, output: str, same: bool) -> bool:
    """Whether the output can move the same way as, or against, an input."""
    assert gate.function is not None
    place, out = gate.inputs.index(pin), gate.outputs.index(output)
    wanted = 1 if same else -1
    for state in itertools.product((0, 1), repeat=len(gate.inputs)):
        high = tuple(1 if k == place else bit for k, bit in enumerate(state))
        low = tuple(0 if k == place else bit for k, bit in enumerate(state))
        if gate.function(*high)[out] - gate.function(*low)[out] == wanted:
            return True
    return False


def _register(data: xr.Dataset, random: np.random.Generator) -> xr.Dataset:
    """States are (clock, output, data); each toggle of clock or data is a transition."""
    transitions = []
    for clk, q, d in itertools.product((0, 1), repeat=3):
        taken = d if clk == 0 else q
        transitions += [f"{clk}{q}{d}>{1 - clk}{taken}{d}", f"{clk}{q}{d}>{clk}{q}{1 - d}"]
    states = ["".join(bits) for bits in itertools.product("01", repeat=3)]
    shape = (len(TEMPERATURES), len(CORNERS))

    def drawn(name: str, count: int, scale: float, units: str) -> xr.Variable:
        values = scale * random.uniform(0.1, 5.0, (*shape, count))
        return variable((*ENVIRONMENT, name), values, units, SOURCE)

    return data.assign(
        transition_energy=drawn("transition", 16, 1e-15, "J"),
        state_leakage=drawn("state", 8, 1e-11, "W"),
        input_capacitance=drawn("pin", 2, 1e-15, "F"),
        clock_to_output=drawn("edge", 2, 1e-11, "s"),
    ).assign_coords(transition=transitions, state=states, pin=["d", "clk"], edge=["rise", "fall"])


def _column(mac: xr.Dataset) -> xr.Dataset:
    """An in-memory MAC: no gates inside."""
    return mac.copy(deep=True).assign_attrs(
        cells=json.dumps({"1t1r": 16, "comparator": 1}), fan_in=16, description="column of 16 cells"
    )


def _reference(mac: xr.Dataset) -> xr.Dataset:
    keys = ("leakage_power", "delay", "area")
    data = mac[list(keys)].drop_vars(["a_probability", "b_probability"], errors="ignore")
    data["energy"] = variable(ENVIRONMENT, np.full((2, 2), 3e-14), "J", SOURCE)
    return data.assign_attrs(
        {"role": "reference", "description": "8-bit LFSR and comparator", "worst_stress": "none"}
    )
