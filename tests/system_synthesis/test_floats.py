"""The reference of the floating-point MACs is numpy's own arithmetic, rounding by rounding."""

from __future__ import annotations

import numpy as np
import pytest

from formats.seeds import generator
from system.synthesis import floats

DRAWS = 100_000
TINY = np.float32(2.0**-126)


def words(name: str) -> np.ndarray:
    return generator(1, "floats", name).integers(0, 2**32, DRAWS, np.uint64)


def native(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype(np.uint32).view(np.float32)


@pytest.mark.parametrize("operation", ["multiply", "add"])
def test_float32_agrees_with_numpy_bit_for_bit(operation: str) -> None:
    a, b = words("a"), words("b")
    if operation == "add":  # near each other, so that sums cancel and round
        near = generator(1, "floats", "near").integers(-30, 31, DRAWS)
        power = np.clip(((a >> np.uint64(23)) & np.uint64(255)).astype(int) + near, 1, 254)
        b = (b & np.uint64(0x807FFFFF)) | (power.astype(np.uint64) << np.uint64(23))
    with np.errstate(all="ignore"):
        wanted = native(a) * native(b) if operation == "multiply" else native(a) + native(b)
    found = getattr(floats, operation)(a, b, 8, 23)
    normal = np.abs(native(a)) >= TINY
    normal &= (np.abs(native(b)) >= TINY) & (np.abs(wanted) >= TINY) & ~np.isnan(wanted)
    assert normal.sum() > DRAWS / 4
    np.testing.assert_array_equal(found[normal], wanted[normal].view(np.uint32))


def test_denormals_are_zeros_and_nan_is_quiet() -> None:
    small, one, minus = 0x007FFFFF, 0x3F800000, 0x80000001
    nan, infinity = 0x7FC00000, 0x7F800000

    def product(a: int, b: int) -> int:
        return int(floats.multiply(np.array([a]), np.array([b]), 8, 23)[0])

    assert product(small, one) == 0
    assert product(minus, one) == 0x80000000
    assert product(infinity, 0) == nan
    assert product(0x00800000, 0x3F000000) == 0  # half of the smallest normal number
    assert product(0x7F7FFFFF, 0x40000000) == infinity


def test_bfloat16_is_float32_rounded_once() -> None:
    a, b = (words(name) & np.uint64(0xFFFF) for name in ("c", "d"))
    wide = [x << np.uint64(16) for x in (a, b)]
    with np.errstate(all="ignore"):
        exact = native(wide[0]).astype(float) * native(wide[1]).astype(float)
        bits = exact.astype(np.float32).view(np.uint32).astype(np.uint64)
    # A product of two 8-bit significands is exact in float32: round it by hand, ties to even.
    rounded = (bits + np.uint64(0x7FFF) + ((bits >> np.uint64(16)) & np.uint64(1))) >> np.uint64(16)
    inside = (np.abs(exact) > 1e-30) & (np.abs(exact) < 1e30)
    inside &= np.all([np.abs(native(x)) >= TINY for x in wide], axis=0)
    found = floats.multiply(a, b, 8, 7)
    assert inside.sum() > DRAWS / 4
    np.testing.assert_array_equal(found[inside], rounded[inside])
