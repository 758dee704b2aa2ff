"""Normal variates from a table, and bits with memory: against scipy and the plain definition."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from scipy.special import ndtri

from system.bitstream import BitStream
from system.kernels.comparison import fine_thresholds
from system.kernels.memory import (
    SCORE_END,
    SCORE_STEPS,
    memory_definition,
    memory_start,
    memory_words,
)
from system.kernels.normal import fill_normals, normal_table, normals_definition

KEY = np.array([3, 4], np.uint32)
COUNT, WORDS = 60, 4


def variates(numbers: np.ndarray) -> np.ndarray:
    z = np.empty(numbers.size)
    fill_normals(numbers, normal_table(), np.empty(numbers.size), z)
    return z


def test_variates_are_the_inverse_normal_within_2e_8() -> None:
    """At the ends of all segments, around them, and at random numbers; odd about the middle."""
    ends = (2.0 ** np.arange(31)[:, None] * (1 + np.arange(16) / 16)).ravel().astype(np.int64)
    numbers = np.unique(np.clip(np.concatenate([ends - 1, ends, ends + 1]), 0, 2**31 - 1))
    numbers = np.concatenate(
        [numbers, np.random.default_rng(1).integers(0, 2**31, 100_000)]
    ).astype(np.uint64)
    z = variates(numbers)
    assert np.max(np.abs(z - ndtri((numbers.astype(float) + 0.5) / 2**32))) < 2e-8
    assert np.array_equal(variates(numbers + np.uint64(2**31)), -z)
    assert np.array_equal(normals_definition(numbers), z)


def table_of(function: np.ndarray) -> np.ndarray:
    """A table of straight lines through the values at the nodes."""
    table = np.zeros((4, function.size - 1))
    table[0], table[1] = function[:-1], np.diff(function)
    return table


@pytest.mark.parametrize("sigma", [0.0, 0.7])
@pytest.mark.parametrize(("hold", "errors"), [(0.0, (0.0, 0.0)), (0.3, (0.02, 0.1))])
def test_bits_are_those_of_the_definition_for_any_threads_and_pieces(
    sigma: float, hold: float, errors: tuple[float, float]
) -> None:
    rng = np.random.default_rng(5)
    streams, lives = rng.integers(0, 2**32, (2, COUNT)).astype(np.uint32)
    address = streams, lives, 9, KEY
    limit = rng.normal(size=COUNT)
    limit[:2] = -np.inf, np.inf
    nodes = np.linspace(-SCORE_END, SCORE_END, int(2 * SCORE_END * SCORE_STEPS) + 1)
    table, spread = table_of(nodes + 0.1 * nodes**2), (0.6, sigma)
    fails, rates = fine_thresholds(np.array([hold]))[0], fine_thresholds(np.array(errors))
    wanted = memory_definition(limit, spread, int(fails), rates, table, address, 64 * WORDS)
    before = numba.get_num_threads()
    try:
        for threads, pieces in ((1, (WORDS,)), (numba.config.NUMBA_NUM_THREADS, (1, 2, 1))):
            numba.set_num_threads(threads)
            tables = normal_table(), table
            counters = [np.zeros(COUNT, kind) for kind in (np.uint64, np.int64, np.int64)]
            state = (np.empty(COUNT), np.empty(COUNT, np.uint64), *counters)
            memory_start(limit, spread, fails, tables, address, state[0], state[1])
            first, parts = 0, []
            for width in pieces:
                parts.append(np.empty((COUNT, width), np.uint64))
                memory_words(limit, spread, fails, rates, tables, address, first, state, parts[-1])
                first += width
            found = BitStream(np.concatenate(parts, axis=1), 64 * WORDS).unpack()
            assert np.array_equal(found, wanted)
    finally:
        numba.set_num_threads(before)
