"""Inference in floating point, on images as they are and spoilt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from system.images import Images
from system.synapses.corruption import CORRUPTIONS, corrupted
from system.synapses.learning import exactly

_BATCH = 500


@eqx.filter_jit
def _answers(network: Any, images: jax.Array) -> jax.Array:
    return jnp.argmax(network(images, exactly), axis=-1)


def right(network: Any, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Which images a network gets right."""
    made = [
        np.asarray(_answers(network, jnp.asarray(images[first : first + _BATCH])))
        for first in range(0, labels.size, _BATCH)
    ]
    return np.concatenate(made) == labels


def right_when_corrupted(
    networks: dict[str, Any],
    images: Images,
    seed: int,
    on_step: Callable[[str], None] = lambda words: None,
) -> dict[str, np.ndarray]:
    """Right answers (corruption, strength) of each network, all on the same spoilt test images."""
    found: dict[str, list[list[int]]] = {name: [] for name in networks}
    for corruption, (_, strengths) in CORRUPTIONS.items():
        rows: dict[str, list[int]] = {name: [] for name in networks}
        for strength in strengths:
            on_step(f"{corruption} {strength:g}")
            spoilt = corrupted(images.test, corruption, strength, seed)
            for name, network in networks.items():
                rows[name].append(int(right(network, spoilt, images.test_labels).sum()))
        for name, row in rows.items():
            found[name].append(row)
    return {name: np.array(rows) for name, rows in found.items()}
