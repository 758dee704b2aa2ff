"""A cells.nc with its generators and a tiny training, made once for this folder."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import pytest

from formats.cells import read_cells
from system.arithmetic import Generators
from system.train import TrainOptions, run
from tests.quick_compiling import compiling_quickly


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


@pytest.fixture(scope="module", autouse=True)
def compiled_quickly(quickly: None) -> None:
    """All modules of this folder; see ``quickly``."""


@pytest.fixture(scope="session")
def tiny(shared_cells: Path) -> TrainOptions:
    """Two epochs of three steps of a perceptron on images of 8x8 pixels, with 16 bits."""
    return TrainOptions(
        cells=shared_cells,
        images="digits",
        train_images=60,
        test_images=30,
        network="mlp",
        stream_length=16,
        exact_images=20,
        worn="1,0.01",
        epochs=2,
        batch_size=20,
        quiet=True,
    )


@pytest.fixture(scope="session")
def tiny_files(
    tiny: TrainOptions, session_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Its training.nc and weights.npz; not to be written to."""
    with compiling_quickly(session_folder / "compiled"):  # it is made before ``compiled_quickly``
        return run(dataclasses.replace(tiny, output=tmp_path_factory.mktemp("tiny")))
