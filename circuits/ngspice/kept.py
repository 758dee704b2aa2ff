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


def deck_name(deck: str) -> str:
    """Twelve characters that stand for a deck's content."""
    return hashlib.sha256(deck.encode()).hexdigest()[:12]


def keep_failed(deck: str, cache: Path | None) -> Path | None:
    """Write the deck into the folder for failed ones, named by its content; None if impossible.

    A deck that fails again replaces itself.
    """
    for folder in (failed_folder(cache), failed_folder(None)):
        path = folder / f"{deck_name(deck)}.cir"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".deck-", dir=folder)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(deck)
                Path(name).replace(path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
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
