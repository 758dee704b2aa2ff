"""Are the bits independent, whatever P(1) is? Tests that hold the number of ones fixed.

SP 800-22 asks for fair coins; a stochastic number generator at DAC code 137 is no fair coin, and
its bits may be perfectly independent all the same. Independent bits of any probability are
exchangeable given their number of ones; each test here compares with that. None needs to know
P(1), so none is disturbed by a P(1) that is not the one asked for.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import chdtrc, gammaincc, xlogy
from scipy.stats import hypergeom

from system.bitstream.correlation import autocorrelation
from system.bitstream.packed import BitStream
from system.bitstream.randomness.base import (
    SHORTEST,
    NotApplicable,
    Outcome,
    Test,
    grain_of,
    need,
)
from system.bitstream.randomness.frequency import block_length
from system.bitstream.randomness.patterns import cyclic_patterns
from system.bitstream.randomness.runs import check_both_values
from system.bitstream.randomness.spectral import SHORTEST_SPECTRUM, spectral_any
from system.bitstream.randomness.walk import bridge

LAGS = 8
LONGEST_PATTERN = 8
_FEWEST_EXPECTED = 10.0
"""Least expected number of the rarest pattern, block value or pair for a chi-square law."""


def runs_of_ones(bits: np.ndarray) -> tuple[Outcome, ...]:
    """P of the number of runs of ones given the numbers of ones A and zeros B: exact, two-sided.

    Of all arrangements C(A - 1, r - 1) C(B + 1, r) have r runs (Stevens 1939, Wald and Wolfowitz
    1940; recalled), so that r is hypergeometric. Too few: ones follow ones (memory of one sign,
    failed RESET); too many: they avoid each other. 100 bits or more.
    """
    need(bits, SHORTEST)
    ones, zeros = check_both_values(bits)
    found = int(bits[0]) + int(np.count_nonzero(bits[1:] > bits[:-1]))
    law = hypergeom(ones + zeros, zeros + 1, ones)
    tails = float(law.cdf(found)), float(law.sf(found - 1))
    expected = ones * (zeros + 1) / (ones + zeros)
    variance = expected * (1 - expected / ones) * zeros / (ones + zeros - 1)
    p, grain = min(1.0, 2 * min(tails)), grain_of(max(math.sqrt(variance), 1.0))
    return (Outcome(float(found), p, f"{expected:.1f} expected", grain),)


def lagged(bits: np.ndarray, lags: int = LAGS) -> tuple[Outcome, ...]:
    """P of the sum of squared standard scores of the autocorrelation at lags 1 to 8.

    Scores by the exact mean and variance of all arrangements (as Dufour and Roy, Biometrika 1985,
    recalled, do it for values of any law); the sum is taken as chi-square. Wants ten expected
    coincidences of the rarer bit at each lag.
    """
    n = need(bits, SHORTEST)
    _few_pairs(bits, n)
    z = autocorrelation(BitStream.pack(bits), lags).z
    total = float(np.sum(z**2))
    return (Outcome(total, float(chdtrc(lags, total)), f"lags 1 to {lags}"),)


def blocks_alike(bits: np.ndarray) -> tuple[Outcome, ...]:
    """P of the chi-square of the ones of blocks about the sequence's own share: slow drift.

    Blocks as in SP 800-22's test, longer where ones or zeros are rare: ten of them in each.
    """
    n = need(bits, SHORTEST)
    ones, zeros = check_both_values(bits)
    rare = min(ones, zeros) / n
    block = max(block_length(n), math.ceil(_FEWEST_EXPECTED / rare))
    blocks = n // block
    if blocks < 2:
        raise NotApplicable(f"needs {2 * block:,} bits to hold enough of the rarer one")
    counts = bits[: blocks * block].reshape(blocks, block).sum(1, dtype=np.int64)
    share = counts.sum() / (blocks * block)
    spread = block * share * (1 - share)
    if spread == 0:
        raise NotApplicable("all bits of the whole blocks are alike")
    # Given the total, the mean of the sum over blocks is (blocks - 1) n / (n - 1).
    used = blocks * block
    squares = float(np.sum((counts - block * share) ** 2))
    chi2 = float(squares / spread * (used - 1) / used)
    p = float(gammaincc((blocks - 1) / 2, chi2 / 2))
    return (Outcome(chi2, p, f"{blocks} blocks of {block}"),)


def patterns(bits: np.ndarray) -> tuple[Outcome, ...]:
    """P of the likelihood ratio of a Markov chain of order m - 1 against independent bits.

    2 sum of n(w) ln(n(w) n / (n(w without its last bit) n(its last bit))) over patterns w of m
    bits is chi-square with 2^(m - 1) - 1 degrees of freedom (Hoel 1954, Billingsley 1961;
    recalled): the serial test for any P(1). m is 8 or so many that the rarest pattern is expected
    ten times, 2 at least.
    """
    n = need(bits, SHORTEST)
    rare = min(check_both_values(bits)) / n
    m = min(LONGEST_PATTERN, int(math.log(_FEWEST_EXPECTED / n) / math.log(rare)))
    if m < 2:
        _few_pairs(bits, n)
        m = 2
    counts = cyclic_patterns(bits, m).reshape(-1, 2).astype(float)
    before, last = counts.sum(1, keepdims=True), counts.sum(0, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(counts > 0, counts * n / (before * last), 1.0)
    statistic = max(0.0, 2 * float(np.sum(xlogy(counts, ratio))))
    freedom = 2 ** (m - 1) - 1
    return (Outcome(statistic, float(chdtrc(freedom, statistic)), f"patterns of {m}"),)


def spectrum(bits: np.ndarray) -> tuple[Outcome, ...]:
    """The spectral test for any P(1); see :mod:`system.bitstream.randomness.spectral`.

    Components of fewer ones (or zeros) than sqrt(n) are not exponential enough: of 1e5 bits with 20
    ones 63 % would fail at 1 % (simulated); with sqrt(n) of them it is 0.5 to 2 %.
    """
    n = need(bits, SHORTEST_SPECTRUM)
    rare = min(check_both_values(bits))
    if rare * rare < n:
        least = math.ceil(n * n / (rare * rare))
        raise NotApplicable(f"needs about {least:,} bits to hold enough of the rarer one")
    return spectral_any(bits)


def _few_pairs(bits: np.ndarray, n: int) -> None:
    rare = min(check_both_values(bits))
    if rare * rare / n < _FEWEST_EXPECTED:
        least = math.ceil(_FEWEST_EXPECTED * n * n / (rare * rare))
        raise NotApplicable(f"needs about {least:,} bits to hold enough pairs of the rarer one")


INDEPENDENCE = (
    Test("runs of ones", runs_of_ones, "bits that follow or avoid their neighbours"),
    Test("autocorrelation", lagged, "memory over a few cycles"),
    Test("patterns", patterns, "memory of any form over a few cycles"),
    Test("spectrum", spectrum, "periods"),
    Test("blocks alike", blocks_alike, "drift of P(1)"),
    Test("walk about its line", bridge, "drift of P(1)"),
)
"""The tests for any P(1), in the order of the report."""
