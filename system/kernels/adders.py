"""Products of streams in adders other than the exact counter: APC, MUX and OR."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from system.kernels.adder_loops import ANY, PAIRS, SELECTED, WORDS, work
from system.kernels.gather import buffers, tasks_of
from system.kernels.operands import Products
from system.kernels.philox import philox_definition
from system.kernels.products import add_products
from system.kernels.threads import in_threads

_ROWS, _COLUMNS = 64, 64


@dataclass(frozen=True, eq=False)
class Selects:
    """Where the select numbers of MUX adders come from, by address.

    ``key`` (2,) uint32 is the seed, ``purpose`` sets them apart from other random numbers,
    ``images`` (B,) are numbers (less than 2^32) of the images; output (i, j) has the number i J + j
    of its own, or 0 for all with ``shared``: one select for all outputs of an image. ``first_word``
    says at which 64 clocks of the streams the words given begin.
    """

    key: np.ndarray
    purpose: int
    images: np.ndarray
    first_word: int = 0
    shared: bool = False


def add_approximate(products: Products, out: np.ndarray) -> None:
    """As :func:`system.kernels.products.add_products`, by the approximate parallel counter.

    As :mod:`circuits.mac.counter` builds it: product bits t of one pair after the other, in the
    order of k, become one bit of weight 2, alternately t1 AND t2 and t1 OR t2. A product that does
    not exist is an input at 0; the last of an odd number of products is counted as it is (both
    assumed). From that count, bipolar and sign-magnitude sums follow as with the exact counter.
    """
    # 2 (t1 AND t2) = t1 + t2 - (t1 XOR t2) and 2 (t1 OR t2) = t1 + t2 + (t1 XOR t2).
    add_products(products, out)
    pairs = products.a_index.shape[1] // 2
    if pairs:
        k = _pair_order(pairs)
        a_index, b_index = products.a_index[:, k], products.b_index[:, k]
        _run(PAIRS, replace(products, a_index=a_index, b_index=b_index), None, out)


def add_selected(products: Products, selects: Selects, out: np.ndarray) -> None:
    """Add the ones of each output's stream behind a MUX to ``out`` (B, I, J) int64.

    Each clock lets one of the output's n existing products through: number floor(n s / 2^32) of a
    random s of 32 bits, so that their probabilities are 1/n within 2^-32. Outputs without products
    stay 0. The same for any number of threads. Raises ValueError for sign-magnitude, which a MUX
    cannot add, for ``out`` or for images that do not fit.
    """
    _check_selected(products, selects)
    _run(SELECTED, products, selects, out)


def add_any(products: Products, out: np.ndarray) -> None:
    """Add the clocks at which any product of an output is 1 (OR-add) to ``out`` (B, I, J) int64.

    Raises ValueError for kinds other than unipolar, which an OR cannot add.
    """
    _check_any(products)
    _run(ANY, products, None, out)


def _check_selected(products: Products, selects: Selects) -> None:
    if products.kind == "sign-magnitude":
        raise ValueError("a MUX adds unipolar or bipolar products, not sign-magnitude")
    if selects.images.shape != products.shape[:1]:
        raise ValueError(
            f"selects of images of shape {selects.images.shape}: expected {products.shape[:1]}"
        )


def _check_any(products: Products) -> None:
    if products.kind != "unipolar":
        raise ValueError(f"an OR adds unipolar products, not {products.kind}")


def _pair_order(pairs: int) -> np.ndarray:
    """Products by what happens to them: first ones of AND pairs, of OR pairs, then the others."""
    firsts = 2 * np.concatenate([np.arange(0, pairs, 2), np.arange(1, pairs, 2)])
    return np.concatenate([firsts, firsts + 1])


def _run(mode: int, products: Products, selects: Selects | None, out: np.ndarray) -> None:
    p = products
    p.checked(out)
    images = np.argsort(p.b_life, kind="stable")
    terms = p.a_index.shape[1]
    block = min(p.a.shape[2], max(1, WORDS // max(terms, 1)))
    s = selects or Selects(np.zeros(2, np.uint32), 0, np.zeros(p.shape[0], np.uint32))
    places = (s.images.astype(np.uint64), p.shape[1], p.shape[2], s.shared)
    address = tuple(np.uint64(x) for x in (s.first_word, s.purpose, s.key[0], s.key[1]))
    bipolar = p.kind == "bipolar"

    def on(tasks: np.ndarray) -> None:
        size = block * terms
        left = buffers(p.a, p.a_index, p.a_negative, _ROWS, size, not bipolar, True)
        right = buffers(p.b, p.b_index, p.b_negative, _COLUMNS, size, not bipolar, True)
        work(tasks, mode, bipolar, int(p.length), block, left, right, images, places, address, out)

    in_threads(on, tasks_of(p.b_life[images], p.shape[1], p.shape[2], _ROWS, _COLUMNS))


def approximate_definition(products: Products, out: np.ndarray) -> None:
    """:func:`add_approximate` in plain numpy, gate by gate."""
    products.checked(out)
    for n, i, bits, sign in products.bits():
        t = bits ^ (sign < 0)[:, :, None]
        pairs = t.shape[1] // 2
        count = np.count_nonzero(t[:, 2 * pairs :], axis=(1, 2))
        for m in range(pairs):
            gate = np.logical_or if m % 2 else np.logical_and
            count = count + 2 * np.count_nonzero(gate(t[:, 2 * m], t[:, 2 * m + 1]), axis=1)
        if products.kind == "bipolar":
            count = 2 * count - products.length * np.count_nonzero(sign, axis=1)
        out[n, i] += count - products.length * np.count_nonzero(sign < 0, axis=1)


def selected_definition(products: Products, selects: Selects, out: np.ndarray) -> None:
    """:func:`add_selected` in plain numpy, clock by clock."""
    _check_selected(products, selects)
    products.checked(out)
    clocks = np.arange(products.length)
    key = int(selects.key[0]), int(selects.key[1])
    for n, i, bits, sign in products.bits():
        for j in range(bits.shape[0]):
            output = 0 if selects.shared else i * bits.shape[0] + j
            calls = 16 * selects.first_word + clocks // 4
            pair = philox_definition((calls, output, int(selects.images[n]), selects.purpose), key)
            word = np.where(clocks % 4 < 2, *pair)
            number = (word >> (32 * (clocks % 2)).astype(np.uint64)) & np.uint64(0xFFFFFFFF)
            there = np.flatnonzero(sign[j])
            if there.size:
                chosen = there[((number * np.uint64(there.size)) >> np.uint64(32)).astype(int)]
                out[n, i, j] += np.count_nonzero(bits[j, chosen, clocks])


def any_definition(products: Products, out: np.ndarray) -> None:
    """:func:`add_any` in plain numpy."""
    _check_any(products)
    products.checked(out)
    for n, i, bits, _ in products.bits():
        out[n, i] += np.count_nonzero(bits.any(axis=1), axis=1)
