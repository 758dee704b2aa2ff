"""Finished blocks of a Monte Carlo run in a file, so that a run that was stopped goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
        self.path.parent.mkdir(parents=True, exist_ok=True)
        record = [self.key, number, block.ones.tolist(), block.energy.tolist()]
        with self.path.open("a") as file:
            # The line break comes first, so that it also ends a line that was cut short.
            file.write("\n" + json.dumps(record))

    def _lines(self) -> Iterator[tuple[int, Block]]:
        for place, line in enumerate(self.path.read_text().splitlines(), 1):
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if not isinstance(record, list) or len(record) != 4:
                raise InputError(
                    f"{self.path}, line {place}",
                    "is no finished block of a Monte Carlo run; give a file of such, or a new name",
                )
            key, number, ones, energy = record
            if key == self.key:
                yield number, Block(np.array(ones), np.array(energy))
