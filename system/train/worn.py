"""What if a share of all SNGs had worn out: the trained network evaluated with stuck devices.

A worn device no longer switches: it stays in HRS, and its bit is always 0, or in LRS, and it is
always 1. Which of them is the case is not assumed: both are evaluated. Which devices are worn is
drawn by address (seed, layer, operand, place), each with the probability ``share``, so that a
larger share holds the devices of a smaller one; devices that work keep their deviations, and all
streams stay what they were. The network is not trained anew around them, and the devices are not
those that are used most.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from formats.errors import InputError
from formats.seeds import generator
from formats.training import STUCK
from system.arithmetic import Deviation, Devices
from system.bitstream import StreamRules
from system.networks import Layer
from system.train.score import Scored


@dataclass(frozen=True)
class Worn:
    """Images right of ``images`` with each of ``shares`` (the first is 0) stuck in each of
    ``STUCK``, (shares, states); ``source`` says how streams were computed."""

    shares: tuple[float, ...]
    correct: np.ndarray
    images: int
    source: str


def parse_worn(text: str) -> tuple[float, ...]:
    """Shares of ``SHARE,SHARE,...``; raises :class:`InputError`."""
    shares = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            share = float(part)
        except ValueError:
            share = math.nan
        if not 0 <= share <= 1:
            raise InputError(
                "--worn", f"{part!r}: expected shares of the SNGs from 0 to 1, as in 0.001,0.01"
            )
        shares.append(share)
    if len(set(shares)) < len(shares):
        raise InputError("--worn", f"is {text!r}; expected each share once")
    return tuple(shares)


def with_worn(
    devices: Mapping[str, Devices],
    share: float,
    in_lrs: bool,
    seed: int,
    layers: Sequence[Layer],
    rules: StreamRules,
) -> dict[str, Devices]:
    """The generators of every layer with a share of them stuck.

    Parameters that share a generator are stuck together.
    """
    found = {}
    for layer in layers:
        own = devices[layer.name]
        parts: dict[str, Deviation | None] = {}
        for role, part in own._asdict().items():
            if part is None:
                parts[role] = None
                continue
            random = generator(seed, "worn", layer.name, role)
            shape = part.ln_tau.shape
            if role == "w" and rules.group > 1:
                count = math.prod(shape)
                worn = random.random(rules.generators(count)) < share
                where = worn[rules.generator_of(count)].reshape(shape)
            else:
                where = random.random(shape) < share
            parts[role] = part.stuck(where, in_lrs)
        found[layer.name] = Devices(**parts)
    return found


def evaluated_with_worn(
    shares: Sequence[float],
    whole: Scored,
    score: Callable[[float, bool], Scored],
    source: str,
) -> Worn:
    """Scores at no share, those of ``whole``, and at each of ``shares`` in both states.

    ``score`` is told of the share and of whether devices are stuck in LRS.
    """
    others = sorted(share for share in shares if share > 0)
    rows = [[whole.correct] * len(STUCK)]
    rows += [[score(share, state == "lrs").correct for state in STUCK] for share in others]
    return Worn((0.0, *others), np.array(rows, float), whole.rows.size, source)


def variables(worn: Sequence[Worn]) -> dict[str, xr.Variable]:
    """The variables of training.nc; ``worn`` of each seed (none: no variables)."""
    if not worn:
        return {}
    first = worn[0]

    def variable(dimensions: tuple[str, ...], values: Any, units: str, text: str) -> xr.Variable:
        details = {"units": units, "source": first.source, "long_name": text}
        return xr.Variable(dimensions, np.asarray(values), details)

    return {
        "worn_share": variable(("worn",), first.shares, "1", "share of all SNGs that is stuck"),
        "worn_correct": variable(
            ("seed", "worn", "stuck"),
            np.stack([one.correct for one in worn]),
            "images",
            "test images that the last SC network gets right with stuck SNGs",
        ),
        "worn_images": variable((), first.images, "images", "test images of these evaluations"),
    }
