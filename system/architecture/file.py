"""architecture.toml, read and checked; the presets are such files beside this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from formats.errors import InputError
from formats.json_file import parse_toml, read_text
from system.architecture.base import (
    EVERYTHING,
    Architecture,
    Columns,
    Dac,
    Overhead,
    Trained,
)
from system.architecture.figures import Figure, Figures

SUFFIX = ".toml"
_SCALES = {"um2": 1e-12, "fJ": 1e-15, "pJ": 1e-12, "pW": 1e-12, "W": 1.0}


def architecture(name: str) -> Architecture:
    """The preset called ``name``, or the architecture of the file of that name if it ends in .toml.

    Raises :class:`InputError` for an unknown preset, naming those there are, or a broken file.
    """
    if name.endswith(SUFFIX):
        return read_architecture(Path(name))
    return parse(preset_text(name), f"preset {name}")


def read_architecture(path: Path) -> Architecture:
    """An architecture file; raises :class:`InputError` naming the key that is wrong."""
    return parse(read_text(path), path)


def presets() -> tuple[str, ...]:
    """Names of the architectures that come with the program."""
    return tuple(sorted(found.name.removesuffix(SUFFIX) for found in _folder().iterdir()))


def preset_text(name: str) -> str:
    """The file of a preset, to start one's own from; raises :class:`InputError`."""
    if name not in presets():
        raise InputError(
            "--architecture",
            f"{name!r} is not known; choose one of {', '.join(presets())}, or a file *{SUFFIX}",
        )
    return (_folder() / f"{name}{SUFFIX}").read_text("utf-8")


def parse(text: str, where: str | Path) -> Architecture:
    """The architecture of a file's text; raises :class:`InputError` with ``where`` it stands."""
    content = parse_toml(text, "architecture", where)
    base, trained = Architecture(), dict(content.get("trained", {}))
    if "stream_life" in trained:
        trained["stream_life"] = str(trained["stream_life"])
    found = replace(
        base,
        name=content["name"],
        description=content.get("description", ""),
        parallelism=content["macs"]["parallelism"],
        order=content["macs"].get("order", base.order),
        binary_clock=float(content.get("clock", {}).get("binary_Hz", base.binary_clock)),
        update_units=content.get("update", {}).get("units", base.update_units),
        exponent_bits=content.get("registers", {}).get("exponent_bits", base.exponent_bits),
        write_supply=content.get("write_supply", base.write_supply),
        columns=_columns(content.get("columns")),
        dac=_dac(content.get("dac")),
        overheads=tuple(_overhead(table) for table in content.get("overhead", ())),
        figures=_figures(content.get("figures", {})),
        trained=Trained(**trained),
    )
    if found.columns is not None and not found.shared:
        raise InputError(
            where,
            f"macs.parallelism is {found.parallelism!r}, but memory columns are shared by all "
            "layers; expected 'layer', 'row' or a number of MACs beside [columns]",
        )
    return found


def _folder() -> Traversable:
    return resources.files("system.architecture") / "presets"


def _columns(table: Mapping[str, Any] | None) -> Columns | None:
    if table is None:
        return None
    return Columns(tuple(table["products"]), table.get("scheme", Columns(()).scheme))


def _dac(table: Mapping[str, Any] | None) -> Dac | None:
    if table is None:
        return None
    return Dac(
        area=table["area_um2"] * 1e-12,
        energy=table["energy_pJ"] * 1e-12,
        source=table["source"],
        leakage=float(table.get("leakage_W", 0.0)),
        sngs=table.get("sngs", 1),
    )


def _overhead(table: Mapping[str, Any]) -> Overhead:
    groups = table["on"]
    return Overhead(
        name=table["name"],
        groups=(EVERYTHING,) if groups == EVERYTHING else tuple(groups),
        source=table["source"],
        **{key: float(table.get(key, 0.0)) for key in ("area", "energy", "leakage")},
    )


def _figures(table: Mapping[str, Any]) -> Figures:
    found = {}
    for key, entry in table.items():
        name, _, unit = key.rpartition("_")
        found[name] = Figure(float(entry["value"]) * _SCALES[unit], entry["source"])
    return replace(Figures(), **found)
