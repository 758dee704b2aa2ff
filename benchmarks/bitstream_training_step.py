"""Part 3, moment half: a training step by moments against the same step in floating point.

A step is what ``system.train.learning`` does with one batch: forward, both gradients, clipping and
momentum update of LeNet-5. The moments' step is taken apart by building it up: the two matrix
products of each layer with the encoding into bit probabilities (each stream replaced by its
probability), then with the draws of the operands' counts and their random words, then with the
noise. All contenders alternate in one run; a ratio is the median of those of the rounds.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.bitstream_sources import demo_generators
from benchmarks.common import measured_data
from devices.presets import knag2014
from formats.seeds import generator
from system.arithmetic import Arithmetic, Devices, Float, Generators, SignMagnitudeCounter
from system.arithmetic.binomial import Counts
from system.arithmetic.noise import Tape
from system.arithmetic.operands import ReadOut
from system.bitstream import BATCH, DEFAULT_RULES, StreamRules
from system.images import Images, load_images
from system.networks import LAYERS, LeNet5, products_of
from system.train.allocation import keep_freed_memory
from system.train.learning import compiled, draw_layers
from system.train.optimiser import optimiser

LENGTH, SEED = 256, 1
BATCHES = (32, 128)
ROUNDS = 15
ROUND_IMAGES = 512
"""Images each contender trains on in a round."""
ASKED, AIMED = 3.5, 2.5
MOMENTS = "moments, image"
"""The default: every weight's stream lasts for one image."""

_Step = Callable[[int], float]


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
        times = _measured(_contenders(generators, images, batch), batch, rounds)
        rows = _rows(times, batch)
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


def _contenders(generators: Generators, images: Images, batch: int) -> dict[str, _Step]:
    """Compiled steps by name."""

    def step(rules: StreamRules = DEFAULT_RULES) -> _Step:
        kind = SignMagnitudeCounter(generators, LENGTH, rules)
        return _step(kind, draw_layers(generators, SEED, images.classes, rules), images, batch)

    none = tuple(Devices(None, None, None) for _ in LAYERS)
    steps = {"float": _step(Float(), none, images, batch)}
    with _without_draws(), _without_noise():
        steps["products"] = step()
    with _without_noise():
        steps["products and draws"] = step()
    steps[MOMENTS] = step()
    steps["moments, batch"] = step(StreamRules(BATCH))
    return steps


@contextmanager
def _without_draws() -> Iterator[None]:
    """Every stream has its expected count."""
    with (
        patch.object(Counts, "draw", lambda self, words, probability: probability),
        patch.object(Tape, "take", lambda self, shape: jnp.zeros(shape, jnp.uint32)),
    ):
        yield


@contextmanager
def _without_noise() -> Iterator[None]:
    """The conditional variance is computed but multiplies zeros."""
    with patch.object(Tape, "normal", lambda self, shape: jnp.zeros(shape)):
        yield


def _step(kind: Arithmetic, devices: tuple[Devices, ...], images: Images, batch: int) -> _Step:
    """A function that makes so many steps and returns the seconds of one."""
    products = products_of(kind, images.classes)
    network = LeNet5.initial(generator(SEED, "weights"), images.classes)
    update = optimiser(1000)
    key = jax.random.key(SEED, impl="threefry2x32")
    train, labels = jnp.asarray(images.train), jnp.asarray(images.train_labels)

    def loss_of(held: Any, devices: Any, rows: jax.Array, number: jax.Array) -> jax.Array:
        network, probes = held
        drawn = jax.random.fold_in(key, number)
        logits = network(train[rows], products, devices, drawn, probes)
        found = optax.softmax_cross_entropy_with_integer_labels(logits, labels[rows])
        return jnp.mean(found)

    def step(
        network: LeNet5, state: Any, devices: Any, rows: jax.Array, number: jax.Array
    ) -> tuple[LeNet5, Any, jax.Array, jax.Array]:
        loss, (gradient, probabilities) = jax.value_and_grad(loss_of)(
            (network, jnp.zeros((len(LAYERS), 3))), devices, rows, number
        )
        changes, state = update.update(gradient, state)
        return optax.apply_updates(network, changes), state, loss, probabilities

    made = compiled(step)
    order = np.random.default_rng(SEED).permutation(images.train_labels.size)
    held: list[Any] = [network, update.init(network), 0]

    def make(steps: int) -> float:
        start = time.perf_counter()
        for _ in range(steps):
            first = held[2] * batch % (order.size - batch)
            rows, number = jnp.asarray(order[first : first + batch]), jnp.asarray(held[2])
            held[0], held[1], loss, _ = made(held[0], held[1], devices, rows, number)
            held[2] += 1
        jax.block_until_ready(loss)
        return (time.perf_counter() - start) / steps

    make(2)  # traces and compiles while what is left out is left out
    return make


def _measured(steps: dict[str, _Step], batch: int, rounds: int) -> dict[str, np.ndarray]:
    """Seconds of a step (rounds,)."""
    found: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            found[name].append(step(max(2, ROUND_IMAGES // batch)))
    return {name: np.array(seconds) for name, seconds in found.items()}


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
    parts = ("float", "products", "products and draws", MOMENTS)
    for before, name in itertools.pairwise(parts):
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
