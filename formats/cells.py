"""cells.nc: what the cells do (bit probabilities, energies, areas, delays), one group per cell.

Every group has the attribute ``role``:

- ``sng``: exposure, probabilities and energies of the stochastic number generator.
- ``gate``: a logic gate, ``transition_energy`` by input transition ("01>11": from, to).
- ``register``: one flip-flop, ``energy_hold`` and ``energy_toggle`` per clock.
- ``mac``: one product bit, multiplied and counted; ``energy`` for operand bit probabilities. All
  quantities are per product bit, also those of cells that serve ``fan_in`` of them.
- ``reference``: conventional CMOS of the same gates; ``energy`` of one operation.

Units J, W, s, m2, K, V. Each number X has X_stderr (0 exact, NaN unknown) where it can vary, and
every variable the attributes ``units``, ``source`` and ``citation``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from formats.device import parse_device
from formats.errors import InputError
from formats.gaps import LOGIC, SNG, Gap, changed_circuits, gaps
from formats.netcdf import (
    read_groups,
    require,
    require_attributes,
    require_counts,
    require_json,
    write_groups,
)
from formats.provenance import sha256_file

KIND = "stochram cells"
CONDITIONS = ("write_voltage", "pulse_width", "temperature", "corner")
ENVIRONMENT = ("temperature", "corner")
NOMINAL_TEMPERATURE = 300.0
"""K; the environment that a system is built for, with the corner below."""
NOMINAL_CORNER = "tt"

VARIABLES: dict[str, dict[str, tuple[str, ...]]] = {
    "sng": {
        "exposure": CONDITIONS,
        "Ps": CONDITIONS,
        "Ps_stderr": CONDITIONS,
        "Ps_population_mean": CONDITIONS,
        "Ps_population_p05": CONDITIONS,
        "Ps_population_p95": CONDITIONS,
        "pi": CONDITIONS,
        "lag1": CONDITIONS,
        "Pr": ENVIRONMENT,
        "e01": ENVIRONMENT,
        "e10": ENVIRONMENT,
        "energy": (*CONDITIONS, "phase", "outcome"),
        "energy_stderr": (*CONDITIONS, "phase", "outcome"),
        "phase_time": ("phase",),
        "code_voltage": ("code",),
        "code_exposure": ("code",),
        "leakage_power": ENVIRONMENT,
        "area": (),
    },
    "gate": {
        "transition_energy": (*ENVIRONMENT, "transition"),
        "leakage_power": (*ENVIRONMENT, "state"),
        "delay": ENVIRONMENT,
        "area": (),
    },
    "register": {
        "energy_hold": ENVIRONMENT,
        "energy_toggle": ENVIRONMENT,
        "leakage_power": ENVIRONMENT,
        "area": (),
    },
    "mac": {
        "energy": (*ENVIRONMENT, "a_probability", "b_probability"),
        "energy_stderr": (*ENVIRONMENT, "a_probability", "b_probability"),
        "leakage_power": ENVIRONMENT,
        "delay": ENVIRONMENT,
        "area": (),
    },
    "reference": {
        "energy": ENVIRONMENT,
        "leakage_power": ENVIRONMENT,
        "delay": ENVIRONMENT,
        "area": (),
    },
}
MAC_ATTRIBUTES = ("encoding", "adder", "fan_in", "signalling", "cells")
SIGNED = (
    "transition_energy",
    "count_error_mean",
    "group_correlation",
    "pair_complement_correlation",
    "set_loss",
    "reset_loss",
)
"""May be negative: charge given back to the supply makes some transitions' energies so."""
PARTIAL = (
    "code_error_fit",
    "pair_correlation",
    "scheme_control",
    "scheme_sigma_threshold",
    "scheme_sigma_r_hrs",
    "group_correlation",
)
"""May be NaN: where a scheme does not reach a probability, or all cells are alike."""
PROBABILITIES = (
    "Ps",
    "Ps_population_mean",
    "Ps_population_p05",
    "Ps_population_p95",
    "pi",
    "Pr",
    "e01",
    "e10",
)
"""Of the SNG."""
LEAST_READ_ERROR = 1e-12
"""Read errors below it are shown as below it (assumed): so far out, 7 sigma, no one has measured
that resistances, offsets and noise are normal, as their quadrature takes them."""
_ROUNDING = 1e-9
PHASES = ("reset", "write", "read")
OUTCOMES = ("held", "switched")


@dataclass(frozen=True)
class Cells:
    """The content of one cells.nc.

    ``groups`` maps a group's name to its dataset; ``attributes`` are the global ones
    (``device_json``, ``fit_json``, ``technology``, ``default_mac``, ``provenance``; ``missing`` and
    ``rescued``, see :mod:`formats.gaps`).
    """

    path: Path
    sha256: str
    attributes: Mapping[str, Any]
    groups: Mapping[str, xr.Dataset]

    @property
    def sng(self) -> xr.Dataset:
        """The stochastic number generator."""
        return self.groups["sng"]

    @property
    def macs(self) -> tuple[str, ...]:
        """Names of the MAC groups."""
        return tuple(name for name, data in self.groups.items() if data.attrs["role"] == "mac")

    @property
    def missing(self) -> tuple[Gap, ...]:
        """What ngspice failed to give."""
        return gaps(self.path, self.attributes)

    @property
    def faults(self) -> tuple[str, ...]:
        """What ngspice failed to give or gave of a slightly different circuit, a line each."""
        changed = changed_circuits(self.path, self.attributes)
        return (
            *(f"missing: {gap}" for gap in self.missing),
            *(f"result of a changed circuit: {deck}: {words}" for deck, words in changed.items()),
        )

    def gap(self, temperature: float, corner: str) -> Gap | None:
        """What the SNG (at its first pulse width) or the gates lack at a condition, or None."""
        first = float(self.sng["pulse_width"].to_numpy().flat[0])
        for gap in self.missing:
            concerns = gap.cell == LOGIC or (gap.cell == SNG and gap.pulse_width == first)
            if concerns and (gap.temperature, gap.corner) == (temperature, corner):
                return gap
        return None

    def mac(self, name: str) -> xr.Dataset:
        """The MAC called ``name`` at the nominal environment.

        Raises :class:`InputError` with the names there are.
        """
        if name not in self.macs:
            raise InputError(
                self.path, f"holds no MAC called {name!r}; it has {', '.join(self.macs)}"
            )
        return at_nominal(self.groups[name])


def nominal_index(temperatures: Iterable[float], corners: Iterable[str]) -> tuple[int, int]:
    """Indices of the temperature nearest 300 K and of the corner tt (the first where none is)."""
    names = [str(name) for name in corners]
    nearest = int(np.argmin(np.abs(np.array(list(temperatures), float) - NOMINAL_TEMPERATURE)))
    return nearest, names.index(NOMINAL_CORNER) if NOMINAL_CORNER in names else 0


def at_nominal(group: xr.Dataset) -> xr.Dataset:
    """A group at its nominal temperature and corner (see :func:`nominal_index`)."""
    temperature, corner = nominal_index(
        group["temperature"].to_numpy(), np.atleast_1d(group["corner"].to_numpy())
    )
    return group.isel(temperature=temperature, corner=corner)


def variable(
    dimensions: tuple[str, ...] | str,
    values: Any,
    units: str,
    source: str,
    citation: str = "",
) -> xr.Variable:
    """A variable that says its units and where it comes from.

    ``source`` begins with one of "simulated", "derived", "taken", "assumed", "fitted", "measured".
    """
    return xr.Variable(dimensions, values, {"units": units, "source": source, "citation": citation})


def write_cells(
    path: Path, attributes: Mapping[str, Any], groups: Mapping[str, xr.Dataset]
) -> None:
    """Check and write a cells.nc atomically."""
    attributes = {"kind": KIND, "schema": 1, **attributes}
    _check(path, attributes, groups)
    write_groups(path, attributes, groups)


def read_cells(path: Path) -> Cells:
    """Read and check a cells.nc; raises :class:`InputError`."""
    attributes, groups = read_groups(Path(path), KIND)
    _check(path, attributes, groups)
    return Cells(Path(path), sha256_file(path), attributes, groups)


def _check(path: Path, attributes: Mapping[str, Any], groups: Mapping[str, xr.Dataset]) -> None:
    require_attributes(
        path,
        "",
        attributes,
        ("device_json", "fit_json", "technology", "default_mac", "provenance"),
    )
    parse_device(str(attributes["device_json"]), f"{path}, attribute device_json")
    texts = ("provenance", *(name for name in ("fit_json", "left_out") if attributes.get(name)))
    require_json(path, attributes, texts)
    absences = gaps(path, attributes)
    changed_circuits(path, attributes)
    for name, dataset in groups.items():
        role = str(dataset.attrs.get("role"))
        if role not in VARIABLES:
            raise InputError(
                path, f"group {name!r} has the role {role!r}; expected one of {sorted(VARIABLES)}"
            )
        require(path, name, dataset, VARIABLES[role])
        if role == "mac":
            _check_mac(f"{path}, group {name}", dataset.attrs)
        if "temperature" in dataset.coords:
            require(path, name, dataset, {"temperature": ("temperature",)})
        absent = _absent(path, name, dataset, absences)
        for key, data in dataset.data_vars.items():
            there = _without(data, absent)
            if np.issubdtype(data.dtype, np.number) and _impossible(str(key), there):
                raise InputError(path, f"{name}/{key} holds negative or non-finite values")
            if role == "sng" and key in PROBABILITIES and np.any(data > 1 + _ROUNDING):
                raise InputError(path, f"{name}/{key} holds probabilities above 1")
    if "sng" not in groups:
        raise InputError(path, "lacks the group 'sng'")
    macs = [name for name, dataset in groups.items() if dataset.attrs["role"] == "mac"]
    if str(attributes["default_mac"]) not in macs:
        raise InputError(
            path, f"default_mac is {attributes['default_mac']!r}, the MAC groups are {macs}"
        )


def _check_mac(where: str, attributes: Mapping[Any, Any]) -> None:
    require_attributes(where, "the group", attributes, MAC_ATTRIBUTES)
    require_json(where, attributes, [name for name in ("cells", "schemes") if name in attributes])
    require_counts(where, attributes, ("fan_in",))


def _absent(path: Path, name: str, group: xr.Dataset, found: Iterable[Gap]) -> xr.DataArray | None:
    """Where the numbers of a group are absent; None where nowhere. The nominal ones never are."""
    sng = group.attrs["role"] == "sng"
    own = [gap for gap in found if gap.cell == (SNG if sng else LOGIC)]
    if not own:
        return None
    axes = CONDITIONS[1:] if sng else ENVIRONMENT
    values = [np.atleast_1d(group[axis].to_numpy()) for axis in axes]
    absent = xr.DataArray(np.zeros([each.size for each in values], bool), dims=axes)
    for gap in own:
        wanted = (gap.pulse_width, gap.temperature, gap.corner)[-len(axes) :]
        place = [each == value for each, value in zip(values, wanted, strict=True)]
        absent.to_numpy()[np.ix_(*place)] = True
    nominal = nominal_index(values[-2], values[-1])
    if absent.to_numpy()[(*(0,) * sng, *nominal)]:
        raise InputError(path, f"{name} is missing at its nominal condition")
    return absent


def _without(data: xr.DataArray, absent: xr.DataArray | None) -> xr.DataArray:
    """A variable with 0 where it is absent."""
    if absent is None or "corner" not in data.dims:
        return data
    if "pulse_width" in absent.dims and "pulse_width" not in data.dims:
        absent = absent.isel(pulse_width=0)  # it holds at the first width
    return data.where(~absent, 0)


def _impossible(name: str, data: xr.DataArray) -> bool:
    """NaN is allowed in X_stderr (unknown); signed quantities are energies of transitions only."""
    values = data.to_numpy()
    if name in PARTIAL:
        return bool(np.any(np.isinf(values)))
    if name.startswith("waveform"):
        return bool(np.any(~np.isfinite(values)))
    if name.endswith("_stderr"):
        return bool(np.any(values < 0) or np.any(np.isinf(values)))
    if name in SIGNED or name.endswith("_error"):
        return bool(np.any(~np.isfinite(values)))
    return bool(np.any(~np.isfinite(values)) or np.any(values < 0))
