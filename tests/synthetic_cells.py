"""A small cells.nc with round numbers, for tests that must not start ngspice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from devices.presets import knag2014
from formats.cells import OUTCOMES, PHASES, variable, write_cells
from formats.provenance import provenance

SOURCE = "assumed: round numbers for a test"


def synthetic_groups() -> dict[str, xr.Dataset]:
    """The groups of a plausible cells.nc."""
    device = knag2014()
    voltage = np.linspace(2.6, 3.6, 21)
    codes = np.concatenate([[0.0], np.linspace(2.6, 3.6, 1023)])
    width = 1e-4
    conditions = ("write_voltage", "pulse_width", "temperature", "corner")
    environment = ("temperature", "corner")
    coordinates = {
        "write_voltage": voltage,
        "pulse_width": [width],
        "temperature": [300.0],
        "corner": ["tt"],
        "phase": list(PHASES),
        "outcome": list(OUTCOMES),
        "code": np.arange(codes.size),
    }
    exposure = device.set.rate(voltage) * width
    ps = device.set.probability_of_exposure(exposure)

    def full(values: np.ndarray) -> np.ndarray:
        return np.asarray(values, float)[:, None, None, None]

    energy = np.zeros((voltage.size, 1, 1, 1, 3, 2))
    energy[..., :, :] = np.array([[1e-15, 2e-12], [1e-13, 1e-9], [1e-15, 3e-14]])
    sng = xr.Dataset(
        {
            "exposure": variable(conditions, full(exposure), "1", SOURCE),
            "Ps": variable(conditions, full(ps), "1", SOURCE),
            "Ps_stderr": variable(conditions, full(0.01 * ps), "1", SOURCE),
            "Ps_population_mean": variable(conditions, full(ps), "1", SOURCE),
            "Ps_population_p05": variable(conditions, full(0.9 * ps), "1", SOURCE),
            "Ps_population_p95": variable(conditions, full(np.minimum(1, 1.1 * ps)), "1", SOURCE),
            "pi": variable(conditions, full(ps), "1", SOURCE),
            "lag1": variable(conditions, full(0 * ps), "1", SOURCE),
            "Pr": variable(environment, [[1.0]], "1", SOURCE),
            "e01": variable(environment, [[0.0]], "1", SOURCE),
            "e10": variable(environment, [[0.0]], "1", SOURCE),
            "energy": variable((*conditions, "phase", "outcome"), energy, "J", SOURCE),
            "energy_stderr": variable((*conditions, "phase", "outcome"), 0 * energy, "J", SOURCE),
            "phase_time": variable(("phase",), [1e-6, 1.02e-4, 1e-6], "s", SOURCE),
            "code_voltage": variable(("code",), codes, "V", SOURCE),
            "code_exposure": variable(("code",), device.set.rate(codes) * width, "1", SOURCE),
            "leakage_power": variable(environment, [[1e-10]], "W", SOURCE),
            "area": variable((), 5e-12, "m2", SOURCE),
        },
        coordinates,
        {"role": "sng", "description": "1T1R SNG of the tests"},
    )
    groups = {"sng": sng}
    areas = {"and2": 1e-12, "xor2": 1.5e-12, "xnor2": 1.5e-12, "mux2": 2e-12, "full_adder": 4e-12}
    inputs = {"and2": 2, "xor2": 2, "xnor2": 2, "mux2": 3, "full_adder": 3}
    for name, area in areas.items():
        states = [format(i, f"0{inputs[name]}b") for i in range(2 ** inputs[name])]
        transitions = [f"{a}>{b}" for a in states for b in states]
        cost = [
            1e-15 * sum(x != y for x, y in zip(*t.split(">"), strict=True)) for t in transitions
        ]
        groups[name] = xr.Dataset(
            {
                "transition_energy": variable((*environment, "transition"), [[cost]], "J", SOURCE),
                "leakage_power": variable(
                    (*environment, "state"), np.full((1, 1, len(states)), 1e-10), "W", SOURCE
                ),
                "delay": variable(environment, [[5e-11]], "s", SOURCE),
                "area": variable((), area, "m2", SOURCE),
            },
            {"temperature": [300.0], "corner": ["tt"], "transition": transitions, "state": states},
            {"role": "gate", "description": name},
        )
    groups["dff"] = xr.Dataset(
        {
            "energy_hold": variable(environment, [[8e-15]], "J", SOURCE),
            "energy_toggle": variable(environment, [[1.6e-14]], "J", SOURCE),
            "leakage_power": variable(environment, [[3e-10]], "W", SOURCE),
            "area": variable((), 4.5e-12, "m2", SOURCE),
        },
        {"temperature": [300.0], "corner": ["tt"]},
        {"role": "register", "description": "flip-flop"},
    )
    operands = ("a_probability", "b_probability")
    grid = np.linspace(0, 1, 11)
    shape = 4 * np.outer(grid, grid) * (1 - np.outer(grid, grid))
    macs = {
        "sign_magnitude_counter": (
            "sign-magnitude",
            "exact-counter",
            {"and2": 1, "xor2": 1, "full_adder": 1},
        ),
        "bipolar_mux": ("bipolar", "mux", {"xnor2": 1, "mux2": 1}),
    }
    for name, (encoding, adder, cells) in macs.items():
        groups[name] = xr.Dataset(
            {
                "energy": variable(
                    (*environment, *operands), [[1e-15 + 5e-15 * shape]], "J", SOURCE
                ),
                "energy_stderr": variable(
                    (*environment, *operands), [[np.full_like(shape, np.nan)]], "J", SOURCE
                ),
                "leakage_power": variable(environment, [[3e-10]], "W", SOURCE),
                "delay": variable(environment, [[2e-10]], "s", SOURCE),
                "area": variable((), sum(areas[c] * n for c, n in cells.items()), "m2", SOURCE),
            },
            {
                "temperature": [300.0],
                "corner": ["tt"],
                "a_probability": grid,
                "b_probability": grid,
            },
            {
                "role": "mac",
                "description": name,
                "encoding": encoding,
                "adder": adder,
                "fan_in": 25,
                "signalling": "held",
                "cells": json.dumps(cells),
            },
        )
    groups["in_memory_column"] = memory_column(grid)
    return groups


def memory_column(grid: np.ndarray) -> xr.Dataset:
    """A column of 8 cells: operand a is the stored bit, b the word line's."""
    environment = ("temperature", "corner")
    a, b = np.meshgrid(grid, grid, indexing="ij")
    write = np.array([0.1, 0.5, 0.9])
    schemes = ["sequential", "word-line-follower"]

    def scalar(value: float, units: str) -> xr.Variable:
        return variable(environment, [[value]], units, SOURCE)

    return xr.Dataset(
        {
            "energy": variable(
                (*environment, "a_probability", "b_probability"),
                [[1e-13 + 1e-14 * b + 2e-14 * a * b]],
                "J",
                SOURCE,
            ),
            "energy_stderr": variable(
                (*environment, "a_probability", "b_probability"), [[np.nan * a]], "J", SOURCE
            ),
            "leakage_power": scalar(4e-10, "W"),
            "delay": scalar(1.5e-8, "s"),
            "area": variable((), 11e-12, "m2", SOURCE),
            "cell_area": variable((), 0.6e-12, "m2", SOURCE),
            "reset_energy": scalar(2e-11, "J"),
            "scheme_time": variable((*environment, "scheme"), [[[8e-4, 1e-4]]], "s", SOURCE),
            "scheme_energy": variable(
                (*environment, "scheme", "write_probability"),
                [[np.array([1e-9, 4e-9])[:, None] * write]],
                "J",
                SOURCE,
            ),
            "scheme_disturb_set": variable((*environment, "scheme"), [[[0.0, 0.0]]], "1", SOURCE),
            "scheme_disturb_reset": variable((*environment, "scheme"), [[[0.0, 0.0]]], "1", SOURCE),
            "scheme_sigma_threshold": variable(
                (*environment, "scheme", "write_probability"),
                [[[[1e-4, 1e-3, 1e-4], [1e-2, 2e-2, 1e-2]]]],
                "1",
                SOURCE,
            ),
            "size_error_probability": variable(
                (*environment, "size"), [[[1e-4, 4e-3]]], "1", SOURCE
            ),
            "size_rms_error": variable((*environment, "size"), [[[1e-2, 6e-2]]], "1", SOURCE),
        },
        {
            "temperature": [300.0],
            "corner": ["tt"],
            "a_probability": grid,
            "b_probability": grid,
            "scheme": schemes,
            "write_probability": write,
            "size": [4, 8],
        },
        {
            "role": "mac",
            "description": "column of 8 cells",
            "encoding": "unipolar",
            "adder": "current-sum",
            "fan_in": 8,
            "read_voltage_V": 0.44,
            "signalling": "return-to-zero word lines, stored operand",
            "cells": "{}",
            "schemes": json.dumps({name: {"borne": name == "sequential"} for name in schemes}),
        },
    )


def synthetic_device() -> dict[str, Any]:
    """The content of a device.json."""
    record = provenance(
        stage="preset", inputs={}, options={}, seed=None, source=("devices",), libraries=("numpy",)
    )
    return {**knag2014().to_dict(), "provenance": record}


def synthetic_cells(path: Path) -> Path:
    """Write the file and return its path."""
    device = synthetic_device()
    attributes = {
        "device_json": json.dumps(device),
        "fit_json": "",
        "technology": "cmos40lp",
        "default_mac": "sign_magnitude_counter",
        "provenance": json.dumps({"stage": "extract"}),
    }
    write_cells(path, attributes, synthetic_groups())
    return path
