"""The command: its files, its refusals, and that the same seed gives the same bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from formats.cells import read_cells, write_cells
from formats.training import Training, read_training
from system.train import TrainOptions, run, stage_provenance
from system.train.cli import main


@pytest.fixture(scope="module")
def tiny(shared_cells: Path) -> TrainOptions:
    return TrainOptions(
        cells=shared_cells,
        train_images=60,
        test_images=20,
        stream_length=16,
        epochs=1,
        batch_size=20,
        quiet=True,
    )


@pytest.fixture(scope="module")
def written(tiny: TrainOptions, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return run(dataclasses.replace(tiny, output=tmp_path_factory.mktemp("first")))


@pytest.fixture(scope="module")
def training(written: tuple[Path, Path]) -> Training:
    return read_training(written[0])


def test_same_seed_gives_the_same_bytes(
    tiny: TrainOptions, written: tuple[Path, Path], tmp_path: Path
) -> None:
    again = run(dataclasses.replace(tiny, output=tmp_path / "second"))
    for first, second in zip(written, again, strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in again[0].parent.iterdir()) == ["training.nc", "weights.npz"]


def test_training_file_names_the_arithmetic_of_its_cells(
    training: Training, tiny: TrainOptions
) -> None:
    cells = read_cells(tiny.cells)
    about = training.attributes
    assert about["cells_sha256"] == cells.sha256
    assert (about["mac"], about["encoding"], about["adder"]) == (
        "sign_magnitude_counter",
        "sign-magnitude",
        "exact-counter",
    )
    assert about["stream_length"] == 16 and about["parameters"] == 61_706
    record = json.loads(about["provenance"])
    assert record == json.loads(json.dumps(stage_provenance(tiny)))
    assert record["inputs"]["cells"] == cells.sha256
    assert all("source" in v.attrs and "units" in v.attrs for v in training.data.data_vars.values())


def test_demand_is_that_of_lenet(training: Training) -> None:
    data = training.data
    total = data["macs"].sum("layer").to_series()
    assert total["forward"] == total["weight_gradient"] == 416_520
    assert total["input_gradient"] == 416_520 - 117_600 and total["update"] == 0
    conv2 = data.sel(layer="conv2", product="input_gradient")
    assert (int(conv2["a_streams"]), int(conv2["b_streams"])) == (1600, 2400)
    assert (int(conv2["outputs"]), int(conv2["fan_in"])) == (1176, 400)
    nothing = data.sel(layer="conv1", product="input_gradient")
    assert all(float(nothing[name]) == 0 for name in ("macs", "a_streams", "writes_per_device"))


def test_writes_follow_the_bit_probability(training: Training) -> None:
    """With a sure RESET and no read errors each 1 is one SET event."""
    data = training.data
    assert np.allclose(data["writes_per_device"], 16 * data["operand_b"])
    assert 0 < float(data["operand_b"].sel(layer="fc1", product="forward")) < 1


def test_weights_of_both_arithmetics_are_kept(written: tuple[Path, Path]) -> None:
    about = read_training(written[0]).attributes
    assert about["weights_sha256"] == hashlib.sha256(written[1].read_bytes()).hexdigest()
    with np.load(written[1], allow_pickle=False) as weights:
        assert weights["sc.seed1.conv2.weight"].shape == (150, 16)
        moved = np.abs(weights["sc.seed1.fc1.weight"] - weights["float.seed1.fc1.weight"])
        assert 0 < moved.max() < 1
        assert len(weights.files) == 20


def test_provenance_ignores_where_and_how_loud(tiny: TrainOptions) -> None:
    same = dataclasses.replace(tiny, output=Path("elsewhere"), quiet=False)
    assert stage_provenance(same) == stage_provenance(tiny)
    assert stage_provenance(dataclasses.replace(tiny, epochs=2)) != stage_provenance(tiny)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one line a refused command prints."""
    assert main([str(argument) for argument in arguments]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


def test_wrong_input_ends_in_one_line(
    capsys: pytest.CaptureFixture[str], shared_cells: Path, tmp_path: Path
) -> None:
    foreign = tmp_path / "foreign.nc"
    foreign.write_text("this is not NetCDF")
    out = ("-o", tmp_path / "out")
    assert "no such file" in refused(capsys, tmp_path / "absent.nc", *out)
    assert "foreign.nc" in refused(capsys, foreign, *out)
    line = refused(capsys, shared_cells, "--mac", "analog", *out)
    assert "'analog'" in line and "bipolar_mux" in line
    assert "--stream-length" in refused(capsys, shared_cells, "--stream-length", "1", *out)
    assert "--batch-size" in refused(
        capsys, shared_cells, "--train-images", "20", "--batch-size", "21", *out
    )
    assert "no such folder" in refused(capsys, shared_cells, "--images", tmp_path / "no", *out)
    assert "--epochs" in refused(capsys, shared_cells, "--epochs", "many", *out)
    assert not (tmp_path / "out").exists()


def test_a_device_that_is_none_is_refused(
    capsys: pytest.CaptureFixture[str], shared_cells: Path, tmp_path: Path
) -> None:
    cells = read_cells(shared_cells)
    path = tmp_path / "cells.nc"
    write_cells(path, {**cells.attributes, "device_json": '{"set": 3}'}, cells.groups)
    assert "device_json" in refused(capsys, path, "-o", tmp_path / "out")


def test_system_never_imports_the_simulator() -> None:
    program = (
        "import sys, system.train.cli, system.train.stage; "
        "print([m for m in sys.modules if m.split('.')[0] in ('PySpice', 'circuits')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
