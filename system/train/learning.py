"""One training run: the loop over epochs and steps, the same for every arithmetic."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from formats.seeds import generator, integer_seed
from system.arithmetic import Arithmetic, Deviation, Devices, Generators, Scales, Seen
from system.arithmetic.noise import Tape, random_words
from system.bitstream import DEFAULT_RULES, StreamRules
from system.images import Images
from system.images.subsets import spread
from system.networks import Layer, Products, layers_of, with_layers
from system.train.compilation import compiled
from system.train.evaluate import Evaluators
from system.train.plan import Made, Plan
from system.train.scaling import Scaling, scale_of
from system.train.update import CONSTANTS, Memory, Rule, Updated, fresh, updated, words_of
from system.train.wear import Bits, Levels, no_bits, with_epoch

SETTLING = 64
"""Most batches that move the scales, and nothing else, before a training."""


class Epoch(NamedTuple):
    """What one epoch gave: ``correct`` of the test images, the mean training loss, seconds."""

    number: int
    correct: int
    loss: float
    seconds: float


class State(NamedTuple):
    """What a step changes. ``exponents`` (layers, 6) int32 are those of the scales."""

    network: Any
    memory: tuple[Memory, ...]
    exponents: jax.Array
    levels: tuple[Levels, ...]


class Kept(NamedTuple):
    """A run after some epochs, as a checkpoint holds it.

    ``epochs`` (epochs, 4) are the rows of :class:`Epoch`, NaN from the next one on, ``bits`` the
    bits of each layer's generators so far, ``right`` (test images,) says which images the network
    got right last.
    """

    state: State
    epochs: np.ndarray
    bits: tuple[Bits, ...]
    right: np.ndarray

    @property
    def done(self) -> int:
        """Whole epochs."""
        return int(np.sum(~np.isnan(self.epochs[:, 0])))


@dataclass(frozen=True)
class Learned:
    """The result of one run.

    ``levels`` are those of the last epoch, ``bits`` those of all, ``right`` (test images,) says
    which the network got right after the last epoch, ``devices`` are its generators.
    """

    epochs: tuple[Epoch, ...]
    network: Any
    exponents: np.ndarray
    levels: tuple[Levels, ...]
    bits: tuple[Bits, ...]
    right: np.ndarray
    devices: Mapping[str, Devices]

    @property
    def correct(self) -> int:
        """Test images right after the last epoch."""
        return self.epochs[-1].correct


def draw_devices(
    generators: Generators | None,
    seed: int,
    layers: Sequence[Layer],
    rules: StreamRules = DEFAULT_RULES,
    trimmed: Callable[..., Deviation] = lambda own, *name: own,
) -> dict[str, Devices]:
    """The frozen generators of every layer.

    One for each activation, error, bias and constant; those of the weights by the ``rules``.
    ``trimmed`` calibrates those of a layer and an operand, whose names it is told.
    """
    found = {}
    for layer in layers:
        linear = layer.linear
        if generators is None:
            found[layer.name] = Devices(None, None, None)
            continue
        names = ("x", "w", "d", "bias", "constants")
        source = {role: generator(seed, "devices", layer.name, role) for role in names}
        shapes = {
            "x": linear.input_shape,
            "d": linear.output_shape,
            "bias": layer.bias.shape,
            "constants": (max(CONSTANTS.values()),),
        }
        own = {
            role: trimmed(generators.draw_devices(source[role], shape), layer.name, role)
            for role, shape in shapes.items()
        }
        own["w"] = generators.draw_weights(
            source["w"],
            linear.weight_shape,
            linear.uses,
            rules,
            partial(_named, trimmed, layer.name),
        )
        found[layer.name] = Devices(**own)
    return found


def _named(trimmed: Callable[..., Deviation], layer: str, own: Deviation) -> Deviation:
    return trimmed(own, layer, "w")


def scales_of(exponents: jax.Array | np.ndarray, layers: Sequence[Layer]) -> dict[str, Scales]:
    """The scales of the operands of each layer's products."""
    return {
        layer.name: Scales(*scale_of(row[:3]))
        for layer, row in zip(layers, jnp.asarray(exponents), strict=True)
    }


@dataclass(frozen=True)
class Course:
    """What is to be learned, and how.

    ``plans`` and ``made`` give the settings and the arithmetics of each epoch (one object is
    compiled once), ``devices`` the generators, ``network`` the first parameters.
    """

    network: Any
    plans: Sequence[Plan]
    made: Sequence[Made]
    devices: Mapping[str, Devices]
    scaling: Scaling
    rule: Rule
    seed: int
    batch_size: int


def learn(
    course: Course,
    images: Images,
    *,
    on_step: Callable[[], None],
    on_epoch: Callable[[Epoch], None],
    tests: Evaluators | None = None,
    resume: Callable[[Kept], Kept | None] = lambda like: None,
    keep: Callable[[Kept], None] = lambda kept: None,
) -> Learned:
    """Train and test; the images left over from whole batches are other ones in each epoch.

    ``keep`` is given the run after each epoch, ``resume`` a run of the same structure and asked for
    the one to go on from, if any. ``tests`` may be shared with other runs on the same images.
    """
    seed, size = course.seed, course.batch_size
    count = images.train_labels.size
    steps = count // size
    train, labels = jnp.asarray(images.train), jnp.asarray(images.train_labels)
    compiled_steps: dict[int, Any] = {}
    tests = tests or Evaluators(images, seed)

    def step_of(made: Made) -> Any:
        if id(made) not in compiled_steps:
            compiled_steps[id(made)] = compiled(training_step(course, made), donate=(0,))
        return compiled_steps[id(made)], tests.of(made.products)

    kept = _fresh(course, images.test_labels.size)
    found = resume(kept)
    if found is not None:
        kept = found
    else:
        step, _ = step_of(course.made[0])
        kept = kept._replace(state=settled(course, step, train, labels))
    for epoch in range(kept.done, len(course.made)):
        step, answers = step_of(course.made[epoch])
        state = jax.tree.map(jnp.array, kept.state)
        state = state._replace(levels=jax.tree.map(jnp.zeros_like, state.levels))
        order = generator(seed, "order", epoch).permutation(count)
        losses = []
        start = time.perf_counter()
        for index in range(steps):
            rows = jnp.asarray(order[index * size : (index + 1) * size])
            number = jnp.asarray(epoch * steps + index)
            state, loss = step(state, course.devices, train, labels, rows, number)
            losses.append(loss)
            on_step()
        mean_loss = float(np.mean(jax.device_get(losses)))
        seconds = time.perf_counter() - start
        layers = layers_of(state.network)
        scales = scales_of(state.exponents, layers)
        right = answers(state.network, course.devices, scales, epoch)
        state = jax.device_get(state)
        row = Epoch(epoch, int(right.sum()), mean_loss, seconds)
        epochs = kept.epochs.copy()
        epochs[epoch] = row
        constants = CONSTANTS[course.rule.name]
        bits = with_epoch(
            kept.bits, state.levels, course.plans[epoch], layers, steps, size, constants
        )
        kept = Kept(state, epochs, bits, right)
        on_epoch(row)
        keep(kept)
    finished = tuple(
        Epoch(int(row[0]), int(row[1]), float(row[2]), float(row[3])) for row in kept.epochs
    )
    state = kept.state
    return Learned(
        finished,
        jax.tree.map(jnp.asarray, state.network),
        np.asarray(state.exponents),
        state.levels,
        kept.bits,
        kept.right,
        course.devices,
    )


def training_step(course: Course, made: Made) -> Callable[..., tuple[State, jax.Array]]:
    """One step: (state, devices, images, labels, rows, number) to the next state and the loss."""
    streams = jax.random.key(integer_seed(course.seed, "streams"), impl="threefry2x32")

    def step(
        state: State,
        devices: Mapping[str, Devices],
        train: jax.Array,
        labels: jax.Array,
        rows: jax.Array,
        number: jax.Array,
    ) -> tuple[State, jax.Array]:
        layers = layers_of(state.network)
        scales = scales_of(state.exponents, layers)
        probes = {name: made.products[name].probe(devices[name]) for name in made.products}
        ahead, behind = jax.random.split(jax.random.fold_in(streams, number))

        def loss_of(network: Any, probes: Any) -> jax.Array:
            run = Products.of(made.products, devices, scales, probes, ahead, rows.size)
            logits = network(train[rows], run)
            loss = optax.softmax_cross_entropy_with_integer_labels(logits, labels[rows])
            return jnp.sum(loss)

        loss, (slope, seen) = jax.value_and_grad(loss_of, argnums=(0, 1))(state.network, probes)
        words = _words(course.rule, made.updates, layers, behind)
        found = [
            updated(
                course.rule,
                made.updates[layer.name],
                layer,
                memory,
                (gradient.weight, gradient.bias),
                scale_of(exponents[jnp.asarray((1, 3, 4, 5))]),
                devices[layer.name],
                number,
                Tape(tape),
            )
            for layer, memory, gradient, exponents, tape in zip(
                layers, state.memory, layers_of(slope), state.exponents, words, strict=True
            )
        ]
        over, above = (
            jnp.stack(
                [
                    _row_of(getattr(seen[layer.name], part), getattr(new, part))
                    for layer, new in zip(layers, found, strict=True)
                ]
            )
            for part in ("over", "above")
        )
        levels = tuple(
            jax.tree.map(jnp.add, sums, _levels(seen[layer.name], new))
            for layer, sums, new in zip(layers, state.levels, found, strict=True)
        )
        network = with_layers(state.network, [new.layer for new in found])
        exponents = course.scaling.moved(state.exponents, over, above)
        memory = tuple(new.memory for new in found)
        return State(network, memory, exponents, levels), loss / rows.size

    return step


def _levels(seen: Seen, new: Updated) -> Levels:
    x, w, d = seen.levels
    return Levels(x, w, d, new.levels, new.constants, seen.second)


def _row_of(seen: jax.Array, new: jax.Array) -> jax.Array:
    """Shares in the order of ``SCALED``: x and d from the products, the rest from the update."""
    return jnp.stack([seen[0], new[0], seen[2], new[1], new[2], new[3]])


def _words(
    rule: Rule, updates: Mapping[str, Arithmetic | None], layers: Sequence[Layer], key: jax.Array
) -> list[jax.Array]:
    """The random words of each layer's update, from one call."""
    sizes = [words_of(rule, updates[layer.name], layer.parameters) for layer in layers]
    words, ends = random_words(key, max(1, sum(sizes))), np.cumsum(sizes)
    return [words[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def _first(course: Course) -> State:
    """The state before the first step, with scales of 1."""
    layers = layers_of(course.network)
    constants = jnp.zeros(max(1, CONSTANTS[course.rule.name]))
    levels = []
    for layer in layers:
        probe = course.made[0].products[layer.name].probe(course.devices[layer.name])
        x, w, d = probe.levels
        levels.append(Levels(x, w, d, jnp.zeros(layer.parameters), constants, probe.second))
    memory = tuple(fresh(layer, course.rule) for layer in layers)
    return State(course.network, memory, course.scaling.start(), tuple(levels))


def _fresh(course: Course, tested: int) -> Kept:
    """Nothing done yet."""
    state = jax.device_get(_first(course))
    epochs = np.full((len(course.made), len(Epoch._fields)), np.nan)
    return Kept(state, epochs, tuple(map(no_bits, state.levels)), np.zeros(tested, bool))


def settled(course: Course, step: Any, train: jax.Array, labels: jax.Array) -> State:
    """The first state: one batch comes until the counters move no scale; nothing else stays."""
    state = jax.device_get(_first(course))
    rows = jnp.asarray(spread(labels.size, course.batch_size))
    for _ in range(SETTLING):
        # A copy, as the step gives its first argument's memory away.
        given = jax.tree.map(jnp.array, state)
        after = step(given, course.devices, train, labels, rows, jnp.asarray(0))[0]
        exponents = jax.device_get(after.exponents)
        if np.array_equal(exponents, state.exponents):
            break
        state = state._replace(exponents=exponents)
    return state


def observed(course: Course, images: Images, exponents: np.ndarray) -> tuple[Levels, ...]:
    """Levels of a network that does not learn, as of one epoch, from one batch."""
    state = _first(course)._replace(exponents=jnp.asarray(exponents))
    step = compiled(training_step(course, course.made[-1]))
    train, labels = jnp.asarray(images.train), jnp.asarray(images.train_labels)
    rows = jnp.asarray(spread(labels.size, course.batch_size))
    after = step(state, course.devices, train, labels, rows, jnp.asarray(0))[0]
    steps = images.train_labels.size // course.batch_size
    return jax.tree.map(lambda part: np.asarray(part) * steps, after.levels)
