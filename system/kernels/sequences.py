"""Deterministic number sequences compared with a threshold: LFSR and Sobol, 64 clocks at a time."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

WORD_LEVELS = 6
"""Binary digits of the place of a clock in its word."""
_ZERO = np.uint64(0)
_PIECE = 64
"""Streams a thread makes at a time."""


@njit(inline="always", cache=True)
def _pack(numbers, shift, threshold):  # type: ignore[no-untyped-def]
    """The word of bits (numbers(i) ^ shift) < threshold, i = 0..63."""
    word = _ZERO
    for i in range(np.uint64(64)):
        word |= np.uint64((np.uint64(numbers[i]) ^ shift) < threshold) << i
    return word


@njit(parallel=True, cache=True)
def periodic_words(threshold, place, numbers, period, words):  # type: ignore[no-untyped-def]
    """Fill ``words`` (S, W) with number < threshold, the numbers repeating from ``place`` (S,) on.

    ``numbers`` (period + 64,) uint32: one period and the beginning of the next; ``threshold`` (S,)
    uint64. ``place`` (int64) is moved on.
    """
    for s in prange(threshold.size):
        at = place[s]
        for w in range(words.shape[1]):
            words[s, w] = _pack(numbers[at : at + 64], _ZERO, threshold[s])
            at = (at + 64) % period
        place[s] = at


@njit(parallel=True, cache=True)
def binary_words(threshold, columns, shift, first, words):  # type: ignore[no-untyped-def]
    """Fill ``words`` (S, W) with number < threshold from the word ``first`` on.

    Number n of a stream is the XOR of its ``columns`` (S, B) uint64 at the binary digits of n and
    of ``shift`` (S,) uint64; it repeats after 2^B. ``threshold`` (S,) uint64.
    """
    count, levels = columns.shape
    for part in prange((count + _PIECE - 1) // _PIECE):
        near = np.zeros(64, np.uint64)
        for s in range(part * _PIECE, min(count, (part + 1) * _PIECE)):
            for level in range(WORD_LEVELS):
                column = columns[s, level] if level < levels else _ZERO
                for i in range(1 << level):
                    near[(1 << level) + i] = near[i] ^ column
            for w in range(words.shape[1]):
                far = shift[s]
                for level in range(WORD_LEVELS, levels):
                    if ((first + w) >> (level - WORD_LEVELS)) & 1:
                        far ^= columns[s, level]
                words[s, w] = _pack(near, far, threshold[s])
