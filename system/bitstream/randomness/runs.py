"""Runs of equal bits: how many, and the longest run of ones in blocks. SP 800-22, 2.3 and 2.4."""

from __future__ import annotations

import functools
import math

import numpy as np
from scipy.special import erfc, gammaincc

from system.bitstream.randomness.base import SHORTEST, NotApplicable, Outcome, grain_of, need

# From the table of 2.4.2: from this many bits on blocks of M bits, classed by their longest run
# from "at most the first" to "at least the last".
LONGEST_RUN_CLASSES = (
    (128, 8, 1, 4),
    (6_272, 128, 4, 9),
    (750_000, 10_000, 10, 16),
)


def runs(bits: np.ndarray) -> tuple[Outcome, ...]:
    """P of the number of runs given the share of ones. 100 bits or more.

    Where the share is 2/sqrt(n) or more from 1/2 the test is not made and P is 0: so SP 800-22,
    2.3.4. :mod:`system.bitstream.randomness.independence` has the test for any P(1).
    """
    n = need(bits, SHORTEST)
    return (_runs(bits, n),)


def _runs(bits: np.ndarray, n: int) -> Outcome:
    share = np.count_nonzero(bits) / n
    if abs(share - 0.5) >= 2 / math.sqrt(n):
        return Outcome(math.nan, 0.0, "P = 0 as P(1) is 2/sqrt(n) or more from 1/2")
    found = 1 + int(np.count_nonzero(bits[1:] != bits[:-1]))
    spread = 2 * share * (1 - share)
    p = erfc(abs(found - n * spread) / (math.sqrt(2 * n) * spread))
    return Outcome(float(found), float(p), grain=grain_of(math.sqrt(n) * spread))


def longest_run(bits: np.ndarray) -> tuple[Outcome, ...]:
    """P of the chi-square of the longest runs of ones of blocks. 128 bits or more.

    The classes are SP 800-22's; their probabilities are computed instead of taken from its table
    of four digits.
    """
    n = need(bits, LONGEST_RUN_CLASSES[0][0])
    _, block, low, high = next(c for c in reversed(LONGEST_RUN_CLASSES) if n >= c[0])
    blocks = n // block
    longest = longest_runs(bits[: blocks * block].reshape(blocks, block))
    seen = np.bincount(np.clip(longest, low, high) - low, minlength=high - low + 1)
    below = np.array([at_most(block, run) for run in range(low, high)])
    expected = blocks * np.diff(below, prepend=0.0, append=1.0)
    chi2 = float(np.sum((seen - expected) ** 2 / expected))
    p = float(gammaincc((high - low) / 2, chi2 / 2))
    return (Outcome(chi2, p, f"{blocks} blocks of {block}"),)


def longest_runs(blocks: np.ndarray) -> np.ndarray:
    """The longest run of ones in each row of bits (B, M)."""
    places = np.arange(1, blocks.shape[1] + 1, dtype=np.int64)
    zero = np.maximum.accumulate(np.where(blocks == 0, places, 0), axis=1)
    return np.asarray((places - zero).max(1))


@functools.cache
def at_most(length: int, run: int) -> float:
    """P(no run of more than ``run`` ones) in so many fair bits.

    f(n) = f(n - 1) - 2^-(run + 2) f(n - run - 2): the patterns in which the n-th bit completes the
    first run of run + 1 ones, which a 0 goes before.
    """
    if length <= run:
        return 1.0
    ending = 0.5 ** (run + 2)
    f = [1.0] * (run + 1) + [1 - 0.5 ** (run + 1)]
    for n in range(run + 2, length + 1):
        f.append(f[n - 1] - ending * f[n - run - 2])
    return f[length]


def check_both_values(bits: np.ndarray) -> tuple[int, int]:
    """Ones and zeros; raises :class:`NotApplicable` if there are only bits of one value."""
    ones = int(np.count_nonzero(bits))
    if ones in (0, bits.size):
        raise NotApplicable(f"all bits are {min(ones, 1)}")
    return ones, int(bits.size) - ones
