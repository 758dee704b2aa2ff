"""Trained networks evaluated in other arithmetics than their own, image by image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from formats.seeds import seed_sequence
from formats.training import SCALED
from system.arithmetic import Devices, Float, Operand, Product, Scales
from system.arithmetic.noise import Tape
from system.images import Images
from system.images.subsets import spread, stratified
from system.networks import Layer, layers_of
from system.networks.exact import ExactProducts, layer_keys
from system.train.evaluate import EVALUATION_BATCH
from system.train.scaling import LOWEST, Scaling

CALIBRATION_IMAGES = 1000
"""Training images from which the scales of a network trained in floating point are set, and the
thresholds of an inference in stages."""


@dataclass(frozen=True)
class Scored:
    """Whether each of the test images ``rows`` is right."""

    rows: np.ndarray
    right: np.ndarray

    @property
    def correct(self) -> int:
        """How many are."""
        return int(self.right.sum())


def exact_rows(labels: np.ndarray, count: int) -> np.ndarray:
    """The test images scored bit by bit: all, or ``count`` of them, stratified by class."""
    if count >= labels.size:
        return np.arange(labels.size)
    return stratified(labels, count, "exact subset")


def score_exact(
    products: Mapping[str, Product],
    network: Any,
    devices: Mapping[str, Devices],
    scales: Mapping[str, Scales],
    images: Images,
    rows: np.ndarray,
    *,
    seed: int,
    on_batch: Callable[[int], None],
) -> Scored:
    """Score a network bit by bit, by the exact arithmetics of ``products``, on some test images.

    They are the images ``rows``.

    ``on_batch`` is told of so many more images done.
    """
    key = seed_sequence(seed, "exact test streams").generate_state(2)
    kinds = {name: product.forward for name, product in products.items()}
    names = tuple(layer.name for layer in layers_of(network))
    right = np.zeros(rows.size, bool)
    for batch, first in enumerate(range(0, rows.size, EVALUATION_BATCH)):
        part = rows[first : first + EVALUATION_BATCH]
        run = ExactProducts(kinds, devices, scales, layer_keys(key, names, batch))
        logits = np.asarray(network(jnp.asarray(images.test[part]), run))
        right[first : first + part.size] = logits.argmax(axis=-1) == images.test_labels[part]
        on_batch(part.size)
    return Scored(rows, right)


def mapped_exponents(network: Any, images: Images, scaling: Scaling) -> np.ndarray:
    """Exponents (layers, operands) of a network trained in floating point.

    Those of activations and weights are the least at which no more than the tolerated share
    overflows, on training images; the others, of which inference knows nothing, are where they
    start.
    """
    layers = layers_of(network)
    rows = spread(images.train_labels.size, CALIBRATION_IMAGES)
    seen = _Watch({})
    network(jnp.asarray(images.train[rows]), seen)
    found = np.array(scaling.start())
    for row, layer in enumerate(layers):
        for operand, values in (("x", seen.inputs[layer.name]), ("w", np.asarray(layer.weight))):
            column = SCALED.index(operand)
            if np.isnan(scaling.fixed[row, column]):
                found[row, column] = _least(values, float(scaling.overflow[row, column]))
    return found


def _least(values: np.ndarray, overflow: float) -> int:
    """The least exponent beyond whose power of two lies no more than a share of the values."""
    sizes = np.sort(np.abs(values).ravel())
    beyond = int(overflow * sizes.size)
    largest = float(sizes[sizes.size - 1 - beyond])
    return LOWEST if largest <= 0 else max(LOWEST, int(np.ceil(np.log2(largest))))


@dataclass(frozen=True)
class _Watch:
    """Floating point that remembers what comes into each layer."""

    inputs: dict[str, np.ndarray]

    def __call__(self, layer: Layer, x: Any) -> Any:
        self.inputs[layer.name] = np.asarray(x)
        one = jnp.ones(())
        tape = Tape(jnp.zeros(0, jnp.uint32))
        return Float().forward(
            layer.linear, Operand(x, one, one), Operand(layer.weight, one, one), tape
        )


def differences(first: Scored, right: np.ndarray) -> tuple[int, int]:
    """How many of the scored images only the first gets right, and only ``right`` (all images)."""
    other = right[first.rows]
    return int(np.sum(first.right & ~other)), int(np.sum(~first.right & other))
