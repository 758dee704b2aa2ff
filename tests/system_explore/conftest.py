"""A cells.nc and a training.nc that stand-in trainings change to theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import system.explore.picture
import system.sweep.stage
from system.explore.table import csv_text
from tests import synthetic_cells, synthetic_training


@pytest.fixture(scope="session")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cells.nc with round numbers; not to be written to."""
    return Path(synthetic_cells.synthetic_cells(tmp_path_factory.mktemp("cells") / "cells.nc"))


@pytest.fixture(scope="session")
def template(cells: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training.nc."""
    path = tmp_path_factory.mktemp("template") / "training.nc"
    return Path(synthetic_training.synthetic_training(path, cells))


@pytest.fixture(scope="module", autouse=True)
def _quickly_drawn() -> Iterator[None]:
    """Pictures, which have tests of their own, take most of an exploration that trains nothing: a
    text of the same points stands for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(system.sweep.stage, "_draw", lambda *_: None)
        patch.setattr(system.explore.picture, "svg", csv_text)
        yield
