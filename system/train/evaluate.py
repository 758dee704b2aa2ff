"""Which test images a network gets right, in any arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from formats.seeds import integer_seed
from system.arithmetic import Devices, Product, Scales
from system.images import Images
from system.networks import Products
from system.train.compilation import compiled

EVALUATION_BATCH = 250
Answers = Callable[[Any, Mapping[str, Devices], Mapping[str, Scales], int], np.ndarray]


class Evaluators:
    """The test images of one run of training, and :func:`evaluator`, compiled once for each kind.

    Kinds are told apart by the object ``products``, which must live as long as this.
    """

    def __init__(self, images: Images, seed: int) -> None:
        self.images, self.seed = images, seed
        self._known: dict[int, Answers] = {}

    def of(self, products: Mapping[str, Product]) -> Answers:
        """The evaluator of these products."""
        if id(products) not in self._known:
            self._known[id(products)] = evaluator(products, self.images, self.seed)
        return self._known[id(products)]


def evaluator(products: Mapping[str, Product], images: Images, seed: int) -> Answers:
    """A function of network, devices, scales and epoch: which test images are right.

    Each epoch has streams of its own.
    """
    total = images.test_labels.size
    size = min(EVALUATION_BATCH, total)
    rows = np.arange(-(-total // size) * size).reshape(-1, size)
    streams = jax.random.key(integer_seed(seed, "test streams"), impl="threefry2x32")
    test, labels = jnp.asarray(images.test), jnp.asarray(images.test_labels)

    def right(
        network: Any,
        devices: Mapping[str, Devices],
        scales: Mapping[str, Scales],
        batch: jax.Array,
        labels: jax.Array,
        number: Any,
    ) -> jax.Array:
        key = jax.random.fold_in(streams, number)
        probes = {name: product.probe(devices[name]) for name, product in products.items()}
        run = Products.of(products, devices, scales, probes, key, batch.shape[0])
        return jnp.argmax(network(batch, run), axis=-1) == labels

    right = compiled(right)

    def answers(
        network: Any, devices: Mapping[str, Devices], scales: Mapping[str, Scales], epoch: int
    ) -> np.ndarray:
        found = []
        for index, batch in enumerate(rows):
            wrapped = batch % total  # the last batch is filled up with images that are not counted
            number = jnp.asarray(epoch * len(rows) + index)
            images = test[wrapped], labels[wrapped]
            found.append(right(network, devices, scales, *images, number))
        return np.concatenate(jax.device_get(found))[:total]

    return answers
