"""What the user chooses for a training run, and the record that says when it is up to date."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from formats.errors import InputError
from formats.provenance import provenance, sha256_file
from system.arithmetic.binomial import LONGEST
from system.images import source_sha256

SOURCE = (
    "devices",
    "formats",
    "system.arithmetic",
    "system.images",
    "system.networks",
    "system.train",
)
LIBRARIES = ("equinox", "jax", "jaxlib", "mlxtend", "numpy", "optax", "scipy", "xarray")


@dataclass(frozen=True)
class TrainOptions:
    """TrainOptions of stage 3; ``None`` for all images and for the default MAC of the file."""

    cells: Path
    images: Path | None = None
    train_images: int | None = None
    test_images: int | None = None
    mac: str | None = None
    stream_length: int = 256
    epochs: int = 8
    batch_size: int = 32
    seed: int = 1
    seeds: int = 1
    output: Path = Path("out")
    quiet: bool = False

    def check(self) -> None:
        """Raise :class:`InputError` for a number out of range."""
        bounds = {
            "stream_length": (2, LONGEST),
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
