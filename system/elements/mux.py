"""Scaled addition: a tree of multiplexers lets one of n streams through in each clock.

The output's mean is (1/n) sum of the inputs' (Gaines 1967; recalled). A tree of n - 1 two-to-one
multiplexers adds any number of streams: each selects its second input with the share of leaves
that lie behind it, which is 1/2 everywhere where n is a power of two (the cells of
:mod:`circuits.mac.mux_tree`, in the same order); for other n no input is padded, and the selects
that are not 1/2 cost a comparator each (a choice of ours).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from system.bitstream.packed import BitStream


def select_probabilities(fan_in: int) -> np.ndarray:
    """P(1) of the n - 1 own selects of :func:`mux_tree`, in its order: level by level.

    Raises ValueError for fewer than two inputs.
    """
    leaves = np.ones(_checked(fan_in), int)
    probabilities = []
    while leaves.size > 1:
        pairs = leaves.size // 2
        even, odd = leaves[0 : 2 * pairs : 2], leaves[1 : 2 * pairs : 2]
        probabilities.append(odd / (even + odd))
        leaves = np.concatenate([even + odd, leaves[2 * pairs :]])
    return np.concatenate(probabilities)


def mux_tree(streams: BitStream, selects: BitStream, shared: bool = False) -> BitStream:
    """Scaled sum over the last axis of ``streams`` (..., n).

    ``selects`` (..., n - 1): one for each multiplexer, of P(1) as :func:`select_probabilities`
    says; neighbours meet in pairs, an odd one at the end goes up a level. ``shared``: (..., log2
    n), one of P(1) = 1/2 for each level, for n a power of two. The leading axes of both broadcast,
    so that one set of selects can serve many sums. Raises ValueError for another number of selects.
    """
    fan_in = _checked(streams.shape[-1])
    if shared and fan_in & (fan_in - 1):
        raise ValueError(f"{fan_in} inputs with shared selects: expected a power of two")
    wanted = fan_in.bit_length() - 1 if shared else fan_in - 1
    if selects.shape[-1] != wanted:
        raise ValueError(f"{selects.shape[-1]} selects for {fan_in} inputs: expected {wanted}")
    used = 0
    while streams.shape[-1] > 1:
        count = streams.shape[-1]
        pairs = count // 2
        taken = 1 if shared else pairs
        select = selects[..., used : used + taken]
        used += taken
        chosen = mux(streams[..., 0 : 2 * pairs : 2], streams[..., 1 : 2 * pairs : 2], select)
        streams = _beside(chosen, streams[..., 2 * pairs :]) if count % 2 else chosen
    return streams[..., 0]


def mux(first: BitStream, second: BitStream, select: BitStream) -> BitStream:
    """The first stream where the select is 0, the second where it is 1."""
    return first ^ ((first ^ second) & select)


def scaled_difference(first: BitStream, second: BitStream, select: BitStream) -> BitStream:
    """(a - b)/2 of bipolar streams: a multiplexer with its second input inverted, select 1/2."""
    return mux(first, ~second, select)


def _beside(first: BitStream, second: BitStream) -> BitStream:
    """Both along the last axis of streams; the leading axes of the second may broadcast."""
    xp: Any = np
    if not isinstance(first.words, np.ndarray):
        import jax.numpy as xp
    shape = (*first.shape[:-1], *second.words.shape[-2:])
    words = xp.concatenate([first.words, xp.broadcast_to(second.words, shape)], axis=-2)
    return BitStream(words, first.length)


def _checked(fan_in: int) -> int:
    if fan_in < 2:
        raise ValueError(f"a scaled sum of {fan_in} inputs: expected 2 or more")
    return fan_in
