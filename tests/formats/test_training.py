"""training.nc: what contradicts itself is not written, what was written is read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import pytest
import xarray as xr

from formats.cells import read_cells
from formats.errors import InputError
from formats.training import BINARY, Training, read_training, write_training
from tests.system_report import changes
from tests.system_report.changes import Change, lengths, plain, set_kind

Trained = Callable[..., Training]


@pytest.fixture
def trained(cells_file: Path) -> Trained:
    """Makes a training with changed tables."""
    return partial(changes.trained, read_cells(cells_file))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda data: plain(data, "fc1", "update"),
            "fc1/update: mac is 'binary', but macs is 1503.75; expected 0",
        ),
        (
            lambda data: set_kind(data, "fc1", "forward", (BINARY, "unipolar", "mux")),
            r"mac is 'binary', but encoding and adder are \['unipolar', 'mux'\]",
        ),
        (lengths(fc1__forward=[0, 256, 256]), r"stream_length is \[0.0, 256.0, 256.0\]"),
        (lengths(conv1__input_gradient=[256] * 3), "conv1/input_gradient: mac is ''"),
        (lambda data: data["macs"].__setitem__((2, 0), 0), "macs is 0; expected a number above 0"),
        (lambda data: data["macs"].__setitem__((2, 0), -1), "macs holds negative"),
    ],
)
def test_tables_that_contradict_themselves_are_not_written(
    trained: Trained, tmp_path: Path, change: Change, words: str
) -> None:
    training = trained(change, streamed="sgd")
    with pytest.raises(InputError, match=words):
        write_training(tmp_path / "wrong.nc", training.attributes, training.data)
    assert not (tmp_path / "wrong.nc").exists()


@pytest.mark.parametrize("text", ["{", "[]"])
def test_conditions_are_an_object(trained: Trained, tmp_path: Path, text: str) -> None:
    training = trained(conditions=text)
    with pytest.raises(InputError, match="attribute conditions: is not"):
        write_training(tmp_path / "wrong.nc", training.attributes, training.data)


def test_a_training_reads_as_it_was_written_and_the_old_form_is_to_be_made_again(
    trained: Trained, tmp_path: Path
) -> None:
    path, training = tmp_path / "training.nc", trained(streamed="momentum")
    write_training(path, training.attributes, training.data)
    found = read_training(path)
    assert found.conditions == {} and found.attributes["schema"] == 2
    xr.testing.assert_equal(found.data, training.data)
    with h5py.File(path, "a") as file:
        file.attrs["schema"] = 1
    with pytest.raises(InputError, match="this version reads schema 2; make the file again"):
        read_training(path)
