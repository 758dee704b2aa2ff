"""device.json: one stochastic device, from the fit (or a preset) to the circuits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from formats.errors import InputError
from formats.json_file import check, parse, read_file, write_json

_SCHEMA = "device"


def read_device(path: Path) -> dict[str, Any]:
    """Read and check a device.json; raises :class:`InputError` naming the wrong key."""
    return parse_device(read_file(path, _SCHEMA), path)


def parse_device(text: str, where: str | Path) -> dict[str, Any]:
    """The same for the text of a device.json, such as the one kept in cells.nc."""
    content = parse(text, _SCHEMA, where)
    check_device(content, where)
    return content


def write_device(path: Path, content: Mapping[str, Any]) -> None:
    """Check and write a device.json atomically; raises :class:`InputError`."""
    check(dict(content), _SCHEMA, path)
    check_device(content, path)
    write_json(path, dict(content), _SCHEMA)


def check_device(content: Mapping[str, Any], where: str | Path) -> None:
    """What a schema cannot say: covariance matches its order, ranges and intervals are ordered."""
    low, high = (content["conduction"][name]["value"] for name in ("r_lrs", "r_hrs"))
    if low >= high:
        raise InputError(
            where, f"at conduction: r_lrs = {low:g} ohm is not below r_hrs = {high:g} ohm"
        )
    for member in ("lrs_vs_gate", "graded_reset", "hrs_sinh"):
        if member in content["conduction"]:
            _check_conduction(content["conduction"][member], f"conduction.{member}", where)
    _check_units(content, "", "", where)
    for direction in ("set", "reset"):
        law = content[direction]
        if law is None:
            continue
        _check_covariance(law, f"{direction}.covariance", where)
        if (law["family"] != "exponential") != ("shape" in law["parameters"]):
            raise InputError(
                where,
                f"at {direction}.parameters: every law but the exponential has a shape",
            )
        for name, (low, high) in law["valid_range"].items():
            if low > high:
                raise InputError(
                    where, f"at {direction}.valid_range.{name}: {low:g} is above {high:g}"
                )


def _check_conduction(law: Mapping[str, Any], place: str, where: str | Path) -> None:
    """Ranges and states in order, and the reference gate voltage above the law's own limit."""
    for name, (low, high) in law["valid_range"].items():
        if low > high:
            raise InputError(where, f"at {place}.valid_range.{name}: {low:g} is above {high:g}")
    parameters = law["parameters"]
    if "r_max" in parameters:
        low, high = (parameters[name]["value"] for name in ("r_lrs", "r_max"))
        if low >= high:
            raise InputError(
                where, f"at {place}: r_lrs = {low:g} ohm is not below r_max = {high:g} ohm"
            )
    if "v_t" in parameters and parameters["v_t"]["value"] >= law["reference_gate_V"]:
        raise InputError(where, f"at {place}: v_t is not below reference_gate_V")


UNITS = {
    "tau_ref": "s",
    "V0": "V",
    "shape": "1",
    "Ea": "eV",
    "r_lrs": "ohm",
    "r_hrs": "ohm",
    "r_ref": "ohm",
    "r_series": "ohm",
    "r_max": "ohm",
    "v_t": "V",
    "v_on": "V",
    "v_per_efold": "V",
    "v_scale": "V",
    "v_half": "V",
    "v_half_scale": "V",
    "v_s": "V",
    "i0": "A",
    "ideal_reset_time": "s",
    "endurance": "cycles",
}
"""The one unit each parameter may state; those not listed have no dimension, "1"."""


def _check_units(content: Any, place: str, name: str, where: str | Path) -> None:
    """Every parameter object must state its unit: a value in mV would be taken for volts."""
    if not isinstance(content, Mapping):
        return
    if "value" in content and "source" in content:
        expected = UNITS.get(name, "1")
        if content["unit"] not in ({"", "1"} if expected == "1" else {expected}):
            raise InputError(
                where, f"at {place}.unit: found {content['unit']!r}, expected {expected!r}"
            )
        return
    for key, value in content.items():
        _check_units(value, f"{place}.{key}" if place else key, key, where)


def _check_covariance(law: Mapping[str, Any], place: str, where: str | Path) -> None:
    order, matrix = law["covariance"]["order"], law["covariance"]["matrix"]
    if len(set(order)) != len(order) or not set(order) <= set(law["parameters"]):
        raise InputError(where, f"at {place}.order: {order} are not distinct parameters of the law")
    if len(matrix) != len(order) or any(len(row) != len(order) for row in matrix):
        raise InputError(where, f"at {place}.matrix: expected {len(order)} x {len(order)} numbers")
    for i, row in enumerate(matrix):
        for j in range(i):
            if row[j] != matrix[j][i]:
                raise InputError(where, f"at {place}.matrix: is not symmetric at [{i}][{j}]")
        if row[i] < 0:
            raise InputError(where, f"at {place}.matrix: the variance [{i}][{i}] is negative")
