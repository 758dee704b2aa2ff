"""What the Verilog floating-point units must compute, with numpy: the words, rounded once each.

Formats have ``exponent`` and ``mantissa`` bits below a sign: (8, 23) is numpy's float32.
"""

from __future__ import annotations

import numpy as np


def decode(words: np.ndarray, exponent: int, mantissa: int) -> np.ndarray:
    """float64 of the words; denormals are zeros of their sign."""
    words = np.asarray(words, np.uint64)
    power = ((words >> np.uint64(mantissa)) & np.uint64(2**exponent - 1)).astype(int)
    fraction = (words & np.uint64(2**mantissa - 1)).astype(float) / 2.0**mantissa
    sign = np.where((words >> np.uint64(exponent + mantissa)) & np.uint64(1), -1.0, 1.0)
    bias = 2 ** (exponent - 1) - 1
    finite = np.where(power == 0, 0.0, np.ldexp(1.0 + fraction, power - bias))
    special = np.where(fraction > 0, np.nan, np.inf)
    return np.asarray(sign * np.where(power == 2**exponent - 1, special, finite))


def encode(values: np.ndarray, exponent: int, mantissa: int) -> np.ndarray:
    """Words of float64 numbers: nearest, ties to even; what is then below the smallest normal
    number is zero of its sign; every NaN is the quiet one without a sign.

    Right where ``values`` are exact: products of two words of up to 25 mantissa bits are, sums of
    words need :func:`add`.
    """
    values = np.asarray(values, float)
    top, bias = 2**exponent - 1, 2 ** (exponent - 1) - 1
    finite = np.where(np.isfinite(values), np.abs(values), 0.0)
    part, power = np.frexp(finite)
    scaled = np.rint(part * 2.0 ** (mantissa + 1))  # rint: ties to even
    carry = scaled == 2.0 ** (mantissa + 1)
    scaled = np.where(carry, 2.0**mantissa, scaled)
    biased = power + carry - 1 + bias
    words = (np.clip(biased, 0, top).astype(np.uint64) << np.uint64(mantissa)) + (
        np.maximum(scaled - 2.0**mantissa, 0).astype(np.uint64)
    )
    infinity = np.uint64(top << mantissa)
    words = np.where((finite == 0) | (biased <= 0), np.uint64(0), words)
    words = np.where((biased >= top) & (finite > 0) | np.isinf(values), infinity, words)
    signed = words | (np.signbit(values).astype(np.uint64) << np.uint64(exponent + mantissa))
    quiet = infinity | np.uint64(1 << (mantissa - 1))
    return np.where(np.isnan(values), quiet, signed)


def multiply(a: np.ndarray, b: np.ndarray, exponent: int, mantissa: int) -> np.ndarray:
    """Words of the rounded products (exact in float64 before they are rounded)."""
    with np.errstate(invalid="ignore"):
        return encode(
            decode(a, exponent, mantissa) * decode(b, exponent, mantissa), exponent, mantissa
        )


def add(a: np.ndarray, b: np.ndarray, exponent: int, mantissa: int) -> np.ndarray:
    """Words of the rounded sums.

    The sum in float64 is rounded to odd first (Boldo and Melquiond, IEEE Trans. Comput. 57, 462
    (2008), recalled): where it was not exact its last bit is set, so that the second rounding is as
    good as a single one. What the first one lost is Knuth's two-sum.
    """
    x, y = decode(a, exponent, mantissa), decode(b, exponent, mantissa)
    with np.errstate(invalid="ignore"):
        total = x + y
        back = total - x
        lost = (x - (total - back)) + (y - back)
    inexact = np.isfinite(total) & (lost != 0) & np.isfinite(lost)
    bits = total.view(np.int64)
    even = (bits & 1) == 0
    # Toward zero where float64 rounded away from it, then the last bit set.
    away = inexact & even & ((lost > 0) != (total > 0))
    odd = np.where(inexact & even, np.where(away, bits - 1, bits + 1), bits)
    return encode(odd.view(float), exponent, mantissa)
