"""The trained network scored bit by bit, beside the moments it was trained with, image by image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from formats.seeds import seed_sequence
from system.arithmetic import BitExact
from system.images import Images
from system.images.sets import stratified
from system.networks import LAYERS
from system.networks.exact import exact_logits, layer_keys
from system.train.learning import EVALUATION_BATCH, Learned


@dataclass(frozen=True)
class Scored:
    """Whether each image of a test (sub)set is right: bit by bit, and by the moments."""

    exact: np.ndarray
    moments: np.ndarray

    @property
    def only_exact(self) -> int:
        """Images right bit by bit but not by the moments."""
        return int(np.sum(self.exact & ~self.moments))

    @property
    def only_moments(self) -> int:
        """Images right by the moments but not bit by bit."""
        return int(np.sum(self.moments & ~self.exact))


def score(
    arithmetic: BitExact,
    run: Learned,
    images: Images,
    *,
    count: int,
    seed: int,
    on_batch: Callable[[int], None],
) -> Scored:
    """Score the network of a ``run`` on ``count`` test images, stratified by class where not all.

    ``on_batch`` is told of so many more images done.
    """
    total = images.test_labels.size
    rows = np.arange(total)
    if count < total:
        rows = stratified(images.test_labels, count, "exact subset")
    key = seed_sequence(seed, "exact test streams").generate_state(2)
    right = np.zeros(rows.size, bool)
    for batch, first in enumerate(range(0, rows.size, EVALUATION_BATCH)):
        part = rows[first : first + EVALUATION_BATCH]
        keys = layer_keys(key, len(LAYERS), batch)
        logits = exact_logits(arithmetic, run.network, images.test[part], run.devices, keys)
        right[first : first + part.size] = logits.argmax(axis=-1) == images.test_labels[part]
        on_batch(part.size)
    return Scored(right, run.right[rows])
