"""LeNet-5 on 28x28 characters: 61,706 parameters and 416,520 products per image for 10 classes.

After LeCun et al., Proc. IEEE 86, 2278 (1998), in its common modern form: full connection between
the convolutions, max pooling, rectified linear units that saturate, and a linear output. Pooling
and activation compare the counters' binary numbers; saturation is where a counter stops.
"""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from system.arithmetic import Arithmetic, Convolution, Dense, Devices, Linear, Product
from system.arithmetic.noise import random_words

LAYERS = ("conv1", "conv2", "fc1", "fc2", "fc3")
SIDE = 28
SATURATION = 2.0
"""Largest activation (assumed). A power of two, so that the streams of the next layer use their
whole range instead of leaving it to rare large values: bit probabilities stay well above 1/N."""


class Layer(eqx.Module):
    """Weights (taps, outputs) and biases (outputs) of one layer."""

    weight: jax.Array
    bias: jax.Array


class LeNet5(eqx.Module):
    """The parameters, in the order of ``LAYERS``."""

    layers: tuple[Layer, ...]

    @classmethod
    def initial(cls, generator: np.random.Generator, classes: int) -> LeNet5:
        """He's uniform weights (He et al., ICCV 2015) and zero biases."""
        layers = []
        for linear in linear_layers(classes):
            taps, outputs = linear.weight_shape
            bound = np.sqrt(6 / taps)
            weight = generator.uniform(-bound, bound, (taps, outputs)).astype(np.float32)
            layers.append(Layer(jnp.asarray(weight), jnp.zeros(outputs)))
        return cls(tuple(layers))

    def __call__(
        self,
        images: jax.Array,
        products: Sequence[Product],
        devices: Sequence[Devices],
        key: jax.Array,
        probes: jax.Array,
    ) -> jax.Array:
        """Logits (images, classes) of ``images`` (images, 28, 28) in [0, 1].

        ``probes`` (layers, 3) is zero; see :class:`system.arithmetic.products.Product`.
        """
        words = _random_words(products, images.shape[0], key)
        x = images[:, None]
        for index, layer in enumerate(self.layers):
            x = products[index](x, layer.weight, devices[index], words[index], probes[index])
            x = between(index, x, layer.bias)
        return x


def between(index: int, x: jax.Array, bias: jax.Array) -> jax.Array:
    """What follows the products of layer ``index``: bias, pooling, saturation, flattening."""
    x = _max_pool(x + bias[:, None, None]) if index < 2 else x + bias
    if index < len(LAYERS) - 1:
        x = jnp.clip(x, 0.0, SATURATION)
    return x.reshape(x.shape[0], -1) if index == 1 else x


def linear_layers(classes: int) -> tuple[Linear, ...]:
    """The five linear layers, in the order of ``LAYERS``."""
    return (
        Convolution(channels=1, size=SIDE, outputs=6, kernel=5, padding=2),
        Convolution(channels=6, size=14, outputs=16, kernel=5),
        Dense(400, 120),
        Dense(120, 84),
        Dense(84, classes),
    )


def products_of(arithmetic: Arithmetic, classes: int) -> tuple[Product, ...]:
    """The products of every layer; the images need no gradient."""
    return tuple(
        Product(arithmetic, linear, needs_input_gradient=index > 0)
        for index, linear in enumerate(linear_layers(classes))
    )


def parameter_count(classes: int) -> int:
    """Weights and biases."""
    shapes = [linear.weight_shape for linear in linear_layers(classes)]
    return sum(taps * outputs + outputs for taps, outputs in shapes)


def _random_words(
    products: Sequence[Product], images: int, key: jax.Array
) -> list[tuple[jax.Array, jax.Array]]:
    """The words of each layer, forward and backward, from one call for each direction."""
    directions = []
    counts = [product.words(images) for product in products]
    for part, sizes in zip(jax.random.split(key), zip(*counts, strict=True), strict=True):
        words = random_words(part, sum(sizes))
        ends = np.cumsum(sizes)
        directions.append([words[end - size : end] for end, size in zip(ends, sizes, strict=True)])
    return list(zip(*directions, strict=True))


def _max_pool(x: jax.Array) -> jax.Array:
    """2x2 maxima of channels-first images."""
    images, channels, rows, columns = x.shape
    return x.reshape(images, channels, rows // 2, 2, columns // 2, 2).max(axis=(3, 5))
