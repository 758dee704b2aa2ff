"""The loops of the adders that see an output's product bits together: APC, MUX, OR.

With words as in :mod:`system.kernels.products`, the product bit of :mod:`circuits.mac.base` is
t = (x AND y) XOR u XOR v where there is a product, else 0. The rows of a task are gathered whole,
some words of every stream at a time, and each output goes through them on its own.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from system.kernels.gather import WORD_BITS, assign, gather
from system.kernels.philox import philox
from system.kernels.tiles import popcount

WORDS = 1024
"""Words of a row gathered at a time, at least one of each product."""
PAIRS, SELECTED, ANY = range(3)
_CALLS = WORD_BITS // 4
"""Calls of Philox for the select numbers of 64 clocks: 32 bits each."""
_ZERO, _ONE, _HALF, _LOW = np.uint64(0), np.uint64(1), np.uint64(32), np.uint64(0xFFFFFFFF)


@njit(nogil=True, cache=True)
def work(  # type: ignore[no-untyped-def]
    tasks, mode, bipolar, length, block, left, right, images, places, address, out
) -> None:
    """Add to ``out`` what the tasks' outputs are; ``block`` words of each stream at a time.

    ``places``: numbers of the images in the address of selects, I, J, whether selects are shared;
    ``address``: first word, purpose and the two halves of the key.
    """
    terms, first = left.products, np.int64(0)  # a literal 0 would compile `gather` once more
    numbers, outputs, others, shared = places
    low, high = np.empty((2, _CALLS * block), np.uint64)
    chosen = np.empty(terms, np.uint64)
    a = (left.there, left.own, left.there) if bipolar else (left.own, left.sign, left.there)
    b = (right.there, right.own, right.there) if bipolar else (right.own, right.sign, right.there)
    for task in range(tasks.shape[0]):
        rows, columns = assign(tasks[task], left, right, images, outputs)
        for w in range(0, left.width, block):
            w_end = min(w + block, left.width)
            width = w_end - w
            gather(length, left, rows, (first, terms, w, w_end))
            gather(length, right, columns, (first, terms, w, w_end))
            clocks = min(length, WORD_BITS * w_end) - WORD_BITS * w
            drawn = -1
            for r in range(rows):
                image, i = left.owner[r], left.place[r]
                for c in range(columns):
                    j, at, to = right.place[c], r * left.stride, c * right.stride
                    if mode == PAIRS:
                        total = _pairs(a, b, at, to, terms // 2, width)
                        total *= 2 if bipolar else 1
                    elif mode == ANY:
                        total = _any(a, b, at, to, terms, width)
                    else:
                        if not shared or drawn != image:
                            number = 0 if shared else i * others + j
                            _draw(numbers[image], number, w, width, address, low, high)
                            drawn = image
                        total = _selected(a, b, at, to, width, clocks, low, high, chosen)
                    out[image, i, j] += total


@njit(inline="always")
def _product(a, b, i, j):  # type: ignore[no-untyped-def]
    """The bits t of one word."""
    (x, u, there), (y, v, exists) = a, b
    return ((x[i] & y[j]) ^ u[i] ^ v[j]) & there[i] & exists[j]


@njit(inline="always")
def _pairs(a, b, at, to, pairs, width):  # type: ignore[no-untyped-def]
    """Clocks at which the products of an OR pair differ, less those of AND pairs.

    The first products of the AND pairs come first, then those of the OR pairs; then the others.
    """
    total = np.int64(0)
    i, j, half = np.uint64(at), np.uint64(to), np.uint64(pairs * width)
    ands = (pairs + 1) // 2 * width
    for w in range(ands):
        p = np.uint64(w)
        t = _product(a, b, i + p, j + p) ^ _product(a, b, i + half + p, j + half + p)
        total -= np.int64(popcount(t))
    for w in range(ands, pairs * width):
        p = np.uint64(w)
        t = _product(a, b, i + p, j + p) ^ _product(a, b, i + half + p, j + half + p)
        total += np.int64(popcount(t))
    return total


@njit(inline="always")
def _any(a, b, at, to, terms, width):  # type: ignore[no-untyped-def]
    total = np.int64(0)
    for w in range(width):
        i, j = np.uint64(at + w), np.uint64(to + w)
        found = _ZERO
        for _ in range(terms):
            found |= _product(a, b, i, j)
            i += np.uint64(width)
            j += np.uint64(width)
        total += np.int64(popcount(found))
    return total


@njit(inline="always")
def _draw(image, output, word, width, address, low, high) -> None:  # type: ignore[no-untyped-def]
    """Select numbers of ``width`` words of clocks, four a call: low halves first."""
    first, purpose, k0, k1 = address
    call = (first + np.uint64(word)) * np.uint64(_CALLS)
    number = np.uint64(output)
    for n in range(_CALLS * width):
        low[n], high[n] = philox(call + np.uint64(n), number, image, purpose, k0, k1)


@njit(inline="always")
def _selected(a, b, at, to, width, clocks, low, high, chosen):  # type: ignore[no-untyped-def]
    existing = _ZERO
    for k in range(chosen.size):
        place = np.uint64(k * width)
        if a[2][np.uint64(at) + place] & b[2][np.uint64(to) + place]:
            chosen[existing] = place
            existing += _ONE
    total = _ZERO
    if existing == _ZERO:
        return np.int64(0)
    for clock in range(clocks):
        t = np.uint64(clock)
        pair = low[t >> np.uint64(2)] if t & np.uint64(2) == _ZERO else high[t >> np.uint64(2)]
        number = (pair >> (_HALF * (t & _ONE))) & _LOW
        place = chosen[(number * existing) >> _HALF] + (t >> np.uint64(6))
        product = _product(a, b, np.uint64(at) + place, np.uint64(to) + place)
        total += (product >> (t & np.uint64(63))) & _ONE
    return np.int64(total)
