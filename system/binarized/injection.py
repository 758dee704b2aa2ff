"""Variation injected in training: each batch meets a chip that is drawn for it.

A weight +-1 in a pair becomes, in units of the mean difference of the two states,

    differential: w (G_on - G_off)/unit,    a weight 0: (G_off - G'_off)/unit;
    reference:    (2 G_w - G_ref,on - G_ref,off)/unit, the references shared by a row's outputs,

with conductances drawn from the log-normals of :class:`devices.binary_states.BinaryStates`. The
gradient of the weights passes the error straight through.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp

from devices.binary_states import BinaryStates
from system.binarized.network import Products, product
from system.binarized.representation import Representations
from system.networks import Layer


@dataclass(frozen=True)
class Injection:
    """The states drawn from; mapping and copies as of :class:`system.binarized.pairs.Pairs`."""

    states: BinaryStates
    differential: bool = True
    copies: int = 1
    first_copies: int = 1

    def of_layer(self, index: int) -> Injection:
        """With ``copies`` those of the layer of this index."""
        return self if index else replace(self, copies=self.first_copies)


def injected(
    layers: tuple[Layer, ...],
    representations: Representations,
    injection: Injection,
    key: jax.Array,
) -> Products:
    """Products with a chip drawn by ``key``; floating-point weights stay as they are."""
    parts = {
        layer.name: (
            representations.weights_of(index, len(layers)),
            injection.of_layer(index),
            part,
        )
        for index, (layer, part) in enumerate(
            zip(layers, jax.random.split(key, len(layers)), strict=True)
        )
    }

    def made(layer: Layer, x: jax.Array) -> jax.Array:
        kind, own, part = parts[layer.name]
        weights = kind.weights(layer.weight)
        if kind.is_float:
            return product(layer.linear, x, weights)
        scales, planes = kind.planes(jax.lax.stop_gradient(weights))
        keys = jax.random.split(part, len(planes))
        drawn = sum(
            scale * drawn_weights(plane, own, key)
            for scale, plane, key in zip(scales, planes, keys, strict=True)
        )
        error = jax.lax.stop_gradient(drawn - weights)
        return product(layer.linear, x, weights + error)

    return made


def drawn_weights(plane: jax.Array, injection: Injection, key: jax.Array) -> jax.Array:
    """What weights -1, 0, 1 (taps, outputs) conduct in pairs drawn by ``key``, in units."""
    states, copies = injection.states, injection.copies
    taps = plane.shape[0]
    if injection.differential:
        normal = jax.random.normal(key, (2, copies, *plane.shape))
        plus = states.conductances(plane > 0, normal[0], jnp)
        minus = states.conductances(plane < 0, normal[1], jnp)
        return jnp.mean(plus - minus, axis=0) / states.unit
    own, shared = jax.random.split(key)
    normal = jax.random.normal(shared, (2, copies, taps, 1))
    on = states.conductances(True, normal[0], jnp)
    off = states.conductances(False, normal[1], jnp)
    cell = states.conductances(plane > 0, jax.random.normal(own, (copies, *plane.shape)), jnp)
    return jnp.mean(2 * cell - on - off, axis=0) / states.unit
