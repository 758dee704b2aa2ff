"""One 32-bit random number a clock, compared with two thresholds; 64 clocks of a stream at a time.

For bits of which rare outcomes matter (a RESET that fails once in a million, a read error): the
thresholds are multiples of 2^-32. The number's upper 16 bits are made and compared as in
:mod:`system.kernels.bernoulli`. Only where they equal a threshold's, once in 65536 clocks, do the
lower 16 bits decide and are made.

Philox counter: (64 w + 16 slot + j, stream, life, purpose), w the word's place in the stream,
``slot`` what the number is for (0 to 3), j = 0..7 the pairs of the upper bits, 8..15 those of the
lower ones; within each half from the least significant pair up. Slots are uint64.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from system.kernels.philox import philox, philox_definition

RESOLUTION_BITS = 32
ALWAYS = 2**RESOLUTION_BITS
"""The threshold of P = 1."""
MOST_WORDS = 2**25
"""Words of a stream that have an address: 2.1e9 bits."""
STARTS = 2**31
"""Counters from here on are no clock's: what precedes clock 0 is drawn with them."""
_BLOCK = 256
_PAIRS = 8
_ONE, _ZERO = np.uint64(1), np.uint64(0)
_ALL = np.uint64(2**64 - 1)
_ALWAYS_SHIFT, _WORD_SHIFT, _SLOT_SHIFT = np.uint64(32), np.uint64(6), np.uint64(4)


def fine_thresholds(probability: np.ndarray) -> np.ndarray:
    """Thresholds (uint64) of probabilities in [0, 1], to the nearest 2^-32."""
    return np.rint(np.asarray(probability, np.float64) * ALWAYS).astype(np.uint64)


@njit(nogil=True, cache=True)
def fill_pairs(low, high, address, slot, first, below_low, below_high):  # type: ignore[no-untyped-def]
    """Bits ``number < low`` and ``number < high`` of the words ``first`` on of S streams.

    ``low`` and ``high`` (S,) uint64, 0 to 2^32; both results (S, W) uint64. ``address`` is
    (streams, lives, purpose, key) as in :mod:`system.kernels.bernoulli`.
    """
    count, width = below_low.shape
    streams, lives, purpose, key = address
    c0, c1, c2, t, v, a, b, less, more, even, odd = np.empty((11, _BLOCK), np.uint64)
    c3, k0, k1 = np.uint64(purpose), np.uint64(key[0]), np.uint64(key[1])
    flat_low, flat_high = below_low.reshape(-1), below_high.reshape(-1)
    shift = slot << _SLOT_SHIFT
    s, w = 0, 0
    for start in range(0, count * width, _BLOCK):
        n = min(_BLOCK, count * width - start)
        for i in range(n):
            c0[i] = (np.uint64(first + w) << _WORD_SHIFT) + shift
            c1[i], c2[i], t[i], v[i] = streams[s], lives[s], low[s], high[s]
            less[i], more[i], even[i], odd[i] = _ZERO, _ZERO, _ALL, _ALL
            w += 1
            if w == width:
                s, w = s + 1, 0
        for j in range(_PAIRS):
            _words(c0, c1, c2, c3, k0, k1, np.uint64(j), a, b, np.uint64(n))
            _compare(t, np.uint64(16 + 2 * j), a, b, less, even, np.uint64(n))
            _compare(v, np.uint64(16 + 2 * j), a, b, more, odd, np.uint64(n))
        for i in range(n):
            if even[i] | odd[i]:
                lower, upper = _finer(c0[i], c1[i], c2[i], c3, k0, k1, t[i], v[i])
                less[i] |= even[i] & lower
                more[i] |= odd[i] & upper
        for i in range(n):
            flat_low[start + i] = less[i] | (_ZERO - (t[i] >> _ALWAYS_SHIFT))
            flat_high[start + i] = more[i] | (_ZERO - (v[i] >> _ALWAYS_SHIFT))


@njit(inline="always", cache=True)
def _words(c0, c1, c2, c3, k0, k1, j, a, b, n):  # type: ignore[no-untyped-def]
    for i in range(n):
        a[i], b[i] = philox(c0[i] + j, c1[i], c2[i], c3, k0, k1)


@njit(inline="always", cache=True)
def _compare(t, place, a, b, less, same, n):  # type: ignore[no-untyped-def]
    """Two more bits of number < t, from the least significant up; ``same``: all equal so far.

    A random 1 stands for a 0 of the number.
    """
    for i in range(n):
        rest = t[i] >> place
        first, second = _ZERO - (rest & _ONE), _ZERO - ((rest >> _ONE) & _ONE)
        below = (less[i] & (a[i] | first)) | (first & a[i])
        less[i] = (below & (b[i] | second)) | (second & b[i])
        same[i] &= (a[i] ^ first) & (b[i] ^ second)


@njit(cache=True)
def _finer(c0, c1, c2, c3, k0, k1, t, v):  # type: ignore[no-untyped-def]
    """The lower 16 bits of one word's numbers against those of both thresholds."""
    less, more = _ZERO, _ZERO
    for j in range(_PAIRS):
        a, b = philox(c0 + np.uint64(_PAIRS + j), c1, c2, c3, k0, k1)
        for word, place in ((a, np.uint64(2 * j)), (b, np.uint64(2 * j + 1))):
            one = _ZERO - ((t >> place) & _ONE)
            less = (less & (word | one)) | (one & word)
            one = _ZERO - ((v >> place) & _ONE)
            more = (more & (word | one)) | (one & word)
    return less, more


@njit(nogil=True, cache=True)
def sense(errors, address, slot, first, words):  # type: ignore[no-untyped-def]
    """Read stored bits ``words`` (S, W) with errors (e01, e10), uint64 out of 2^32.

    A stored 0 becomes 1 at e01, a 1 becomes 0 at e10. One number a clock serves both, as only one
    of them can happen.
    """
    if not errors[0] | errors[1]:
        return
    count = words.shape[0]
    from_zero, from_one = np.empty_like(words), np.empty_like(words)
    e01, e10 = np.full(count, errors[0]), np.full(count, errors[1])
    fill_pairs(e01, e10, address, slot, first, from_zero, from_one)
    stored, zero, one = words.reshape(-1), from_zero.reshape(-1), from_one.reshape(-1)
    for i in range(stored.size):
        stored[i] = (stored[i] & ~one[i]) | (~stored[i] & zero[i])


@njit(inline="always", cache=True)
def part_of(address, low, high):  # type: ignore[no-untyped-def]
    """The address of the streams ``low`` to ``high`` - 1."""
    streams, lives, purpose, key = address
    return streams[low:high], lives[low:high], purpose, key


Address = tuple[np.ndarray, np.ndarray, int, np.ndarray]
"""Streams and lives (S,) uint32, purpose, key (2,) uint32."""


def number_definition(address: Address, slot: int | np.uint64, length: int) -> np.ndarray:
    """The random numbers (S, length) int64, 0 to 2^32 - 1, in plain numpy."""
    streams, lives, purpose, key = address
    clocks = np.arange(length)
    number = np.zeros((np.size(streams), length), np.int64)
    for j in range(2 * _PAIRS):
        pair = philox_definition(
            (
                64 * (clocks // 64)[None] + 16 * int(slot) + j,
                streams[:, None],
                lives[:, None],
                purpose,
            ),
            (int(key[0]), int(key[1])),
        )
        place = 2 * j + 16 if j < _PAIRS else 2 * j - 16
        for bit, word in enumerate(pair):
            zero = (word >> (clocks % 64).astype(np.uint64)) & _ONE
            number += (1 - zero.astype(np.int64)) << (place + bit)
    return number
