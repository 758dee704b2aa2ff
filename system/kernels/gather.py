"""Streams of an operand laid end to end, so that loops along them are long and contiguous."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from system.kernels.tiles import LANES, ROWS

WORD_BITS = 64
_LONG = 64
_ALL, _ZERO = np.uint64(2**64 - 1), np.uint64(0)
_ONE, _TWO, _THREE, _FOUR = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)


class Rows(NamedTuple):
    """One operand and the buffers of one thread that a block of its rows is gathered in.

    ``words`` and ``negative`` are flat, with ``streams`` streams of ``width`` words an owner (image
    or life); ``which`` is flat with ``products`` a place (i or j). Row r of the block holds the
    streams ``which[place[r]]`` of ``owner[r]``: their words in ``own``, their signs in ``sign`` and
    whether there is a product in ``there``, as words (``stride`` a row); the signs once more in
    ``bits``, one bit a product (``bit_words`` a row). Buffers of no size are left out.
    """

    words: np.ndarray
    negative: np.ndarray
    which: np.ndarray
    streams: int
    width: int
    products: int
    owner: np.ndarray
    place: np.ndarray
    own: np.ndarray
    sign: np.ndarray
    there: np.ndarray
    stride: int
    bits: np.ndarray
    bit_words: int


def buffers(
    words: np.ndarray,
    index: np.ndarray,
    negative: np.ndarray | None,
    rows: int,
    block_words: int,
    sign: bool,
    there: bool,
) -> Rows:
    """Buffers for ``rows`` rows of up to ``block_words`` words; see :class:`Rows`."""
    (_, streams, width), products = words.shape, index.shape[1]
    # An odd number of cache lines, so that the rows of a tile do not fall into the same sets.
    lines = math.ceil(block_words / LANES)
    stride = (lines + 1 - lines % 2) * LANES
    bit_words = padded(math.ceil(products / WORD_BITS), LANES)
    size = rows * stride
    return Rows(
        _flat(words),
        _flat(np.zeros(words.shape[:2], np.bool_) if negative is None else negative),
        _flat(index.astype(np.int32, copy=False)),
        streams,
        width,
        products,
        np.empty(rows, np.int64),
        np.empty(rows, np.int64),
        aligned(size),
        aligned(size if sign else 0),
        aligned(size if there else 0),
        stride,
        aligned(rows * bit_words),
        bit_words,
    )


def _flat(array: np.ndarray) -> np.ndarray:
    """In one axis; a copy of what is read-only, for which Numba would compile all once more."""
    flat = array.ravel()
    return flat if flat.flags.writeable else flat.copy()


def aligned(size: int) -> np.ndarray:
    """Empty uint64 words that begin with a cache line: vectors loaded from it lie in one line."""
    words = np.empty(size + LANES, np.uint64)
    return words[-(words.ctypes.data // words.itemsize) % LANES :][:size]


@njit(nogil=True, cache=True)
def padded(n, multiple):  # type: ignore[no-untyped-def]
    """``n`` rounded up to a multiple."""
    return (n + multiple - 1) // multiple * multiple


def tasks_of(
    lives: np.ndarray, rows: int, columns: int, row_block: int, column_block: int
) -> np.ndarray:
    """Pieces of work (life, first and last row, first and last column), int64 (pieces, 5).

    A row is an i of an image, counted over the images in the order of their ``lives``, which
    ascend; the rows of a piece meet the same life of the other operand.
    """
    if lives.size == 0:
        return np.zeros((0, 5), np.int64)
    starts = np.flatnonzero(np.diff(lives.astype(np.int64), prepend=-1))
    ends = np.append(starts[1:], lives.size)
    pieces = [
        (lives[start], row, min(row + row_block, end * rows), column, column_end)
        for start, end in zip(starts, ends, strict=True)
        for row in range(start * rows, end * rows, row_block)
        for column in range(0, columns, column_block)
        for column_end in (min(column + column_block, columns),)
    ]
    return np.array(pieces, np.int64).reshape(-1, 5)


@njit(inline="always")
def assign(task, left, right, images, places):  # type: ignore[no-untyped-def]
    """Say whose streams the rows of a task hold; numbers of its rows and columns.

    ``images`` are in the order of their lives, each with ``places`` rows. Blocks are filled up to
    whole tiles by repeating the last row.
    """
    life, row, row_end, column, column_end = task
    for r in range(padded(row_end - row, ROWS)):
        number = min(row + r, row_end - 1)
        left.owner[r] = images[number // places]
        left.place[r] = number % places
    for c in range(padded(column_end - column, ROWS)):
        right.owner[c] = life
        right.place[c] = min(column + c, column_end - 1)
    return row_end - row, column_end - column


@njit(nogil=True, cache=True)
def gather(length, side, rows, part):  # type: ignore[no-untyped-def]
    """Lay ``part`` (first and last product, first and last word) of the rows of a block end to end.

    Returns the words a row now holds, zeros up to a whole vector included. ``length`` is that of
    the streams: signs and ``there`` are 0 beyond it. ``bits`` must have been cleared before.
    """
    k, k_end, w, w_end = part
    width = w_end - w
    words = padded((k_end - k) * width, LANES)
    rest = length % WORD_BITS
    last = _ALL if rest == 0 or w_end < side.width else (_ONE << np.uint64(rest)) - _ONE
    for r in range(padded(rows, ROWS)):
        first, index = side.owner[r] * side.streams, side.place[r] * side.products
        start, bit = r * side.stride, r * side.bit_words
        at = np.uint64(start)
        for product in range(k, k_end):
            stream = np.int64(side.which[np.uint64(index + product)])
            kept = _ZERO - np.uint64(stream >= 0)
            source = np.uint64((first + max(stream, 0)) * side.width + w)
            at = _copy(side.words, source, width, kept, side.own, at)
        for place in range(at, start + words):
            side.own[place] = _ZERO
        if side.sign.size > 0:
            at = np.uint64(start)
            for product in range(k, k_end):
                stream = np.int64(side.which[np.uint64(index + product)])
                negative = side.negative[np.uint64(first + max(stream, 0))] & (stream >= 0)
                word = _ZERO - np.uint64(negative)
                at = _fill(word, last, width, side.sign, at)
                word = (word & _ONE) << np.uint64(product % WORD_BITS)
                side.bits[np.uint64(bit + product // WORD_BITS)] |= word
            for place in range(at, start + words):
                side.sign[place] = _ZERO
        if side.there.size > 0:
            at = np.uint64(start)
            for product in range(k, k_end):
                exists = side.which[np.uint64(index + product)] >= 0
                at = _fill(_ZERO - np.uint64(exists), last, width, side.there, at)
            for place in range(at, start + words):
                side.there[place] = _ZERO
    return words


@njit(inline="always")
def _copy(words, source, width, kept, to, at):  # type: ignore[no-untyped-def]
    """``width`` words of one stream. Where the next ones go.

    Few words go four at a time, 256 clocks in one vector; many in a loop for the vectoriser.
    """
    if width >= _LONG:
        for n in range(width):
            w = np.uint64(n)
            to[at + w] = words[source + w] & kept
        return at + np.uint64(width)
    for _ in range(width // 4):
        w0, w1 = words[source], words[source + _ONE]
        w2, w3 = words[source + _TWO], words[source + _THREE]
        to[at], to[at + _ONE] = w0 & kept, w1 & kept
        to[at + _TWO], to[at + _THREE] = w2 & kept, w3 & kept
        source += _FOUR
        at += _FOUR
    for _ in range(width % 4):
        to[at] = words[source] & kept
        source += _ONE
        at += _ONE
    return at


@njit(inline="always")
def _fill(word, last, width, to, at):  # type: ignore[no-untyped-def]
    """``width`` equal words, the last one cut at the stream's end. Where the next ones go."""
    for _ in range(width // 4):
        to[at] = to[at + _ONE] = to[at + _TWO] = to[at + _THREE] = word
        at += _FOUR
    for _ in range(width % 4):
        to[at] = word
        at += _ONE
    to[at - _ONE] = word & last
    return at
