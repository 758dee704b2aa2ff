"""A technology by name or from a file."""

from __future__ import annotations

from pathlib import Path

from circuits.foundry import freepdk45
from circuits.foundry.toml_file import read_technology
from devices.technology import TECHNOLOGIES, Technology
from formats.errors import InputError
from formats.paths import is_file


def load_technology(name_or_path: str | Path) -> Technology:
    """A built-in technology, ``freepdk45`` from its package, or a ``technology.toml``.

    Raises :class:`InputError`: unknown name, package absent, file wrong or refused.
    """
    name = str(name_or_path)
    if name in TECHNOLOGIES:
        return TECHNOLOGIES[name]
    if name == freepdk45.NAME:
        return freepdk45.load_freepdk45()
    path = Path(name_or_path)
    if path.suffix == ".toml" and is_file(path):
        return read_technology(path)
    known = ", ".join([*TECHNOLOGIES, freepdk45.NAME])
    if path.suffix == ".toml":
        raise InputError(name, f"no such file; give a technology.toml or one of {known}")
    raise InputError(
        "--technology", f"{name!r} is unknown; expected {known}, or the path of a technology.toml"
    )
