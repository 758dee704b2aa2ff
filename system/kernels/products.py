"""Products of streams, counted exactly: what a parallel counter and its accumulator hold.

One loop for the three encodings. Two rows of words u, v that hold a product's sign at each clock
and x, y its magnitude give (x AND y) XOR u XOR v, the bit t of :mod:`circuits.mac.base`; its ones
less those of u XOR v are the signed sum. Unipolar streams have no u and v. Bipolar bits are
magnitudes of 1 with the bit as the sign; where all products exist only u XOR v is left to count.

Streams are gathered in blocks that fit the second-level cache: rows of products laid end to end,
``_ROWS`` of the one operand and ``_COLUMNS`` of the other, up to ``_WORDS`` words at a time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from system.kernels.gather import assign, buffers, gather, padded, tasks_of
from system.kernels.operands import Products
from system.kernels.threads import in_threads
from system.kernels.tiles import ROWS, add_tile

_ROWS, _COLUMNS = 64, 128
_WORDS = 1024
"""Words of a row gathered at a time; half of them where its signs are gathered too."""
_ZERO = np.uint64(0)
_ANDS, _HALF, _SIGNED, _XORS, _MASKED = range(5)
"""What is counted: x AND y; (x AND y) XOR v with v constant over a stream; all, with u and v
constant over a stream; u XOR v; all, with x and y constant over a stream."""


def add_products(products: Products, out: np.ndarray) -> None:
    """Add the sum of the products of each output to ``out`` (B, I, J) int64.

    Unipolar: the number of ones. Bipolar: the sum of the products' bits taken as +1 and -1.
    Sign-magnitude: the number of ones of positive products less that of negative ones. Products
    that do not exist count nothing. The same for any number of threads. Raises ValueError for an
    ``out`` of another shape or type.
    """
    p = products
    p.checked(out)
    if p.kind == "bipolar":
        whole = p.a_index.min(initial=0) >= 0 and p.b_index.min(initial=0) >= 0
        mode = _XORS if whole else _MASKED
    elif p.a_negative is not None:
        mode = _SIGNED
    else:
        mode = _ANDS if p.b_negative is None else _HALF
    masked = mode == _MASKED
    images = np.argsort(p.b_life, kind="stable")
    width, terms = p.a.shape[2], p.a_index.shape[1]
    block = _WORDS if mode in (_ANDS, _XORS) else _WORDS // 2
    words = min(max(1, block // width), terms) * min(block, width)

    def work(tasks: np.ndarray) -> None:
        # Signs that are not there are left out: of the first operand, or of both.
        left = buffers(p.a, p.a_index, p.a_negative, _ROWS, words, mode == _SIGNED, masked)
        right = buffers(
            p.b, p.b_index, p.b_negative, _COLUMNS, words, mode in (_HALF, _SIGNED), masked
        )
        _work(tasks, mode, block, int(p.length), left, right, images, p.shape[1], out)

    in_threads(work, tasks_of(p.b_life[images], p.shape[1], p.shape[2], _ROWS, _COLUMNS))


@njit(nogil=True, cache=True)
def _work(tasks, mode, block, length, left, right, images, places, out) -> None:  # type: ignore[no-untyped-def]
    """Multiply and add what the tasks say; see :func:`system.kernels.gather.tasks_of`."""
    counts, differing = np.empty((2, _ROWS, _COLUMNS), np.int64)
    for task in range(tasks.shape[0]):
        rows, columns = assign(tasks[task], left, right, images, places)
        counts[: padded(rows, ROWS), : padded(columns, ROWS)] = 0
        differing[: padded(rows, ROWS), : padded(columns, ROWS)] = 0
        _count(mode, block, length, left, right, rows, columns, counts, differing)
        for r in range(rows):
            image, i = left.owner[r], left.place[r]
            for c in range(columns):
                if mode == _XORS:
                    total = length * left.products - 2 * differing[r, c]
                elif mode == _MASKED:
                    total = counts[r, c] - differing[r, c]
                else:
                    total = counts[r, c] - length * differing[r, c]
                out[image, i, right.place[c]] += total


@njit(inline="always")
def _count(mode, block, length, left, right, rows, columns, counts, differing) -> None:  # type: ignore[no-untyped-def]
    """Ones of t and of u XOR v; where u and v hold over all clocks, the latter by products."""
    step = max(1, block // left.width)
    left.bits[:] = _ZERO
    right.bits[:] = _ZERO
    a, b, n = left.own, right.own, left.stride
    for k in range(0, left.products, step):
        for w in range(0, left.width, block):
            part = k, min(k + step, left.products), w, min(w + block, left.width)
            words = gather(length, left, rows, part)
            gather(length, right, columns, part)
            for c in range(0, columns, ROWS):
                for r in range(0, rows, ROWS):
                    if mode == _ANDS:
                        add_tile(a, None, b, None, n, words, counts, r, c)
                    elif mode == _HALF:
                        add_tile(a, None, b, right.sign, n, words, counts, r, c)
                    elif mode == _SIGNED:
                        add_tile(a, left.sign, b, right.sign, n, words, counts, r, c)
                    else:
                        add_tile(None, a, None, b, n, words, differing, r, c)
                        if mode == _MASKED:
                            add_tile(left.there, a, right.there, b, n, words, counts, r, c)
    if mode in (_HALF, _SIGNED):
        a, b, n = left.bits, right.bits, left.bit_words
        for c in range(0, columns, ROWS):
            for r in range(0, rows, ROWS):
                add_tile(None, a, None, b, n, n, differing, r, c)


def products_definition(products: Products, out: np.ndarray) -> None:
    """The same in plain numpy, bit by bit."""
    products.checked(out)
    for n, i, bits, sign in products.bits():
        ones = np.count_nonzero(bits, axis=2)
        if products.kind == "bipolar":
            ones = 2 * ones - products.length
        out[n, i] += np.sum(sign * ones, axis=1)
