"""Peaks of the discrete Fourier transform: periodic patterns. SP 800-22, 2.6."""

from __future__ import annotations

import math

import numpy as np
from scipy import fft
from scipy.special import erfc

from system.bitstream.randomness.base import Outcome, grain_of, need

SHORTEST_SPECTRUM = 1000
_SHARE = 0.95
_LEVEL = -math.log(1 - _SHARE)
"""95 % of the squared moduli over n lie below this if they are exponential."""


def spectral(bits: np.ndarray) -> tuple[Outcome, ...]:
    """P of the number of Fourier components of +-1 bits below the 95 % level. 1000 bits or more.

    The variance of the number is that of rev. 1a, n 0.95 0.05 / 4; the P-values printed in its
    examples follow from neither edition of the formula (its own program gives those that we give).
    """
    n = need(bits, SHORTEST_SPECTRUM)
    return (_spectral(bits, n),)


def _spectral(bits: np.ndarray, n: int) -> Outcome:
    power = components(2.0 * bits - 1)[: n // 2] / n
    spread = math.sqrt(n * _SHARE * (1 - _SHARE) / 4)
    return _two_sided((np.count_nonzero(power < _LEVEL) - _SHARE * n / 2) / spread, spread)


def _two_sided(score: float, spread: float) -> Outcome:
    return Outcome(float(score), float(erfc(abs(score) / math.sqrt(2))), grain=grain_of(spread))


def spectral_any(bits: np.ndarray) -> tuple[Outcome, ...]:
    """The same for bits of any P(1): without their mean, in units of their standard deviation.

    The component of frequency 0 is then 0 and left out. The sum of all squared moduli is fixed, so
    the number N1 of K components below the level t has the variance
    K (q (1 - q) - (t q)^2), q = exp(-t) = 0.05 (derived: that of independent exponential values
    less what goes with their sum). 1000 bits or more.
    """
    n = need(bits, SHORTEST_SPECTRUM)
    share = np.count_nonzero(bits) / n
    power = components(bits - share)[1 : (n + 1) // 2] / (n * share * (1 - share))
    q, count = 1 - _SHARE, power.size
    spread = math.sqrt(count * (q * _SHARE - (_LEVEL * q) ** 2))
    return (_two_sided((np.count_nonzero(power < _LEVEL) - _SHARE * count) / spread, spread),)


def components(values: np.ndarray) -> np.ndarray:
    """Squared moduli of the Fourier components at frequencies 0 ... n/2."""
    transformed = fft.rfft(values)
    return np.asarray(transformed.real**2 + transformed.imag**2)
