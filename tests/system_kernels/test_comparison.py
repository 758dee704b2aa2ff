"""One 32-bit number against two thresholds: against the numbers themselves, in plain numpy."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from system.bitstream import BitStream
from system.kernels.comparison import (
    ALWAYS,
    fill_pairs,
    fine_thresholds,
    number_definition,
    sense,
)

KEY = np.array([7, 8], np.uint32)
LENGTH = 320


def addressed(count: int) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
    rng = np.random.default_rng(count)
    streams, lives = rng.integers(0, 2**32, (2, count)).astype(np.uint32)
    return streams, lives, 3, KEY


def compared(
    low: np.ndarray, high: np.ndarray, address: tuple[np.ndarray, np.ndarray, int, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    below = np.empty((2, low.size, LENGTH // 64), np.uint64)
    fill_pairs(low, high, address, 2, 0, below[0], below[1])
    return BitStream(below[0], LENGTH).unpack(), BitStream(below[1], LENGTH).unpack()


def test_bits_are_those_of_the_number_at_any_threshold() -> None:
    """Thresholds at a number that comes, and just above it, need all 32 digits."""
    address = addressed(200)
    number = number_definition(address, 2, LENGTH)
    rng = np.random.default_rng(1)
    low = number[np.arange(200), rng.integers(0, LENGTH, 200)].astype(np.uint64)
    high = low + np.uint64(1)
    low[:4], high[:4] = (0, 1, ALWAYS, 2**31), (ALWAYS, 2**16, ALWAYS, ALWAYS - 1)
    below_low, below_high = compared(low, high, address)
    assert np.array_equal(below_low, number < low[:, None].astype(np.int64))
    assert np.array_equal(below_high, number < high[:, None].astype(np.int64))
    assert np.all(below_high[4:].sum(1) - below_low[4:].sum(1) >= 1)


def test_numbers_are_uniform() -> None:
    """Chi-square over 1,024 classes of the upper and of the lower digits, two-sided at 1e-6."""
    number = number_definition(addressed(300), 1, 640)
    for digits in (number >> 22, number & 1023, (number >> 11) & 1023):
        found = np.bincount(digits.ravel(), minlength=1024)
        expected = number.size / 1024
        assert 1e-6 < chi2.cdf(np.sum((found - expected) ** 2) / expected, 1023) < 1 - 1e-6


def test_reading_flips_each_stored_bit_at_its_own_rate() -> None:
    address = addressed(150)
    errors = fine_thresholds(np.array([0.3, 0.05]))
    number = number_definition(address, 1, LENGTH)
    rng = np.random.default_rng(2)
    stored = rng.random((150, LENGTH)) < 0.5
    words = BitStream.pack(stored).words.copy()
    sense(errors, address, 1, 0, words)
    wanted = np.where(stored, number >= errors[1], number < errors[0])
    assert np.array_equal(BitStream(words, LENGTH).unpack(), wanted)


def test_thresholds_keep_what_sixteen_bits_would_lose() -> None:
    assert fine_thresholds(np.array([0.0, 1e-6, 1.0])).tolist() == [0, 4295, ALWAYS]
