"""The Markov chain of the stored bit, 64 clocks at a time: against one clock after the other."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from system.bitstream import BitStream
from system.kernels.chain import chain_definition, chain_start, chain_words
from system.kernels.comparison import ALWAYS, fine_thresholds

KEY = np.array([1, 2], np.uint32)
COUNT = 150


def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thresholds of setting, of keeping, and of the bit before; the first ones at their ends."""
    rng = np.random.default_rng(4)
    generate = rng.integers(0, ALWAYS, COUNT).astype(np.uint64)
    keep = generate + (rng.random(COUNT) * (ALWAYS - generate.astype(float))).astype(np.uint64)
    generate[:4], keep[:4] = (0, 0, ALWAYS, 5), (0, ALWAYS, ALWAYS, ALWAYS)
    share = rng.integers(0, ALWAYS + 1, COUNT).astype(np.uint64)
    return generate, keep, share


@pytest.mark.parametrize("errors", [(0.0, 0.0), (0.02, 0.1)])
def test_bits_are_those_of_the_definition_for_any_threads_and_pieces(
    errors: tuple[float, float],
) -> None:
    generate, keep, share = drawn()
    rng = np.random.default_rng(5)
    streams, lives = rng.integers(0, 2**32, (2, COUNT)).astype(np.uint32)
    address = streams, lives, 9, KEY
    rates = fine_thresholds(np.array(errors))
    wanted = chain_definition(generate, keep, rates, share, address, 5 * 64)
    before = numba.get_num_threads()
    try:
        for threads, pieces in ((1, (5,)), (numba.config.NUMBA_NUM_THREADS, (1, 3, 1))):
            numba.set_num_threads(threads)
            state, first, parts = chain_start(share, address), 0, []
            for width in pieces:
                parts.append(np.empty((COUNT, width), np.uint64))
                chain_words(generate, keep, rates, address, first, state, parts[-1])
                first += width
            found = BitStream(np.concatenate(parts, axis=1), 5 * 64).unpack()
            assert np.array_equal(found, wanted)
    finally:
        numba.set_num_threads(before)
    if not any(errors):
        assert not wanted[0].any() and wanted[2].all()
        assert np.array_equal(wanted[1], np.full(320, wanted[1, 0]))
