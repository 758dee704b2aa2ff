"""Checks that the tables of cells.nc and training.nc name their rows, before they are looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import xarray as xr

from formats.cells import OUTCOMES, PHASES, Cells
from formats.errors import InputError
from formats.training import ARITHMETICS, PRODUCTS, Training

_NONE: tuple[str, ...] = ()
_ENVIRONMENT = {"temperature": _NONE, "corner": _NONE}
_BY_ROLE: Mapping[str, Mapping[str, Sequence[str]]] = {
    "sng": {
        **_ENVIRONMENT,
        "write_voltage": _NONE,
        "pulse_width": _NONE,
        "phase": PHASES,
        "outcome": OUTCOMES,
    },
    "gate": _ENVIRONMENT,
    "register": _ENVIRONMENT,
    "reference": _ENVIRONMENT,
    "mac": {**_ENVIRONMENT, "a_probability": _NONE, "b_probability": _NONE},
}
_TRAINING: Mapping[str, Sequence[str]] = {
    "arithmetic": ARITHMETICS,
    "product": PRODUCTS,
    "layer": _NONE,
    "epoch": _NONE,
}


def check_coordinates(cells: Cells, training: Training) -> None:
    """Raise :class:`InputError` where a coordinate is absent, empty, repeated or lacks a name."""
    for name, data in cells.groups.items():
        _check(cells.path, f"{name}/", data, _BY_ROLE[data.attrs["role"]])
    _check(training.path, "", training.data, _TRAINING)


def _check(where: Path, prefix: str, data: xr.Dataset, wanted: Mapping[str, Sequence[str]]) -> None:
    for name, values in wanted.items():
        coordinate = data.variables.get(name)
        if coordinate is None or coordinate.dims != (name,) or coordinate.size == 0:
            raise InputError(where, f"lacks the coordinate {prefix}{name}")
        found = [str(value) for value in coordinate.to_numpy()]
        if len(set(found)) != len(found):
            raise InputError(where, f"the coordinate {prefix}{name} repeats a value")
        missing = [value for value in values if value not in found]
        if missing:
            raise InputError(
                where, f"the coordinate {prefix}{name} lacks {', '.join(missing)}; it has {found}"
            )
