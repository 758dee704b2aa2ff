"""Moments of gates: shares of ones of outputs over N clocks, in closed form.

Arguments are P(1) of bits, or realised shares where the name says "given counts"; all functions
broadcast and take numpy and JAX arrays. Correlation within a clock enters as the covariance
P(11) - P(1.)P(.1) of two bits (:mod:`system.elements.laws` gives P(11) of an SCC). Clocks are
independent unless counts are given. A bipolar value is 2 share - 1: covariances are 4 times those
here. Where the stream that two outputs share is itself correlated with the others:
:mod:`system.elements.enumeration`, exact for any law.
"""

from __future__ import annotations

from typing import Any

from system.elements.gates import Gate


def mean(gate: Gate, a: Any, b: Any, covariance: Any = 0.0) -> Any:
    """E[share]: the gate's polynomial with E[xy] = ab + covariance."""
    return gate.constant + gate.first * a + gate.second * b + gate.both * (a * b + covariance)


def variance(gate: Gate, a: Any, b: Any, length: int, covariance: Any = 0.0) -> Any:
    """Var[share] = m (1 - m)/N, m the mean: each clock is one Bernoulli draw."""
    m = mean(gate, a, b, covariance)
    return m * (1 - m) / length


def clock_covariance(first: Gate, second: Gate, a: Any, b: Any, c: Any, others: Any = 0.0) -> Any:
    """Covariance, within a clock, of first(x, y) and second(x, z), which share x.

    x is independent of (y, z), and Cov(y, z) = ``others``. Given (y, z) a gate is (f0 + fb y) +
    (fa + fb' y) x with f0, fa, fb, fb' its coefficients, so Cov = Var(x) E[(fa + fb' y)
    (ga + gb' z)] + (fb + fb' a)(gb + gb' a) Cov(y, z).
    """
    slopes = (first.first + first.both * b) * (second.first + second.both * c)
    slopes = slopes + first.both * second.both * others
    through = (first.second + first.both * a) * (second.second + second.both * a)
    return a * (1 - a) * slopes + through * others


def covariance(
    first: Gate, second: Gate, a: Any, b: Any, c: Any, length: int, others: Any = 0.0
) -> Any:
    """Cov of the shares of first(x, y) and second(x, z): that of a clock over N."""
    return clock_covariance(first, second, a, b, c, others) / length


def variance_given_counts(gate: Gate, a: Any, b: Any, length: int) -> Any:
    """Var[share] given the shares a and b of two independent exchangeable streams.

    Only the overlap is random: hypergeometric, of variance a(1-a)b(1-b)/(N-1).
    """
    return gate.both**2 * a * (1 - a) * b * (1 - b) / (length - 1)


def covariance_given_counts(first: Gate, second: Gate, a: Any, others: Any, length: int) -> Any:
    """Cov of the shares of first(x, y) and second(x, z), given the shares of all patterns.

    x, of share a, is exchangeable and independent of (y, z); ``others`` is the realised share of
    y z = 1 less the product of the shares of y and z (0 where y and z are independent too and only
    their counts are given). A sum over the A clocks of x = 1, drawn without replacement.
    """
    return first.both * second.both * a * (1 - a) * others / (length - 1)


def or_mean(p: Any) -> Any:
    """E[share] of the OR over the last axis of independent streams: 1 - prod(1 - p)."""
    return 1 - (1 - p).prod(-1)


def or_variance(p: Any, length: int) -> Any:
    """Var[share] of the OR of n independent streams: m (1 - m)/N."""
    m = or_mean(p)
    return m * (1 - m) / length


def or_covariance(p: Any, q: Any, covariance: Any, length: int) -> Any:
    """Cov of the shares of two ORs whose inputs meet lane by lane.

    Input i of the one, P(1) = p_i, and input i of the other, q_i, have ``covariance`` c_i within a
    clock (p_i (1 - p_i) where they are one stream); different lanes are independent. Both ORs are 0
    with probability prod((1 - p)(1 - q) + c).
    """
    zeros = (1 - p) * (1 - q)
    return ((zeros + covariance).prod(-1) - zeros.prod(-1)) / length


def or_variance_given_counts(share: Any, length: int) -> Any:
    """Var[share] of the OR of n independent exchangeable streams, given their shares.

    In two different clocks a stream is 0 with probability z (N z - 1)/(N - 1), z = 1 - share.
    """
    zero = 1 - share
    once = zero.prod(-1)
    twice = (zero * (length * zero - 1) / (length - 1)).prod(-1)
    return (once + (length - 1) * twice) / length - once**2
