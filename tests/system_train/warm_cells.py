"""Cells at three temperatures and two corners, made without ngspice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from devices.law import SwitchingLaw
from devices.parameter import Parameter
from devices.presets import knag2014
from formats.cells import Cells
from tests.synthetic_cells import synthetic_groups

WIDTH = 1e-4
KELVINS = (275.0, 300.0, 350.0)
SLOW = 0.4
"""Exposure at the corner ss over that at tt."""


def warm_cells(
    follows: bool = True, ends: tuple[float, float] = (2.6, 3.7), **spread: float
) -> Cells:
    """A cells.nc at three temperatures and two corners, of the published law with Ea = 0.3 eV."""
    device = knag2014()
    activation = Parameter(0.3, "eV", "assumed", "")
    law = replace(device.set, activation=activation, v0_follows_temperature=follows)
    values = {name: replace(getattr(law.spread, name), value=v) for name, v in spread.items()}
    law = replace(law, spread=replace(law.spread, **values))
    one = synthetic_groups()["sng"]
    many = one.isel(temperature=[0] * 3, corner=[0] * 2)
    voltage = np.linspace(*ends, 31)
    many = many.drop_vars(["write_voltage", *(n for n in many if "write_voltage" in many[n].dims)])
    many = many.assign_coords(temperature=list(KELVINS), corner=["ss", "tt"], write_voltage=voltage)
    curves = np.stack([law.rate(voltage, kelvin) * WIDTH for kelvin in KELVINS], axis=1)
    exposure = np.stack([SLOW * curves, curves], axis=2)[:, None]
    codes = np.concatenate([[0.0], np.linspace(*ends, 1023)])
    sng = many.assign(
        exposure=(("write_voltage", "pulse_width", "temperature", "corner"), exposure),
        lag1=(("write_voltage", "pulse_width", "temperature", "corner"), 0 * exposure),
        code_voltage=("code", codes),
        code_exposure=("code", law.rate(codes) * WIDTH),
        e01=(("temperature", "corner"), [[0.0, 1e-4], [0.01, 1e-3], [0.03, 1e-2]]),
    )
    attributes = {"device_json": json.dumps(replace(device, set=law).to_dict())}
    return Cells(Path("cells.nc"), "", attributes, {"sng": sng})


def law_of(cells: Cells) -> SwitchingLaw:
    return SwitchingLaw.from_dict(json.loads(cells.attributes["device_json"])["set"])
