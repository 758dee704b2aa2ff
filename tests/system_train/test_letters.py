"""A set that is no digits, with 26 classes, and a user's own network: no line of code changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from formats.training import read_training
from system.train.cli import main
from tests.letters import write_letters

NETWORK = '''
from __future__ import annotations

import equinox as eqx
import jax

from system.arithmetic import Dense
from system.networks import Layer
from system.networks.between import flatten, saturate


class Residual(eqx.Module):
    """A hidden layer with a second one beside the way on."""

    first: Layer
    second: Layer
    out: Layer

    @classmethod
    def initial(cls, generator, side, classes):
        return cls(
            Layer.initial("first", Dense(side**2, 48), generator, True),
            Layer.initial("second", Dense(48, 48), generator),
            Layer.initial("out", Dense(48, classes), generator),
        )

    def __call__(self, images, run):
        x = saturate(self.first(flatten(images), run))
        x = saturate(x + 0.5 * self.second(x, run))
        return self.out(x, run)
'''


def test_letters_train_from_the_command_line_with_a_network_of_ones_own(
    shared_cells: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_letters(tmp_path / "letters", 20, seed=1)
    (tmp_path / "own.py").write_text(NETWORK)
    code = main(
        [
            str(shared_cells), "--images", str(folder), "--network", f"{tmp_path}/own.py:Residual",
            "--stream-length", "64", "--epochs", "3", "--batch-size", "10", "--exact-images", "0",
            "--rate", "0.03", "-o", str(tmp_path / "out"),
        ]
    )  # fmt: skip
    shown = capsys.readouterr()
    assert code == 0, shown.err
    training = read_training(tmp_path / "out" / "training.nc")
    data, about = training.data, training.attributes
    assert about["test_images"] == 130 and about["train_images"] == 520
    assert [str(name) for name in data["layer"].values] == ["first", "second", "out"]
    record = json.loads(about["provenance"])
    assert record["options"]["network_file"]
    right = data["evaluated_correct"].sel(seed=1) / data["evaluated_images"]
    # Chance is 1/26: 53 or more of 130 images would not be right by chance.
    for arithmetic, evaluation in (("float", "float"), ("sc", "moments")):
        assert float(right.sel(arithmetic=arithmetic, evaluation=evaluation)) > 0.4
    assert "accuracy" in shown.out and "weight streams" in shown.out
    weights = np.load(tmp_path / "out" / "weights.npz")
    assert weights["sc.seed1.out.weight"].shape == (48, 26)
