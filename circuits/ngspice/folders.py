"""Where remembered results and kept decks lie, and how to clear them away."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from formats.folders import cache_folder


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
        folders += [results_folder(cache), cache / "trainings"]
    total = 0
    for folder in folders:
        total += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        shutil.rmtree(folder, ignore_errors=True)
    return total
