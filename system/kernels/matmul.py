"""Packed matrix products: every row of one operand with every row of another, ones counted.

A row is the K streams of an output laid end to end, W words each. The bits beyond a stream's
length are 0 in both operands.
"""

from __future__ import annotations

import numpy as np

from system.kernels.operands import Kind, Products
from system.kernels.products import add_products

_WORD_BITS = 64


def and_count_matmul(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Clocks at which both bits are 1: int64 (I, J) of ``a`` (I, L) and ``b`` (J, L) uint64.

    Added to ``out`` where it is given, so that long streams can come in stretches of clocks. The
    same for any number of threads. Raises ValueError for shapes or types that do not fit.
    """
    counts = _product("unipolar", a, b)
    if out is None:
        return counts
    out += counts
    return out


def xnor_count_matmul(
    a: np.ndarray, b: np.ndarray, bits: int, out: np.ndarray | None = None
) -> np.ndarray:
    """Clocks at which both bits are alike, out of the ``bits`` of a row (K streams x length).

    Otherwise as :func:`and_count_matmul`.
    """
    capacity = _WORD_BITS * a.shape[-1]
    if not 0 <= bits <= capacity:
        raise ValueError(f"rows of {bits} bits in {a.shape[-1]} words: expected up to {capacity}")
    # The bits beyond the streams' ends are alike too: what is sure is the number that differ.
    counts = bits - (capacity - _product("bipolar", a, b)) // 2
    if out is None:
        return counts
    out += counts
    return out


def _product(kind: Kind, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One product of one long stream for each pair of rows."""
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            f"a of shape {a.shape}, b of shape {b.shape}: expected (I, L) and (J, L) with the "
            "same number of words"
        )
    products = Products(
        kind,
        _WORD_BITS * a.shape[1],
        a[None],
        np.arange(a.shape[0])[:, None],
        b[None],
        np.arange(b.shape[0])[:, None],
        np.zeros(1, np.int64),
    )
    out = np.zeros(products.shape, np.int64)
    add_products(products, out)
    return np.asarray(out[0])
