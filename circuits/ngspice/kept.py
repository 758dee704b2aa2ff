"""Decks of failed runs, kept for the user to look at: one place, a bounded number."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from circuits.ngspice.folders import failed_folder

MOST_KEPT = 32
"""Decks kept; the oldest go first."""


def keep_failed(deck: str, cache: Path | None) -> Path | None:
    """Write the deck into the folder for failed ones, named by its content; None if impossible.

    A deck that fails again replaces itself.
    """
    for folder in (failed_folder(cache), failed_folder(None)):
        path = folder / f"{hashlib.sha256(deck.encode()).hexdigest()[:12]}.cir"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".deck-", dir=folder)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(deck)
            Path(name).replace(path)
        except OSError:
            continue
        _drop_oldest(folder)
        return path
    return None


def _drop_oldest(folder: Path) -> None:
    def age(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:  # another process was faster
            return 0.0

    for path in sorted(folder.glob("*.cir"), key=age)[:-MOST_KEPT]:
        with contextlib.suppress(OSError):
            path.unlink()
