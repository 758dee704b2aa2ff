"""Cells with references and a training of LeNet-5 that belongs to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from formats.cells import Cells, read_cells
from formats.training import Training, read_training
from tests.synthetic_cells import synthetic_cells
from tests.synthetic_training import synthetic_training
from tests.system_baselines.reference_cells import with_references


@pytest.fixture(scope="package")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cells, Training]:
    """The synthetic pair, its cells with references."""
    folder: Path = tmp_path_factory.mktemp("baselines")
    path = synthetic_cells(folder / "cells.nc")
    training = read_training(synthetic_training(folder / "training.nc", path))
    return with_references(read_cells(path)), training
