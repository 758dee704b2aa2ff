"""Counters: the bits of n streams added in each clock, and their sum over the clocks.

- The exact parallel counter adds all bits.
- The approximate one (APC; after Kim, Lee, Choi, ISOCC 2015, recalled; as
  :mod:`circuits.mac.counter` builds it) replaces neighbours in pairs by one bit of weight 2,
  alternately their AND and their OR; an odd one at the end keeps its weight of 1 (a choice of ours;
  the circuits take powers of two only).
- Sign-magnitude products p with signs s go to the counter as t = p XOR (s < 0): t counts p for a
  positive product and 1 - p for a negative one, so the signed sum is the count less the number of
  negative products in every clock.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange

from system.bitstream.packed import WORD_BITS, BitStream
from system.elements.gates import Signed

_ONE, _ZERO = np.uint64(1), np.uint64(0)
_PLANES = 17
MOST_STREAMS = 2 ** (_PLANES - 1)


def exact_count(streams: BitStream) -> Any:
    """Ones over the last axis of streams (..., n) and all clocks."""
    return streams.count().sum(-1)


def approximate_pairs(streams: BitStream) -> tuple[BitStream, BitStream | None]:
    """Bits of weight 2 (..., n // 2) of the streams (..., n), and the odd one of weight 1 or None.

    Raises ValueError for fewer than two streams.
    """
    n = streams.shape[-1]
    if n < 2:
        raise ValueError(f"an approximate counter of {n} streams: expected 2 or more")
    x, y = streams[..., 0 : n - 1 : 2], streams[..., 1:n:2]
    or_lanes = (np.arange(n // 2) % 2).astype(x.words.dtype)[:, None]
    # Where a lane takes OR, x | y = (x & y) ^ (x ^ y); the mask is 0 or all ones.
    differ = BitStream((x ^ y).words * or_lanes, x.length)
    return (x & y) ^ differ, streams[..., n - 1] if n % 2 else None


def approximate_count(streams: BitStream) -> Any:
    """The APC's count over the last axis of streams (..., n) and all clocks."""
    pairs, odd = approximate_pairs(streams)
    count = 2 * exact_count(pairs)
    return count if odd is None else count + odd.count()


def steered(product: Signed) -> BitStream:
    """What signed products (..., n) send to the counter: p XOR (s < 0)."""
    words = product.magnitude.words
    negative = (product.sign < 0)[..., None].astype(words.dtype)
    inverted = BitStream((~product.magnitude).words * negative, product.magnitude.length)
    return BitStream(words * (1 - negative), product.magnitude.length) ^ inverted


def negatives(product: Signed) -> Any:
    """How many of the products (..., n) are negative."""
    return (product.sign < 0).sum(-1)


def signed_count(product: Signed) -> Any:
    """Sum over the last axis and the clocks of sign times bit: exact counter, as built."""
    length = product.magnitude.length
    return exact_count(steered(product)) - length * negatives(product)


def signed_approximate_count(product: Signed) -> Any:
    """The same by the APC."""
    length = product.magnitude.length
    return approximate_count(steered(product)) - length * negatives(product)


def clock_counts(streams: BitStream) -> np.ndarray:
    """Ones over the last axis of streams (..., n) in each clock: (..., N) int32; numpy only.

    Raises ValueError for JAX streams and for more than ``MOST_STREAMS`` streams.
    """
    n = streams.shape[-1]
    if not isinstance(streams.words, np.ndarray):
        raise ValueError("streams in JAX: expected numpy (to_numpy)")
    if n > MOST_STREAMS:
        raise ValueError(f"{n} streams: expected {MOST_STREAMS} or fewer")
    width = streams.words.shape[-1]
    words = np.ascontiguousarray(streams.words).reshape(-1, n, width)
    counts = _clock_counts(words)
    return counts[:, : streams.length].reshape(*streams.shape[:-1], streams.length)


def clock_counts_definition(streams: BitStream) -> np.ndarray:
    """The same in plain numpy."""
    return np.asarray(streams.unpack().astype(np.int32).sum(-2, dtype=np.int32))


@njit(parallel=True, cache=True)
def _clock_counts(words):  # type: ignore[no-untyped-def]
    """Counts (S, 64 W) of words (S, n, W): a ripple adder for 64 clocks at once."""
    sums, n, width = words.shape
    counts = np.zeros((sums, width * WORD_BITS), np.int32)
    for s in prange(sums):
        plane = np.empty(_PLANES, np.uint64)
        for w in range(width):
            plane[:] = _ZERO
            used = 0
            for i in range(n):
                carry, j = words[s, i, w], 0
                while carry:
                    both = plane[j] & carry
                    plane[j] ^= carry
                    carry = both
                    j += 1
                used = max(used, j)
            row = counts[s, w * WORD_BITS : (w + 1) * WORD_BITS]
            for j in range(used):
                bits = plane[j]
                for t in range(WORD_BITS):
                    row[t] += np.int32((bits >> np.uint64(t)) & _ONE) << j
    return counts
