"""A training.nc that fake trainings change to theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import synthetic_cells, synthetic_training


@pytest.fixture(scope="session")
def shared_cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cells.nc with round numbers; not to be written to."""
    return Path(synthetic_cells.synthetic_cells(tmp_path_factory.mktemp("cells") / "cells.nc"))


@pytest.fixture(scope="session")
def template(shared_cells: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training.nc."""
    path = tmp_path_factory.mktemp("template") / "training.nc"
    return Path(synthetic_training.synthetic_training(path, shared_cells))
