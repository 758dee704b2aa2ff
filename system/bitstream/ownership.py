"""Whose stream: which numbers meet the same bits, read by every part of the system.

A stream belongs to (operand, product, image): activations and errors are encoded anew for each
image and each product. What can differ is the stream of a parameter.

- *Life*: for how many images one stream of a weight lasts. ``image`` (1, the default), ``batch``
  (all images of a batch), or a number n of images, counted from the start of the batch.
- *Sharing*: how many generators (SNGs) the weights have.
    ``parameter`` (default): one each; all products of an image that need the weight (the positions
    of a convolution) meet the same stream.
    ``use``: one for each product; no two products share a stream.
    ``turns:k``: k parameters, neighbours in memory, take turns on one generator, bit by bit:
    independent bits, but the same device (its D2D deviation, its wear) and k times as long. With
    memory the bits of neighbours are correlated.
    ``common:k``: k parameters compare with the same random number in the same clock. Possible for a
    generator that is a random number and a comparator (LFSR, Sobol), not for a device whose
    switching is the random event. The streams are correlated as strongly as they can be.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Kind = Literal["parameter", "use", "turns", "common"]
BATCH = 0
"""Life of a stream that lasts for the whole batch."""


@dataclass(frozen=True)
class StreamRules:
    """``life`` in images (``BATCH``: the whole batch); ``group`` parameters share a generator.

    Raises ValueError for a group that does not fit the kind or a negative life.
    """

    life: int = 1
    kind: Kind = "parameter"
    group: int = 1

    def __post_init__(self) -> None:
        if self.life < 0:
            raise ValueError(f"a life of {self.life} images: expected 1 or more, or 0 for a batch")
        if self.kind not in get_args(Kind):
            raise ValueError(f"sharing {self.kind!r}: expected one of {', '.join(get_args(Kind))}")
        if self.group < 1 or (self.kind in ("turns", "common")) != (self.group > 1):
            raise ValueError(
                f"{self.kind} with groups of {self.group}: expected 2 or more for turns and "
                "common, 1 for parameter and use"
            )

    @classmethod
    def parse(cls, life: str, sharing: str) -> StreamRules:
        """From the texts of the command line and of training.nc; raises ValueError."""
        if life in ("image", "batch"):
            images = 1 if life == "image" else BATCH
        elif re.fullmatch(r"[1-9]\d*", life):
            images = int(life)
        else:
            raise ValueError(f"stream life {life!r}: expected image, batch or a number of images")
        if sharing in ("parameter", "use"):
            return cls(images, "parameter" if sharing == "parameter" else "use")
        found = re.fullmatch(r"(turns|common):([2-9]|[1-9]\d+)", sharing)
        if not found:
            raise ValueError(
                f"SNG sharing {sharing!r}: expected parameter, use, turns:K or common:K (K >= 2)"
            )
        return cls(images, "turns" if found[1] == "turns" else "common", int(found[2]))

    @property
    def life_text(self) -> str:
        """image, batch or the number of images, as :meth:`parse` reads it."""
        return {1: "image", BATCH: "batch"}.get(self.life, str(self.life))

    @property
    def sharing_text(self) -> str:
        """parameter, use, turns:K or common:K, as :meth:`parse` reads it."""
        return f"{self.kind}:{self.group}" if self.group > 1 else self.kind

    def lives(self, images: int) -> np.ndarray:
        """Which life of its weights' streams each image of a batch meets (uint32)."""
        life = images if self.life == BATCH else self.life
        return (np.arange(images) // max(life, 1)).astype(np.uint32)

    def made_per_image(self, images: int) -> float:
        """Streams made for one stream that an image of a batch meets, mean over the batch."""
        return (int(self.lives(images)[-1]) + 1) / images

    def generators(self, parameters: int, uses: int = 1) -> int:
        """Generators for a tensor of ``parameters`` weights, each used ``uses`` times an image."""
        return math.ceil(self.streams(parameters, uses) / self.group)

    def streams(self, parameters: int, uses: int = 1) -> int:
        """Streams of these weights that one image meets in one product of the layer."""
        return parameters * (uses if self.kind == "use" else 1)

    def generator_of(self, parameters: int) -> np.ndarray:
        """The generator of each parameter (uint32), by its place in memory; not for ``use``."""
        return (np.arange(parameters) // self.group).astype(np.uint32)

    @property
    def refused_by_devices(self) -> str | None:
        """Why generators whose switching is the random event cannot follow the rules, or None."""
        if self.kind != "common":
            return None
        return (
            f"{self.sharing_text} lets parameters compare with one random number, as LFSR or Sobol "
            "generators can, but a device's switching is itself the random event; take "
            f"turns:{self.group} to share devices"
        )

    def turns(self, parameters: int) -> int:
        """Streams of a tensor's weights that take turns on one generator."""
        return min(self.group, parameters) if self.kind == "turns" else 1

    @property
    def correlated(self) -> bool:
        """Whether streams of different parameters depend on each other by construction."""
        return self.kind == "common"


DEFAULT_RULES = StreamRules()
