"""The command: its files, their agreement, resuming, refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from devices.synapse import Synapse
from formats.errors import InputError
from formats.synapse_training import read_synapse_training
from system.synapses import stage
from system.synapses.cli import main
from system.synapses.options import SynapseOptions

TINY = SynapseOptions(
    images="digits",
    train_images=100,
    test_images=50,
    network="mlp",
    sigma_step=0.2,
    stuck=0.01,
    epochs=2,
    batch_size=20,
    quiet=True,
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return stage.run(replace(TINY, output=tmp_path_factory.mktemp("synapses")))


def test_the_files_agree_with_each_other(files: tuple[Path, Path]) -> None:
    training = read_synapse_training(files[0])
    data = training.data
    assert data.sizes == {
        "arithmetic": 2,
        "seed": 1,
        "epoch": 2,
        "corruption": 4,
        "step": 4,
        "crossbar": 4,
    }
    np.testing.assert_allclose(data["accuracy"][:, :, -1] * 50, data["correct"])
    synapse = Synapse.from_dict(training.synapse)
    assert (synapse.potentiation.sigma_step.value, synapse.stuck_low.value) == (0.2, 0.005)
    assert int(data["devices"].sum()) == 2 * int(training.attributes["parameters"])
    assert np.array_equal(data["reads"], data["devices"])  # dense layers: one position
    outputs = data["devices"].values[1::2] // 2  # as many as there are biases
    assert data["sums"].values.tolist() == [outputs[0], 0, outputs[1], 0]
    with np.load(files[1]) as held:
        for k, name in enumerate(data["crossbar"].values):
            pulses = [held[f"seed1/{name}/{cell}/pulses"] for cell in (0, 1)]
            mean = float(data["first_pulses"][k] + data["pulses"][k])
            assert np.mean(pulses) == pytest.approx(mean)
            assert np.max(pulses) == data["most_pulses"][k]
            held_now = [held[f"seed1/{name}/{cell}/conductance"] for cell in (0, 1)]
            assert np.mean(held_now) == pytest.approx(float(data["conductance"][k]), rel=1e-6)
            low, high, g = (
                held[f"seed1/{name}/0/{part}"] for part in ("low", "high", "conductance")
            )
            assert np.all(g >= low * (1 - 1e-6)) and np.all(g <= high * (1 + 1e-6))
    assert not (files[0].parent / stage.CHECKPOINTS).exists()


def test_potentiating_pulses_are_those_that_moved_the_conductances(
    files: tuple[Path, Path],
) -> None:
    """Equal steps from the low end: first + up - down are the levels that devices stand at, but
    for errors of steps, and pulses at ends or on stuck devices (a few in a hundred)."""
    data = read_synapse_training(files[0]).data
    steps = Synapse.from_dict(read_synapse_training(files[0]).synapse).potentiation.branch.pulses
    with np.load(files[1]) as held:
        for k, name in enumerate(data["crossbar"].values):
            if data["devices"][k] < 1000:
                continue
            level = 0.0
            for cell in (0, 1):
                g, low, high = (
                    held[f"seed1/{name}/{cell}/{part}"] for part in ("conductance", "low", "high")
                )
                free = high > low
                level += float(np.sum((g - low)[free] / (high - low)[free] * steps) / free.mean())
            first, pulses = (
                float(data[one][k] * data["devices"][k]) for one in ("first_pulses", "pulses")
            )
            share = (pulses + level - first) / (2 * pulses)
            assert float(data["potentiated"][k]) == pytest.approx(share, abs=0.03)


def test_a_killed_run_ends_with_the_bytes_of_one_that_was_not(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = stage.Trainer.epoch

    def killed(self: Any, number: int, *given: Any) -> Any:
        if number == 1:
            raise KeyboardInterrupt
        return epoch(self, number, *given)

    options = replace(TINY, output=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(stage.Trainer, "epoch", killed)
        with pytest.raises(KeyboardInterrupt):
            stage.run(options)
    assert (tmp_path / stage.CHECKPOINTS).is_dir()
    again = stage.run(options)
    for mine, theirs in zip(again, files, strict=True):
        assert mine.read_bytes() == theirs.read_bytes()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--synapse", "nope"), "limited-15-32"),
        (("--synapse", "absent.toml"), "absent.toml"),
        (("--cells", "triple"), "expected pair or single"),
        (("--rule", "delta"), "expected gradient or coincidence"),
        (("--levels", "1"), "--levels: is 1; expected 2"),
        (("--sigma-step", "nan"), "--sigma-step: is nan"),
        (("--epochs", "0"), "--epochs: is 0"),
        (("--cells", "single", "--recentre"), "--recentre"),
        (("--nonlinearity", "9", "--asymmetry", "5"), "--asymmetry"),
        (("--images", "digits", "--batch-size", "90000"), "--batch-size"),
    ],
)
def test_a_wrong_option_ends_with_one_line(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    said = capsys.readouterr().err
    assert told in said and said.count("\n") == 1


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "synapses.nc").write_text("no")
    with pytest.raises(InputError, match="NetCDF"):
        read_synapse_training(tmp_path / "synapses.nc")
