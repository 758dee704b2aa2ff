"""Frequency of ones: in the whole sequence (monobit) and within blocks. SP 800-22, 2.1 and 2.2."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import erfc, gammaincc

from system.bitstream.randomness.base import SHORTEST, NotApplicable, Outcome, grain_of, need

SHORTEST_BLOCK = 20
MOST_BLOCKS = 100


def monobit(bits: np.ndarray) -> tuple[Outcome, ...]:
    """P of |ones - zeros| / sqrt(n) against the half normal. 100 bits or more."""
    n = need(bits, SHORTEST)
    return (_monobit(bits, n),)


def _monobit(bits: np.ndarray, n: int) -> Outcome:
    score = abs(2 * int(np.count_nonzero(bits)) - n) / math.sqrt(n)
    return Outcome(score, float(erfc(score / math.sqrt(2))), grain=grain_of(math.sqrt(n) / 2))


def block_length(n: int) -> int:
    """Bits of a block: 20 or more, more than a hundredth of the sequence (SP 800-22, 2.2.7)."""
    return max(SHORTEST_BLOCK, n // MOST_BLOCKS + 1)


def block_frequency(bits: np.ndarray, block: int | None = None) -> tuple[Outcome, ...]:
    """P of the chi-square of the shares of ones of blocks about 1/2. 100 bits or more.

    The bits after the last whole block are left out.
    """
    n = need(bits, SHORTEST if block is None else 1)
    block = block_length(n) if block is None else block
    blocks = n // block
    if blocks < 1:
        raise NotApplicable(f"has no block of {block} bits")
    share = bits[: blocks * block].reshape(blocks, block).mean(1)
    chi2 = 4 * block * float(np.sum((share - 0.5) ** 2))
    return (Outcome(chi2, float(gammaincc(blocks / 2, chi2 / 2)), f"{blocks} blocks of {block}"),)
