"""Moments of the exact counter: sums of signed bits over n streams and N clocks, closed form.

``p`` (..., n) holds P(1) of the bits, or realised shares where the name says "given counts";
``sign`` is +-1 (1 for unipolar products). Clocks are independent unless counts are given. For
products p = P(x y = 1) that share operands, their covariances within a clock come from
:func:`system.elements.gate_moments.clock_covariance`. Plain arithmetic: numpy and JAX arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from system.elements.laws import pair


def mean(p: Any, length: int, sign: Any = 1.0) -> Any:
    """E[sum] = N sum s_i p_i."""
    return length * (sign * p).sum(-1)


def variance(p: Any, length: int) -> Any:
    """Var[sum] = N sum p_i (1 - p_i) for independent bits, whatever their signs."""
    return length * (p * (1 - p)).sum(-1)


def variance_correlated(covariances: Any, length: int, sign: Any = 1.0) -> Any:
    """Var[sum] = N sum_ij s_i s_j C_ij, C (..., n, n) the covariances of the bits in a clock."""
    signed = sign * (covariances * _row(sign)).sum(-1)
    return length * signed.sum(-1)


def covariance(covariances: Any, length: int, first_sign: Any = 1.0, second_sign: Any = 1.0) -> Any:
    """Cov of two sums whose lanes meet: N sum_i s_i r_i c_i.

    c_i (..., n) is the covariance within a clock of bit i of the one and bit i of the other; bits
    of different lanes are independent (outputs of a layer, which share the activation of a lane).
    """
    return length * (first_sign * second_sign * covariances).sum(-1)


def variance_given_counts(a: Any, b: Any, length: int) -> Any:
    """Var[sum of AND or signed AND products] given the shares of all streams.

    The products are of independent exchangeable streams: N^2 sum a(1-a)b(1-b)/(N-1). Products that
    share one stream are uncorrelated given the counts, so it holds for them as well.
    """
    return length**2 * (a * (1 - a) * b * (1 - b)).sum(-1) / (length - 1)


def covariance_given_counts(
    a: Any, others: Any, length: int, first_sign: Any = 1.0, second_sign: Any = 1.0
) -> Any:
    """Cov of sums of a_i b_i and of a_i c_i given the shares of all patterns of (b_i, c_i).

    ``others`` is the realised share of b_i c_i = 1 less the product of their shares; its
    expectation is 0 for independent b and c, and so is the covariance.
    """
    terms = first_sign * second_sign * a * (1 - a) * others
    return length**2 * terms.sum(-1) / (length - 1)


def clock_law(p: Any) -> Any:
    """Law (n + 1,) of the exact count of n independent bits in one clock, by convolution (numpy).

    Raises ValueError where ``p`` is not one row.
    """
    p = np.asarray(p, float)
    if p.ndim != 1 or p.size < 1:
        raise ValueError(f"probabilities of shape {p.shape}: expected (n,), n of 1 or more")
    law = np.ones(1)
    for q in p:
        law = np.convolve(law, [1 - q, q])
    return law


def clock_law_pair(p: Any, q: Any, covariances: Any) -> Any:
    """Joint law ((n + 1)^2,) of two counts in one clock whose lanes meet (numpy).

    Bit i of the one, P(1) = p_i, and bit i of the other, q_i, have the covariance c_i; lanes are
    independent. The index is the first count + (n + 1) times the second. Raises ValueError for
    covariances that no law has.
    """
    p, q, covariances = np.broadcast_arrays(*(np.asarray(x, float) for x in (p, q, covariances)))
    law = np.zeros((p.size + 1, p.size + 1))
    law[0, 0] = 1.0
    for a, b, c in zip(p, q, covariances, strict=True):
        none, first, second, both = pair(a, b, a * b + c)
        more = none * law
        more[:, 1:] += first * law[:, :-1]
        more[1:] += second * law[:-1]
        more[1:, 1:] += both * law[:-1, :-1]
        law = more
    return law.ravel()


def _row(sign: Any) -> Any:
    """Signs (..., n) against the last axis of a matrix (..., n, n)."""
    return sign[..., None, :] if getattr(sign, "ndim", 0) else sign
