"""The epochs: each one compiled loop over its batches, whose state is the conductances alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from devices.synapse import Synapse
from formats.seeds import generator, integer_seed
from system.arithmetic import Float, Operand
from system.arithmetic.noise import Tape
from system.images import Images
from system.networks import Layer, layers_of
from system.synapses.coincidence import Factors, Watched, by_coincidence, coincidences
from system.synapses.crossbars import (
    PAIR,
    Conductances,
    Crossbar,
    Devices,
    Ends,
    network_of,
    step_of,
    values_of,
)
from system.synapses.pulses import Pulsed, by_gradient, recentred
from system.synapses.words import paired_words
from system.train.compilation import compiled

LAST_RATE = 0.05
"""Rate at the end over the first, on half a period of a cosine (tuned on held-out images)."""
GRADIENT, COINCIDENCE = "gradient", "coincidence"


@dataclass(frozen=True)
class Course:
    """What one training does; ``rate`` is the first step along the mean gradient of a batch.

    ``rule`` is "gradient" or "coincidence", the latter with streams of ``bits``. ``recentre``
    brings saturated pairs back to the middle after each epoch.
    """

    synapse: Synapse
    crossbars: tuple[Crossbar, ...]
    template: Any
    rule: str
    rate: float
    epochs: int
    batch_size: int
    bits: int
    recentre: bool
    seed: int


class Writes(NamedTuple):
    """Pulses on each device, and potentiating ones on each crossbar: records, not read again."""

    each: Conductances
    potentiated: tuple[jax.Array, ...]


def no_writes(conductances: Conductances) -> Writes:
    """All zero."""
    each = jax.tree.map(lambda held: jnp.zeros(held.shape, jnp.int32), conductances)
    return Writes(each, tuple(jnp.zeros((), jnp.int32) for _ in conductances))


def exactly(layer: Layer, x: jax.Array) -> jax.Array:
    """The products of a layer in floating point."""
    one, tape = jnp.ones(()), Tape(jnp.zeros(0, jnp.uint32))
    return Float().forward(
        layer.linear, Operand(x, one, one), Operand(layer.weight, one, one), tape
    )


def mean_loss(network: Any, images: jax.Array, labels: jax.Array) -> jax.Array:
    """Softmax cross-entropy, mean over a batch."""
    logits = network(images, exactly)
    return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, labels))


def rates(course: Course, first: jax.Array, steps: int) -> jax.Array:
    """Rate of step ``first`` of the whole training, of ``steps`` in each epoch."""
    done = first / (steps * course.epochs)
    return course.rate * (LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + jnp.cos(jnp.pi * done)))


Epoch = Callable[..., tuple[Conductances, Writes, jax.Array]]


def pulsed_epoch(course: Course) -> Epoch:
    """(conductances, writes, ends, images, labels, rows (steps, batch), number) to the same after.

    Also the mean loss. ``number`` is that of the epoch; all randomness follows from it and the
    seed.
    """
    key = jax.random.key(integer_seed(course.seed, "synapses", "pulses"), impl="threefry2x32")
    step = _gradient_step if course.rule == GRADIENT else _coincidence_step

    def epoch(
        conductances: Conductances,
        writes: Writes,
        ends: Ends,
        images: jax.Array,
        labels: jax.Array,
        rows: jax.Array,
        number: jax.Array,
    ) -> tuple[Conductances, Writes, jax.Array]:
        steps = rows.shape[0]

        def body(carry: Any, scanned: Any) -> tuple[Any, jax.Array]:
            held, spent = carry
            batch, index = scanned
            first = number * steps + index
            made, loss = step(
                course,
                held,
                ends,
                (images[batch], labels[batch]),
                (rates(course, first, steps), first, jax.random.fold_in(key, first)),
            )
            return (tuple(one.conductances for one in made), counted(spent, made)), loss

        (conductances, writes), losses = jax.lax.scan(
            body, (conductances, writes), (rows, jnp.arange(steps))
        )
        return conductances, writes, jnp.mean(losses)

    return compiled(epoch, donate=(0, 1))


def counted(spent: Writes, made: Sequence[Pulsed]) -> Writes:
    """The record with one more update."""
    each = jax.tree.map(jnp.add, spent.each, tuple(one.writes for one in made))
    pairs = zip(spent.potentiated, made, strict=True)
    return Writes(each, tuple(before + one.potentiated for before, one in pairs))


Batch = tuple[jax.Array, jax.Array]
Moment = tuple[jax.Array, jax.Array, jax.Array]
"""Rate, number of the step, key."""


def _gradient_step(
    course: Course, held: Conductances, ends: Ends, batch: Batch, moment: Moment
) -> tuple[list[Pulsed], jax.Array]:
    rate, _, key = moment
    network = network_of(course.template, course.crossbars, course.synapse, held)
    loss, slope = jax.value_and_grad(mean_loss)(network, *batch)
    made = []
    for crossbar, devices, words, gradient in zip(
        course.crossbars, _with_ends(held, ends), _words(course, key), values_of(slope), strict=True
    ):
        request = gradient * (-rate / step_of(crossbar, course.synapse))
        made.append(by_gradient(course.synapse, *devices, request, words))
    return made, loss


def _coincidence_step(
    course: Course, held: Conductances, ends: Ends, batch: Batch, moment: Moment
) -> tuple[list[Pulsed], jax.Array]:
    rate, first, key = moment
    factors, loss = outer_factors(course, held, batch)
    layers = {layer.name: layer for layer in layers_of(course.template)}
    made = []
    parts = zip(course.crossbars, _with_ends(held, ends), _words(course, key), strict=True)
    for number, (crossbar, devices, words) in enumerate(parts):
        own = factors[crossbar.layer]
        if crossbar.part == "bias":
            own = own._replace(taps=jnp.ones_like(own.taps[:, :1]))
        amount = rate / batch[1].size / step_of(crossbar, course.synapse)
        linear = layers[crossbar.layer].linear
        requested = coincidences(
            linear, own, amount, course.bits, jax.random.fold_in(key, number + 1)
        )
        requested = jax.tree.map(lambda part, like=words: part.reshape(like.shape), requested)
        made.append(by_coincidence(course.synapse, *devices, requested, first % 2, words))
    return made, loss


def outer_factors(
    course: Course, held: Conductances, batch: Batch
) -> tuple[dict[str, Factors], jax.Array]:
    """Taps of each layer and errors of each image (not divided by their number); the mean loss."""
    network = network_of(course.template, course.crossbars, course.synapse, held)
    images, labels = batch
    probes = {
        layer.name: jnp.zeros((labels.size, *layer.linear.output_shape))
        for layer in layers_of(network)
    }

    def total(probes: dict[str, jax.Array]) -> tuple[jax.Array, dict[str, jax.Array]]:
        run = Watched(probes)
        logits = network(images, run)
        loss = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
        return jnp.sum(loss), run.taps

    (loss, taps), errors = jax.value_and_grad(total, has_aux=True)(probes)
    return {name: Factors(taps[name], errors[name]) for name in probes}, loss / labels.size


def _with_ends(held: Conductances, ends: Ends) -> zip[tuple[Devices, Devices, Devices]]:
    return zip(held, ends.low, ends.high, strict=True)


def _words(course: Course, key: jax.Array) -> list[jax.Array]:
    """A random word for each weight, from one call."""
    sizes = [int(np.prod(crossbar.shape)) for crossbar in course.crossbars]
    words, last = paired_words(key, sum(sizes)), np.cumsum(sizes)
    return [
        words[end - size : end].reshape(crossbar.shape)
        for crossbar, size, end in zip(course.crossbars, sizes, last, strict=True)
    ]


def recentring(course: Course) -> Callable[..., tuple[Conductances, Writes]]:
    """(conductances, writes, ends, number) to the same after bringing saturated pairs back."""
    key = jax.random.key(integer_seed(course.seed, "synapses", "recentre"), impl="threefry2x32")

    def back(
        held: Conductances, writes: Writes, ends: Ends, number: jax.Array
    ) -> tuple[Conductances, Writes]:
        made = [
            recentred(course.synapse, *devices, words)
            for devices, words in zip(
                _with_ends(held, ends), _words(course, jax.random.fold_in(key, number)), strict=True
            )
        ]
        return tuple(one.conductances for one in made), counted(writes, made)

    return compiled(back, donate=(0, 1))


def order(seed: int, epoch: int, count: int, batch_size: int) -> np.ndarray:
    """Rows (steps, batch) of an epoch; what is left over differs from epoch to epoch."""
    steps = count // batch_size
    rows = generator(seed, "order", epoch).permutation(count)[: steps * batch_size]
    return rows.reshape(steps, batch_size).astype(np.int32)


class Trainer:
    """One training on synapses, epoch by epoch; ``seconds`` is the time of the last one."""

    def __init__(self, course: Course, ends: Ends, images: Images) -> None:
        self.course, self.ends = course, ends
        self.images, self.labels = jnp.asarray(images.train), jnp.asarray(images.train_labels)
        self._epoch = pulsed_epoch(course)
        pair = course.crossbars[0].cells == PAIR
        self._back = recentring(course) if course.recentre and pair else None
        self.seconds = 0.0

    def epoch(
        self, number: int, conductances: Conductances, writes: Writes
    ) -> tuple[Conductances, Writes, float]:
        """After epoch ``number``; what is given is not usable afterwards."""
        course = self.course
        rows = order(course.seed, number, self.labels.size, course.batch_size)
        start = time.perf_counter()
        conductances, writes, loss = self._epoch(
            conductances,
            writes,
            self.ends,
            self.images,
            self.labels,
            jnp.asarray(rows),
            jnp.asarray(number),
        )
        if self._back is not None and number + 1 < course.epochs:
            conductances, writes = self._back(conductances, writes, self.ends, jnp.asarray(number))
        mean = float(loss)
        jax.block_until_ready(conductances)
        self.seconds = time.perf_counter() - start
        return conductances, writes, mean
