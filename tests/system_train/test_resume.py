"""A killed run goes on where it was: the same bytes in the end, and nothing else left over."""

from __future__ import annotations

import dataclasses
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formats.provenance import provenance_key
from system.train import TrainOptions, run, stage_provenance
from system.train.checkpoint import Checkpoints
from system.train.options import float_provenance
from system.train.progress import TrainingProgress

ROOT = Path(__file__).resolve().parents[2]
STEPS = 3
"""Of an epoch of the tiny run."""

KILLED = """
import os, pickle, signal, sys
from system.train import run
from system.train.progress import TrainingProgress
options, last = pickle.loads(bytes.fromhex(sys.argv[1])), int(sys.argv[2])
counted = TrainingProgress.step
def step(self):
    counted(self)
    if self.run.startswith("sc") and self.run_done == last:
        os.kill(os.getpid(), signal.SIGKILL)
TrainingProgress.step = step
run(options)
"""


class Stopped(Exception):
    """In place of a kill, within this process."""


def stopping(run_name: str, last: int) -> Callable[[TrainingProgress], None]:
    """A ``TrainingProgress.step`` that stops the run of this name after so many of its steps."""
    counted = TrainingProgress.step

    def step(self: TrainingProgress) -> None:
        counted(self)
        if self.run.startswith(run_name) and self.run_done == last:
            raise Stopped

    return step


def test_a_killed_run_ends_with_the_bytes_of_one_that_was_not(
    tiny: TrainOptions,
    tiny_files: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Stopped in the second epoch of the float run, then killed in that of the stochastic one."""
    monkeypatch.setenv("STOCHRAM_CACHE", str(tmp_path / "cache"))
    options = dataclasses.replace(tiny, output=tmp_path / "out", quiet=False)
    rng = np.random.default_rng(6)
    with monkeypatch.context() as patch:
        last = STEPS + int(rng.integers(1, STEPS))
        patch.setattr(TrainingProgress, "step", stopping("float", last))
        with pytest.raises(Stopped):
            run(options)
    last = STEPS + int(rng.integers(1, STEPS))
    arguments = [sys.executable, "-c", KILLED, pickle.dumps(options).hex(), str(last)]
    done = subprocess.run(
        arguments, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert "float, seed 1: 1 of 2 epochs come from the cache" in done.stderr
    left = [path.name for path in (options.output / "checkpoints").iterdir()]
    assert left == ["sc-seed1.eqx"] and not (options.output / "weights.npz").exists()
    capsys.readouterr()
    again = run(options)
    said = capsys.readouterr().err
    assert "2 of 2 epochs come from the cache" in said and "sc-seed1: goes on after epoch 1" in said
    for here, whole in zip(again, tiny_files, strict=True):
        assert here.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in options.output.iterdir()) == ["training.nc", "weights.npz"]


def offered(options: TrainOptions, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs whose checkpoints this training takes up, as far as it has learned nothing yet."""
    taken: list[str] = []
    known = Checkpoints.resume

    def resume(self: Checkpoints, name: str, like: Any) -> tuple[int, Any] | None:
        found = known(self, name, like)
        if found is not None:
            taken.append(name)
        return found

    def step(self: TrainingProgress) -> None:
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "resume", resume)
        patch.setattr(TrainingProgress, "step", step)
        with pytest.raises(Stopped):
            run(options)
    return taken


def test_checkpoints_of_other_options_and_with_fresh_are_not_taken(
    tiny: TrainOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCHRAM_CACHE", "off")
    options = dataclasses.replace(tiny, output=tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(TrainingProgress, "step", stopping("float", STEPS + 1))
        with pytest.raises(Stopped):
            run(options)
    folder = options.output / "checkpoints"
    before = (folder / "float-seed1.eqx").read_bytes()
    assert offered(dataclasses.replace(options, rate=0.04), monkeypatch) == []
    assert (folder / "float-seed1.eqx").read_bytes() == before  # of no use, but not touched
    assert offered(options, monkeypatch) == ["float-seed1"]
    assert offered(dataclasses.replace(options, fresh=True), monkeypatch) == []
    assert not folder.exists()


OTHERS: dict[str, Any] = {
    "images": None,
    "train_images": 61,
    "test_images": 31,
    "network": "cnn2",
    "mac": "bipolar_mux",
    "stream_length": 17,
    "schedule": "8:1",
    "products": ("*.update:mac=binary",),
    "scales": ("*.x=0",),
    "stream_life": "batch",
    "sng_sharing": "use",
    "mode": "exact",
    "exact_images": 21,
    "worn": "0.5",
    "progressive": "8,16",
    "rule": "sgd",
    "rate": 0.04,
    "weight_bits": 12,
    "state_bits": 12,
    "calibrate": 8,
    "trim_bits": 4,
    "temperature_K": 310.0,
    "corner": "ss",
    "dac_bits": 6,
    "d2d_ln_tau": 0.1,
    "d2d_ln_v0": 0.1,
    "c2c_ln_tau": 0.1,
    "memory": 0.2,
    "sense_error": 0.01,
    "epochs": 3,
    "batch_size": 10,
    "seed": 2,
    "seeds": 2,
}
NO_MATTER = {"output": Path("elsewhere"), "quiet": False, "fresh": True}


def test_every_option_that_changes_the_result_changes_the_key(tiny: TrainOptions) -> None:
    names = {field.name for field in dataclasses.fields(TrainOptions)}
    assert names == {"cells", *OTHERS, *NO_MATTER}  # a new option needs a line above
    usual = provenance_key(stage_provenance(tiny))

    def key(change: dict[str, Any]) -> str:
        return provenance_key(stage_provenance(dataclasses.replace(tiny, **change)))

    assert key(NO_MATTER) == usual
    keys = [key({name: value}) for name, value in OTHERS.items()]
    assert len({usual, *keys}) == 1 + len(OTHERS)


OF_FLOAT = (
    "images", "train_images", "test_images", "network", "rule", "rate", "epochs", "batch_size",
    "seed",
)  # fmt: skip


def test_a_float_training_is_shared_by_runs_that_differ_in_their_streams_only(
    tiny: TrainOptions,
) -> None:
    def key(change: dict[str, Any]) -> str:
        options = dataclasses.replace(tiny, **change)
        return provenance_key(float_provenance(options, options.seed))

    usual = key({})
    for name, value in (OTHERS | NO_MATTER).items():
        assert (key({name: value}) != usual) == (name in OF_FLOAT), name


def test_what_a_run_writes_does_not_depend_on_float_trainings_of_other_runs(
    tiny: TrainOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mapped network's file after a run with other scales and lengths, and on its own."""

    def stop(*_: object) -> None:
        raise Stopped

    options = dataclasses.replace(tiny, mode="float", exact_images=0)
    other = dataclasses.replace(options, stream_length=8, scales=("*.bias=3",))
    monkeypatch.setenv("STOCHRAM_CACHE", str(tmp_path / "cache"))
    with monkeypatch.context() as patch:
        patch.setattr("system.train.stage.mapped_exponents", stop)
        with pytest.raises(Stopped):
            run(dataclasses.replace(other, output=tmp_path / "other"))
    assert len(list((tmp_path / "cache" / "trainings").iterdir())) == 1
    after = run(dataclasses.replace(options, output=tmp_path / "after"))
    monkeypatch.setenv("STOCHRAM_CACHE", "off")
    alone = run(dataclasses.replace(options, output=tmp_path / "alone"))
    for one, two in zip(after, alone, strict=True):
        assert one.read_bytes() == two.read_bytes()
