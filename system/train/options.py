"""What the user chooses for a training run, and the record that says when it is up to date."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from formats.errors import InputError
from formats.provenance import provenance, sha256_file
from formats.training import MODES
from system.arithmetic.binomial import LONGEST
from system.bitstream import StreamRules
from system.images import source_sha256

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
LIBRARIES = ("equinox", "jax", "jaxlib", "mlxtend", "numba", "numpy", "optax", "scipy", "xarray")


@dataclass(frozen=True)
class TrainOptions:
    """TrainOptions of stage 3; ``None`` for all images and for the default MAC of the file.

    ``stream_life`` and ``sng_sharing`` are the texts of :class:`StreamRules`, ``mode`` one of
    ``MODES``; ``exact_images`` test images are scored bit by bit after a training by moments.
    """

    cells: Path
    images: Path | None = None
    train_images: int | None = None
    test_images: int | None = None
    mac: str | None = None
    stream_length: int = 256
    stream_life: str = "image"
    sng_sharing: str = "parameter"
    mode: str = "moments"
    exact_images: int = 1000
    epochs: int = 8
    batch_size: int = 32
    seed: int = 1
    seeds: int = 1
    output: Path = Path("out")
    quiet: bool = False

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
        if self.mode not in MODES:
            raise InputError("--mode", f"is {self.mode!r}; expected {' or '.join(MODES)}")
        if self.rules.refused_by_devices is not None:
            raise InputError("--sng-sharing", self.rules.refused_by_devices)
        if self.rules.life > self.batch_size:
            raise InputError(
                "--stream-life",
                f"is {self.rules.life} images, more than the {self.batch_size} of a batch, after "
                "which the weights change; the longest life is batch",
            )


def stage_provenance(options: TrainOptions) -> dict[str, Any]:
    """The provenance record of the run, made without running it."""
    chosen = asdict(options)
    for name in ("cells", "images", "output", "quiet", "seed"):
        del chosen[name]
    return provenance(
        stage="train",
        inputs={"cells": sha256_file(options.cells), "images": source_sha256(options.images)},
        options=chosen,
        seed=options.seed,
        source=SOURCE,
        libraries=LIBRARIES,
    )
