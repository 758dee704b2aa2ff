"""The tests' cells with the LFSR, the binary MAC and the gates that a mapping needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr

from formats.cells import Cells, variable
from tests.synthetic_cells import SOURCE

ENVIRONMENT = ("temperature", "corner")
LFSR = {"energy": 2e-13, "energy_stderr": 1e-15, "leakage_power": 2e-9, "delay": 8e-10}
LFSR_AREA = 55e-12
BINARY = {"energy": 1.5e-12, "energy_stderr": 0.0, "leakage_power": 1e-8, "delay": 4e-9}
BINARY_AREA = 400e-12


def with_references(cells: Cells) -> Cells:
    """Adds ``lfsr_sng8``, ``binary_mac8``, ``inv``, ``nand2`` and ``or2``."""
    groups = dict(cells.groups)
    for name, figures, area in (
        ("lfsr_sng8", LFSR, LFSR_AREA),
        ("binary_mac8", BINARY, BINARY_AREA),
    ):
        units = {"energy": "J", "energy_stderr": "J", "leakage_power": "W", "delay": "s"}
        groups[name] = xr.Dataset(
            {
                **{
                    key: variable(ENVIRONMENT, [[value]], units[key], SOURCE)
                    for key, value in figures.items()
                },
                "area": variable((), area, "m2", SOURCE),
            },
            {"temperature": [300.0], "corner": ["tt"]},
            {"role": "reference", "description": name},
        )
    for name in ("inv", "nand2", "or2"):
        groups[name] = _one_input(groups["and2"]) if name == "inv" else groups["and2"].copy()
    return replace(cells, groups=groups)


def changed(cells: Cells, group: str, names: tuple[str, ...], factor: float) -> Cells:
    """The same cells with variables of a group multiplied."""
    data = cells.groups[group].copy(deep=True)
    for name in names:
        data[name] = data[name].copy(data=data[name].to_numpy() * factor)
    return replace(cells, groups={**cells.groups, group: data})


Change = Callable[[Cells], Cells]


def _one_input(gate: xr.Dataset) -> xr.Dataset:
    labels = ["0>0", "0>1", "1>0", "1>1"]
    return xr.Dataset(
        {
            "transition_energy": variable(
                (*ENVIRONMENT, "transition"), np.array([[[0, 1e-15, 1e-15, 0]]]), "J", SOURCE
            ),
            "leakage_power": variable(
                (*ENVIRONMENT, "state"), np.full((1, 1, 2), 1e-10), "W", SOURCE
            ),
            "delay": gate["delay"].variable,
            "area": gate["area"].variable,
        },
        {"temperature": [300.0], "corner": ["tt"], "transition": labels, "state": ["0", "1"]},
        {"role": "gate", "description": "inv"},
    )
