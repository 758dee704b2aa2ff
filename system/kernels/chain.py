"""The stored bit of a device whose RESET can fail: a two-state Markov chain, 64 clocks at a time.

A number a clock says whether the cycle sets the bit (number < ``generate``), keeps it (below
``keep``) or clears it: s(t) = g(t) | (k(t) & s(t-1)), k including g. That is how an adder passes
its carry on, so the carries of k + g + s(-1) are the bits of 64 clocks.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from system.kernels.comparison import (
    STARTS,
    Address,
    fill_pairs,
    number_definition,
    part_of,
    sense,
)
from system.kernels.philox import philox, philox_definition

_PIECE = 512
"""Words a thread makes at a time."""
_ONE = np.uint64(1)
_TOP = np.uint64(63)
_LOW = np.uint64(2**32 - 1)
CHAIN, READ = np.uint64(0), np.uint64(1)
"""Slots of the random numbers of the chain and of the reading."""


@njit(parallel=True, cache=True)
def chain_start(share, address):  # type: ignore[no-untyped-def]
    """The bit before clock 0 (S,) uint64, 1 with the probability ``share`` / 2^32."""
    state = np.empty(share.size, np.uint64)
    streams, lives, purpose, key = address
    c3, k0, k1 = np.uint64(purpose), np.uint64(key[0]), np.uint64(key[1])
    for s in prange(share.size):
        drawn, _ = philox(np.uint64(STARTS), np.uint64(streams[s]), np.uint64(lives[s]), c3, k0, k1)
        state[s] = np.uint64((drawn & _LOW) < share[s])
    return state


@njit(parallel=True, cache=True)
def chain_words(generate, keep, errors, address, first, state, words):  # type: ignore[no-untyped-def]
    """Fill ``words`` (S, W) with the words ``first`` on of S streams, read with errors.

    ``generate`` and ``keep`` (S,) and ``errors`` (e01, e10) uint64 out of 2^32; ``state`` (S,)
    uint64, the stored bit before the first clock, becomes that of the last one. ``address`` as in
    :func:`system.kernels.comparison.fill_pairs`.
    """
    count, width = words.shape
    piece = max(1, _PIECE // width)
    for part in prange((count + piece - 1) // piece):
        low, high = part * piece, min(count, (part + 1) * piece)
        _fill(
            generate[low:high],
            keep[low:high],
            errors,
            part_of(address, low, high),
            first,
            state[low:high],
            words[low:high],
        )


@njit(nogil=True, cache=True)
def _fill(generate, keep, errors, address, first, state, words):  # type: ignore[no-untyped-def]
    kept = np.empty_like(words)
    fill_pairs(generate, keep, address, CHAIN, first, words, kept)
    _carry(words, kept, state)
    sense(errors, address, READ, first, words)


@njit(nogil=True, cache=True)
def _carry(generated, kept, state):  # type: ignore[no-untyped-def]
    """Replace ``generated`` by the bits of the chain."""
    for s in range(generated.shape[0]):
        before = state[s]
        for w in range(generated.shape[1]):
            g, k = generated[s, w], kept[s, w]
            total = k + g + before
            before = (g | (k & ~total)) >> _TOP
            generated[s, w] = ((total ^ g ^ k) >> _ONE) | (before << _TOP)
        state[s] = before


def chain_definition(
    generate: np.ndarray,
    keep: np.ndarray,
    errors: np.ndarray,
    share: np.ndarray,
    address: Address,
    length: int,
) -> np.ndarray:
    """The same bits, unpacked (S, length) bool, in plain numpy."""
    streams, lives, purpose, key = address
    number = number_definition(address, CHAIN, length)
    drawn = philox_definition((STARTS, streams, lives, purpose), (int(key[0]), int(key[1])))[0]
    state = (drawn & _LOW) < share
    stored = np.empty((np.size(streams), length), bool)
    for t in range(length):
        state = (number[:, t] < generate) | (state & (number[:, t] < keep))
        stored[:, t] = state
    reading = number_definition(address, READ, length)
    return np.where(stored, reading >= errors[1], reading < errors[0])
