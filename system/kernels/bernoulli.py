"""Independent bits of given probability, made packed: 64 clocks of a stream at a time.

Bit t of a stream is 1 where a 16-bit random number u(t) is below the stream's threshold T, so
P(1) = T/65536 exactly, 0 <= T <= 65536. u(t) is spread over 16 random words, one for each of its
bits, and compared bit by bit for 64 clocks at once. The words come from Philox at the counter
(8 w + j, stream, life, purpose), w the word's place in the stream and j = 0..7 the pair of bits
2j, 2j + 1 of u; the key is the seed. So a bit depends on its address only: on the stream's number,
on which of its lives it is (see :mod:`system.bitstream.ownership`), on what it is used for, and
on the clock.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from system.kernels.philox import philox, philox_definition

RESOLUTION_BITS = 16
ALWAYS = 2**RESOLUTION_BITS
"""The threshold of P(1) = 1."""
_PAIRS = RESOLUTION_BITS // 2
_BLOCK = 256
"""Words made together; their buffers stay in the first-level cache."""
_PIECE = 512
"""Words a thread makes at a time."""
MOST_WORDS = 2**29
"""Words of a stream that have an address: 3.4e10 bits."""
_ONE, _ZERO = np.uint64(1), np.uint64(0)
_TOP, _THREE = np.uint64(RESOLUTION_BITS), np.uint64(3)


def thresholds(probability: np.ndarray) -> np.ndarray:
    """Thresholds (uint32) of probabilities in [0, 1], to the nearest 1/65536."""
    return np.rint(np.asarray(probability, np.float64) * ALWAYS).astype(np.uint32)


@njit(nogil=True, cache=True)
def fill_bernoulli(threshold, streams, lives, purpose, key, first, words) -> None:  # type: ignore[no-untyped-def]
    """Fill ``words`` (S, W) uint64 with the words ``first`` to ``first`` + W - 1 of S streams.

    ``threshold`` (S,) uint32; ``streams`` and ``lives`` (S,) uint32 and ``purpose`` address the
    streams, ``key`` (2,) uint32 is the seed. Bits beyond a stream's length are random too:
    see :func:`clear_tail`.
    """
    count, width = words.shape
    c0, c1, c2, t, a, b, below = np.empty((7, _BLOCK), np.uint64)
    c3, k0, k1 = np.uint64(purpose), np.uint64(key[0]), np.uint64(key[1])
    flat = words.reshape(-1)
    s, w = 0, 0
    for start in range(0, count * width, _BLOCK):
        n = min(_BLOCK, count * width - start)
        for i in range(n):
            c0[i] = np.uint64(first + w) << _THREE
            c1[i], c2[i], t[i] = streams[s], lives[s], threshold[s]
            below[i] = _ZERO
            w += 1
            if w == width:
                s, w = s + 1, 0
        for j in range(_PAIRS):
            _random_words(c0, c1, c2, c3, k0, k1, np.uint64(j), a, b, np.uint64(n))
            _compare(t, np.uint64(2 * j), a, b, below, np.uint64(n))
        for i in range(n):
            flat[start + i] = below[i] | (_ZERO - (t[i] >> _TOP))


@njit(inline="always", cache=True)
def _random_words(c0, c1, c2, c3, k0, k1, j, a, b, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        a[i], b[i] = philox(c0[i] + j, c1[i], c2[i], c3, k0, k1)


@njit(inline="always", cache=True)
def _compare(t, place, a, b, below, n):  # type: ignore[no-untyped-def]
    """Two more bits of u < T, from the least significant up: where T has a 1, u's 0 decides."""
    for i in range(n):
        rest = t[i] >> place
        less = below[i]
        one = _ZERO - (rest & _ONE)
        less = (less & (a[i] | one)) | (one & a[i])
        one = _ZERO - ((rest >> _ONE) & _ONE)
        below[i] = (less & (b[i] | one)) | (one & b[i])


@njit(nogil=True, cache=True)
def clear_tail(words, length) -> None:  # type: ignore[no-untyped-def]
    """Set the bits of ``words`` (S, W) from clock ``length`` on to 0; W = ceil(length / 64)."""
    rest = length % 64
    if rest:
        kept = (_ONE << np.uint64(rest)) - _ONE
        for s in range(words.shape[0]):
            words[s, -1] &= kept


@njit(parallel=True, cache=True)
def bernoulli_words(threshold, streams, lives, purpose, key, first, words):  # type: ignore[no-untyped-def]
    """:func:`fill_bernoulli` in all threads."""
    count, width = words.shape
    piece = max(1, _PIECE // width)
    for part in prange((count + piece - 1) // piece):
        low, high = part * piece, min(count, (part + 1) * piece)
        fill_bernoulli(
            threshold[low:high],
            streams[low:high],
            lives[low:high],
            purpose,
            key,
            first,
            words[low:high],
        )


@njit(cache=True)
def bernoulli(threshold, streams, lives, purpose, key, length):  # type: ignore[no-untyped-def]
    """Packed streams (S, ceil(length / 64)) of ``length`` bits; arguments as above."""
    words = np.empty((threshold.size, (length + 63) // 64), np.uint64)
    bernoulli_words(threshold, streams, lives, purpose, key, 0, words)
    clear_tail(words, length)
    return words


def bernoulli_definition(
    threshold: np.ndarray,
    streams: np.ndarray,
    lives: np.ndarray,
    purpose: int,
    key: np.ndarray,
    length: int,
) -> np.ndarray:
    """The same bits, unpacked (S, length) bool, in plain numpy: u(t) < T."""
    clocks = np.arange(length)
    number = np.zeros((np.size(threshold), length), np.int64)
    for j in range(_PAIRS):
        pair = philox_definition(
            (8 * (clocks // 64)[None] + j, streams[:, None], lives[:, None], purpose),
            (int(key[0]), int(key[1])),
        )
        for bit, word in enumerate(pair):
            # A random 1 stands for a 0 of u, so that "below" is a plain AND or OR of words.
            zero = (word >> (clocks % 64).astype(np.uint64)) & _ONE
            number += (1 - zero.astype(np.int64)) << (2 * j + bit)
    return np.asarray(number < np.asarray(threshold, np.int64)[:, None])
