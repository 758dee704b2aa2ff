"""Where the program remembers results between runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from formats.errors import InputError

VARIABLE = "STOCHRAM_CACHE"
"""Environment variable: a folder, or "off"."""
OFF = "off"


def cache_folder(given: Path | str | None = None) -> Path | None:
    """The folder for results, or None where they are not to be kept.

    ``given`` goes before :data:`VARIABLE`, which goes before the platform's own place
    (``$XDG_CACHE_HOME/stochram``, else ``~/.cache/stochram``).
    """
    wanted = str(given) if given is not None else os.environ.get(VARIABLE, "")
    if wanted.lower() == OFF:
        return None
    if wanted:
        return Path(wanted).expanduser()
    if "XDG_CACHE_HOME" in os.environ:
        return Path(os.environ["XDG_CACHE_HOME"]) / "stochram"
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home
        return None
    place = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return home / place / "stochram"


def trainings_folder() -> Path | None:
    """The folder for trainings in floating point, or None where nothing is to be kept."""
    cache = cache_folder()
    return None if cache is None else cache / "trainings"


def make_folder(folder: Path) -> None:
    """Make a folder for results; raises :class:`InputError` where nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError("-o", f"{folder} cannot be made ({error.strerror or error})") from error
    if not os.access(folder, os.W_OK):
        raise InputError("-o", f"{folder} cannot be written to")
