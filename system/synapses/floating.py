"""The yardstick: the same network, first weights and order of images in floating point."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from system.images import Images
from system.synapses.learning import mean_loss, order
from system.train.compilation import compiled

MOMENTUM = 0.9
RATE = 0.02
"""First rate of the SGD with momentum, as system.train has it (the best of 0.02, 0.04, 0.05 and 0.1
with batches of 32 images, on images held out of the training set); a cosine brings it to 0."""
BATCH = 32


class Descent(NamedTuple):
    """Network and momentum."""

    network: Any
    memory: Any

    @classmethod
    def of(cls, network: Any) -> Descent:
        """Before the first step; the arrays are copies."""
        return cls(jax.tree.map(jnp.array, network), jax.tree.map(jnp.zeros_like, network))


class FloatTrainer:
    """Training by SGD with momentum, epoch by epoch; ``seconds`` is the time of the last one."""

    def __init__(
        self,
        images: Images,
        epochs: int,
        seed: int,
        batch_size: int = BATCH,
        rate: float = RATE,
    ) -> None:
        self.images, self.labels = jnp.asarray(images.train), jnp.asarray(images.train_labels)
        self.seed, self.batch_size, self.seconds = seed, batch_size, 0.0

        def epoch(
            state: Descent, images: jax.Array, labels: jax.Array, rows: jax.Array, number: jax.Array
        ) -> tuple[Descent, jax.Array]:
            steps = rows.shape[0]

            def body(state: Descent, scanned: Any) -> tuple[Descent, jax.Array]:
                batch, index = scanned
                done = (number * steps + index) / (steps * epochs)
                now = rate * 0.5 * (1 + jnp.cos(jnp.pi * done))
                loss, slope = jax.value_and_grad(mean_loss)(
                    state.network, images[batch], labels[batch]
                )
                memory = jax.tree.map(lambda m, g: MOMENTUM * m + g, state.memory, slope)
                network = jax.tree.map(lambda w, m: w - now * m, state.network, memory)
                return Descent(network, memory), loss

            state, losses = jax.lax.scan(body, state, (rows, jnp.arange(steps)))
            return state, jnp.mean(losses)

        self._epoch = compiled(epoch, donate=(0,))

    def epoch(self, number: int, state: Descent) -> tuple[Descent, float]:
        """After epoch ``number``; what is given is not usable afterwards."""
        rows = jnp.asarray(order(self.seed, number, self.labels.size, self.batch_size))
        start = time.perf_counter()
        state, loss = self._epoch(state, self.images, self.labels, rows, jnp.asarray(number))
        mean = float(loss)
        jax.block_until_ready(state)
        self.seconds = time.perf_counter() - start
        return state, mean
