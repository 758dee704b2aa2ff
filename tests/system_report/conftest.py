"""A cells.nc and a training.nc, written once for each file of tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from formats.cells import Cells, read_cells
from formats.training import Training, read_training
from tests.synthetic_cells import synthetic_cells
from tests.synthetic_training import synthetic_training


@pytest.fixture(scope="module")
def cells_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written once: no test of this file changes it."""
    folder = tmp_path_factory.mktemp("cells")
    return synthetic_cells(folder / "cells.nc")


@pytest.fixture(scope="module")
def cells(cells_path: Path) -> Cells:
    return read_cells(cells_path)


@pytest.fixture(scope="module")
def pair(cells_path: Path) -> tuple[Cells, Training]:
    path = synthetic_training(cells_path.parent / "training.nc", cells_path)
    return read_cells(cells_path), read_training(path)
