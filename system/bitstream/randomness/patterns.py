"""Overlapping patterns of m bits: serial test and approximate entropy. SP 800-22, 2.11, 2.12."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammaincc, xlogy

from system.bitstream.randomness.base import SHORTEST, NotApplicable, Outcome, need

LONGEST_SERIAL, LONGEST_ENTROPY = 16, 10
"""Bits of a pattern in a long sequence; those of NIST's program."""


def cyclic_patterns(bits: np.ndarray, m: int) -> np.ndarray:
    """How often each pattern of ``m`` bits (first bit most significant) starts at one of n places.

    The sequence goes round: the first bits follow the last ones.
    """
    if m == 0:
        return np.array([bits.size])
    code, width = bits.astype(np.uint32), 1
    once = code
    while width < m:
        if 2 * width <= m:
            code, width = (code << np.uint32(width)) | np.roll(code, -width), 2 * width
        else:
            code, width = (code << np.uint32(1)) | np.roll(once, -width), width + 1
    return np.bincount(code, minlength=2**m)


def serial(bits: np.ndarray, m: int | None = None) -> tuple[Outcome, ...]:
    """P of the first and second differences of psi-square over patterns of m, m - 1, m - 2 bits.

    m is less than log2(n) - 2 and at most 16. 100 bits or more.
    """
    n = need(bits, SHORTEST if m is None else 1)
    m = min(LONGEST_SERIAL, int(math.log2(n)) - 3) if m is None else m
    if m < 2:
        raise NotApplicable(f"needs patterns of 2 bits or more, has {m}")
    counts = cyclic_patterns(bits, m)
    psi = []
    for width in (m, m - 1, m - 2):
        psi.append(2**width / n * float(np.sum(counts.astype(float) ** 2)) - n if width else 0.0)
        counts = counts.reshape(-1, 2).sum(1) if width else counts
    first, second = psi[0] - psi[1], psi[0] - 2 * psi[1] + psi[2]
    note = f"patterns of {m}"
    return (
        Outcome(first, float(gammaincc(2.0 ** (m - 2), first / 2)), note),
        Outcome(second, float(gammaincc(2.0 ** (m - 3), second / 2)), note),
    )


def approximate_entropy(bits: np.ndarray, m: int | None = None) -> tuple[Outcome, ...]:
    """P of 2 n (ln 2 - ApEn), ApEn the entropy of patterns of m + 1 bits less that of m bits.

    m is at most 10 and, by SP 800-22, 2.12.7, less than log2(n) - 5; here less by two more, as
    nearer the limit P is too small for independent bits (of 100,000 bits and m = 10, the limit,
    15 % of the P-values were below 0.1). 512 bits or more.
    """
    n = need(bits, 512 if m is None else 1)
    m = min(LONGEST_ENTROPY, int(math.log2(n)) - 8) if m is None else m
    if m < 1:
        raise NotApplicable(f"needs patterns of 1 bit or more, has {m}")
    longer = cyclic_patterns(bits, m + 1)
    phi = [float(np.sum(xlogy(c / n, c / n))) for c in (longer.reshape(-1, 2).sum(1), longer)]
    chi2 = max(0.0, 2 * n * (math.log(2) - (phi[0] - phi[1])))
    return (Outcome(chi2, float(gammaincc(2.0 ** (m - 1), chi2 / 2)), f"patterns of {m}"),)
