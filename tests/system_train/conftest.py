"""A cells.nc and its generators, made once for this folder."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from formats.cells import read_cells
from system.arithmetic import Generators


@pytest.fixture(scope="session")
def shared_cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic cells.nc; not to be written to."""
    path = Path(__file__).resolve().parent.parent / "synthetic_cells.py"
    spec = importlib.util.spec_from_file_location("synthetic_cells", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Path(module.synthetic_cells(tmp_path_factory.mktemp("cells") / "cells.nc"))


@pytest.fixture(scope="session")
def generators(shared_cells: Path) -> Generators:
    """Its generators."""
    return Generators.from_cells(read_cells(shared_cells))
