"""Fixtures every test area shares."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.presets import knag2014
from formats.provenance import provenance
from tests.quick_compiling import compiling_quickly

ROOT = Path(__file__).resolve().parent.parent


def measured_data() -> Path | None:
    """Folder of the measured data, or None: $STOCHRAM_DATA, shared/data or ../shared/data."""
    candidates = [ROOT / "shared" / "data", ROOT.parent / "shared" / "data"]
    if "STOCHRAM_DATA" in os.environ:
        candidates.insert(0, Path(os.environ["STOCHRAM_DATA"]))
    return next((folder for folder in candidates if folder.is_dir()), None)


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the test session, one for all its workers."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session", autouse=True)
def own_cache(session_folder: Path) -> Iterator[None]:
    """Simulated results of a test session neither come from the user's cache nor go there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STOCHRAM_CACHE", str(session_folder / "simulated"))
        yield


@pytest.fixture(scope="module")
def quickly(session_folder: Path) -> Iterator[None]:
    """Tests that compile quickly."""
    with compiling_quickly(session_folder / "compiled"):
        yield


@pytest.fixture
def data_folder() -> Path:
    """The measured data; skips the test where they are absent."""
    folder = measured_data()
    if folder is None:
        if os.environ.get("STOCHRAM_REQUIRE_DATA"):
            pytest.fail("measured data are absent, and STOCHRAM_REQUIRE_DATA asks for them")
        pytest.skip("measured data are absent (set STOCHRAM_DATA, or provide shared/data)")
    return folder


@pytest.fixture(scope="session")
def demo_device() -> dict[str, Any]:
    """Content of a device.json of the published law."""
    record = provenance(
        stage="preset", inputs={}, options={}, seed=None, source=("devices",), libraries=("numpy",)
    )
    return {**knag2014().to_dict(), "provenance": record}


@pytest.fixture
def cells_file(tmp_path: Path) -> Path:
    """A cells.nc with round numbers, made without ngspice."""
    path = ROOT / "tests" / "synthetic_cells.py"
    spec = importlib.util.spec_from_file_location("synthetic_cells", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Path(module.synthetic_cells(tmp_path / "cells.nc"))
