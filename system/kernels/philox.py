"""Philox4x32-10: random words as a function of an address, without a state.

Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011). A word
depends on its counter and key alone, so any stream can be made in any order, in any piece and in
any thread. The four 32-bit words of a call come as two of 64 bits, least significant first.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_FIRST_MULTIPLIER, _SECOND_MULTIPLIER = _MULTIPLIERS
_FIRST_WEYL, _SECOND_WEYL = _WEYL
ROUNDS = 10


@njit(inline="always", cache=True)
def philox(  # type: ignore[no-untyped-def]
    c0, c1, c2, c3, k0, k1
):
    """Two 64-bit words of the counter (c0, c1, c2, c3) under the key (k0, k1).

    All arguments are uint64 that hold 32 bits; kept so wide that a loop over counters becomes
    vector multiplications.
    """
    for _ in range(ROUNDS):
        first, second = _FIRST_MULTIPLIER * c0, _SECOND_MULTIPLIER * c2
        c0 = (second >> _HALF) ^ c1 ^ k0
        c1 = second & _LOW
        c2 = (first >> _HALF) ^ c3 ^ k1
        c3 = first & _LOW
        k0 = (k0 + _FIRST_WEYL) & _LOW
        k1 = (k1 + _SECOND_WEYL) & _LOW
    return c0 | (c1 << _HALF), c2 | (c3 << _HALF)


def philox_definition(
    counter: tuple[np.ndarray | int, ...], key: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The same in plain numpy, of broadcast arrays of counters."""
    c0, c1, c2, c3 = np.broadcast_arrays(*(np.asarray(c, np.uint64) for c in counter))
    k0, k1 = (np.uint64(k) for k in key)
    for _ in range(ROUNDS):
        first, second = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (second >> _HALF) ^ c1 ^ k0,
            second & _LOW,
            (first >> _HALF) ^ c3 ^ k1,
            first & _LOW,
        )
        k0, k1 = (k0 + _WEYL[0]) & _LOW, (k1 + _WEYL[1]) & _LOW
    return c0 | (c1 << _HALF), c2 | (c3 << _HALF)
