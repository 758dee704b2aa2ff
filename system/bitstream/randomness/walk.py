"""The random walk of the bits: how far it goes from its start. SP 800-22, 2.13."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr
from scipy.stats import kstwobign

from system.bitstream.randomness.base import SHORTEST, Outcome, grain_of, need
from system.bitstream.randomness.runs import check_both_values

_FARTHEST = 9.0
"""Standard deviations beyond which the normal law holds nothing."""


def cumulative_sums(bits: np.ndarray) -> tuple[Outcome, ...]:
    """P of the farthest point of the walk of +-1 steps, forward and from the end backward.

    100 bits or more.
    """
    n = need(bits, SHORTEST)
    return _cumulative_sums(bits, n)


def _cumulative_sums(bits: np.ndarray, n: int) -> tuple[Outcome, ...]:
    steps = 2 * bits.astype(np.int64) - 1
    return tuple(
        Outcome(float(far), _beyond(far, n), grain=grain_of(math.sqrt(n) / 2))
        for far in (int(np.max(np.abs(np.cumsum(s)))) for s in (steps, steps[::-1]))
    )


def _beyond(far: int, n: int) -> float:
    """P(the walk of n steps goes as far as ``far``), by reflection and the normal limit.

    The series of SP 800-22, 3.13, with every term that is not 0 in double precision.
    """
    scale = far / math.sqrt(n)
    most = math.ceil((_FARTHEST / scale + 3) / 4)
    k = 4 * np.arange(-most, most + 1)
    stays = ndtr((k + 1) * scale) - ndtr((k - 1) * scale)
    reflected = ndtr((k + 3) * scale) - ndtr((k + 1) * scale)
    return float(np.clip(1 - np.sum(stays - reflected), 0, 1))


def bridge(bits: np.ndarray) -> tuple[Outcome, ...]:
    """For any P(1): the farthest point of the walk about the straight line from start to end.

    Over sqrt(n p (1 - p)), p the share of ones, it follows the law of Kolmogorov as n grows (the
    walk tends to a Brownian bridge; Kolmogorov 1933, recalled). A drift of P(1) makes it large.
    100 bits or more.
    """
    n = need(bits, SHORTEST)
    ones, zeros = check_both_values(bits)
    above = np.cumsum(bits, dtype=np.int64) * n - ones * np.arange(1, n + 1, dtype=np.int64)
    spread = math.sqrt(ones * zeros / n)
    far = float(np.max(np.abs(above))) / n / spread
    return (Outcome(far, float(kstwobign.sf(far)), grain=grain_of(spread)),)
