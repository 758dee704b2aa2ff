"""Where remembered results and kept decks lie, and how to clear them away."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

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


def failed_folder(cache: Path | None) -> Path:
    """The folder for decks that failed: in the cache's, else in the one for temporary files."""
    if cache is not None:
        return cache / "failed"
    return Path(tempfile.gettempdir()) / f"stochram-failed-{os.getuid()}"


def results_folder(cache: Path) -> Path:
    """The folder for results inside the cache's."""
    return cache / "runs"


def clear_cache(given: Path | str | None = None) -> int:
    """Delete all remembered results and kept decks; returns the bytes they took.

    The folder is found as by :func:`cache_folder`; nothing else in it is touched.
    """
    cache = cache_folder(given)
    folders = [failed_folder(cache)]
    if cache is not None:
        folders.append(results_folder(cache))
    total = 0
    for folder in folders:
        total += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        shutil.rmtree(folder, ignore_errors=True)
    return total
