"""No file of data runs code: a payload planted in whatever could carry one stays asleep."""

from __future__ import annotations

import ast
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from characterization.extract.check.kept import KeptBlocks
from characterization.fit.table.readers import read_table
from circuits.foundry import load_technology
from circuits.ngspice.cache import Cache
from formats.binarized import read_binarized
from formats.cells import read_cells
from formats.device import read_device
from formats.errors import InputError
from formats.netcdf_guard import sealed
from formats.provenance import sha256_bytes
from formats.synapse import read_synapse
from formats.synapse_training import read_synapse_training
from formats.training import read_training
from stochram.experiment import read_experiment
from system.architecture.file import read_architecture
from system.bitstream.report.bits_file import read_bits
from system.images.idx import IMAGES, read_idx
from system.images.sets import load_images
from system.report.compare import read_report
from system.sweep.scores import read_scores
from system.train.checkpoint import Checkpoints, save

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("characterization", "circuits", "devices", "formats", "stochram", "system")
MARK = "STOCHRAM_PLANTED"


class Payload:
    """Unpickling it leaves a mark in the environment."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _leave_a_mark, ()


def _leave_a_mark() -> None:
    os.environ[MARK] = "1"


RAW = pickle.dumps(Payload())


def objects(kind: str) -> bytes:
    kept = io.BytesIO()
    array = np.array([Payload()], object)
    if kind == "npy":
        np.save(kept, array, allow_pickle=True)
    else:
        names = ("images", "labels", "words", "length")
        np.savez(kept, allow_pickle=True, **dict.fromkeys(names, array))
    return kept.getvalue()


READERS: dict[str, Callable[[Path], Any]] = {
    "data.csv": read_table,
    "data.csv.gz": read_table,
    "data.parquet": read_table,
    "device.json": read_device,
    "synapse.json": read_synapse,
    "synapse.toml": read_synapse,
    "report.json": read_report,
    "experiment.toml": read_experiment,
    "architecture.toml": read_architecture,
    "technology.toml": load_technology,
    "cells.nc": read_cells,
    "training.nc": read_training,
    "scores.nc": read_scores,
    "synapses.nc": read_synapse_training,
    "binarized.nc": read_binarized,
    "images-idx3": lambda path: read_idx(path, IMAGES),
    "images.npz": load_images,
    "bits.txt": read_bits,
    "bits.npy": read_bits,
    "bits.npz": read_bits,
}


@pytest.fixture(autouse=True)
def asleep() -> Any:
    os.environ.pop(MARK, None)
    yield
    assert MARK not in os.environ, "a payload ran"


def test_the_payload_works() -> None:
    pickle.loads(RAW)
    np.load(io.BytesIO(objects("npy")), allow_pickle=True)
    assert os.environ.pop(MARK) == "1"


@pytest.mark.parametrize("name", READERS)
def test_a_pickle_in_place_of_a_file_does_not_run(tmp_path: Path, name: str) -> None:
    for content in (RAW, objects("npy"), objects("npz"), b"PAR1" + RAW + b"PAR1"):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError):
            READERS[name](path)


@pytest.mark.parametrize("name", [name for name in READERS if name.endswith(".nc")])
def test_a_pickle_within_netcdf_does_not_run(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with h5py.File(path, "w") as file:
        for key in ("kind", "schema", "device_json", "provenance", "conditions"):
            file.attrs[key] = np.void(RAW)
        file["opaque"] = np.void(RAW)
        kind = h5py.opaque_dtype(np.dtype("datetime64[s]"))
        file["tagged"] = np.zeros(2, "datetime64[s]").astype(kind)
        file.create_dataset("bytes", (1,), h5py.vlen_dtype(np.uint8))[0] = np.frombuffer(RAW, "u1")
    path.write_bytes(sealed(path.read_bytes()))
    with pytest.raises(InputError):
        READERS[name](path)


def test_a_pickle_within_a_checkpoint_does_not_run(tmp_path: Path) -> None:
    """Its hash is right and its first line is that of a real one."""
    state = {"weight": np.ones(1)}
    kept = Checkpoints(tmp_path, "key", lambda _: None)
    save(kept.path("run"), {"key": "key", "run": "run", "epochs": 1}, state)
    first = json.loads(kept.path("run").read_bytes().partition(b"\n")[0])
    for body in (RAW, objects("npy"), objects("npz")):
        line = json.dumps({**first, "sha256": sha256_bytes(body)}).encode()
        kept.path("run").write_bytes(line + b"\n" + body)
        assert kept.resume("run", state) is None


def test_a_pickle_within_what_is_kept_does_not_run(tmp_path: Path) -> None:
    cache, key = Cache(tmp_path), "ab" + "0" * 62
    cache.path(key).parent.mkdir(parents=True)
    with zipfile.ZipFile(cache.path(key), "w") as file:
        file.writestr("head.json", RAW)
        file.writestr("data", RAW)
    assert cache.read(key) is None
    blocks = tmp_path / "blocks.json"
    blocks.write_bytes(RAW)
    assert KeptBlocks(blocks, "key").read() == {}


def test_parquet_columns_of_objects_stay_texts(tmp_path: Path) -> None:
    import fastparquet

    frame = pd.DataFrame({"voltage_V": [1.0], "device": [RAW]})
    fastparquet.write(str(tmp_path / "data.parquet"), frame, object_encoding={"device": "bytes"})
    table = read_table(tmp_path / "data.parquet")
    assert isinstance(table.frame["device"][0], str)


FORBIDDEN = {"pickle", "cloudpickle", "dill", "marshal", "shelve", "yaml", "runpy", "code"}
CALLS = {"eval", "exec", "compile", "__import__", "np.load", "numpy.load", "joblib.load"}

METHODS = {"exec_module", "read_pickle", "literal_eval"}
BY_DESIGN = {("system/networks/choice.py", "exec_module")}
"""`--network FILE.py:NAME` names a program of the user's own on the command line."""


def test_the_source_has_no_reader_that_could_run_code() -> None:
    found = set()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                found |= {(path.relative_to(ROOT).as_posix(), what) for what in _risks(node)}
    assert found == BY_DESIGN


def _risks(node: ast.AST) -> set[str]:
    """Modules that unpickle, calls that run text, ``allow_pickle`` that is not False."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN}
    if isinstance(node, ast.ImportFrom):
        return {node.module} if (node.module or "").split(".")[0] in FORBIDDEN else set()
    if isinstance(node, ast.keyword):
        literal = isinstance(node.value, ast.Constant) and node.value.value is False
        return {"allow_pickle"} if node.arg == "allow_pickle" and not literal else set()
    called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
    last = called.rpartition(".")[2]
    return ({called} & CALLS) | ({last} & METHODS)
