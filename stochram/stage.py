"""One link of the chain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Stage:
    """One link of the chain.

    ``record`` gives the provenance of a run without running it, ``run`` does the work; both read
    the files of the stages before. What ``run`` returns, if anything, says what is missing from its
    results. ``outputs`` are file names in the output folder.
    """

    name: str
    outputs: tuple[str, ...]
    record: Callable[[], dict[str, Any]]
    run: Callable[[], Sequence[str] | None]
