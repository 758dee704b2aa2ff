"""The outer-product update: pulses where two bit streams coincide.

For each image, every input of a crossbar sends a stream of bits with P(1) = min(1, c_x |x|), every
output one with P(1) = min(1, c_d |d|), d being the error; a device is pulsed at each clock at which
both are 1, so that the mean number of pulses is bits c_x c_d |x d|, the outer product of
back-propagation (Gokmen and Vlasov, Front. Neurosci. 10, 333 (2016), recalled). The product c_x c_d
follows from the rate; its split makes the largest probabilities of both sides equal, as in the
update management of Gokmen, Onen and Haensch, Front. Neurosci. 11, 538 (2017), recalled. Streams
are shared along rows and columns, hence so are their fluctuations, and they saturate at P = 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp

from devices.synapse import Synapse
from system.arithmetic import Linear
from system.arithmetic.noise import Tape
from system.networks import Layer
from system.synapses.crossbars import Devices
from system.synapses.pulses import Pulsed, many_pulses
from system.synapses.words import paired_words, scrambled, uniform

_TINY = 1e-20


class Factors(NamedTuple):
    """Inputs and errors of a layer, as its products take them."""

    taps: jax.Array
    errors: jax.Array


class Requested(NamedTuple):
    """Pulses on each weight, raising and lowering it."""

    up: jax.Array
    down: jax.Array


class Watched:
    """A batch in floating point that remembers its taps; ``probes`` make errors gradients."""

    def __init__(self, probes: Mapping[str, jax.Array]) -> None:
        self.probes = probes
        self.taps: dict[str, jax.Array] = {}

    def __call__(self, layer: Layer, x: jax.Array) -> jax.Array:
        taps = layer.linear.unfold(x)
        self.taps[layer.name] = taps
        return layer.linear.forward(taps, layer.weight) + self.probes[layer.name]


def coincidences(
    linear: Linear, factors: Factors, amount: jax.Array, bits: int, key: jax.Array
) -> Requested:
    """Pulses whose mean is ``amount`` |x d| summed over the images, where no stream saturates."""
    x, d = factors
    largest = [jnp.max(jnp.abs(values)) + _TINY for values in (x, d)]
    product = amount / bits
    gain_x = jnp.sqrt(product * largest[1] / largest[0])
    of_x, of_d = jax.random.split(key)
    sent = _sent(x, gain_x, bits, of_x)
    met = _sent(d, product / gain_x, bits, of_d)
    falling = linear.weight_gradient(sent, met)
    all_ = linear.weight_gradient(jnp.abs(sent), jnp.abs(met))
    return Requested(jnp.round((all_ - falling) / 2), jnp.round((all_ + falling) / 2))


def _sent(values: jax.Array, gain: jax.Array, bits: int, key: jax.Array) -> jax.Array:
    """Streams with their signs, -1, 0 or 1; clocks and images on the first axis."""
    words = paired_words(key, bits * values.size).reshape(bits, *values.shape)
    signs = jnp.sign(values) * (uniform(words) < jnp.abs(values) * gain)
    return signs.reshape(-1, *values.shape[1:])


def by_coincidence(
    synapse: Synapse,
    held: Devices,
    low: Devices,
    high: Devices,
    requested: Requested,
    turn: jax.Array,
    words: jax.Array,
) -> Pulsed:
    """The batch's pulses on a crossbar: raising ones first (assumed), both on the same devices.

    A pair's plus devices take those of even batches, its minus devices, in the other direction,
    those of odd ones: ``turn`` is 0 or 1.
    """
    moved, writes, potentiated = [], [], []
    for number, device in enumerate(zip(held, low, high, strict=True)):
        mine = (turn == number) | (len(held) == 1)
        up, down = requested if number == 0 else requested[::-1]
        counts = jnp.where(mine, up, 0.0), jnp.where(mine, down, 0.0)
        normals = [
            Tape(scrambled(words + 2 * number + k).ravel()).normal(words.shape) for k in (0, 1)
        ]
        moved.append(many_pulses(synapse.branches, *device, counts, (normals[0], normals[1])))
        writes.append((counts[0] + counts[1]).astype(jnp.int32))
        potentiated.append(jnp.sum(counts[0]).astype(jnp.int32))
    return Pulsed(tuple(moved), tuple(writes), jnp.sum(jnp.stack(potentiated)))
