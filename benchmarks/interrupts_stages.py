"""The commands that ``interrupts.py`` stops: a small problem of each, before and after a change.

Each is run with the earlier options first ("old"), then stopped and run with the new ones. extract
and run begin with two thirds of their simulations remembered, so that a trial takes seconds while
ngspice processes still work in it.
"""

from __future__ import annotations

import csv
import functools
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.common import HERE, STATE
from characterization.extract.options import ExtractOptions
from characterization.extract.stage import stage_provenance as extract_provenance
from devices.synapse import PRESETS, draw, train_of_pulses
from formats.errors import InputError
from formats.provenance import sha256_bytes, sha256_file
from formats.seeds import generator
from stochram.chain import MANIFEST
from tests.synthetic_cells import synthetic_cells
from tests.synthetic_training import synthetic_training

INPUTS = STATE / "interrupts" / "inputs"
REMEMBERED = STATE / "interrupts" / "remembered"
"""A cache with all simulations of extract and of run."""
QUICKLY = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
DATA = HERE.parent / "examples" / "knag2014_pulses.csv"
_TINY = (
    "--images digits --train-images 60 --test-images 30 --network mlp --batch-size 20 --epochs 2"
)
_GRID = "images=digits train_images=60 test_images=30 network=mlp batch_size=20 epochs=1"
_EXPERIMENT = """seed = {seed}
[fit]
data = "{data}"
[extract]
points = 3
cells = []
[train]
images = "digits"
network = "mlp"
train_images = 60
test_images = 30
exact_images = 5
epochs = 1
batch_size = 20
stream_length = 16
"""
ENTRY = ", entry "
"""In the name of an entry of a manifest, which goes before its stage runs."""
_UNLIKE = ("time.json", "sweep.csv")
"""Files that hold how long something took."""


def _no_mix(
    folder: Path, here: Mapping[str, str], old: Mapping[str, str], new: Mapping[str, str]
) -> list[str]:
    return []


@dataclass(frozen=True)
class StageCase:
    """A stage: ``words`` of its command with {folder}, {inputs}, {seed} and {name} to fill in.

    ``mixed`` gives what is wrong where outputs of both runs lie side by side.
    """

    name: str
    words: str
    mixed: Callable[..., list[str]] = _no_mix
    simulates: bool = False

    def command(self, which: str, folder: Path) -> list[str]:
        """For ``python -m``."""
        seed = {"old": 2, "new": 1}[which]
        filled = self.words.format(folder=folder, inputs=inputs(), seed=seed, name=which, data=DATA)
        return filled.split()

    def prepare(self, folder: Path) -> None:
        """An empty folder for a first run."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def environment(self, scratch: Path) -> dict[str, str]:
        """Of a run: what is remembered lies in ``scratch``."""
        cache = scratch / "cache"
        if self.simulates and not cache.exists():
            for number, path in enumerate(sorted(REMEMBERED.rglob("*.zip"))):
                if number % 3:
                    target = cache / path.relative_to(REMEMBERED)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, target)
        return {**QUICKLY, "STOCHRAM_CACHE": str(cache)}

    def outputs(self, folder: Path) -> dict[str, str]:
        """Hashes of the files that stay; of a manifest, which is written anew after each stage of
        a run, hashes of its entries. Raises for one that cannot be read."""
        found = {}
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            stays = not path.name.startswith(".") and "checkpoints" not in name
            if path.name == MANIFEST:
                for stage, entry in json.loads(path.read_text()).items():
                    found[f"{name}{ENTRY}{stage}"] = sha256_bytes(json.dumps(entry).encode())
            elif path.is_file() and stays and path.name not in _UNLIKE:
                found[name] = sha256_file(path)
        return found

    def harmed(self, folder: Path) -> list[str]:
        """Tables that were cut off: what is written while the work goes on."""
        wrong = []
        for path in folder.rglob("sweep.csv"):
            with path.open(newline="") as file:
                rows = list(csv.reader(file))
            if not rows or len({len(row) for row in rows}) != 1:
                wrong.append(f"{path.name} is cut off")
        return wrong


def _fits(
    folder: Path, here: Mapping[str, str], old: Mapping[str, str], new: Mapping[str, str]
) -> list[str]:
    """A device.json beside the fit.json of another run is refused by the extraction."""
    pair = ("device.json", "fit.json")
    alike = any(all(here[name] == run[name] for name in pair) for run in (old, new))
    try:
        extract_provenance(ExtractOptions(device=folder / "device.json", output=folder))
    except InputError as error:
        return [f"refused without reason: {error}"] if alike else []
    return [] if alike else ["device.json and fit.json of two runs are taken for a pair"]


def _hashed(table: str, attribute: str, arrays: str) -> Callable[..., list[str]]:
    """The table names the hash of its arrays, so that another run's are noticed."""

    def mixed(
        folder: Path, here: Mapping[str, str], old: Mapping[str, str], new: Mapping[str, str]
    ) -> list[str]:
        import h5netcdf

        with h5netcdf.File(folder / table, "r") as file:
            named = str(file.attrs[attribute])
        alike = any(all(here[name] == run[name] for name in (table, arrays)) for run in (old, new))
        if (named == here[arrays]) != alike:
            return [f"{table} and {arrays}: the hash says {'nothing' if alike else 'they match'}"]
        return []

    return mixed


STAGES = {
    case.name: case
    for case in (
        StageCase("fit", "characterization.fit {data} --name {name} --quiet -o {folder}", _fits),
        StageCase(
            "fit-synapse",
            "stochram fit-synapse {inputs}/pulses.csv --name {name} --quiet -o {folder}",
        ),
        StageCase(
            "extract",
            "characterization.extract {inputs}/device.json --points 3 --cells , --seed {seed} "
            "--quiet -o {folder}",
            simulates=True,
        ),
        StageCase(
            "stream",
            "stochram stream --cells {inputs}/cells.nc --bits 1000 --seed {seed} --quiet "
            "-o {folder}",
        ),
        StageCase(
            "train",
            f"system.train {{inputs}}/cells.nc {_TINY} --stream-length 16 --exact-images 5 "
            "--seed {seed} --quiet -o {folder}",
            _hashed("training.nc", "weights_sha256", "weights.npz"),
        ),
        StageCase(
            "train-exact",
            f"system.train {{inputs}}/cells.nc {_TINY} --stream-length 16 --exact-images 5 "
            "--mode exact --seed {seed} --quiet -o {folder}",
            _hashed("training.nc", "weights_sha256", "weights.npz"),
        ),
        StageCase(
            "train-synapses",
            f"stochram train-synapses {_TINY} --seed {{seed}} --quiet -o {{folder}}",
            _hashed("synapses.nc", "conductances_sha256", "conductances.npz"),
        ),
        StageCase(
            "binarized",
            f"stochram binarized {{inputs}}/device.json {_TINY} --chips 1 --calibrate 20 "
            "--seed {seed} --quiet -o {folder}",
            _hashed("binarized.nc", "weights_sha256", "binarized.npz"),
        ),
        StageCase(
            "sweep",
            "stochram sweep {inputs}/cells.nc --vary stream_length=8,16 "
            + " ".join(f"--set {word}" for word in _GRID.split())
            + " --set exact_images=0 --set seed={seed} -j 2 --quiet -o {folder}",
        ),
        StageCase(
            "explore",
            "stochram explore {inputs}/cells.nc --stream-lengths 8,16 "
            "--set images=digits --train-images 60 --test-images 30 --set network=mlp "
            "--set batch_size=20 --epochs 1 --seed {seed} --quiet -o {folder}",
        ),
        StageCase(
            "report",
            "system.report {inputs}/cells.nc {inputs}/training.nc --frame-rate {seed} -o {folder}",
        ),
        StageCase("run", "stochram run {inputs}/{name}.toml --quiet -o {folder}", simulates=True),
    )
}


@functools.cache
def inputs() -> Path:
    """The folder of what the commands read, made once."""
    INPUTS.mkdir(parents=True, exist_ok=True)
    if not (INPUTS / "training.nc").is_file():
        synthetic_training(INPUTS / "training.nc", synthetic_cells(INPUTS / "cells.nc"))
    for which, seed in (("old", 2), ("new", 1)):
        (INPUTS / f"{which}.toml").write_text(_EXPERIMENT.format(seed=seed, data=DATA))
    if not (INPUTS / "device.json").is_file():
        from stochram.cli import main

        main(["preset", "knag2014", "-o", str(INPUTS)])
    if not (INPUTS / "pulses.csv").is_file():
        synapse, random = PRESETS["limited-15-32"](), generator(1, "pulse data")
        drawn = draw(synapse, (6,), random)
        sign = np.tile(np.concatenate([np.ones(70), -np.ones(60)]), 2)
        course = train_of_pulses(synapse, drawn, drawn.low, sign, random)
        frame = pd.DataFrame(
            {
                "device": np.tile([f"d{k}" for k in range(6)], sign.size + 1),
                "voltage_V": np.repeat(np.concatenate([[0.0], sign]), 6),
                "r_after_ohm": 1 / course.ravel(),
            }
        )
        frame.to_csv(INPUTS / "pulses.csv", index=False)
    return INPUTS
