"""Elements that are one gate a clock: multiply, OR-add, difference, maximum, minimum, ReLU.

All are plain word operations, so they take streams in numpy and in JAX alike. What a gate computes
depends on the correlation of its inputs: AND multiplies independent unipolar streams and takes the
minimum of fully correlated ones (SCC = 1); OR is 1 - (1 - a)(1 - b), or the maximum; XOR is
a + b - 2ab, or |a - b| (Alaghi, Hayes 2013; recalled).
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from system.bitstream.encodings import Encoding
from system.bitstream.packed import BitStream


class Signed(NamedTuple):
    """Sign-magnitude streams: the magnitude's line and the sign (+1 or -1) of each stream."""

    magnitude: BitStream
    sign: Any

    def value(self) -> Any:
        """The numbers the streams stand for."""
        return self.sign * self.magnitude.share()


class Gate(NamedTuple):
    """A gate of two bits as the polynomial constant + first x + second y + both x y."""

    constant: int
    first: int
    second: int
    both: int


AND = Gate(0, 0, 0, 1)
OR = Gate(0, 1, 1, -1)
XOR = Gate(0, 1, 1, -2)
XNOR = Gate(1, -1, -1, 2)


def multiply(x: BitStream, y: BitStream, encoding: Encoding) -> BitStream:
    """Product of two numbers: AND for unipolar streams, XNOR for bipolar ones (Gaines 1967;
    recalled).

    Raises ValueError for sign-magnitude, whose signs do not come with the stream: see
    :func:`multiply_signed`.
    """
    if encoding.name == "unipolar":
        return x & y
    if encoding.name == "bipolar":
        return ~(x ^ y)
    raise ValueError(f"{encoding.name} streams: expected unipolar or bipolar")


def multiply_signed(x: Signed, y: Signed) -> Signed:
    """Product of sign-magnitude numbers: AND of the magnitudes, product (XOR) of the signs."""
    return Signed(x.magnitude & y.magnitude, x.sign * y.sign)


def or_add(streams: BitStream) -> BitStream:
    """OR over the last axis of streams: 1 - prod(1 - p), a sum that saturates."""
    return reduce(or_, (streams[..., i] for i in range(streams.shape[-1])))


def absolute_difference(x: BitStream, y: BitStream) -> BitStream:
    """|a - b| of unipolar streams with SCC = 1, by XOR (Alaghi, Hayes 2013; recalled)."""
    return x ^ y


def maximum(x: BitStream, y: BitStream) -> BitStream:
    """max(a, b) of streams with SCC = 1, by OR (Alaghi, Hayes 2013; recalled)."""
    return x | y


def minimum(x: BitStream, y: BitStream) -> BitStream:
    """min(a, b) of streams with SCC = 1, by AND (Alaghi, Hayes 2013; recalled)."""
    return x & y


def rectify_signed(x: Signed) -> Signed:
    """ReLU of sign-magnitude numbers: the magnitude where the sign is +, else 0; exact."""
    words, positive = x.magnitude.words, (x.sign > 0)[..., None]
    return Signed(BitStream(words * positive.astype(words.dtype), x.magnitude.length), abs(x.sign))
