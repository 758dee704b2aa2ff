"""One training of a grid: its options, its folder, and whether its results are there."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from formats.errors import InputError
from formats.json_file import parse_json, read_text
from formats.provenance import provenance_key, sha256_file
from system.sweep.grid import Grid, Setting
from system.sweep.scores import Scores, read_scores

TRAINING_FILE, WEIGHTS_FILE, TIME_FILE = "training.nc", "weights.npz", "time.json"
ERROR_FILE = "error.txt"
_LONGEST_VALUE, _LONGEST_NAME = 32, 160
_UNSAFE = re.compile(r"[^A-Za-z0-9_.+-]+")


@dataclass(frozen=True)
class Cell:
    """``options`` of the training (a TrainOptions) in the folder ``folder``.

    ``key`` is the key of its provenance record, ``images`` the training images that pass through
    all its runs.
    """

    name: str
    varied: Mapping[str, Setting]
    options: Any
    key: str
    images: int

    @property
    def folder(self) -> Path:
        """Where its training.nc and weights.npz go."""
        return Path(self.options.output)


@dataclass(frozen=True)
class Time:
    """Seconds that a training took in one go, with so many threads, and images a second."""

    seconds: float
    images: int

    @property
    def rate(self) -> float:
        """Training images a second."""
        return self.images / max(self.seconds, 1e-9)


def options_of(
    kind: type,
    grid: Grid,
    varied: Mapping[str, Setting],
    cells: Path | None,
    output: Path,
    show: bool = False,
) -> Any:
    """The checked options (of the dataclass ``kind``) of the cell with these varied settings.

    Raises :class:`InputError` naming the cell.
    """
    given = {name: each.value for name, each in {**grid.fixed, **varied}.items()}
    if cells is not None and "cells" in given:
        raise InputError("CELLS", "is given as an argument and by --vary or --set; give it once")
    if cells is not None:
        given["cells"] = cells.absolute()
    if "cells" not in given:
        raise InputError("CELLS", "is missing: the cells.nc to train with, or --vary cells=A,B")
    name = cell_name(varied)
    options = kind(**given, output=(output / name).absolute(), quiet=not show)
    try:
        options.check()
    except InputError as error:
        raise InputError(f"cell {name}: {error.where}", error.problem) from error
    return options


def cell_name(varied: Mapping[str, Setting]) -> str:
    """A folder name such as ``mac=x,stream_length=16``, the same for any order of the options.

    Values that are long or unsafe in a file name are shortened, with a hash behind.
    """
    parts = [f"{name}={_safe(varied[name].text)}" for name in sorted(varied)]
    whole = ",".join(parts)
    return whole if len(whole) <= _LONGEST_NAME else f"{whole[:_LONGEST_NAME]}~{_hash(whole)}"


def finished(cell: Cell) -> Scores | None:
    """The scores of whole results of the same work as the cell's in its folder, or None."""
    try:
        scores = read_scores(cell.folder / TRAINING_FILE)
        key = provenance_key(parse_json(scores.provenance, TRAINING_FILE))
        weights = sha256_file(cell.folder / WEIGHTS_FILE)
    except InputError:
        return None
    return scores if key == cell.key and weights == scores.weights_sha256 else None


def time_of(cell: Cell) -> Time | None:
    """How long the cell's training took; None where it was not written or done in pieces."""
    try:
        content = parse_json(read_text(cell.folder / TIME_FILE), TIME_FILE)
        if content["key"] != cell.key:
            return None
        time = Time(float(content["seconds"]), int(content["images"]))
        return time if math.isfinite(time.seconds) else None
    except (InputError, ValueError, KeyError, TypeError):
        return None


def _safe(text: str) -> str:
    safe = _UNSAFE.sub("-", text)
    if safe == text and len(text) <= _LONGEST_VALUE:
        return text
    return f"{safe[:_LONGEST_VALUE]}~{_hash(text)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
