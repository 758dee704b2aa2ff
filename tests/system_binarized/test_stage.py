"""The command from a device.json to binarized.nc, on small images; and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from devices.binary_states import BinaryStates
from formats.binarized import BinarizedResult, read_binarized, write_binarized
from formats.device import write_device
from formats.errors import InputError
from formats.provenance import sha256_file
from system.binarized.cli import main
from system.binarized.options import BinarizedOptions
from system.binarized.pairs import Pairs
from system.binarized.stage import Treat
from system.images import load_images
from tests.quick_compiling import compiling_quickly

SMALL = (
    *("--images", "digits", "--train-images", "400", "--test-images", "100"),
    *("--network", "mlp", "--image", "binary", "--epochs", "8", "--batch-size", "20"),
    *("--chips", "2", "--calibrate", "200", "--quiet"),
)
MORE = (
    *("--states", "10:0.3", "--states", "1e6:0", "--aware", "10:0.5"),
    *("--tune", "5", "--tile-rows", "50"),
)


@pytest.fixture(scope="module")
def device_file(demo_device: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("device") / "device.json"
    write_device(path, demo_device)
    return path


@pytest.fixture(scope="module", autouse=True)
def compiled_quickly(quickly: None) -> None:
    """All tests of this module."""


@pytest.fixture(scope="module")
def folder(
    device_file: Path, tmp_path_factory: pytest.TempPathFactory, session_folder: Path
) -> Iterator[Path]:
    """What a run with all mitigations wrote."""
    folder = tmp_path_factory.mktemp("binarized")
    with compiling_quickly(session_folder / "compiled"):
        assert main([str(device_file), *SMALL, *MORE, "-o", str(folder)]) == 0
    yield folder


@pytest.fixture(scope="module")
def result(folder: Path) -> BinarizedResult:
    return read_binarized(folder / "binarized.nc")


def test_the_networks_learn_and_the_file_says_what_was_done(
    result: BinarizedResult, folder: Path
) -> None:
    data, about = result.data, result.attributes
    assert data["digital_correct"].to_numpy().min() > 50  # of 100; chance is 10
    loss = data["loss"].to_numpy()
    assert np.all(loss[:, -1] < 0.7 * loss[:, 0])
    assert data["correct"].shape == (2, 3, 2, 2)
    np.testing.assert_allclose(data["spread_on"], [0.3, 0.0], atol=1e-12)
    assert about["weights_sha256"] == sha256_file(folder / "binarized.npz")
    assert json.loads(about["chip"])["adc_bits"] is None
    assert json.loads(about["aware"])["states"]["r_off"] == pytest.approx(1e6)


def test_devices_reads_and_conversions_are_counted(result: BinarizedResult) -> None:
    """64 x 128 and 128 x 10 weights in pairs; tiles of 50 rows: 2 and 3 to an output."""
    data = result.data
    assert data["devices"].to_numpy().tolist() == [2 * 64 * 128, 2 * 128 * 10]
    assert data["device_reads"].to_numpy().tolist() == [2 * 64 * 128, 2 * 128 * 10]
    assert data["conversions"].to_numpy().tolist() == [2 * 128, 3 * 10]
    assert data["stuck_on"].to_numpy().sum() == 0


def test_chips_differ_and_meet_training_images_before_the_test(
    device_file: Path, result: BinarizedResult
) -> None:
    """Each chip has a seed of its own; what calibrates one are images of the training set."""
    read = result.data["correct"].sel(treatment="none").isel(condition=0).to_numpy()
    assert np.any(read[:, 0] != read[:, 1])
    options = BinarizedOptions(device_file, images="digits", calibrate=50)
    images = load_images("digits", 400, 100)
    found = Treat(options, images, Pairs(BinaryStates(1e5, 1e6))).few
    known = {image.tobytes() for image in np.asarray(images.train)}
    assert len(found) == 50 and all(np.asarray(image).tobytes() in known for image in found)
    assert not any(image.tobytes() in known for image in np.asarray(images.test))


def test_less_asked_for_gives_the_same_numbers(
    device_file: Path, result: BinarizedResult, tmp_path: Path
) -> None:
    """Each number depends on its own seeds and options alone."""
    fewer = ("--states", "10:0.3", "--aware", "off", "--tile-rows", "50")
    assert main([str(device_file), *SMALL, *fewer, "-o", str(tmp_path)]) == 0
    again, first = read_binarized(tmp_path / "binarized.nc").data, result.data
    np.testing.assert_array_equal(again["loss"], first["loss"][:2])
    np.testing.assert_array_equal(again["correct"], first["correct"][:1, :2, :1])
    np.testing.assert_array_equal(again["digital_correct"], first["digital_correct"][:2])


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ("--states 1:0.3", "--states"),
        ("--states 10", "RATIO:SPREAD"),
        ("--states 10:-0.3", "--states"),
        ("--weights 12-bit", "--weights"),
        ("--mapping single", "mapping"),
        ("--mapping reference --last ternary", "--mapping"),
        ("--stuck-on 0.7 --stuck-off 0.7", "the chip"),
        ("--aware 2:a", "--aware"),
        ("--adc-bits 1", "ADC"),
        ("--chips 0", "--chips"),
        ("--batch-size 500", "--batch-size"),
        ("--calibrate 500", "--calibrate"),
        ("--calibrate 0 --tune 5", "--tune"),
        ("--network lenet5", "--network"),
        ("--images nowhere", "nowhere"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    device_file: Path, tmp_path: Path, wrong: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(device_file), *SMALL, *wrong.split(), "-o", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and said[0].startswith("error: ") and word in said[0]
    assert not (tmp_path / "out").exists()


def test_a_device_file_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "device.json").write_text("{}")
    assert main([str(tmp_path / "device.json"), *SMALL]) == 2
    assert main([str(tmp_path / "none.json"), *SMALL]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [("correct", 101, "test images"), ("ratio", 0.5, "1 or less"), ("loss", np.nan, "loss")],
)
def test_a_file_with_wrong_numbers_is_refused(
    result: BinarizedResult, tmp_path: Path, name: str, value: float, word: str
) -> None:
    data = result.data.copy(deep=True)
    data[name] = data[name].dims, np.full(data[name].shape, value)
    with pytest.raises(InputError, match=word):
        write_binarized(tmp_path / "x.nc", result.attributes, data)


def test_the_same_seed_gives_the_same_bytes(device_file: Path, tmp_path: Path) -> None:
    short = ("--train-images", "60", "--test-images", "30", "--epochs", "1", "--chips", "1")
    for name in ("one", "two"):
        output = tmp_path / name
        assert main([str(device_file), *SMALL, *short, "--calibrate", "20", "-o", str(output)]) == 0
    for file in ("binarized.nc", "binarized.npz"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
