"""What the user chooses for a training run, and the record that says when it is up to date."""

from __future__ import annotations

import functools
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from formats.errors import InputError
from formats.provenance import provenance, sha256_file
from formats.training import MODES
from system.arithmetic.binomial import LONGEST
from system.arithmetic.calibration import DEFAULT_TRIM_BITS
from system.arithmetic.conditions import Conditions
from system.bitstream import StreamRules
from system.images import source_sha256
from system.networks import network_sha256
from system.train.plan import parse_schedule
from system.train.progressive import parse_stages
from system.train.update import RATES, RULES
from system.train.worn import parse_worn

SOURCE = (
    "devices",
    "formats",
    "system.arithmetic",
    "system.bitstream",
    "system.images",
    "system.kernels",
    "system.networks",
    "system.train",
)
LIBRARIES = (
    "equinox",
    "jax",
    "jaxlib",
    "mlxtend",
    "numba",
    "numpy",
    "optax",
    "scikit-learn",
    "scipy",
    "xarray",
)
_CONDITIONS = tuple(Conditions.__dataclass_fields__)


@dataclass(frozen=True)
class TrainOptions:
    """Options of stage 3; ``None`` for all images, the default MAC, the file's own conditions.

    ``images`` is what :func:`system.images.load_images` takes, ``network`` what
    :func:`system.networks.build_network` does. ``products`` and ``schedule`` are the texts of
    :mod:`system.train.plan`, ``scales`` those of :mod:`system.train.scaling`, ``stream_life`` and
    ``sng_sharing`` those of :class:`StreamRules`. ``mode`` is one of ``MODES``; ``exact_images``
    test images are scored bit by bit at the end, ``progressive`` the bits of the stages of
    :mod:`system.train.progressive`, ``worn`` the shares of :mod:`system.train.worn` (none: not
    evaluated). ``calibrate`` read-backs trim each SNG (0: none).
    ``rate`` None is that of the rule. ``temperature_K`` to ``sense_error`` are those of
    :class:`Conditions`. ``fresh`` ignores the checkpoints of an interrupted run.
    """

    cells: Path
    images: str | Path | None = None
    train_images: int | None = None
    test_images: int | None = None
    network: str = "lenet5"
    mac: str | None = None
    stream_length: int = 256
    schedule: str = ""
    products: tuple[str, ...] = ()
    scales: tuple[str, ...] = ()
    stream_life: str = "image"
    sng_sharing: str = "parameter"
    mode: str = "moments"
    progressive: str = ""
    exact_images: int = 1000
    worn: str = "0.001,0.01"
    rule: str = "momentum"
    rate: float | None = None
    weight_bits: int = 16
    state_bits: int = 16
    calibrate: int = 0
    trim_bits: int = DEFAULT_TRIM_BITS
    temperature_K: float | None = None
    corner: str | None = None
    dac_bits: int | None = None
    d2d_ln_tau: float | None = None
    d2d_ln_v0: float | None = None
    c2c_ln_tau: float | None = None
    memory: float | None = None
    sense_error: float | None = None
    epochs: int = 8
    batch_size: int = 32
    seed: int = 1
    seeds: int = 1
    fresh: bool = False
    output: Path = Path("out")
    quiet: bool = False

    @property
    def conditions(self) -> Conditions:
        """The condition the generators work at; raises :class:`InputError`."""
        return Conditions(**{name: getattr(self, name) for name in _CONDITIONS})

    @property
    def peak_rate(self) -> float:
        """The rate asked for, or that of the rule."""
        return RATES[self.rule] if self.rate is None else self.rate

    @property
    def rules(self) -> StreamRules:
        """Whose streams; raises :class:`InputError` naming the option whose text is none."""
        for option, texts in (
            ("--stream-life", (self.stream_life, "parameter")),
            ("--sng-sharing", ("image", self.sng_sharing)),
        ):
            try:
                StreamRules.parse(*texts)
            except ValueError as error:
                raise InputError(option, str(error)) from error
        return StreamRules.parse(self.stream_life, self.sng_sharing)

    def check(self) -> None:
        """Raise :class:`InputError` for a number out of range or a text that is none."""
        bounds = {
            "stream_length": (2, LONGEST),
            "exact_images": (0, 10_000_000),
            "weight_bits": (2, 24),
            "state_bits": (2, 24),
            "epochs": (1, 10_000),
            "batch_size": (1, 100_000),
            "seed": (0, 2**32 - 1),
            "seeds": (1, 1000),
        }
        for name, (low, high) in bounds.items():
            value = getattr(self, name)
            if not low <= value <= high:
                option = f"--{name.replace('_', '-')}"
                raise InputError(option, f"is {value}; expected {low} to {high}")
        for name, known in (("mode", MODES), ("rule", RULES)):
            if getattr(self, name) not in known:
                found = getattr(self, name)
                raise InputError(f"--{name}", f"is {found!r}; expected {' or '.join(known)}")
        if not 1e-6 <= self.peak_rate <= 10:
            raise InputError("--rate", f"is {self.rate}; expected 1e-06 to 10")
        if self.trim_bits != DEFAULT_TRIM_BITS and not self.calibrate:
            raise InputError("--trim-bits", "is for --calibrate, which is 0 read-backs: none")
        if self.state_bits != TrainOptions.state_bits and self.rule == "adam":
            raise InputError("--state-bits", "is for sgd and momentum; adam's memory has 32 bits")
        parse_schedule(self.schedule)
        parse_stages(self.progressive)
        parse_worn(self.worn)
        _ = self.conditions
        if self.rules.refused_by_devices is not None:
            raise InputError("--sng-sharing", self.rules.refused_by_devices)
        if self.rules.life > self.batch_size:
            raise InputError(
                "--stream-life",
                f"is {self.rules.life} images, more than the {self.batch_size} of a batch, after "
                "which the weights change; the longest life is batch",
            )


_OF_FLOAT = (
    "train_images",
    "test_images",
    "network",
    "network_file",
    "rule",
    "rate",
    "epochs",
    "batch_size",
)
"""What a training in floating point depends on, besides images and seed."""


def float_provenance(options: TrainOptions, seed: int) -> dict[str, Any]:
    """The provenance record of a training in floating point, which may serve many runs."""
    chosen = asdict(options) | {"network_file": network_sha256(options.network)}
    chosen["rate"] = options.peak_rate
    return provenance(
        stage="train in floating point",
        inputs={"images": source_sha256(options.images)},
        options={name: chosen[name] for name in _OF_FLOAT} | {"threads": _threads()},
        seed=seed,
        source=SOURCE,
        libraries=LIBRARIES,
    )


def _threads() -> int:
    """Threads of XLA's pool, on which the last bits of long sums depend."""
    if hasattr(os, "sched_getaffinity"):
        return int(os.environ.get("NPROC") or len(os.sched_getaffinity(0)))
    return int(os.environ.get("NPROC") or os.cpu_count() or 1)


class Hashes:
    """Hashes of the files of many runs, each file read once while this object lives."""

    def __init__(self) -> None:
        self.cells = functools.cache(sha256_file)
        self.images = functools.cache(source_sha256)
        self.network = functools.cache(network_sha256)


def stage_provenance(options: TrainOptions, hashes: Hashes | None = None) -> dict[str, Any]:
    """The provenance record of the run, made without running it.

    ``hashes`` are shared where the records of many runs are made at one time.
    """
    hashes = hashes or Hashes()
    chosen = asdict(options)
    for name in ("cells", "images", "output", "quiet", "seed", "fresh"):
        del chosen[name]
    chosen["network_file"] = hashes.network(options.network)
    return provenance(
        stage="train",
        inputs={"cells": hashes.cells(options.cells), "images": hashes.images(options.images)},
        options=chosen,
        seed=options.seed,
        source=SOURCE,
        libraries=LIBRARIES,
    )
