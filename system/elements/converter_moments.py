"""Moments of the converters and of the isolator: shares of ones over N clocks, closed form.

Plain arithmetic on numpy or JAX arrays; clocks are independent.
"""

from __future__ import annotations

from typing import Any

from system.elements.laws import both_of_scc


def mean(p: Any) -> Any:
    """E[share] = p, the number over the range of the random numbers."""
    return p


def variance(p: Any, length: int) -> Any:
    """Var[share] = p (1 - p)/N."""
    return p * (1 - p) / length


def covariance(p: Any, q: Any, length: int, scc: Any = 1.0) -> Any:
    """Cov of the shares of two streams of this SCC; 1: from the same random numbers, then
    (min(p, q) - p q)/N."""
    return (both_of_scc(p, q, scc) - p * q) / length


def isolated_mean(p: Any, length: int, clocks: int = 1) -> Any:
    """E[share] of a delayed stream: p (N - d)/N, since d zeros come first and d bits are lost."""
    return p * (length - clocks) / length


def isolated_variance(p: Any, length: int, clocks: int = 1) -> Any:
    """Var[share] of a delayed stream: p (1 - p) (N - d)/N^2."""
    return p * (1 - p) * (length - clocks) / length**2


def isolated_covariance(p: Any, length: int, clocks: int = 1) -> Any:
    """Cov of the shares of a stream and its delay: the N - d bits both count."""
    return isolated_variance(p, length, clocks)


def square_mean(p: Any, length: int, clocks: int = 1) -> Any:
    """E[share] of x AND its delay: p^2 (N - d)/N."""
    return p**2 * (length - clocks) / length


def square_variance(p: Any, length: int, clocks: int = 1) -> Any:
    """Var[share] of x AND its delay: x_t x_(t-d) and x_(t+d) x_t share a bit.

    ((N - d) p^2 (1 - p^2) + 2 max(N - 2d, 0) p^3 (1 - p))/N^2.
    """
    alone = (length - clocks) * p**2 * (1 - p**2)
    shared = 2 * max(length - 2 * clocks, 0) * p**3 * (1 - p)
    return (alone + shared) / length**2
