"""Sixteen counts of ones at a time: the inner loop of everything that multiplies and adds streams.

Four rows of one operand meet four rows of the other, so that each word loaded is used four times,
and the sixteen counts stay in registers while the loop runs along the rows. Written for LLVM's
vectoriser: with AVX-512 it takes eight words at once (vpopcntq).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

ROWS = 4
"""Rows of each operand in a tile; buffers hold a multiple of it."""
LANES = 8
"""Words a vector holds; rows padded with zeros to a multiple of it need no scalar remainder."""
_ZERO = np.uint64(0)


def _popcount(_typing: Any, _word: Any) -> Any:
    """Ones of a uint64 word, as uint64."""

    def generate(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


popcount: Any = intrinsic(_popcount)


@njit(nogil=True, cache=True)
def _word(words, place):  # type: ignore[no-untyped-def]
    if words is None:
        return _ZERO
    return words[place]


@njit(nogil=True, cache=True)
def _ones(x, u, y, v):  # type: ignore[no-untyped-def]
    return popcount((x & y) ^ (u ^ v))


@njit(nogil=True, cache=True)
def add_tile(x, u, y, v, stride, words, counts, row, column) -> None:  # type: ignore[no-untyped-def]
    """Add the ones of (x AND y) XOR u XOR v to ``counts`` (rows, columns) at (row, column).

    Rows ``row`` to ``row`` + 3 of x and u meet rows ``column`` to ``column`` + 3 of y and v, each
    flat with ``stride`` words from row to row, of which ``words`` are used. None stands for zeros:
    (x, None, y, None) counts ANDs, (None, u, None, v) XORs; the compiler leaves the rest out.
    """
    step = np.uint64(stride)
    i0, j0 = np.uint64(row) * step, np.uint64(column) * step
    i1, j1 = i0 + step, j0 + step
    i2, j2 = i1 + step, j1 + step
    i3, j3 = i2 + step, j2 + step
    c00 = c01 = c02 = c03 = c10 = c11 = c12 = c13 = _ZERO
    c20 = c21 = c22 = c23 = c30 = c31 = c32 = c33 = _ZERO
    for place in range(words):
        w = np.uint64(place)
        y0, y1, y2, y3 = _word(y, j0 + w), _word(y, j1 + w), _word(y, j2 + w), _word(y, j3 + w)
        v0, v1, v2, v3 = _word(v, j0 + w), _word(v, j1 + w), _word(v, j2 + w), _word(v, j3 + w)
        p, q = _word(x, i0 + w), _word(u, i0 + w)
        c00 += _ones(p, q, y0, v0)
        c01 += _ones(p, q, y1, v1)
        c02 += _ones(p, q, y2, v2)
        c03 += _ones(p, q, y3, v3)
        p, q = _word(x, i1 + w), _word(u, i1 + w)
        c10 += _ones(p, q, y0, v0)
        c11 += _ones(p, q, y1, v1)
        c12 += _ones(p, q, y2, v2)
        c13 += _ones(p, q, y3, v3)
        p, q = _word(x, i2 + w), _word(u, i2 + w)
        c20 += _ones(p, q, y0, v0)
        c21 += _ones(p, q, y1, v1)
        c22 += _ones(p, q, y2, v2)
        c23 += _ones(p, q, y3, v3)
        p, q = _word(x, i3 + w), _word(u, i3 + w)
        c30 += _ones(p, q, y0, v0)
        c31 += _ones(p, q, y1, v1)
        c32 += _ones(p, q, y2, v2)
        c33 += _ones(p, q, y3, v3)
    _add_row(counts, row, column, c00, c01, c02, c03)
    _add_row(counts, row + 1, column, c10, c11, c12, c13)
    _add_row(counts, row + 2, column, c20, c21, c22, c23)
    _add_row(counts, row + 3, column, c30, c31, c32, c33)


@njit(inline="always")
def _add_row(counts, row, column, c0, c1, c2, c3) -> None:  # type: ignore[no-untyped-def]
    counts[row, column] += np.int64(c0)
    counts[row, column + 1] += np.int64(c1)
    counts[row, column + 2] += np.int64(c2)
    counts[row, column + 3] += np.int64(c3)
