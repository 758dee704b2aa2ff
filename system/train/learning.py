"""One training run in one arithmetic: same initial weights, order and rates in each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from formats.seeds import generator, integer_seed
from system.arithmetic import Arithmetic, Devices, Generators
from system.bitstream import DEFAULT_RULES, StreamRules
from system.images import Images
from system.networks import LAYERS, LeNet5, linear_layers, products_of
from system.train.optimiser import optimiser

EVALUATION_BATCH = 250


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave: ``correct`` of the test images, the mean training loss, seconds."""

    number: int
    correct: int
    loss: float
    seconds: float


@dataclass(frozen=True)
class Learned:
    """The result of one run.

    ``bit_probabilities`` (layers, 3) are the means over the last epoch's steps of P(bit = 1) of
    activations, weights and errors; ones in floating point. ``right`` (test images,) says which
    ones the network got right after the last epoch, ``devices`` are its generators.
    """

    epochs: tuple[Epoch, ...]
    network: LeNet5
    bit_probabilities: np.ndarray
    right: np.ndarray
    devices: tuple[Devices, ...]

    @property
    def correct(self) -> int:
        """Test images right after the last epoch."""
        return self.epochs[-1].correct


def draw_layers(
    generators: Generators | None,
    seed: int,
    classes: int,
    rules: StreamRules = DEFAULT_RULES,
) -> tuple[Devices, ...]:
    """The frozen generators of every layer.

    One for each activation and each error; those of the weights by the ``rules``.
    """
    layers = []
    for name, linear in zip(LAYERS, linear_layers(classes), strict=True):
        if generators is None:
            layers.append(Devices(None, None, None))
            continue
        source = {role: generator(seed, "devices", name, role) for role in "xwd"}
        layers.append(
            Devices(
                generators.draw_devices(source["x"], linear.input_shape),
                generators.draw_weights(source["w"], linear.weight_shape, linear.uses, rules),
                generators.draw_devices(source["d"], linear.output_shape),
            )
        )
    return tuple(layers)


def learn(
    arithmetic: Arithmetic,
    generators: Generators | None,
    images: Images,
    *,
    rules: StreamRules = DEFAULT_RULES,
    seed: int,
    epochs: int,
    batch_size: int,
    on_step: Callable[[], None],
    on_epoch: Callable[[Epoch], None],
) -> Learned:
    """Train and test; the images left over from whole batches are other ones in each epoch.

    ``rules`` are those of the ``arithmetic``; here they say which weights share a device.
    """
    steps = images.train_labels.size // batch_size
    products = products_of(arithmetic, images.classes)
    devices = draw_layers(generators, seed, images.classes, rules)
    network = LeNet5.initial(generator(seed, "weights"), images.classes)
    update = optimiser(steps * epochs)
    state = update.init(network)
    streams = jax.random.key(integer_seed(seed, "streams"), impl="threefry2x32")
    train, labels = jnp.asarray(images.train), jnp.asarray(images.train_labels)

    def loss_of(
        network_and_probes: tuple[LeNet5, jax.Array],
        devices: Sequence[Devices],
        batch: jax.Array,
        targets: jax.Array,
        key: jax.Array,
    ) -> jax.Array:
        network, probes = network_and_probes
        logits = network(batch, products, devices, key, probes)
        return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, targets))

    def step(
        network: LeNet5,
        state: Any,
        devices: Sequence[Devices],
        train: jax.Array,
        labels: jax.Array,
        rows: jax.Array,
        number: jax.Array,
    ) -> tuple[LeNet5, Any, jax.Array, jax.Array]:
        probes = jnp.zeros((len(LAYERS), 3))
        key = jax.random.fold_in(streams, number)
        loss, (gradient, probabilities) = jax.value_and_grad(loss_of)(
            (network, probes), devices, train[rows], labels[rows], key
        )
        changes, state = update.update(gradient, state)
        return optax.apply_updates(network, changes), state, loss, probabilities

    step = compiled(step)
    answers = evaluator(products, images, seed)
    first = (network, state, devices, train, labels, jnp.arange(batch_size), jnp.asarray(0))
    jax.block_until_ready(step(*first))  # compiles; the result is not used
    done: list[Epoch] = []
    for epoch in range(epochs):
        start = time.perf_counter()
        order = generator(seed, "order", epoch).permutation(images.train_labels.size)
        losses, probabilities = [], []
        for index in range(steps):
            rows = jnp.asarray(order[index * batch_size : (index + 1) * batch_size])
            number = jnp.asarray(epoch * steps + index)
            network, state, loss, found = step(network, state, devices, train, labels, rows, number)
            losses.append(loss)
            probabilities.append(found)
            on_step()
        mean_loss = float(np.mean(jax.device_get(losses)))
        seconds = time.perf_counter() - start
        right = answers(network, devices, epoch)
        done.append(Epoch(epoch, int(right.sum()), mean_loss, seconds))
        on_epoch(done[-1])
    means = np.mean(np.asarray(jax.device_get(probabilities), float), axis=0)
    return Learned(tuple(done), network, means, right, devices)


def evaluator(
    products: Sequence[Any], images: Images, seed: int
) -> Callable[[LeNet5, Sequence[Devices], int], np.ndarray]:
    """A function that says which test images a network gets right, in the same arithmetic."""
    total = images.test_labels.size
    size = min(EVALUATION_BATCH, total)
    rows = np.arange(-(-total // size) * size).reshape(-1, size)
    streams = jax.random.key(integer_seed(seed, "test streams"), impl="threefry2x32")
    probes = jnp.zeros((len(LAYERS), 3))
    test, labels = jnp.asarray(images.test), jnp.asarray(images.test_labels)

    def right(
        network: LeNet5,
        devices: Sequence[Devices],
        batch: jax.Array,
        labels: jax.Array,
        number: Any,
    ) -> jax.Array:
        key = jax.random.fold_in(streams, number)
        logits = network(batch, products, devices, key, probes)
        return jnp.argmax(logits, axis=-1) == labels

    right = compiled(right)

    def answers(network: LeNet5, devices: Sequence[Devices], epoch: int) -> np.ndarray:
        found = []
        for index, batch in enumerate(rows):
            wrapped = batch % total  # the last batch is filled up with images that are not counted
            number = jnp.asarray(epoch * len(rows) + index)
            found.append(right(network, devices, test[wrapped], labels[wrapped], number))
        return np.concatenate(jax.device_get(found))[:total]

    return answers


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """jit. On CPU, XLA drops optimization barriers before it fuses; here they must stay."""
    if jax.default_backend() == "cpu":
        return jax.jit(
            function, compiler_options={"xla_disable_hlo_passes": "cse_barrier_expander"}
        )
    return jax.jit(function)
