"""What programming pulses do to a crossbar, and the plain stochastic rule that sends them.

A pulse reaches a device with a probability proportional to the gradient: p = |request|, where the
request is the wanted change of the weight in steps of one pulse, at most 1. On a pair, a pulse
either moves the plus device in the request's direction or the minus device in the other one, each
with probability p / 2.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from devices.synapse import Branch, Synapse
from system.arithmetic.noise import Tape
from system.synapses.crossbars import Devices
from system.synapses.words import scrambled, uniform


class Pulsed(NamedTuple):
    """Devices of a crossbar after an update, pulses on each, and how many of them potentiated."""

    conductances: Devices
    writes: Devices
    potentiated: jax.Array


def by_gradient(
    synapse: Synapse,
    held: Devices,
    low: Devices,
    high: Devices,
    request: jax.Array,
    words: jax.Array,
) -> Pulsed:
    """At most one pulse on each weight; ``words`` is one random word for each."""
    chance, drawn = jnp.minimum(jnp.abs(request), 1.0), uniform(words)
    rising = request > 0
    hits: tuple[jax.Array, ...]
    directions: tuple[jax.Array, ...]
    if len(held) == 2:
        first = drawn < 0.5 * chance
        hits, directions = (first, (drawn < chance) & ~first), (rising, ~rising)
    else:
        hits, directions = (drawn < chance,), (rising,)
    normal = _normal(synapse, words)
    moved = [
        one_pulse(synapse.branches, *device, hit, up, normal)
        for device, hit, up in zip(zip(held, low, high, strict=True), hits, directions, strict=True)
    ]
    rises = [jnp.sum(hit & up) for hit, up in zip(hits, directions, strict=True)]
    potentiated = jnp.sum(jnp.stack(rises))
    return Pulsed(tuple(moved), tuple(hit.astype(jnp.int32) for hit in hits), potentiated)


def one_pulse(
    branches: tuple[Branch, Branch],
    held: jax.Array,
    low: jax.Array,
    high: jax.Array,
    hit: jax.Array,
    up: jax.Array,
    normal: jax.Array,
) -> jax.Array:
    """Conductances after a pulse on the devices ``hit``, potentiating where ``up``."""
    state, span = _relative(held, low, high)
    rising, falling = branches
    raised, lowered = rising.after(state, 1, normal), 1.0 - falling.after(1.0 - state, 1, normal)
    return jnp.where(hit, low + span * jnp.where(up, raised, lowered), held)


def many_pulses(
    branches: tuple[Branch, Branch],
    held: jax.Array,
    low: jax.Array,
    high: jax.Array,
    counts: tuple[jax.Array, jax.Array],
    normals: tuple[jax.Array, jax.Array],
) -> jax.Array:
    """Conductances after ``counts`` potentiating and then depressing pulses."""
    state, span = _relative(held, low, high)
    rising, falling = branches
    for branch, count, normal, flipped in zip(
        (rising, falling), counts, normals, (False, True), strict=True
    ):
        own = 1.0 - state if flipped else state
        moved = jnp.where(count > 0, branch.after(own, count, normal), own)
        state = 1.0 - moved if flipped else moved
    return jnp.where(counts[0] + counts[1] > 0, low + span * state, held)


def _relative(held: jax.Array, low: jax.Array, high: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Relative state and range; a stuck device, whose range is 0, counts as at its low end."""
    span = high - low
    return (held - low) / jnp.where(span > 0, span, 1.0), span


def _normal(synapse: Synapse, words: jax.Array) -> jax.Array:
    """Errors of the steps, from the words that decided on them; none are made for no error."""
    if not any(branch.sigma for branch in synapse.branches):
        return jnp.zeros((), jnp.float32)
    return Tape(scrambled(words).ravel()).normal(words.shape)


def recentred(
    synapse: Synapse, held: Devices, low: Devices, high: Devices, words: jax.Array
) -> Pulsed:
    """Pairs with a saturated device brought to the middle of their range, by pulses on both.

    Within half a step of an end a device counts as saturated. Both devices of the pair get the
    whole number of pulses next to the mean of their distances from the middle, in one direction, so
    that the weight stays but for the errors of the steps and their nonlinearity.
    """
    rising, falling = synapse.branches
    states = [_relative(*device)[0] for device in zip(held, low, high, strict=True)]
    edge = 0.5 / rising.pulses, 0.5 / falling.pulses
    saturated = [(s > 1 - edge[0]) | (s < edge[1]) for s in states]
    excess = (states[0] + states[1]) / 2 - 0.5
    chosen = saturated[0] | saturated[1]
    zero = jnp.zeros(excess.shape, jnp.float32)
    up = jnp.where(chosen & (excess < 0), jnp.round(-excess * rising.pulses), zero)
    down = jnp.where(chosen & (excess > 0), jnp.round(excess * falling.pulses), zero)
    moved = []
    for k, device in enumerate(zip(held, low, high, strict=True)):
        normal = Tape(scrambled(words ^ np.uint32(k + 1)).ravel()).normal(words.shape)
        moved.append(many_pulses(synapse.branches, *device, (up, down), (normal, normal)))
    writes = (up + down).astype(jnp.int32)
    return Pulsed(tuple(moved), (writes,) * len(held), (2 * jnp.sum(up)).astype(jnp.int32))
