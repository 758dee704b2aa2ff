"""A cells.nc and a training.nc, written once for each file of tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from formats.cells import Cells, read_cells
from formats.training import Training, read_training
from tests.synthetic_cells import synthetic_cells
from tests.synthetic_training import synthetic_training
from tests.system_report.pages import cells_with_a_waveform


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


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A cells.nc with a waveform and a training.nc, written once."""
    folder = tmp_path_factory.mktemp("inputs")
    path = cells_with_a_waveform(folder / "cells.nc")
    training = synthetic_training(folder / "training.nc", path)
    return path, training


@pytest.fixture
def cells_file(originals: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copy(originals[0], tmp_path / "cells.nc"))


@pytest.fixture
def training_file(originals: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copy(originals[1], tmp_path / "training.nc"))
