"""Moments of scaled addition by a MUX tree: shares of ones of outputs over N clocks, closed form.

``p`` (..., n) holds the inputs' P(1), or their realised shares where the name says "given counts".
Each clock's select is uniform over the n inputs, independent of the inputs and of other clocks. The
covariances of inputs of two sums come as a matrix (..., n, n): Cov(x_i, w_j) within a clock (for
products that share operands see :func:`system.elements.gate_moments.clock_covariance`).
Bipolar covariances are 4 times those here. Plain arithmetic: numpy and JAX arrays.
"""

from __future__ import annotations

from typing import Any


def mean(p: Any) -> Any:
    """E[share] = (1/n) sum p_i, however the inputs are correlated."""
    return p.mean(-1)


def variance(p: Any, length: int) -> Any:
    """Var[share] = m (1 - m)/N: a clock lets one bit through, so correlation does not enter."""
    m = mean(p)
    return m * (1 - m) / length


def covariance_own_selects(covariances: Any, length: int) -> Any:
    """Cov of two sums' shares with selects of their own: (1/n^2) sum_ij Cov(x_i, w_j)/N."""
    return covariances.mean((-2, -1)) / length


def covariance_same_selects(p: Any, q: Any, covariances: Any, length: int) -> Any:
    """Cov of two sums' shares with the same selects; only the matrix's diagonal (..., n) matters.

    Both let the same lane through: E = (1/n) sum_i (p_i q_i + c_i), less the product of the means.
    So even sums without a common stream are correlated.
    """
    return ((p * q + covariances).mean(-1) - mean(p) * mean(q)) / length


def variance_given_counts(share: Any, length: int, spread: Any | None = None) -> Any:
    """Var[share] given counts, for inputs of expected shares a_i that are independent lanes.

    ``spread`` (..., n) is the variance of each input's share: None for streams of known count; for
    products given their operands' counts that of :mod:`system.elements.gate_moments`. Given the
    bits, a clock with the lanes' mean m_t has variance m_t (1 - m_t), and E[m_t^2] = m^2 +
    sum a_i (1 - a_i)/n^2; the mean over the clocks varies with the shares. So Var = (m (1 - m) -
    sum a_i (1 - a_i)/n^2)/N + sum spread_i/n^2.
    """
    m = mean(share)
    n = share.shape[-1]
    selected = (m * (1 - m) - (share * (1 - share)).mean(-1) / n) / length
    return selected if spread is None else selected + spread.mean(-1) / n


def covariance_own_selects_given_counts(spreads: Any) -> Any:
    """Cov of two sums' shares with selects of their own, given the counts: (1/n^2) sum_ij s_ij.

    ``spreads`` (..., n, n): the covariances of the inputs' shares, 0 where their counts are known
    and for products of independent streams that share one.
    """
    return spreads.mean((-2, -1))


def covariance_same_selects_given_counts(
    diagonal: Any, overlaps: Any, length: int, spreads: Any | None = None
) -> Any:
    """Cov of two sums' shares with the same selects, given the counts.

    ``overlaps`` (..., n, n): the expected share of clocks in which x_i and w_j are both 1: a_i b_j
    for independent exchangeable streams, a_i where they are one stream; ``diagonal`` (..., n) is
    its diagonal; ``spreads`` as for own selects (None: 0). Given the bits the sums vary by the
    selects alone: Cov = ((1/n) sum_i o_ii - (1/n^2) sum_ij o_ij)/N + (1/n^2) sum_ij s_ij.
    """
    selected = (diagonal.mean(-1) - overlaps.mean((-2, -1))) / length
    return selected if spreads is None else selected + covariance_own_selects_given_counts(spreads)
