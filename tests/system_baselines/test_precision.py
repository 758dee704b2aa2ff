"""Bits of equal precision: closed forms, drawn streams, and numpy's own rounding."""

from __future__ import annotations

import numpy as np
import pytest

from formats.seeds import generator
from system.budget.baselines.precision import (
    Fixed,
    Floating,
    bits_for,
    product_error,
    stream_variance,
)

DRAWS = 200_000


@pytest.mark.parametrize(
    ("encoding", "closed"), [("unipolar", 2.5), ("sign-magnitude", 2.5), ("bipolar", 16.0)]
)
def test_eight_bits_with_a_sign_take_a_closed_form_of_bits(encoding: str, closed: float) -> None:
    # (5/36 or 8/9) / (2/3 x LSB^2/12) with LSB = 2^-7; the squared rounding is 6e-6 of it.
    found = bits_for(Fixed(7), encoding, "exact-counter", 25)
    assert found == pytest.approx(closed * 2**14, rel=1e-5)


def test_a_bit_more_of_the_format_takes_four_times_the_bits() -> None:
    for few, more in ((Fixed(7), Fixed(8)), (Floating(7), Floating(8))):
        assert bits_for(more, "unipolar", "apc", 1) == pytest.approx(
            4 * bits_for(few, "unipolar", "apc", 1), rel=1e-4
        )


def test_float16_of_numpy_rounds_with_the_mean_square_of_the_formula() -> None:
    numbers = generator(1, "precision").random(DRAWS)
    errors = numbers.astype(np.float16).astype(float) - numbers
    # The squared error of a uniform rounding has a relative sigma below 2 over the binades.
    assert np.mean(errors**2) == pytest.approx(Floating(10).rounding, rel=10 / DRAWS**0.5)


def test_rounded_operands_carry_the_error_into_the_product() -> None:
    rng = generator(2, "precision")
    x, y = rng.random((2, DRAWS))
    step = 2.0**-5
    rounded = np.round(x / step) * np.round(y / step) * step**2
    assert np.mean((rounded - x * y) ** 2) == pytest.approx(product_error(Fixed(5)), rel=0.02)


@pytest.mark.parametrize("encoding", ["unipolar", "bipolar"])
@pytest.mark.parametrize("adder", ["exact-counter", "mux"])
def test_drawn_streams_have_the_variance(encoding: str, adder: str) -> None:
    rng, fan_in, length, sums = generator(3, "precision", encoding, adder), 8, 16, 6_000
    low = -1.0 if encoding == "bipolar" else 0.0
    x, y = rng.uniform(low, 1.0, (2, sums, fan_in, 1))
    a, b = (rng.random((sums, fan_in, length)) < ((1 + v) / 2 if low else v) for v in (x, y))
    bits = np.where(a == b, 1.0, -1.0) if low else (a & b).astype(float)
    if adder == "mux":
        chosen = rng.integers(0, fan_in, (sums, 1, length))
        found = fan_in * np.take_along_axis(bits, chosen, axis=1).mean((1, 2))
    else:
        found = bits.mean(2).sum(1)
    errors = found - (x * y).sum((1, 2))
    wanted = fan_in * stream_variance(encoding, adder, fan_in) / length
    assert np.mean(errors**2) == pytest.approx(wanted, rel=0.1)  # 5 sigma of 6,000 squares
