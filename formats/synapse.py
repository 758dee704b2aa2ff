"""synapse.json, as the fit writes it, or a synapse.toml or .json by hand with plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from formats.errors import InputError
from formats.json_file import check, parse, parse_toml, read_text, write_json

_SCHEMA = "synapse"
_UNITS = {"g_max": "S", "g_min": "S"}
_ABSENT_IS_ZERO = ("sigma_ln_g_max", "sigma_ln_g_min", "stuck_low", "stuck_high")
_KEPT = ("schema", "name", "provenance")


def read_synapse(path: Path) -> dict[str, Any]:
    """Read and check a file; every parameter of the result is an object with its source.

    Plain numbers become "taken" with the file's ``note``, absent ones 0 and "assumed". Raises
    :class:`InputError` naming the wrong key.
    """
    path = Path(path)
    text = read_text(path)
    if path.suffix == ".toml":
        return _whole(parse_toml(text, _SCHEMA, path), path)
    return parse_synapse(text, path)


def parse_synapse(text: str, where: str | Path) -> dict[str, Any]:
    """The same for JSON text, such as the one kept in synapses.nc."""
    return _whole(parse(text, _SCHEMA, where), where)


def _whole(content: dict[str, Any], where: str | Path) -> dict[str, Any]:
    """The checked content with every parameter an object."""
    note = content.pop("note", "by hand")
    zero = dict.fromkeys(_ABSENT_IS_ZERO)
    whole = {
        name: value if name in _KEPT else _parameters(name, value, note)
        for name, value in {**zero, **content}.items()
    }
    _check_values(whole, where)
    return whole


def write_synapse(path: Path, content: Mapping[str, Any]) -> None:
    """Check and write a synapse.json atomically; raises :class:`InputError`."""
    check(dict(content), _SCHEMA, path)
    _check_values(content, path)
    write_json(path, dict(content), _SCHEMA)


def _parameters(name: str, value: Any, note: str) -> Any:
    """A parameter, or those of a direction, as objects."""
    if isinstance(value, dict) and "value" not in value:
        return {key: _parameters(key, part, note) for key, part in value.items()}
    if isinstance(value, dict):
        return value
    source, why = ("assumed", "not given; taken as none") if value is None else ("taken", note)
    plain = {"value": float(value or 0.0), "stderr": None, "ci95": None}
    return {**plain, "unit": _UNITS.get(name, "1"), "source": source, "note": why}


def _check_values(content: Mapping[str, Any], where: str | Path) -> None:
    """What a schema cannot say: the ends are in order, units are theirs, shares add up."""
    low, high = content["g_min"]["value"], content["g_max"]["value"]
    if low >= high:
        raise InputError(
            where, f"at g_min: {low:g} S is not below g_max = {high:g} S; expected conductances"
        )
    for name in ("g_max", "g_min"):
        if content[name]["unit"] != "S":
            raise InputError(
                where, f"at {name}.unit: found {content[name]['unit']!r}, expected 'S'"
            )
