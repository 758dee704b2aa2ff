"""Exact moments of any element without memory, by enumerating the patterns of one clock.

An element without memory is a Boolean function of the bits of a clock. Its truth table is read from
the element itself, run on a stream that holds every pattern once. The closed forms of the families
(:mod:`system.elements.gate_moments` and its like) are checked against these.

Two assumptions about time:

- *independent clocks*: the patterns of the clocks are independent draws of one law, so shares of
  ones have 1/N of the covariance within a clock;
- *given counts*: groups of streams are realised; within a group the share of each pattern is
  known, and the clocks of a group are permuted at random, independently of the other groups (a
  stream alone in its group is exchangeable given its count; Bernoulli streams are). Two different
  clocks of a group show patterns u and v with probability (N s_u s_v - [u = v] s_u)/(N - 1), s
  being the shares: draws without replacement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from system.bitstream.packed import BitStream
from system.elements.laws import checked, joined

MOST_INPUTS = 12
"""Streams together: 4096 patterns, and the square of it in memory for the given counts."""


class PairMoments(NamedTuple):
    """Means of two shares of ones and their covariance."""

    first: float
    second: float
    covariance: float


def truth(element: Callable[..., BitStream], inputs: int) -> np.ndarray:
    """Truth table (2**inputs,) of an element of ``inputs`` streams; bit j of the index is input j.

    Raises ValueError for more than ``MOST_INPUTS`` inputs.
    """
    if not 1 <= inputs <= MOST_INPUTS:
        raise ValueError(f"{inputs} inputs: expected 1 to {MOST_INPUTS}")
    patterns = np.arange(2**inputs)
    streams = (BitStream.pack((patterns >> j) & 1) for j in range(inputs))
    return element(*streams).unpack().astype(float)


def independent_clocks(
    first: np.ndarray, second: np.ndarray, law: np.ndarray, length: int
) -> PairMoments:
    """Moments of two elements' shares of ones over ``length`` independent clocks.

    ``first`` and ``second`` are truth tables over the patterns of ``law`` (the same one twice gives
    the variance). Cov = (E[fg] - E[f]E[g])/N. Raises ValueError for sizes that differ.
    """
    f, g = _tables(first, second, checked(law).size)
    mean_f, mean_g = float(law @ f), float(law @ g)
    return PairMoments(mean_f, mean_g, float(law @ (f * g) - mean_f * mean_g) / length)


def given_counts(
    first: np.ndarray, second: np.ndarray, groups: Sequence[np.ndarray], length: int
) -> PairMoments:
    """Moments of two elements' shares of ones, given the shares of the patterns of each group.

    ``groups`` are the groups' realised laws, the first group on the lowest bits. Cov = (E[fg] +
    (N - 1) E[f(u) g(v)])/N - E[f]E[g], u and v being the patterns of two different clocks. Raises
    ValueError for tables of another size, for shares that are no multiples of 1/N and for fewer
    than two clocks.
    """
    if length < 2:
        raise ValueError(f"{length} clocks: expected 2 or more")
    shares = [checked(group) for group in groups]
    for share in shares:
        if np.abs(share * length - np.rint(share * length)).max() > 1e-6:
            raise ValueError(f"shares {share} of {length} clocks: expected multiples of 1/{length}")
    law = joined(*shares)
    f, g = _tables(first, second, law.size)
    two_clocks: np.ndarray = np.ones((1, 1))
    for s in shares:
        two_clocks = np.kron((length * np.outer(s, s) - np.diag(s)) / (length - 1), two_clocks)
    mean_f, mean_g = float(law @ f), float(law @ g)
    square = float(law @ (f * g) + (length - 1) * (f @ two_clocks @ g)) / length
    return PairMoments(mean_f, mean_g, square - mean_f * mean_g)


def _tables(first: np.ndarray, second: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    f, g = np.asarray(first, float), np.asarray(second, float)
    if f.shape != (size,) or g.shape != (size,):
        raise ValueError(f"truth tables of shapes {f.shape} and {g.shape}: expected ({size},)")
    return f, g
