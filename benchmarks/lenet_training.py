"""LeNet-5 trainings as stage 3 runs them, for benchmarks that time their steps or use the network.

The course, the step, the compilation and the first scales are those of ``system.train.learning``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np

from formats.progress import steps
from formats.seeds import generator
from formats.training import PRODUCTS
from system.arithmetic import Arithmetic, Generators, Product
from system.bitstream import DEFAULT_RULES, StreamRules
from system.images import Images
from system.networks import LeNet5, layers_of
from system.train.compilation import compiled
from system.train.learning import (
    Course,
    Learned,
    draw_devices,
    learn,
    settled,
    training_step,
)
from system.train.plan import BINARY, Made, Plan, Setting
from system.train.scaling import Scaling
from system.train.update import Rule

SEED, LENGTH = 1, 256
RATE, REGISTER_BITS = 0.05, 16
"""The stage's defaults; the registers are those of weights and of the update's memory."""
ROUND_IMAGES = 512
"""Images each contender trains on in a round."""

_BINARY = Setting(BINARY, 0)


def course_of(
    kind: Arithmetic,
    generators: Generators | None,
    images: Images,
    batch: int,
    *,
    streamed_update: bool = True,
    epochs: int = 1,
    rules: StreamRules = DEFAULT_RULES,
) -> Course:
    """All products and, with ``streamed_update``, the update (SGD, momentum) in one arithmetic.

    Without ``generators`` that is floating point, which has neither streams nor registers;
    ``rules`` are those of the arithmetic, and say which weights share a device.
    """
    network = LeNet5.initial(generator(SEED, "weights"), images.side, images.classes)
    layers = layers_of(network)
    streamed = () if generators is None else PRODUCTS if streamed_update else PRODUCTS[:-1]
    settings = {
        (layer.name, product): Setting("streams", LENGTH) if product in streamed else _BINARY
        for layer in layers
        for product in PRODUCTS
    }
    made = Made(
        {layer.name: Product.of(kind, layer.linear, not layer.from_image) for layer in layers},
        {layer.name: kind if "update" in streamed else None for layer in layers},
    )
    bits = None if generators is None else REGISTER_BITS
    return Course(
        network,
        [Plan(settings)] * epochs,
        [made] * epochs,
        draw_devices(generators, SEED, layers, rules),
        Scaling.parse([], [layer.name for layer in layers]),
        Rule("momentum", RATE, images.train_labels.size // batch * epochs, batch, bits, bits),
        SEED,
        batch,
    )


def trained(course: Course, images: Images, label: str) -> Learned:
    """The whole course, with a line of progress."""
    total = images.train_labels.size // course.batch_size * len(course.made)
    with steps(label, total) as step:
        return learn(course, images, on_step=lambda: step(""), on_epoch=lambda epoch: None)


class Stepper:
    """The course's step on one batch after the other, from settled scales; compiled at once."""

    def __init__(self, course: Course, images: Images) -> None:
        self.course = course
        self.made = compiled(training_step(course, course.made[0]), donate=(0,))
        self.data = jnp.asarray(images.train), jnp.asarray(images.train_labels)
        self.order = generator(course.seed, "order", 0).permutation(images.train_labels.size)
        self.done = 0
        self.state = jax.tree.map(jnp.array, settled(course, self.made, *self.data))
        self(2)

    def __call__(self, count: int) -> float:
        """Make so many steps; the seconds of one."""
        size = self.course.batch_size
        start = time.perf_counter()
        for _ in range(count):
            first = self.done * size % (self.order.size - size + 1)
            rows, number = jnp.asarray(self.order[first : first + size]), jnp.asarray(self.done)
            self.state, loss = self.made(self.state, self.course.devices, *self.data, rows, number)
            self.done += 1
        jax.block_until_ready(loss)
        return (time.perf_counter() - start) / count

    @property
    def exponents(self) -> np.ndarray:
        """Of the scales now."""
        return np.asarray(self.state.exponents)


def in_turns(
    steppers: Mapping[str, Stepper], batch: int, rounds: int, images: int = ROUND_IMAGES
) -> dict[str, np.ndarray]:
    """Seconds of a step (rounds,) of contenders that take turns."""
    found: dict[str, list[float]] = {name: [] for name in steppers}
    for _ in range(rounds):
        for name, step in steppers.items():
            found[name].append(step(max(2, images // batch)))
    return {name: np.array(seconds) for name, seconds in found.items()}
