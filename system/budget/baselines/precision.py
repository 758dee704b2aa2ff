"""How many bits a stochastic product needs for the mean-square error of a binary number format.

The rule: operands are independent and uniform over their range (magnitudes 0..1, signs either way).
A format rounds both operands and keeps the product exact in its accumulator; a stochastic product
has exact operands and the binomial noise of its bits. N is where the mean squares are equal. All
formulas here are derived.
"""

from __future__ import annotations

from dataclasses import dataclass

RULE = (
    "derived: N such that the mean-square error of a product of uniform operands is that of the "
    "baseline's rounded operands: p(1 - p)/N averaged over operands, against the rounding's "
    "LSB^2/12 carried to the product; a multiplexer adder needs as many times more as its sum has "
    "products"
)


@dataclass(frozen=True)
class Fixed:
    """Fixed point with ``bits`` of magnitude below 1."""

    bits: int

    @property
    def rounding(self) -> float:
        """Mean-square rounding error of an operand: LSB^2 / 12."""
        return 4.0**-self.bits / 12


@dataclass(frozen=True)
class Floating:
    """Floating point with ``mantissa`` stored bits and exponents enough."""

    mantissa: int

    @property
    def rounding(self) -> float:
        """LSB^2 / 12 averaged over the binades: 2^-k of the numbers have an LSB of 2^-(k +
        mantissa), and the sum of 8^-k is 1/7."""
        return 4.0**-self.mantissa / 7 / 12


Format = Fixed | Floating


def product_error(number: Format) -> float:
    """Mean-square error of a product: E[(x + e)(y + f) - xy]^2 with E[x^2] = 1/3."""
    return 2 * number.rounding / 3 + number.rounding**2


def stream_variance(encoding: str, adder: str, fan_in: float) -> float:
    """N times the mean-square error of one product of a sum of ``fan_in``.

    Unipolar and sign-magnitude: E[xy (1 - xy)] = 1/4 - 1/9. Bipolar: E[1 - (xy)^2] = 1 - 1/9. A
    multiplexer hands on one of the products in each clock: the sum of K has the variance
    K^2 (1 - E m^2) / N of its mean m, a K-th of it for each product; E m^2 = 1/(9 K) for bipolar
    signs, and for unipolar streams the mean is near 1/4 with E m^2 = 1/16 + (1/9 - 1/16)/K.
    """
    if adder != "mux":
        return 8 / 9 if encoding == "bipolar" else 5 / 36
    if encoding == "bipolar":
        return fan_in * (1 - 1 / (9 * fan_in))
    return fan_in * (1 / 4 - 1 / 16 - (1 / 9 - 1 / 16) / fan_in)


def bits_for(number: Format, encoding: str, adder: str, fan_in: float) -> float:
    """Bits of a stream at which its product is as precise as the format's (not rounded up)."""
    return stream_variance(encoding, adder, fan_in) / product_error(number)
