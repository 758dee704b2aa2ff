"""Training offline: latent weights by Adam through the straight-through estimator.

Variation-aware training makes every batch on a chip of its own, drawn anew (``Injection``): the
network then learns weights and normalisations that any chip of the kind can take up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from formats.seeds import generator, integer_seed
from system.binarized.injection import Injection, injected
from system.binarized.network import Binarized, Forward, Normalisation, digital
from system.binarized.representation import Representation, Representations
from system.images import Images
from system.networks import with_layers
from system.train.compilation import compiled

MOMENTUM = 0.9
"""Share of the running mean and variance that stays at each batch (assumed)."""
PIECES = 10
"""Scans that an epoch is made of, after each of which progress is told."""


@dataclass(frozen=True)
class Course:
    """What is to be learned, and how; ``injection`` None trains the digital network.

    ``rate`` falls to 0 along a half cosine.
    """

    representations: Representations
    injection: Injection | None = None
    epochs: int = 8
    batch_size: int = 100
    rate: float = 3e-3
    seed: int = 1


class Epoch(NamedTuple):
    """Mean training loss of an epoch and its seconds, compiling included in the first one's."""

    number: int
    loss: float
    seconds: float


class State(NamedTuple):
    """What a step changes."""

    model: Binarized
    memory: Any
    number: jax.Array


def learn(
    network: Any,
    images: Images,
    course: Course,
    on_piece: Callable[[int], None] = lambda images: None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
) -> tuple[Binarized, list[Epoch]]:
    """Train a fresh ``network`` (of system.networks).

    An epoch takes whole batches in a seeded order of its own; ``on_piece`` is told the images done.
    Raises ValueError where a batch is larger than the training set.
    """
    size, count = course.batch_size, images.train_labels.size
    steps = count // size
    if not steps:
        raise ValueError(f"a batch of {size} images is larger than the {count} to train with")
    rule = optax.adam(optax.cosine_decay_schedule(course.rate, steps * course.epochs))
    model = Binarized.of(network)
    state = State(model, rule.init(trained_of(model)), jnp.zeros((), jnp.int32))
    piece = compiled(partial(batches, course, rule), donate=(0,))
    data = jnp.asarray(images.train), jnp.asarray(images.train_labels)
    epochs = []
    for number in range(course.epochs):
        order = generator(course.seed, "order", number).permutation(count)[: steps * size]
        start, losses = time.perf_counter(), []
        for part in pieces(steps):
            rows = order.reshape(steps, size)[part]
            state, loss = piece(state, *data, jnp.asarray(rows))
            losses.append(np.asarray(loss))
            on_piece(rows.size)
        loss_of_all = float(np.concatenate(losses).mean())
        epochs.append(Epoch(number, loss_of_all, time.perf_counter() - start))
        on_epoch(epochs[-1])
    return state.model, epochs


def pieces(steps: int) -> list[slice]:
    """An epoch's steps in equal parts, and one more with what is left: few lengths are compiled."""
    length = max(1, steps // PIECES)
    return [slice(start, start + length) for start in range(0, steps, length)]


def batches(
    course: Course,
    rule: Any,
    state: State,
    train: jax.Array,
    labels: jax.Array,
    rows: jax.Array,
) -> tuple[State, jax.Array]:
    """Some batches (batches, size) in one scan; the losses too."""
    return jax.lax.scan(
        lambda carried, batch: step(course, rule, carried, train[batch], labels[batch]), state, rows
    )


def step(
    course: Course, rule: Any, state: State, images: jax.Array, labels: jax.Array
) -> tuple[State, jax.Array]:
    """One batch."""
    model, chosen = state.model, course.representations

    def loss_of(trained: Any) -> tuple[jax.Array, Any]:
        now = _with_trained(model, trained)
        products = digital(now.layers, chosen)
        if course.injection is not None:
            key = jax.random.key(integer_seed(course.seed, "injection"), impl="threefry2x32")
            key = jax.random.fold_in(key, state.number)
            products = injected(now.layers, chosen, course.injection, key)
        run = Forward(products, now.norms, chosen, by_batch=True)
        logits = now.network(images, run)
        loss = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
        return loss, run.seen

    trained = trained_of(model)
    (loss, seen), slope = jax.value_and_grad(loss_of, has_aux=True)(trained)
    move, memory = rule.update(slope, state.memory, trained)
    model = _with_trained(model, optax.apply_updates(trained, move))
    return State(clipped(observed(model, seen, MOMENTUM), chosen), memory, state.number + 1), loss


def clipped(model: Binarized, representations: Representations) -> Binarized:
    """Latent weights of few levels held in [-1, 1]."""
    layers = model.layers
    kinds: list[Representation] = [
        representations.weights_of(index, len(layers)) for index in range(len(layers))
    ]
    held = [
        layer
        if kind.is_float
        else eqx.tree_at(lambda part: part.weight, layer, jnp.clip(layer.weight, -1.0, 1.0))
        for layer, kind in zip(layers, kinds, strict=True)
    ]
    return Binarized(with_layers(model.network, held), model.norms)


def observed(
    model: Binarized, seen: dict[str, tuple[jax.Array, jax.Array]], stays: float
) -> Binarized:
    """With means and variances moved towards those of a batch; a share ``stays``."""
    norms = {
        name: Normalisation(
            norm.gain,
            stays * norm.mean + (1 - stays) * seen[name][0],
            stays * norm.variance + (1 - stays) * seen[name][1],
        )
        for name, norm in model.norms.items()
    }
    return Binarized(model.network, norms)


def trained_of(model: Binarized) -> tuple[Any, dict[str, jax.Array]]:
    """What the gradient moves: weights and biases, gains."""
    return model.network, {name: norm.gain for name, norm in model.norms.items()}


def _with_trained(model: Binarized, trained: tuple[Any, dict[str, jax.Array]]) -> Binarized:
    network, gains = trained
    norms = {
        name: Normalisation(gains[name], norm.mean, norm.variance)
        for name, norm in model.norms.items()
    }
    return Binarized(network, norms)
