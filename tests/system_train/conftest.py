"""A cells.nc with its generators and a tiny training, made once for this folder."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

from formats.cells import read_cells
from system.arithmetic import Generators
from system.train import TrainOptions, run


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


@contextmanager
def compiling_quickly(folder: Path) -> Iterator[None]:
    """Compile with few optimisations, and take what was compiled before from a folder of JAX's.

    Compiling is nearly all of the time of a tiny training.
    """
    settings = {
        "jax_compilation_cache_dir": str(folder),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
        "jax_disable_most_optimizations": True,
    }
    before = {name: jax.config.values[name] for name in settings}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            jax.config.update(name, value)
            patch.setenv(name.upper(), str(value))  # for processes started by tests
        compilation_cache.reset_cache()
        yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of :func:`compiling_quickly`."""
    return tmp_path_factory.mktemp("compiled")


@pytest.fixture
def quickly(compiled: Path) -> Iterator[None]:
    """A test that compiles quickly."""
    with compiling_quickly(compiled):
        yield


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
    tiny: TrainOptions, compiled: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Its training.nc and weights.npz; not to be written to."""
    with compiling_quickly(compiled):
        return run(dataclasses.replace(tiny, output=tmp_path_factory.mktemp("tiny")))
