"""What a chip is given after it was made: digital numbers that fit its own devices.

*Ranges*: a converter's range is the largest current of its layer on calibration images (assumed).
*Calibration*: means and variances of every layer are those that the calibration images give
through the chip itself; they take up each output's offset and gain, whatever their cause. It needs
no labels.
*Tuning* (chip in the loop): gains and biases follow the gradient of the loss through the chip,
whose devices stay as they are; Adam, by the straight-through estimator.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax

from formats.seeds import generator
from system.binarized.inference import Digits, Reader, noise_key
from system.binarized.network import Normalisation
from system.binarized.pairs import Chip
from system.train.compilation import compiled

TUNING_RATE = 3e-3
"""First rate of Adam; it falls to 0 along a half cosine (assumed)."""
TUNING_BATCH = 100


class Mitigation:
    """The mitigations of a :class:`Reader`'s chips, compiled once."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._pass = compiled(self._seen)
        self._range = compiled(self._largest)
        self._tune = compiled(self._tuned)

    def ranged(self, chip: Chip, digits: Digits, images: np.ndarray, seed: int) -> Digits:
        """With the converters' ranges found on calibration images (n, side, side)."""
        if self.reader.pairs.adc_bits is None:
            return digits
        key = noise_key(seed, "ranges")
        largest = self._range(chip, digits._replace(ranges={}), jnp.asarray(images), key)
        return digits._replace(ranges=largest)

    def calibrated(self, chip: Chip, digits: Digits, images: np.ndarray, seed: int) -> Digits:
        """With means and variances of these images (n, side, side), and ranges found on them.

        Layers are normalised in order, each behind the calibrated ones before it.
        """
        key = noise_key(seed, "calibration")
        batch = jnp.asarray(images)
        if self.reader.pairs.adc_bits is not None:
            _, largest = self._pass(chip, digits._replace(ranges={}), batch, key)
            digits = digits._replace(ranges=largest)
        seen, _ = self._pass(chip, digits, batch, key)
        norms = {name: Normalisation(norm.gain, *seen[name]) for name, norm in digits.norms.items()}
        return digits._replace(norms=norms)

    def tuned(
        self,
        chip: Chip,
        digits: Digits,
        images: np.ndarray,
        labels: np.ndarray,
        steps: int,
        seed: int,
    ) -> Digits:
        """After ``steps`` steps of Adam on gains and biases, on batches of these images."""
        order = generator(seed, "tuning").integers(0, labels.size, (steps, TUNING_BATCH))
        key = noise_key(seed, "tuning")
        return self._tune(
            chip, digits, jnp.asarray(images), jnp.asarray(labels), jnp.asarray(order), key
        )

    def _seen(
        self, chip: Chip, digits: Digits, images: jax.Array, key: jax.Array
    ) -> tuple[dict[str, tuple[jax.Array, jax.Array]], dict[str, jax.Array]]:
        """Mean and variance of each layer's products, and largest currents of those on devices."""
        _, forward, products = self.reader.logits(chip, digits, images, key, by_batch=True)
        return forward.seen, products.largest

    def _largest(
        self, chip: Chip, digits: Digits, images: jax.Array, key: jax.Array
    ) -> dict[str, jax.Array]:
        """Largest currents of the layers on devices, behind the normalisations as they are."""
        _, _, products = self.reader.logits(chip, digits, images, key)
        return products.largest

    def _tuned(
        self,
        chip: Chip,
        digits: Digits,
        images: jax.Array,
        labels: jax.Array,
        order: jax.Array,
        key: jax.Array,
    ) -> Digits:
        rule = optax.adam(optax.cosine_decay_schedule(TUNING_RATE, order.shape[0]))
        first = {name: norm.gain for name, norm in digits.norms.items()}, digits.biases

        def put(chosen: tuple[dict[str, jax.Array], dict[str, jax.Array]]) -> Digits:
            gains, biases = chosen
            norms = {
                name: Normalisation(gains[name], norm.mean, norm.variance)
                for name, norm in digits.norms.items()
            }
            return Digits(norms, biases, digits.ranges)

        def step(carried: tuple, numbered: tuple) -> tuple:
            chosen, memory = carried
            number, rows = numbered

            def loss_of(chosen: tuple) -> jax.Array:
                own = jax.random.fold_in(key, number)
                logits, _, _ = self.reader.logits(chip, put(chosen), images[rows], own)
                loss = optax.softmax_cross_entropy_with_integer_labels(logits, labels[rows])
                return jnp.asarray(loss).mean()

            slope = jax.grad(loss_of)(chosen)
            move, memory = rule.update(slope, memory, chosen)
            return (optax.apply_updates(chosen, move), memory), None

        numbers = jnp.arange(order.shape[0])
        (chosen, _), _ = jax.lax.scan(step, (first, rule.init(first)), (numbers, order))
        return put(chosen)
