"""Part 3, moment half: a training step by moments against the same step in floating point.

The step is that of ``system.train.learning``: forward, both gradients, update, moved scales and
what the devices are written. The moments' step is taken apart by building it up: the two matrix
products of each layer with the encoding into bit probabilities (each stream replaced by its
probability), then with the draws of the operands' counts and their random words, then with the
noise, each with a binary update; then with the update on streams too. All contenders alternate in
one run; a ratio is the median of those of the rounds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import jax.numpy as jnp
import numpy as np

from benchmarks.bitstream_sources import demo_generators
from benchmarks.common import measured_data
from benchmarks.lenet_training import LENGTH, Stepper, course_of, in_turns
from devices.presets import knag2014
from system.arithmetic import Float, Generators, SignMagnitudeCounter
from system.arithmetic.binomial import Counts
from system.arithmetic.noise import Tape
from system.arithmetic.operands import ReadOut
from system.bitstream import BATCH, DEFAULT_RULES, StreamRules
from system.images import Images, load_images
from system.train.allocation import keep_freed_memory

BATCHES = (32, 128)
ROUNDS = 15
ASKED, AIMED = 3.5, 2.5
MOMENTS = "moments, image"
"""The default: every weight's stream lasts for one image, and the update runs on streams."""
BUILT_UP = ("float", "products", "products and draws", "with noise", MOMENTS)


def run(rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure, print, and return the content of the result file."""
    keep_freed_memory()  # as the stage does
    generators = demo_generators(knag2014().set, ReadOut(reset=1.0, e01=0.0, e10=0.0))
    images = load_images(measured_data("mnist"), 5000, 1000)
    content: dict[str, Any] = {
        "shows": "a LeNet-5 training step by moments against one in floating point",
        "images": images.name,
        "stream_length": LENGTH,
        "rounds": rounds,
        "batches": {},
    }
    verdict = []
    for batch in BATCHES:
        rows = _rows(in_turns(_contenders(generators, images, batch), batch, rounds), batch)
        content["batches"][str(batch)] = rows
        _print(rows, batch)
        ratio = rows[MOMENTS]["over_float"]
        for limit, word in ((ASKED, "asked"), (AIMED, "aim")):
            verdict.append(
                {
                    "asked": f"step by moments, batch {batch}: <= {limit} x float ({word})",
                    "reached": ratio,
                    "met": bool(ratio <= limit),
                }
            )
    return {**content, "verdict": verdict}


def _contenders(generators: Generators, images: Images, batch: int) -> dict[str, Stepper]:
    """Compiled steps by name."""

    def step(streamed: bool, rules: StreamRules = DEFAULT_RULES) -> Stepper:
        kind = SignMagnitudeCounter(generators, LENGTH, rules)
        course = course_of(kind, generators, images, batch, streamed_update=streamed, rules=rules)
        return Stepper(course, images)

    steps = {"float": Stepper(course_of(Float(), None, images, batch), images)}
    with without_draws(), without_noise():
        steps["products"] = step(False)
    with without_noise():
        steps["products and draws"] = step(False)
    steps["with noise"] = step(False)
    steps[MOMENTS] = step(True)
    steps["moments, batch"] = step(True, StreamRules(BATCH))
    return steps


@contextmanager
def without_draws() -> Iterator[None]:
    """Every stream has its expected count; registers round down."""
    with (
        patch.object(Counts, "draw", lambda self, words, probability: probability),
        patch.object(Tape, "take", lambda self, shape: jnp.zeros(shape, jnp.uint32)),
    ):
        yield


@contextmanager
def without_noise() -> Iterator[None]:
    """The conditional variance is computed but multiplies zeros."""
    with patch.object(Tape, "normal", lambda self, shape: jnp.zeros(shape)):
        yield


def _rows(times: dict[str, np.ndarray], batch: int) -> dict[str, dict[str, float]]:
    """For each contender its milliseconds, images per second and times the float step."""
    rows = {
        name: {
            "ms": 1e3 * float(np.median(seconds)),
            "images_per_s": batch / float(np.median(seconds)),
            "over_float": float(np.median(seconds / times["float"])),
        }
        for name, seconds in times.items()
    }
    for before, name in itertools.pairwise(BUILT_UP):
        rows[name]["adds"] = rows[name]["over_float"] - rows[before]["over_float"]
    return rows


def _print(rows: dict[str, dict[str, float]], batch: int) -> None:
    print(f"training step, LeNet-5, batch {batch}, N = {LENGTH}")
    print(f"{'':22}{'ms':>9}{'images/s':>10}{'x float':>9}{'adds':>7}")
    for name, row in rows.items():
        added = f"{row['adds']:7.2f}" if "adds" in row else ""
        print(
            f"{name:22}{row['ms']:9.2f}{row['images_per_s']:10.0f}{row['over_float']:9.2f}{added}"
        )
