"""Moments and error law of the approximate parallel counter (APC): sums over n bits and N clocks.

Pairs of neighbours (x, y) count 2 (x AND y) or 2 (x OR y) in turn, an odd one at the end counts
once (:mod:`system.elements.counters`). In a clock the AND misses x XOR y, the OR adds it, so the
error is the number of OR pairs that differ less that of AND pairs that do. ``p`` (..., n) holds
P(1) of the bits that reach the counter: :func:`steered_probability` for sign-magnitude products.
Plain arithmetic on numpy or JAX arrays, but for the error law (numpy).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binom

from system.elements.gate_moments import mean as gate_mean
from system.elements.gates import AND, OR, Gate


def steered_probability(p: Any, sign: Any) -> Any:
    """P(1) of p XOR (s < 0): p for a positive product, 1 - p for a negative one."""
    return (1 - sign) / 2 + sign * p


def mean(p: Any, length: int, within: Any = 0.0) -> Any:
    """E[count]; ``within`` (..., n // 2) is the covariance of the two bits of each pair."""
    total = 0.0
    for gate, x, y, c in _pairs(p, within):
        total = total + 2 * gate_mean(gate, x, y, c).sum(-1)
    return length * (total + _odd(p).sum(-1))


def variance(p: Any, length: int, within: Any = 0.0) -> Any:
    """Var[count] = N (sum over pairs of 4 u (1 - u) + the odd bit's p (1 - p)).

    u = P(pair's bit = 1); ``within`` as above, different pairs independent of each other.
    """
    total = 0.0
    for gate, x, y, c in _pairs(p, within):
        u = gate_mean(gate, x, y, c)
        total = total + 4 * (u * (1 - u)).sum(-1)
    odd = _odd(p)
    return length * (total + (odd * (1 - odd)).sum(-1))


def covariance(p: Any, q: Any, lanes: Any, length: int) -> Any:
    """Cov of two counts whose lanes meet, all lanes independent of each other.

    Bit i of the one, P(1) = p_i, and bit i of the other, q_i, have the covariance c_i = ``lanes``
    (..., n) within a clock. Both ANDs of a pair are 1 with probability prod(p q + c) over its
    lanes; both ORs are 0 with prod((1 - p)(1 - q) + c).
    """
    total = 0.0
    for start, ones in ((0, True), (2, False)):
        f, g = (p, q) if ones else (1 - p, 1 - q)
        first, second = (slice(start + k, p.shape[-1] - p.shape[-1] % 2, 4) for k in (0, 1))
        single = f * g
        joint = single + lanes
        both = joint[..., first] * joint[..., second]
        total = total + 4 * (both - single[..., first] * single[..., second]).sum(-1)
    return length * (total + _odd(lanes).sum(-1))


def variance_given_counts(share: Any, length: int) -> Any:
    """Var[count] given the shares of n independent exchangeable streams at the counter."""
    again = share * (length * share - 1) / (length - 1)
    return covariance_given_counts(Lanes(share, share, share, again), length)


class Lanes(NamedTuple):
    """What two counts' lanes (..., n) show given counts: P(1) of the one's bit and of the other's,
    P(both 1) in the ``same`` clock and in two ``different`` clocks."""

    first: Any
    second: Any
    same: Any
    different: Any


def product_lanes(
    a: Any, b: Any, c: Any | None, length: int, first_sign: Any = 1.0, second_sign: Any = 1.0
) -> Lanes:
    """Lanes of steered products a b and a c, given the shares of all streams; c None: a b twice.

    The streams are independent and exchangeable. In two different clocks one stream is 1 with
    probability a (N a - 1)/(N - 1); a bit that a sign inverts is 1 - bit.
    """
    again = a * (length * a - 1) / (length - 1)
    if c is None:
        p = q = same = a * b
        different = again * b * (length * b - 1) / (length - 1)
        second_sign = first_sign
    else:
        p, q, same, different = a * b, a * c, a * b * c, again * b * c
    f, g = (1 - first_sign) / 2, (1 - second_sign) / 2

    def steered(both: Any) -> Any:
        once = f * second_sign * q + g * first_sign * p
        return f * g + once + first_sign * second_sign * both

    return Lanes(f + first_sign * p, g + second_sign * q, steered(same), steered(different))


def covariance_given_counts(lanes: Lanes, length: int) -> Any:
    """Cov of two counts whose lanes meet, given the counts of the streams; lanes independent.

    For bits u of the one and v of the other, Cov of the shares = (P(uv, same clock) + (N - 1)
    P(uv, different clocks))/N - P(u)P(v). Both ANDs of a pair are 1 where both lanes are, both ORs
    are 0 where both lanes are: products over the pair. (A difference of nearly equal numbers: in
    double precision.)
    """
    p, q, same, different = lanes
    zeros = Lanes(1 - p, 1 - q, 1 - p - q + same, 1 - p - q + different)
    total = 0.0
    for start, row in ((0, lanes), (2, zeros)):
        even = p.shape[-1] - p.shape[-1] % 2
        pair = Lanes(*(x[..., start:even:4] * x[..., start + 1 : even : 4] for x in row))
        total = total + 4 * _excess(pair, length).sum(-1)
    return length**2 * (total + _excess(Lanes(*map(_odd, lanes)), length).sum(-1))


def _excess(bits: Lanes, length: int) -> Any:
    return (bits.same + (length - 1) * bits.different) / length - bits.first * bits.second


def error_law(p: Any, length: int = 1, within: Any = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Law of approximate less exact count over N independent clocks: values and probabilities.

    A pair's differing clocks are Binomial(N, P(x XOR y)), and pairs are independent; the laws of
    OR pairs (+) and AND pairs (-) are convolved. ``p`` (n,); ``within`` (n // 2,) or 0.
    """
    p = np.asarray(p, float)
    differ = p[0 : p.size - 1 : 2] + p[1::2] - 2 * (p[0 : p.size - 1 : 2] * p[1::2] + within)
    law, lowest = np.ones(1), 0
    for k, d in enumerate(differ):
        one = binom.pmf(np.arange(length + 1), length, d)
        law = np.convolve(law, one if k % 2 else one[::-1])
        lowest -= 0 if k % 2 else length
    return np.arange(law.size) + lowest, law


def _pairs(p: Any, within: Any) -> tuple[tuple[Gate, Any, Any, Any], ...]:
    """AND pairs and OR pairs: gate, both bits' P(1) and their covariance."""
    even = p.shape[-1] - p.shape[-1] % 2
    whole = getattr(within, "ndim", 0)
    return tuple(
        (
            gate,
            p[..., 2 * k : even : 4],
            p[..., 2 * k + 1 : even : 4],
            within[..., k::2] if whole else within,
        )
        for k, gate in enumerate((AND, OR))
    )


def _odd(values: Any) -> Any:
    """The lane without a partner: (..., 1), or (..., 0) where n is even."""
    even = values.shape[-1] - values.shape[-1] % 2
    return values[..., even:]
