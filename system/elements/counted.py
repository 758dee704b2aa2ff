"""Btanh on the counts of a parallel counter: a kernel of its own, since counts are no bits."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from system.bitstream.packed import WORD_BITS, BitStream, words_of
from system.elements.machine import starting_states
from system.elements.machines import btanh


def run_btanh(
    counts: np.ndarray, fan_in: int, states: int, state: np.ndarray | None = None
) -> tuple[BitStream, np.ndarray]:
    """Output streams and states reached of Btanh on counts (..., N), integers of 0 to ``fan_in``.

    ``state``: the states before the first clock (None: the middle). The definition is
    :func:`system.elements.machine.run_definition` with :func:`system.elements.machines.btanh`.
    Raises ValueError for counts that ``fan_in`` bits cannot give.
    """
    counts = np.asarray(counts)
    if counts.ndim == 0 or counts.shape[-1] < 1 or not np.issubdtype(counts.dtype, np.integer):
        raise ValueError(
            f"counts {counts.dtype} of shape {counts.shape}: expected integers (..., N)"
        )
    if counts.size and not (counts.min() >= 0 and counts.max() <= fan_in):
        raise ValueError(f"counts {counts.min()} to {counts.max()}: expected 0 to {fan_in}")
    shape, length = counts.shape[:-1], counts.shape[-1]
    reached = starting_states(btanh(1, states), shape, state)
    flat = np.ascontiguousarray(counts, np.int32).reshape(-1, length)
    words = np.empty((flat.shape[0], words_of(length)), np.uint64)
    _run_btanh(flat, fan_in, states, reached.reshape(-1), words)
    return BitStream(words.reshape(*shape, -1), length), reached


@njit(parallel=True, cache=True)
def _run_btanh(counts, fan_in, states, state, words) -> None:  # type: ignore[no-untyped-def]
    length, half, top = counts.shape[1], states // 2, states - 1
    for s in prange(counts.shape[0]):
        now = np.int64(state[s])
        for w in range(words.shape[1]):
            word = np.uint64(0)
            for t in range(min(WORD_BITS, length - w * WORD_BITS)):
                word |= np.uint64(now >= half) << np.uint64(t)
                now = np.int64(min(max(now + 2 * counts[s, w * WORD_BITS + t] - fan_in, 0), top))
            words[s, w] = word
        state[s] = now
