"""What the user chooses for an exploration, as a sweep over trainings and a list of layouts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from formats.errors import InputError
from formats.provenance import provenance, sha256_file
from system.explore.layouts import DacLevel, Layout, layouts
from system.sweep.cell import TRAINING_FILE
from system.sweep.collect import Result
from system.sweep.grid import Grid, Setting, read_grid
from system.sweep.stage import SweepOptions

TRAININGS = "trainings"
"""Folder of the trainings within that of the exploration."""
REPETITIONS = ("seed", "seeds")
LEFT_OUT = {"exact_images": Setting("0", 0), "worn": Setting("", "")}
"""What trainings evaluate besides, which no point needs; --set brings it back."""
LIBRARIES = ("h5netcdf", "matplotlib", "numpy", "scipy", "xarray")


@dataclass(frozen=True)
class ExploreOptions:
    """Everything an exploration needs; the texts are lists separated by commas.

    None of ``macs`` and ``dac_bits``: not varied. ``vary`` and ``fixed`` are further options of a
    training as :class:`SweepOptions` has them, and so are ``jobs`` to ``rate``. ``dac_level_area``
    (m2) and ``dac_level_energy`` (J) are those of :class:`DacLevel`, ``max_latency`` (s) that of an
    inference. ``trials`` trainings are chosen, ``batch`` at a time; None: all.
    """

    cells: Path
    stream_lengths: str = "16,64,256"
    macs: str | None = None
    dac_bits: str | None = None
    vary: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    architectures: str = "unrolled-lenet5"
    parallelism: str = "unrolled,10000,1000,row"
    dac_level_area: float | None = None
    dac_level_energy: float | None = None
    max_latency: float | None = None
    trials: int | None = None
    batch: int = 4
    seed: int = 1
    output: Path = Path("explore")
    jobs: int = 1
    threads: int = 1
    backend: str = "loky"
    scheduler: str | None = None
    rate: float | None = None
    dry_run: bool = False
    quiet: bool = False

    @property
    def sweep(self) -> SweepOptions:
        """The sweep over all trainings there may be."""
        lists = {
            "stream_length": self.stream_lengths,
            "mac": self.macs,
            "dac_bits": self.dac_bits,
        }
        own = tuple(f"{name}={text}" for name, text in lists.items() if text is not None)
        return SweepOptions(
            cells=self.cells,
            vary=(*own, *self.vary),
            fixed=(f"seed={self.seed}", *self.fixed),
            output=self.output / TRAININGS,
            jobs=self.jobs,
            threads=self.threads,
            backend=self.backend,
            scheduler=self.scheduler,
            rate=self.rate,
            quiet=self.quiet,
        )

    @property
    def level(self) -> DacLevel | None:
        """What a level of a DAC costs, if that is known; raises :class:`InputError`."""
        given = (self.dac_level_area, self.dac_level_energy)
        if given == (None, None):
            return None
        area, energy = given
        if area is None or energy is None:
            raise InputError(
                "--dac-level-area-um2", "and --dac-level-energy-fJ belong together; give both"
            )
        if not all(math.isfinite(value) and value >= 0 for value in (area, energy)):
            raise InputError(
                "--dac-level-area-um2",
                "and --dac-level-energy-fJ must be finite and not negative",
            )
        return DacLevel(area, energy)

    def layouts(self) -> tuple[Layout, ...]:
        """The layouts; raises :class:`InputError`."""
        found = layouts(self.architectures, self.parallelism)
        if self.level is not None:
            for each in found:
                if each.architecture.dac is not None:
                    raise InputError(
                        "--dac-level-area-um2",
                        f"is given, but architecture {each.architecture.name} has a DAC of its own",
                    )
        return found

    def grid(self) -> Grid:
        """The grid of trainings; raises :class:`InputError`."""
        from system.train.options import TrainOptions  # loads JAX

        for name in REPETITIONS:
            if any(word.partition("=")[0].strip() == name for word in self.vary):
                raise InputError(
                    f"--vary {name}", "repeats a training and is no choice of a design; see --seeds"
                )
        grid = read_grid(TrainOptions, self.sweep.vary, self.sweep.fixed)
        given = {**grid.fixed, **grid.varied}
        besides = {name: each for name, each in LEFT_OUT.items() if name not in given}
        return replace(grid, fixed={**grid.fixed, **besides})

    def check(self) -> None:
        """Raise :class:`InputError` for what cannot be."""
        if self.output.exists() and not self.output.is_dir():
            raise InputError("-o", f"{self.output} is a file; give a folder")
        self.sweep.check()
        for name in ("trials", "batch"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"--{name}", f"is {value}; expected 1 or more")
        if self.max_latency is not None and not self.max_latency > 0:
            raise InputError(
                "--max-latency-s", f"is {self.max_latency:g}; expected seconds, above 0"
            )
        self.layouts()


def stage_provenance(
    options: ExploreOptions, results: Sequence[Result], sampled: bool
) -> dict[str, Any]:
    """The record of what the points were made from: cells.nc, and each training."""
    trainings = {
        f"{TRAININGS}/{result.cell.name}": sha256_file(result.cell.folder / TRAINING_FILE)
        for result in results
        if result.scores is not None
    }
    return provenance(
        stage="explore",
        inputs={"cells": sha256_file(options.cells)} | trainings,
        options={
            "vary": list(options.sweep.vary),
            "set": list(options.sweep.fixed),
            "architectures": options.architectures,
            "parallelism": options.parallelism,
            "dac_level_area_m2": options.dac_level_area,
            "dac_level_energy_J": options.dac_level_energy,
            "max_latency_s": options.max_latency,
            "trials": options.trials if sampled else None,
            "batch": options.batch if sampled else None,
        },
        seed=options.seed,
        source=("devices", "formats", "system"),
        libraries=(*LIBRARIES, "optuna") if sampled else LIBRARIES,
    )
