"""The mapped network's products: currents of tiles, read noise, conversion, digital sums.

Rows are driven with voltages in proportion to the activations, so a tile's current is, in units of
the mean difference of the states times the voltage of an activation of 1,

    I_o = sum_i x_i W_io + s sqrt(sum_i x_i^2 S_io) eps

with the effective weights W and squares S of :class:`system.binarized.pairs.Mapped`, the read noise
s (each device's current has independent noise in proportion to it) and eps standard normal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from formats.seeds import integer_seed
from system.binarized.network import Binarized, Forward, Normalisation, Products, digital, product
from system.binarized.pairs import Chip, Mapped, Pairs, tiles
from system.binarized.representation import Representations
from system.networks import Layer, with_layers
from system.train.compilation import compiled

BATCH = 250
"""Images that are read at a time."""
Ranges = dict[str, jax.Array]
"""Largest currents (planes,) that a layer's converters take, by its name; a layer that is not in
here has ideal ones."""


class Digits(NamedTuple):
    """What stands in digital registers beside the devices: normalisations and biases of the layers,
    ranges of the converters."""

    norms: dict[str, Normalisation]
    biases: dict[str, jax.Array]
    ranges: Ranges

    @classmethod
    def of(cls, model: Binarized) -> Digits:
        """As they were trained, with ideal converters."""
        return cls(model.norms, {layer.name: layer.bias for layer in model.layers}, {})


def converted(current: jax.Array, largest: jax.Array, bits: int) -> jax.Array:
    """Currents at the nearest of 2^bits - 1 codes that lie evenly from -largest to largest.

    The gradient is that of the identity within the range.
    """
    codes = 2 ** (bits - 1) - 1
    held = jnp.clip(current, -largest, largest)
    step = largest / codes
    return held + jax.lax.stop_gradient(jnp.round(held / step) * step - held)


@dataclass
class OnChip:
    """Products of a chip (its ``Products``): layers that are not mapped stay digital.

    ``key`` draws the read noise. ``largest`` gets the largest absolute current of each layer's
    tiles, by plane.
    """

    layers: Mapping[str, Mapped]
    pairs: Pairs
    otherwise: Products
    ranges: Ranges
    key: jax.Array
    largest: dict[str, jax.Array] = field(default_factory=dict)

    def __call__(self, layer: Layer, x: jax.Array) -> jax.Array:
        mapped = self.layers.get(layer.name)
        if mapped is None:
            return self.otherwise(layer, x)
        own = jax.random.fold_in(self.key, len(self.largest))
        # Without converters the parts of an output may be added before they are made.
        whole = not self.pairs.adc_bits and not self.pairs.read_noise
        if whole:
            summed = jnp.einsum("p,pko->ko", mapped.scales, mapped.weights)
            self.largest[layer.name] = jnp.zeros(())
            return product(layer.linear, x, summed)
        taps = layer.linear.unfold(x)
        total, most = jnp.zeros(()), []
        for plane in range(mapped.scales.shape[0]):
            parts = []
            for number, rows in enumerate(tiles(taps.shape[1], self.pairs.tile_rows)):
                key = jax.random.fold_in(jax.random.fold_in(own, plane), number)
                parts.append(self._current(layer, taps[:, rows], mapped, plane, rows, key))
            most.append(jnp.max(jnp.abs(jnp.stack(parts))))
            total = total + mapped.scales[plane] * sum(
                self._converted(layer.name, plane, part) for part in parts
            )
        self.largest[layer.name] = jnp.stack(most)
        return total

    def _current(
        self, layer: Layer, taps: jax.Array, mapped: Mapped, plane: int, rows: slice, key: jax.Array
    ) -> jax.Array:
        made = layer.linear.forward(taps, mapped.weights[plane, rows])
        if not self.pairs.read_noise:
            return made
        variance = layer.linear.forward(jnp.square(taps), mapped.squares[plane, rows])
        noise = jax.random.normal(key, made.shape)
        return made + self.pairs.read_noise * jnp.sqrt(jnp.maximum(variance, 0.0)) * noise

    def _converted(self, name: str, plane: int, current: jax.Array) -> jax.Array:
        if self.pairs.adc_bits is None or name not in self.ranges:
            return current
        return converted(current, self.ranges[name][plane], self.pairs.adc_bits)


class Reader:
    """Reads chips; compiled once for all of one kind of network.

    Of ``pairs`` only what is no device counts here: read noise, converters, rows of a tile.
    """

    def __init__(self, representations: Representations, pairs: Pairs) -> None:
        self.representations, self.pairs = representations, pairs
        self._best = compiled(self._classes)

    def logits(
        self,
        chip: Chip,
        digits: Digits,
        images: jax.Array,
        key: jax.Array,
        by_batch: bool = False,
    ) -> tuple[jax.Array, Forward, OnChip]:
        """Of images (n, side, side), with the pass and the products that made them."""
        layers = chip.model.layers
        otherwise = digital(layers, self.representations)
        products = OnChip(chip.layers, self.pairs, otherwise, digits.ranges, key)
        forward = Forward(products, digits.norms, self.representations, by_batch)
        biased = [
            eqx.tree_at(lambda part: part.bias, layer, digits.biases[layer.name])
            for layer in layers
        ]
        network = with_layers(chip.model.network, biased)
        return network(images, forward), forward, products

    def right(
        self,
        chip: Chip,
        digits: Digits,
        images: np.ndarray,
        labels: np.ndarray,
        seed: int,
    ) -> np.ndarray:
        """Which of the images (n, side, side) a chip gets right; ``seed`` draws the read noise."""
        total, size = labels.size, min(BATCH, labels.size)
        key, found = noise_key(seed, "reads"), []
        for number, start in enumerate(range(0, total, size)):
            rows = np.arange(start, start + size) % total  # the last batch is filled up
            own = jax.random.fold_in(key, number)
            found.append(self._best(chip, digits, jnp.asarray(images[rows]), own))
        return np.asarray(np.concatenate(jax.device_get(found))[:total] == labels)

    def _classes(self, chip: Chip, digits: Digits, images: jax.Array, key: jax.Array) -> jax.Array:
        return jnp.argmax(self.logits(chip, digits, images, key)[0], axis=-1)


def noise_key(seed: int, purpose: str) -> Any:
    """The key of the read noise of a chip for a purpose."""
    return jax.random.key(integer_seed(seed, "read noise", purpose), impl="threefry2x32")
