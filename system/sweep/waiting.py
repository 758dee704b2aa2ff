"""Says what runs while cells in other processes have no outcome yet."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from formats.errors import InputError
from system.sweep.cell import Cell
from system.sweep.plan import duration
from system.sweep.worker import CHECKPOINTS

LOOK_S, REPEAT_S = 10.0, 30.0
"""Seconds between looks at the folders, and until the same is said again."""


@contextmanager
def watched(
    running: Callable[[], Sequence[Cell]], say: Callable[[str], None], look_s: float = LOOK_S
) -> Iterator[None]:
    """Meanwhile say which cells run and how far they are, where that changed or after 30 s."""
    end = threading.Event()
    thread = threading.Thread(target=_watch, args=(running, say, look_s, end), daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _watch(
    running: Callable[[], Sequence[Cell]],
    say: Callable[[str], None],
    look_s: float,
    end: threading.Event,
) -> None:
    start, last, said_at = time.monotonic(), "", 0.0
    while not end.wait(look_s):
        text = "; ".join(f"{cell.name} ({progress(cell)})" for cell in running())
        now = time.monotonic()
        if text and (text != last or now - said_at >= REPEAT_S):
            last, said_at = text, now
            say(f"after {duration(now - start)}, running: {text}")


def progress(cell: Cell) -> str:
    """The run whose state was kept last and its epochs, from the cell's checkpoints.

    A training in floating point may be kept elsewhere, for many cells: nothing is known of it here.
    """
    from system.train.checkpoint import SUFFIX, read_header  # loads JAX

    found: list[tuple[float, Path]] = []
    for path in (cell.folder / CHECKPOINTS).glob(f"*{SUFFIX}"):
        try:
            found.append((path.stat().st_mtime, path))
        except OSError:  # taken away meanwhile, as at the end of a training
            continue
    if found:
        try:
            header: dict[str, Any] = read_header(max(found)[1])
        except InputError:
            header = {}
        if header.get("key") == cell.key:
            run = header.get("run")
            return f"{run}: {header.get('epochs')} of {cell.options.epochs} epochs"
    return "no epoch on streams yet"
