"""The joint law of the bits of several streams in one clock, from which moments follow exactly.

A law of m bits is an array (2**m,) of probabilities; bit j of the index is the bit of stream j.
Correlation within a clock is given by P(11), by the covariance P(11) - P(1.)P(.1), or by the
stochastic cross-correlation SCC (Alaghi, Hayes, "Exploiting correlation in stochastic circuit
design", ICCD 2013; recalled): the covariance over the greatest one of its sign that the two
probabilities allow, so 1 for streams from one random number, 0 for independent ones, -1 for
streams that overlap as little as they can.
"""

from __future__ import annotations

import numpy as np

TOLERANCE = 1e-12
"""By how much rounding may leave a probability outside [0, 1]."""


def independent(*probabilities: float) -> np.ndarray:
    """Law of independent bits with these probabilities of a 1."""
    return joined(*(np.array([1 - p, p]) for p in probabilities))


def pair(first: float, second: float, both: float) -> np.ndarray:
    """Law of two bits with P(1) ``first`` and ``second`` and P(11) ``both``.

    Raises ValueError where no such law exists.
    """
    law = np.array([1 - first - second + both, first - both, second - both, both])
    if law.min() < -TOLERANCE:
        lowest, highest = max(0.0, first + second - 1), min(first, second)
        raise ValueError(
            f"P(11) = {both:g} with P(1) = {first:g} and {second:g}: expected {lowest:g} to "
            f"{highest:g}"
        )
    return np.maximum(law, 0)


def joined(*laws: np.ndarray) -> np.ndarray:
    """Law of groups of bits that are independent of each other, the first group lowest."""
    law = np.ones(1)
    for group in laws:
        law = np.kron(group, law)
    return law


def checked(law: np.ndarray) -> np.ndarray:
    """The law; raises ValueError where it is none or not of 2, 4, 8, ... patterns."""
    law = np.asarray(law, float)
    if law.ndim != 1 or law.size < 2 or law.size & (law.size - 1):
        raise ValueError(f"a law of shape {law.shape}: expected 2, 4, 8, ... patterns")
    if law.min() < -TOLERANCE or abs(law.sum() - 1) > 1e-9:
        raise ValueError(f"probabilities {law} of patterns: expected 0 or more and a sum of 1")
    return law


def both_of_scc(first: np.ndarray, second: np.ndarray, scc: np.ndarray) -> np.ndarray:
    """P(11) of two bits with P(1) ``first`` and ``second`` and this SCC; broadcasts.

    Raises ValueError for an SCC outside -1 ... 1.
    """
    scc = np.asarray(scc, float)
    if not np.all(np.abs(scc) <= 1):
        raise ValueError(f"SCC {scc}: expected -1 to 1")
    first, second = np.asarray(first, float), np.asarray(second, float)
    product = first * second
    above = np.minimum(first, second) - product
    below = product - np.maximum(first + second - 1, 0)
    return np.asarray(product + scc * np.where(scc > 0, above, below))
