"""The command: its files, its refusals, and that the same seed gives the same bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5netcdf
import numpy as np
import pytest

from formats.cells import Cells, read_cells, write_cells
from formats.errors import InputError
from formats.training import EVALUATIONS, PRODUCTS, Training, read_training
from system.arithmetic import Generators, mode_of
from system.bitstream import StreamRules
from system.networks import build_network, layers_of
from system.report.cli import main as report
from system.train import TrainOptions, run, stage_provenance
from system.train.cli import main
from system.train.learning import draw_devices

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def training(tiny_files: tuple[Path, Path]) -> Training:
    return read_training(tiny_files[0])


CIRCUMSTANCES = """
import os, sys
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])  # one core, so one thread of XLA
from system.train.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_same_seed_gives_the_same_bytes_under_other_circumstances(
    tiny: TrainOptions, tiny_files: tuple[Path, Path], tmp_path: Path
) -> None:
    """Learned anew in another process: other hash seed, locale, time zone, folder and paths, one
    core. Networks whose sums XLA splits by its threads need the same number of these."""
    (tmp_path / "cells.nc").write_bytes(tiny.cells.read_bytes())
    words = ["cells.nc", "-o", "second", "--quiet", "--fresh"]
    for name in (
        *("images", "train_images", "test_images", "network", "stream_length", "exact_images"),
        *("worn", "epochs", "batch_size"),
    ):
        words += [f"--{name.replace('_', '-')}", str(getattr(tiny, name))]
    changed = {"PYTHONHASHSEED": "7", "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [sys.executable, "-c", CIRCUMSTANCES, *words],
        cwd=tmp_path,
        env={**os.environ, **changed},
        check=True,
    )
    for first in tiny_files:
        second = tmp_path / "second" / first.name
        assert first.read_bytes() == second.read_bytes()
        assert str(tiny.cells.parent).encode() not in first.read_bytes()
    left = sorted(path.name for path in (tmp_path / "second").iterdir())
    assert left == ["training.nc", "weights.npz"]


def test_another_seed_gives_other_devices_and_weights(generators: Generators) -> None:
    drawn = []
    for seed in (1, 2):
        layers = layers_of(build_network("mlp", np.random.default_rng(0), 8, 10))
        devices = draw_devices(generators, seed, layers)
        drawn.append({name: np.asarray(own.w.ln_tau) for name, own in devices.items() if own.w})
    for name, values in drawn[0].items():
        assert np.mean(values == drawn[1][name]) < 0.01
        assert not np.array_equal(values, drawn[0]["hidden" if name == "output" else "output"])


def test_training_file_names_the_arithmetic_of_its_cells(
    training: Training, tiny: TrainOptions
) -> None:
    cells, data = read_cells(tiny.cells), training.data
    about = training.attributes
    assert about["cells_sha256"] == cells.sha256
    assert about["mac"] == "sign_magnitude_counter" and about["mode"] == "moments"
    assert about["parameters"] == 9_610 and about["rule"] == "momentum"
    none = (data["layer"] == "hidden") & (data["product"] == "input_gradient")
    for name, word in (
        ("mac", "sign_magnitude_counter"),
        ("encoding", "sign-magnitude"),
        ("adder", "exact-counter"),
    ):
        assert np.all(data[name] == np.where(none, "", word))
    assert np.all(data["stream_length"] == np.where(none, 0, 16))
    record = json.loads(about["provenance"])
    assert record == json.loads(json.dumps(stage_provenance(tiny)))
    assert record["inputs"]["cells"] == cells.sha256
    assert all("source" in v.attrs and "units" in v.attrs for v in data.data_vars.values())


def test_every_network_is_evaluated_in_every_arithmetic(
    training: Training, tiny: TrainOptions
) -> None:
    data = training.data
    right, images = data["evaluated_correct"].sel(seed=1), data["evaluated_images"]
    assert images.sel(evaluation=list(EVALUATIONS)).values.tolist() == [30, 30, 20]
    assert np.all((right >= 0) & (right <= images))
    for name, evaluation in (("float", "float"), ("sc", "moments")):  # as they were trained
        last = data["correct"].sel(arithmetic=name, seed=1)
        assert int(right.sel(arithmetic=name, evaluation=evaluation)) == int(last)
        curve = data["accuracy"].sel(arithmetic=name, seed=1)
        assert float(curve[-1]) == pytest.approx(int(last) / 30)
    apart = int(data["only_exact_right"].sel(seed=1)), int(data["only_moments_right"].sel(seed=1))
    exact = int(right.sel(arithmetic="sc", evaluation="exact"))
    assert apart[0] <= exact and sum(apart) <= 20


def test_writes_and_cycles_follow_the_bit_probability(
    training: Training, tiny: TrainOptions
) -> None:
    """With a sure RESET and no read errors each 1 is one SET event."""
    data = training.data
    streamed = data["mac"] != ""
    three = data.sel(product=list(PRODUCTS[:3]))
    wanted = (16 * three["operand_b"]).fillna(0)
    assert np.allclose(three["writes_per_device"], wanted)
    update = data.sel(product="update")
    assert np.allclose(update["writes_per_device"], 16 * update["operand_a"] * 2 / 20)
    operands = data["operand_a"].where(streamed, 0.5)
    assert np.all((operands > 0) & (operands < 1))
    # Two epochs of 60 images: no generator makes more ones than it has bits.
    cycles = data["cycles_per_device"]
    most = {"x": 2, "w": 2, "d": 2}
    for operand, streams in most.items():
        own = cycles.sel(operand=operand)
        limit = 2 * 60 * 16 * streams + 2 * 3 * 16 * 2 * (operand == "w")
        assert np.all(own.sel(statistic="mean") <= own.sel(statistic="max"))
        assert np.all((own > 0) & (own <= limit))


def test_the_report_runs_on_what_was_trained(
    tiny: TrainOptions, tiny_files: tuple[Path, Path], tmp_path: Path
) -> None:
    arguments = [str(tiny.cells), str(tiny_files[0]), "-o", str(tmp_path)]
    assert report(arguments) == 0
    assert (tmp_path / "report.json").is_file()


def test_a_network_trained_in_floating_point_is_mapped(tiny: TrainOptions, tmp_path: Path) -> None:
    """One network, its products forward on streams; it wears nothing by learning."""
    options = dataclasses.replace(tiny, mode="float", exact_images=10, output=tmp_path)
    files = run(options)
    training = read_training(files[0])
    data, about = training.data, training.attributes
    assert about["mode"] == "float"
    assert np.all(data["mac"].sel(product="forward") == "sign_magnitude_counter")
    assert np.all(data["mac"].sel(layer="output", product=list(PRODUCTS[1:])) == "binary")
    curve = data["accuracy"].sel(arithmetic="sc", seed=1).values
    assert np.isnan(curve[0]) and 0 <= curve[1] <= 1
    right = data["evaluated_correct"].sel(seed=1)
    for evaluation in EVALUATIONS:
        both = right.sel(evaluation=evaluation).values
        assert both[0] == both[1]
    assert int(data["correct"].sel(arithmetic="sc", seed=1)) == right.sel(
        arithmetic="sc", evaluation="moments"
    )
    with np.load(files[1], allow_pickle=False) as weights:
        for layer in ("hidden", "output"):
            names = [f"{arithmetic}.seed1.{layer}.weight" for arithmetic in ("float", "sc")]
            assert np.array_equal(weights[names[0]], weights[names[1]])
    assert not data["cycles_per_device"].any()


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


def test_devices_that_remember_are_trained_bit_by_bit_by_the_plan(
    tiny: TrainOptions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without being asked to, with the reason and how much longer it takes.

    With a schedule, a product in binary and one on another MAC.
    """
    options = dataclasses.replace(
        tiny,
        cells=with_memory(read_cells(tiny.cells), tmp_path / "cells.nc"),
        stream_length=64,
        schedule="16:1",
        products=("hidden.forward:mac=binary", "output.input_gradient:mac=bipolar_mux"),
        exact_images=10,
        quiet=False,
        output=tmp_path / "out",
    )
    training = read_training(run(options)[0])
    data = training.data
    assert training.attributes["mode"] == "exact"
    lengths = data["stream_length"].sel(layer="output")
    assert np.array_equal(lengths, np.repeat([[16], [64]], 4, axis=1))
    assert data["mac"].sel(layer="hidden", product="forward") == "binary"
    assert data["adder"].sel(layer="output", product="input_gradient") == "mux"
    loss = data["loss"].sel(seed=1)
    assert np.all((loss > 1) & (loss < 4))
    right = data["evaluated_correct"].sel(arithmetic="sc", seed=1)
    assert np.array_equal(np.isnan(right), [False, True, False])
    assert data["evaluated_images"].values.tolist() == [30, 0, 10]
    shown = capsys.readouterr()
    line = next(line for line in shown.err.splitlines() if "exact mode:" in line)
    assert "memory rho = 0.6" in line and "times as long as by moments" in line
    assert "sc, seed 1: epoch 2/2, loss" in shown.err and "SC bit by bit" in shown.out


def test_so_are_devices_whose_reset_fails(shared_cells: Path, tmp_path: Path) -> None:
    path = with_failing_reset(read_cells(shared_cells), tmp_path / "cells.nc")
    failing = Generators.from_cells(read_cells(path))
    mode, why = mode_of(failing, StreamRules(), "sign-magnitude", "exact-counter")
    assert mode == "exact" and why is not None and "lag-1" in why


def test_devices_that_remember_cannot_take_turns(
    shared_cells: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = with_memory(read_cells(shared_cells), tmp_path / "cells.nc")
    few = ("--images", "digits", "--network", "mlp", "--train-images", "40")
    line = refused(capsys, path, "--sng-sharing", "turns:2", *few, "-o", tmp_path / "out")
    assert "--sng-sharing" in line and "take parameter or use" in line


def test_weights_of_both_arithmetics_are_kept(tiny_files: tuple[Path, Path]) -> None:
    about = read_training(tiny_files[0]).attributes
    assert about["weights_sha256"] == hashlib.sha256(tiny_files[1].read_bytes()).hexdigest()
    with np.load(tiny_files[1], allow_pickle=False) as weights:
        assert weights["sc.seed1.hidden.weight"].shape == (64, 128)
        moved = np.abs(weights["sc.seed1.hidden.weight"] - weights["float.seed1.hidden.weight"])
        assert 0 < moved.max() < 1
        # Registers of 16 bits: multiples of the scale's last place.
        exponent = weights["sc.seed1.exponents"][1, 1]
        places = weights["sc.seed1.output.weight"] * 2.0 ** (15 - float(exponent) + 1)
        assert np.array_equal(places, np.round(places))
        assert len(weights.files) == 9


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
    out = ("--images", "digits", "--network", "mlp", "-o", tmp_path / "out")
    assert "no such file" in refused(capsys, tmp_path / "absent.nc", *out)
    assert "foreign.nc" in refused(capsys, foreign, *out)
    line = refused(capsys, shared_cells, "--mac", "analog", *out)
    assert "'analog'" in line and "bipolar_mux" in line
    assert "--stream-length" in refused(capsys, shared_cells, "--stream-length", "1", *out)
    assert "--batch-size" in refused(
        capsys, shared_cells, "--train-images", "20", "--batch-size", "21", *out
    )
    assert "no such folder" in refused(capsys, shared_cells, *out, "--images", tmp_path / "no")
    assert "--epochs" in refused(capsys, shared_cells, "--epochs", "many", *out)
    for option, text, words in (
        ("--stream-life", "epoch", "expected image, batch or a number"),
        ("--stream-life", "33", "more than the 32 of a batch"),
        ("--sng-sharing", "rows", "expected parameter, use, turns:K or common:K"),
        ("--sng-sharing", "common:4", "a device's switching is itself the random event"),
        ("--mode", "fast", "expected moments or exact or float"),
        ("--rule", "rmsprop", "expected sgd or momentum or adam"),
        ("--product", "fc9.forward:mac=binary", "hidden, output"),
        ("--product", "*.*:mac=binary", "nothing to simulate"),
        ("--schedule", "16:8", "at least the last has --stream-length"),
        ("--scale", "output.y=0", "'output.y=0' is for no operand"),
        ("--network", "resnet", "expected lenet5, lenet-wide, cnn2, mlp, mlp3 or FILE.py:NAME"),
    ):
        line = refused(capsys, shared_cells, *out, option, text)
        assert option in line and words in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("rule", "kept", "words"),
    [
        ("adam", "*.update", "nothing to simulate"),
        ("sgd", "hidden.input_gradient", "is for no product"),
    ],
    ids=["Adam is binary", "the image has no gradient"],
)
def test_streams_only_where_no_product_is_are_refused(
    tiny: TrainOptions, tmp_path: Path, rule: str, kept: str, words: str
) -> None:
    products = ("*.*:mac=binary", f"{kept}:mac=sign_magnitude_counter")
    options = dataclasses.replace(tiny, rule=rule, products=products, output=tmp_path / "out")
    with pytest.raises(InputError, match=words):
        run(options)


def test_a_device_that_is_none_is_refused(
    capsys: pytest.CaptureFixture[str], shared_cells: Path, tmp_path: Path
) -> None:
    path = shutil.copyfile(shared_cells, tmp_path / "cells.nc")
    with h5netcdf.File(path, "a") as file:
        file.attrs["device_json"] = '{"set": 3}'
    few = ("--images", "digits", "--network", "mlp")
    assert "device_json" in refused(capsys, path, *few, "-o", tmp_path / "out")
