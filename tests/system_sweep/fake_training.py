"""Trainings that train nothing: they write a training.nc at once, fail, or die, as they are told.

A module of its own that imports little: the workers of a sweep load it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from formats.errors import InputError
from formats.netcdf_guard import sealed
from formats.provenance import provenance_key, sha256_file
from formats.training import EVALUATIONS, write_weights
from system.sweep.cell import Cell
from system.sweep.grid import Setting

IMAGES = 1_000


@dataclass(frozen=True)
class FakeOptions:
    """Options of a training that loads neither JAX nor Numba; ``template`` is any training.nc."""

    template: Path
    output: Path
    length: int = 16
    seed: int = 1

    @property
    def record(self) -> dict[str, Any]:
        """What takes the place of the provenance record."""
        return {"stage": "train", "length": self.length, "seed": self.seed}


def correct(length: int, seed: int) -> tuple[int, int]:
    """Images right in floating point and on streams: the noise falls with the stream length."""
    return 980 - seed, round(980 - 900 / length**0.7) - 2 * seed


def write(template: Path, output: Path, length: int, first: int, record: dict[str, Any]) -> None:
    """The two files of a training with two seeds: those of the template with other numbers."""
    output.mkdir(parents=True, exist_ok=True)
    seeds = [first, first + 1]
    write_weights(output / "weights.npz", {"w": np.array([length, *seeds])})
    path = output / "training.nc"
    shutil.copyfile(template, path)
    right = np.array([correct(length, seed) for seed in seeds]).T
    evaluated = np.full((2, 2, len(EVALUATIONS)), np.nan)
    evaluated[1, :, EVALUATIONS.index("exact")] = right[1] // 2
    with h5py.File(path, "r+") as file:
        file["seed"][...] = seeds
        file["correct"][...] = right
        file["evaluated_correct"][...] = evaluated
        file["evaluated_images"][...] = [0, 0, IMAGES // 2]
        file.attrs["test_images"] = IMAGES
        file.attrs["provenance"] = json.dumps(record)
        file.attrs["weights_sha256"] = sha256_file(output / "weights.npz")
    path.write_bytes(sealed(path.read_bytes()))  # as a training leaves it


def fake(options: FakeOptions) -> None:
    """Train: 13 bits are refused, 666 kill the process, 999 are forgotten, 1313 are a defect.

    667 kill the process the first time and are trained the second.
    """
    if options.length == 13:
        raise InputError("--length", "13 is refused")
    if options.length == 1313:
        raise ZeroDivisionError("a defect")
    died = options.output.parent / f"{options.output.name} died"
    if options.length == 666 or (options.length == 667 and not died.exists()):
        died.mkdir(parents=True, exist_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if options.length != 999:
        write(options.template, options.output, options.length, options.seed, options.record)


def waiting(options: FakeOptions) -> None:
    """Train for a minute, and say in which process."""
    options.output.mkdir()
    (options.output / f"pid-{os.getpid()}").touch()
    time.sleep(60)


def listening(options: FakeOptions) -> None:
    """Is refused, with the signals that this process does not hear."""
    raise InputError("deaf to", str(signal.pthread_sigmask(signal.SIG_BLOCK, [])))


def fake_cell(template: Path, folder: Path, length: int) -> Cell:
    """A cell of that stream length."""
    options = FakeOptions(template, folder / f"length={length}", length)
    varied = {"length": Setting(str(length), length)}
    return Cell(options.output.name, varied, options, provenance_key(options.record), 8_000)
