"""Finished blocks of a Monte Carlo run in a file, so that a run that was stopped goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from formats.errors import InputError


@dataclass(frozen=True)
class Block:
    """What the units of one block gave: a unit is a deck of its own, one device over its cycles.

    ``ones`` (units,) counts the bits read as 1, ``energy`` (units, 3) sums the energy (J) of the
    cycles by phase; (units, 0) where it was not asked for.
    """

    ones: np.ndarray
    energy: np.ndarray


@dataclass(frozen=True)
class KeptBlocks:
    """The blocks of the run ``key`` in a file of JSON lines; other runs may share the file."""

    path: Path
    key: str

    def read(self) -> dict[int, Block]:
        """Blocks by number; a line cut short when a run was stopped is left out.

        Raises :class:`InputError` where the file holds something else.
        """
        return dict(self._lines()) if self.path.exists() else {}

    def append(self, number: int, block: Block) -> None:
        """Add a finished block."""
        record = [self.key, number, block.ones.tolist(), block.energy.tolist()]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                # The line break comes first, so that it also ends a line that was cut short.
                file.write("\n" + json.dumps(record))
        except OSError as error:
            raise InputError(self.path, f"cannot be written ({error.strerror})") from error

    def _lines(self) -> Iterator[tuple[int, Block]]:
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise InputError(self.path, f"cannot be read ({error.strerror})") from error
        for place, line in enumerate(content.splitlines(), 1):
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            where = f"{self.path}, line {place}"
            if not isinstance(record, list) or len(record) != 4:
                raise InputError(where, _NO_BLOCK)
            key, number, ones, energy = record
            if key == self.key:
                yield _block(number, ones, energy, where)


_NO_BLOCK = "is no finished block of a Monte Carlo run; give a file of such, or a new name"


def _block(number: Any, ones: Any, energy: Any, where: str) -> tuple[int, Block]:
    """The block of a line; raises :class:`InputError` where it holds anything but numbers."""
    try:
        counts, sums = np.array(ones), np.array(energy)
        whole = sums.dtype.kind in "if" and bool(np.isfinite(sums).all())
        if (
            sums.ndim != 2
            or counts.shape != sums.shape[:1]
            or counts.dtype.kind != "i"
            or not whole
        ):
            raise ValueError
        if type(number) is not int:
            raise ValueError
    except (ValueError, OverflowError):
        raise InputError(where, _NO_BLOCK) from None
    return number, Block(counts, sums)
