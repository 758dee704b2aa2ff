"""The command: its files, its refusals, and that the same seed gives the same bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from formats.cells import Cells, read_cells, write_cells
from formats.training import Training, read_training
from system.arithmetic import BitExact, Generators, mode_of
from system.bitstream import StreamRules
from system.images import Images
from system.networks import linear_layers
from system.train import TrainOptions, run, stage_provenance
from system.train.cli import main
from system.train.learning import Learned
from system.train.record import demand
from system.train.score import score


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


def test_the_network_is_scored_bit_by_bit_beside_its_moments(training: Training) -> None:
    data, about = training.data, training.attributes
    assert (about["mode"], about["exact_images"]) == ("moments", 20)
    by_moments = int(data["correct"].sel(arithmetic="sc", seed=1))
    exact = 20 * float(data["accuracy_exact"].sel(seed=1))
    apart = data["only_exact_right"].sel(seed=1) - data["only_moments_right"].sel(seed=1)
    assert exact == pytest.approx(by_moments + int(apart))


def test_every_image_is_scored_once_or_a_stratified_part(
    shared_cells: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logits that name the image: those asked for are right, and batches are joined in order."""
    labels = np.repeat(np.arange(10, dtype=np.int32), 60)
    pictures = np.arange(600, dtype=np.float32)[:, None, None] * np.ones((28, 28), np.float32)
    images = Images("toy", "", pictures, labels, pictures, labels)
    batches = []

    def logits(_a: object, _n: object, batch: np.ndarray, _d: object, keys: np.ndarray) -> object:
        batches.append((len(batch), keys[0].tolist()))
        number = batch[:, 0, 0].astype(int)
        answer = np.where(number % 3 == 0, (labels[number] + 1) % 10, labels[number])
        return np.eye(10)[answer]

    monkeypatch.setattr("system.train.score.exact_logits", logits)
    right = np.arange(600) % 2 == 0
    by_moments = cast(Learned, SimpleNamespace(network=None, devices=(), right=right))
    told: list[int] = []
    ask: dict[str, Any] = {"seed": 1, "on_batch": told.append}
    whole = score(cast(BitExact, None), by_moments, images, count=600, **ask)
    assert np.array_equal(whole.exact, np.arange(600) % 3 != 0)
    assert np.array_equal(whole.moments, right)
    assert (whole.only_exact, whole.only_moments) == (200, 100)
    assert told == [250, 250, 100] == [size for size, _ in batches]
    assert len({tuple(key) for _, key in batches}) == 3
    part = score(cast(BitExact, None), by_moments, images, count=50, **ask)
    assert part.exact.size == part.moments.size == 50


def test_exact_mode_trains_and_says_how_far_it_is(
    tiny: TrainOptions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = dataclasses.replace(
        tiny, train_images=64, stream_length=64, mode="exact", quiet=False, output=tmp_path
    )
    training = read_training(run(options)[0])
    assert training.attributes["mode"] == "exact" and training.attributes["exact_images"] == 0
    assert "accuracy_exact" not in training.data
    loss = training.data["loss"].sel(seed=1, epoch=0)
    assert 1 < float(loss.sel(arithmetic="sc")) < 4
    assert abs(float(loss.sel(arithmetic="sc") - loss.sel(arithmetic="float"))) < 0.5
    shown = capsys.readouterr()
    assert "sc, seed 1: epoch 1/1, loss" in shown.err and "exact mode" not in shown.err
    assert "stochastic, exact" in shown.out


def with_memory(cells: Cells, path: Path) -> Path:
    """The same cells of a device whose thresholds remember."""
    device = json.loads(cells.attributes["device_json"])
    device["set"]["memory"]["rho"]["value"] = 0.6
    write_cells(path, {**cells.attributes, "device_json": json.dumps(device)}, cells.groups)
    return path


def with_failing_reset(cells: Cells, path: Path) -> Path:
    """The same cells with a RESET that fails in one of ten cycles."""
    sng = cells.sng.copy(deep=True)
    ps = sng["Ps"].to_numpy()
    sng["Pr"] = sng["Pr"].copy(data=np.full(sng["Pr"].shape, 0.9))
    sng["pi"] = sng["pi"].copy(data=ps / (ps + 0.9 * (1 - ps)))
    sng["lag1"] = sng["lag1"].copy(data=(1 - ps) * 0.1)
    write_cells(path, cells.attributes, {**cells.groups, "sng": sng})
    return path


def test_devices_that_remember_are_trained_bit_by_bit(
    tiny: TrainOptions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without being asked to, with the reason and how much longer it takes."""
    path = with_memory(read_cells(tiny.cells), tmp_path / "cells.nc")
    options = dataclasses.replace(
        tiny, cells=path, train_images=20, quiet=False, output=tmp_path / "out"
    )
    about = read_training(run(options)[0]).attributes
    assert (about["mode"], about["exact_images"]) == ("exact", 0)
    line = next(line for line in capsys.readouterr().err.splitlines() if "exact mode:" in line)
    assert "memory rho = 0.6" in line and "times as long as by moments" in line


def test_so_are_devices_whose_reset_fails(shared_cells: Path, tmp_path: Path) -> None:
    path = with_failing_reset(read_cells(shared_cells), tmp_path / "cells.nc")
    failing = Generators.from_cells(read_cells(path))
    mode, why = mode_of(failing, StreamRules(), "sign-magnitude", "exact-counter")
    assert mode == "exact" and why is not None and "lag-1" in why


def test_devices_that_remember_cannot_take_turns(
    shared_cells: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = with_memory(read_cells(shared_cells), tmp_path / "cells.nc")
    few = ("--train-images", "40", "--test-images", "10", "--epochs", "1")
    line = refused(capsys, path, "--sng-sharing", "turns:2", *few, "-o", tmp_path / "out")
    assert "--sng-sharing" in line and "take parameter or use" in line


@pytest.mark.parametrize(
    ("life", "sharing", "forward", "writes"),
    [
        ("image", "parameter", (150, 2_400, 48_000, 10_080, 840), 1.0),
        ("batch", "parameter", (150, 2_400, 48_000, 10_080, 840), 1 / 20),
        ("3", "parameter", (150, 2_400, 48_000, 10_080, 840), 7 / 20),  # 6 lives of 3, one of 2
        ("image", "use", (117_600, 240_000, 48_000, 10_080, 840), 1.0),
        ("image", "turns:4", (150, 2_400, 48_000, 10_080, 840), 4.0),
        ("10", "turns:4", (150, 2_400, 48_000, 10_080, 840), 4 / 10),
    ],
)
def test_demand_follows_the_stream_rules(
    tiny: TrainOptions,
    generators: Generators,
    life: str,
    sharing: str,
    forward: tuple[int, ...],
    writes: float,
) -> None:
    """Streams of weights that an image meets, and how many of them a device makes for it."""
    options = dataclasses.replace(tiny, stream_life=life, sng_sharing=sharing)
    found = demand(linear_layers(10), np.full((5, 3), 0.25), options, generators)
    met = found["b_streams"].to_numpy()
    assert met[:, 0].tolist() == list(forward)
    assert met[:, 1].tolist() == [0, *forward[1:]]
    assert met[:, 2].tolist() == [4_704, 1_600, 120, 84, 10]
    assert found["a_streams"][:, 1].values.tolist() == [0, 1_600, 120, 84, 10]
    made = found["writes_per_device"].to_numpy() / (16 * 0.25)
    assert np.allclose(made[:, 0], writes) and np.allclose(made[1:, 1], writes)
    assert np.allclose(made[:, 2], 1) and not made[:, 3].any()


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
    for option, text, words in (
        ("--stream-life", "epoch", "expected image, batch or a number"),
        ("--stream-life", "33", "more than the 32 of a batch"),
        ("--sng-sharing", "rows", "expected parameter, use, turns:K or common:K"),
        ("--sng-sharing", "common:4", "a device's switching is itself the random event"),
        ("--mode", "fast", "expected moments or exact"),
    ):
        line = refused(capsys, shared_cells, option, text, *out)
        assert option in line and words in line
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
