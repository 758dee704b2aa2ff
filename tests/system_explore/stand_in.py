"""Trainings that train nothing: a training.nc whose lengths and scores follow from the options."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from formats.errors import InputError
from formats.netcdf_guard import sealed
from formats.provenance import sha256_file
from formats.training import write_weights

IMAGES = 1_000


def right(length: int, bits: int | None, seed: int) -> int:
    """Images right: more with longer streams, and with more DAC bits up to five."""
    error = 0.02 + 0.5 / length**0.7 + 0.8 / 4 ** min(bits or 10, 5)
    return round(IMAGES * (1 - error)) - seed


@dataclass
class StandIn:
    """A runner that notes what it was asked, and fails (or is stopped) at some stream lengths."""

    template: Path
    fails: set[int] = field(default_factory=set)
    stops: set[int] = field(default_factory=set)
    asked: list[tuple[int, int | None]] = field(default_factory=list)

    def __call__(self, options: Any) -> None:
        if options.stream_length in self.stops:
            raise KeyboardInterrupt
        self.asked.append((options.stream_length, options.dac_bits))
        if options.stream_length in self.fails:
            raise InputError("--stream-length", "fails")
        self.write(options)

    def write(self, options: Any) -> None:
        """The two files."""
        from system.train.options import stage_provenance

        folder, length = Path(options.output), options.stream_length
        folder.mkdir(parents=True, exist_ok=True)
        write_weights(folder / "weights.npz", {"w": np.array([length, options.dac_bits or 0])})
        path = folder / "training.nc"
        shutil.copyfile(self.template, path)
        seeds = [options.seed, options.seed + 1]
        with h5py.File(path, "r+") as file:
            file["seed"][...] = seeds
            lengths = file["stream_length"][...]
            file["stream_length"][...] = np.where(lengths > 0, length, 0)
            scores = [right(length, options.dac_bits, seed) for seed in seeds]
            file["correct"][...] = np.array([[990, 990], scores])
            file.attrs["test_images"] = IMAGES
            file.attrs["provenance"] = json.dumps(stage_provenance(options))
            file.attrs["weights_sha256"] = sha256_file(folder / "weights.npz")
        path.write_bytes(sealed(path.read_bytes()))  # as a training leaves it
