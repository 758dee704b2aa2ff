"""A network of ours with batch normalisation behind every layer's products, in few levels or many.

The networks are those of system.networks, called with a run of their own: it rounds weights and
activations, makes the products, and normalises them,

    y = gain (x w - mean)/sqrt(variance + EPSILON),

to which the layer adds its bias (Ioffe, Szegedy, ICML 2015: the bias is their beta).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from system.arithmetic import Linear
from system.binarized.representation import Representations
from system.networks import Layer, layers_of, with_layers
from system.networks.between import SATURATION

EPSILON = 1e-5
HIDDEN_BIAS = 0.5
"""First bias of layers whose outputs saturate at 0 and 2 (assumed): pooling moves maxima up, so the
middle of the range is met with less than 1."""

Products = Callable[[Layer, jax.Array], jax.Array]
"""Products of a layer with activations that are rounded already."""


class Normalisation(eqx.Module):
    """Of one layer's outputs: ``gain``, ``mean`` and ``variance``, (outputs,) each."""

    gain: jax.Array
    mean: jax.Array
    variance: jax.Array


class Binarized(eqx.Module):
    """A network with the normalisation of each layer, by name."""

    network: Any
    norms: dict[str, Normalisation]

    @classmethod
    def of(cls, network: Any) -> Binarized:
        """With fresh normalisation and first biases."""
        layers = layers_of(network)
        first = [
            jnp.full_like(layer.bias, 0.0 if layer is layers[-1] else HIDDEN_BIAS)
            for layer in layers
        ]
        biased = [
            eqx.tree_at(lambda part: part.bias, layer, bias)
            for layer, bias in zip(layers, first, strict=True)
        ]
        norms = {
            layer.name: Normalisation(*(jnp.ones_like(layer.bias) * n for n in (1.0, 0.0, 1.0)))
            for layer in layers
        }
        return cls(with_layers(network, biased), norms)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of the network."""
        return layers_of(self.network)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def product(linear: Linear, x: jax.Array, w: jax.Array) -> jax.Array:
    """Outputs of a linear layer, with the gradients of :class:`Linear` (fast on a CPU)."""
    return linear.forward(linear.unfold(x), w)


def _ahead(linear: Linear, x: jax.Array, w: jax.Array) -> tuple[jax.Array, Any]:
    taps = linear.unfold(x)
    return linear.forward(taps, w), (taps, w)


def _behind(linear: Linear, kept: Any, d: jax.Array) -> tuple[jax.Array, jax.Array]:
    taps, w = kept
    return linear.input_gradient(d, w), linear.weight_gradient(taps, d)


product.defvjp(_ahead, _behind)


def digital(layers: tuple[Layer, ...], representations: Representations) -> Products:
    """Products with the rounded weights themselves."""
    kinds = {
        layer.name: representations.weights_of(index, len(layers))
        for index, layer in enumerate(layers)
    }

    def made(layer: Layer, x: jax.Array) -> jax.Array:
        return product(layer.linear, x, kinds[layer.name].weights(layer.weight))

    return made


@dataclass
class Forward:
    """A batch through a network (its ``Run``).

    ``by_batch``: normalised with the batch's own mean and variance, which ``seen`` then holds by
    layer; otherwise with those of ``norms``.
    """

    products: Products
    norms: Mapping[str, Normalisation]
    representations: Representations
    by_batch: bool = False
    seen: dict[str, tuple[jax.Array, jax.Array]] = field(default_factory=dict)

    def __call__(self, layer: Layer, x: jax.Array) -> jax.Array:
        r = self.representations
        if layer.from_image:
            x = r.image.activations(x, 1.0)
        else:
            x = r.activation.activations(x, SATURATION)
        y = self.products(layer, x)
        norm = self.norms[layer.name]
        mean, variance = norm.mean, norm.variance
        if self.by_batch:
            axes = (0, *range(2, y.ndim))
            mean = jnp.mean(y, axis=axes)
            variance = jnp.mean(jnp.square(y - _outputs(mean, y)), axis=axes)
            self.seen[layer.name] = mean, variance
        scale = norm.gain / jnp.sqrt(variance + EPSILON)
        return (y - _outputs(mean, y)) * _outputs(scale, y)


def _outputs(values: jax.Array, like: jax.Array) -> jax.Array:
    """Numbers of the outputs, along the second axis."""
    return values.reshape(-1, *(1,) * (like.ndim - 2))
