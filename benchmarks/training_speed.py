"""Speed of training LeNet-5 by moments against floating point, and bit by bit.

The trainings are those of ``system.train.learning``, on the devices of the cells.nc given, in turns
of some hundred images: floating point, moments with the update in the binary unit, moments with
everything on streams. A ratio is the median of those of the rounds. Where the time of the last
goes is found by leaving parts out, one at a time; parts share memory traffic and loops, so what
they save need not add up. Then a few steps bit by bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.bitstream_training_step import without_draws, without_noise
from benchmarks.lenet_training import LENGTH, Stepper, course_of, in_turns
from benchmarks.training_grid import Work
from formats.cells import read_cells
from system.arithmetic import Float, Generators, SignMagnitudeCounter, products
from system.arithmetic.exact import BitExact
from system.images import Images, load_images
from system.networks import Layer, layer
from system.train import learning
from system.train.allocation import keep_freed_memory
from system.train.update import Memory, Updated

BATCHES = (32, 128)
ROUNDS, EXACT_ROUNDS = 15, 3
ASKED, AIMED = 3.5, 2.5
EPOCH = 60_000
BINARY, STREAMS = "moments, binary update", "moments, update on streams"


def run(work: Work, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure, print, and return the content of the result file."""
    keep_freed_memory()  # as the stage does
    generators = Generators.from_cells(read_cells(work.cells))
    images = load_images(work.images, 5000, 1000)
    content: dict[str, Any] = {
        "shows": "training of LeNet-5 by moments against floating point: images per second of the "
        "training loop, and what parts of a step take",
        "images": images.name,
        "stream_length": LENGTH,
        "rounds": rounds,
        "batches": {},
    }
    verdict = []
    for batch in BATCHES:
        rows = _measured(_contenders(generators, images, batch), batch, rounds)
        left_out = _measured(_without(generators, images, batch), batch, rounds, STREAMS)
        exact = _measured(_exact(generators, images, batch), batch, EXACT_ROUNDS, None)
        content["batches"][str(batch)] = {"steps": rows, "left_out": left_out, "exact": exact}
        _print(batch, rows, left_out, exact)
        for name in (BINARY, STREAMS):
            ratio = rows[name]["ratio"]
            verdict += [
                {
                    "asked": f"{name}, batch {batch}: float <= {limit} x as fast ({word})",
                    "reached": round(ratio, 3),
                    "met": bool(ratio <= limit),
                }
                for limit, word in ((ASKED, "asked"), (AIMED, "aim"))
            ]
    return {**content, "verdict": verdict}


def _contenders(generators: Generators, images: Images, batch: int) -> dict[str, Stepper]:
    kind = SignMagnitudeCounter(generators, LENGTH)
    return {
        "float": Stepper(course_of(Float(), None, images, batch), images),
        BINARY: Stepper(course_of(kind, generators, images, batch, streamed_update=False), images),
        STREAMS: Stepper(course_of(kind, generators, images, batch), images),
    }


def _without(generators: Generators, images: Images, batch: int) -> dict[str, Stepper]:
    """Steps with all on streams, whole and with a part left out."""
    kind = SignMagnitudeCounter(generators, LENGTH)
    course = course_of(kind, generators, images, batch)
    whole = Stepper(course, images)
    fixed = replace(course.scaling, fixed=whole.exponents.astype(float))
    found = {STREAMS: whole, "scale counters": Stepper(replace(course, scaling=fixed), images)}
    for name, part in PARTS.items():
        with part():
            found[name] = Stepper(course, images)
    return found


def _exact(generators: Generators, images: Images, batch: int) -> dict[str, Stepper]:
    exact = BitExact(SignMagnitudeCounter(generators, LENGTH))
    return {"exact": Stepper(course_of(exact, generators, images, batch), images)}


@contextmanager
def _without_words() -> Iterator[None]:
    """Words that count up instead of random ones."""
    with ExitStack() as stack:
        for module in (layer, learning):
            stack.enter_context(patch.object(module, "random_words", _counted))
        yield


def _counted(key: jax.Array, count: int) -> jax.Array:
    return jax.lax.optimization_barrier(jax.lax.iota(jnp.uint32, count) * np.uint32(0x9E3779B9))


@contextmanager
def _without_levels() -> Iterator[None]:
    """No sums of P(bit = 1) over images."""
    with patch.object(products, "_level", lambda encoded, name, shape: jnp.zeros(shape)):
        yield


@contextmanager
def _without_update() -> Iterator[None]:
    """The parameters stay."""

    def stayed(
        rule: Any, arithmetic: Any, own: Layer, memory: Memory, gradient: Any, *_: Any
    ) -> Updated:
        # The gradients must still be made.
        held = jax.tree.map(jnp.add, (memory.weight, memory.bias), gradient)
        none = jnp.zeros(4)
        return Updated(own, Memory(*held), none, none, jnp.zeros(own.parameters), jnp.zeros(2))

    with patch.object(learning, "updated", stayed):
        yield


PARTS: Mapping[str, Callable[[], Any]] = {
    "random words": _without_words,
    "draws and words": without_draws,
    "noise": without_noise,
    "sums of P": _without_levels,
    "update": _without_update,
}


def _measured(
    steppers: Mapping[str, Stepper], batch: int, rounds: int, base: str | None = "float"
) -> dict[str, dict[str, float]]:
    """By contender: images/s, hours of an epoch of MNIST, and time over that of ``base``."""
    times = in_turns(steppers, batch, rounds, 2 * batch if base is None else 512)
    return {
        name: {
            "images_per_s": batch / float(np.median(seconds)),
            "minutes_per_epoch": EPOCH / batch * float(np.median(seconds)) / 60,
            "ratio": float(np.median(seconds / times[name if base is None else base])),
        }
        for name, seconds in times.items()
    }


def _print(
    batch: int,
    rows: Mapping[str, Mapping[str, float]],
    left_out: Mapping[str, Mapping[str, float]],
    exact: Mapping[str, Mapping[str, float]],
) -> None:
    print(f"LeNet-5, batch {batch}, N = {LENGTH}")
    print(f"{'':28}{'images/s':>10}{'min/epoch':>11}{'x float':>9}")
    for name, row in {**rows, **exact}.items():
        ratio = rows["float"]["images_per_s"] / row["images_per_s"]
        shown = row["ratio"] if name in rows else ratio
        print(f"{name:28}{row['images_per_s']:10.0f}{row['minutes_per_epoch']:11.2f}{shown:9.2f}")
    saved = {name: 1 - row["ratio"] for name, row in left_out.items() if name != STREAMS}
    print(
        "of the step by moments, left out: "
        + ", ".join(f"{name} {share:.0%}" for name, share in saved.items())
    )
