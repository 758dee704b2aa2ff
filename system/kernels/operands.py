"""Which bits meet in a layer: the operands of every adder in this folder.

Forward product, input gradient and weight gradient of dense and of convolutional layers are one
thing: output (i, j) of an image adds the products k of the streams ``a_index[i, k]`` of the
image's own operand and ``b_index[j, k]`` of the other. A negative index says that output has no
product k (beyond the border of an image).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np

Kind = Literal["unipolar", "bipolar", "sign-magnitude"]
_WORD_BITS = 64


@dataclass(frozen=True, eq=False)
class Products:
    """Operands of the products of B images; all outputs have the shape (B, I, J).

    ``kind``: unipolar (AND), bipolar (XNOR) or sign-magnitude (AND of magnitudes, signs beside).
    ``length`` is the number of clocks of these words; W = ceil(length / 64), bits beyond it 0. To
    keep memory from growing with the stream's length, call an adder for one stretch of clocks
    after the other: all of them add to what ``out`` holds.
    ``a`` (B, Sa, W) uint64: streams of each image. ``b`` (lives, Sb, W) uint64: the other operand,
    of which image n meets ``b[b_life[n]]``, ``b_life`` (B,).
    ``a_index`` (I, K) and ``b_index`` (J, K): integers, see above.
    ``a_negative`` (B, Sa) and ``b_negative`` (lives, Sb) bool: signs, for sign-magnitude only; None
    where no stream is negative (saves time).

    Raises ValueError where shapes, types or indices do not fit each other.
    """

    kind: Kind
    length: int
    a: np.ndarray
    a_index: np.ndarray
    b: np.ndarray
    b_index: np.ndarray
    b_life: np.ndarray
    a_negative: np.ndarray | None = None
    b_negative: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind {self.kind!r}: expected one of {', '.join(get_args(Kind))}")
        if self.length < 1:
            raise ValueError(f"a length of {self.length} clocks: expected 1 or more")
        for name, words, negative in (
            ("a", self.a, self.a_negative),
            ("b", self.b, self.b_negative),
        ):
            self._check_streams(name, words, negative)
        for name, index, axes, end in (
            ("a_index", self.a_index, 2, self.a.shape[1]),
            ("b_index", self.b_index, 2, self.b.shape[1]),
            ("b_life", self.b_life, 1, self.b.shape[0]),
        ):
            if index.dtype.kind not in "iu" or index.ndim != axes:
                raise ValueError(
                    f"{name}: {index.dtype} of shape {index.shape}; expected integers along "
                    f"{axes} axes"
                )
            if index.size and index.max() >= end:
                raise ValueError(f"{name} holds {index.max()}: expected less than {end}")
        if self.a_index.shape[1] != self.b_index.shape[1]:
            raise ValueError(
                f"a_index has {self.a_index.shape[1]} products an output, b_index "
                f"{self.b_index.shape[1]}: expected as many"
            )
        if self.b_life.size != self.a.shape[0] or self.b_life.min(initial=0) < 0:
            raise ValueError(
                f"b_life of shape {self.b_life.shape}: expected the life, 0 or more, of each of "
                f"{self.a.shape[0]} images"
            )

    def _check_streams(self, name: str, words: np.ndarray, negative: np.ndarray | None) -> None:
        width = -(-self.length // _WORD_BITS)
        if words.dtype != np.uint64 or words.ndim != 3 or words.shape[2] != width:
            raise ValueError(
                f"{name}: {words.dtype} of shape {words.shape}; expected uint64 "
                f"(..., streams, {width} words) for {self.length} clocks"
            )
        if negative is None:
            return
        if self.kind != "sign-magnitude":
            raise ValueError(f"{name}_negative: {self.kind} streams have no signs")
        if negative.dtype != np.bool_ or negative.shape != words.shape[:2]:
            raise ValueError(
                f"{name}_negative: {negative.dtype} of shape {negative.shape}; expected bool "
                f"{words.shape[:2]}"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Images, I, J: the shape of the outputs."""
        return self.a.shape[0], self.a_index.shape[0], self.b_index.shape[0]

    @cached_property
    def exists(self) -> np.ndarray:
        """Which products there are: bool (I, J, K)."""
        return np.asarray((self.a_index >= 0)[:, None] & (self.b_index >= 0)[None])

    def checked(self, out: np.ndarray) -> np.ndarray:
        """``out`` where it can take the counts; raises ValueError for another shape or type."""
        if out.dtype != np.int64 or out.shape != self.shape or not out.flags.c_contiguous:
            raise ValueError(
                f"out: {out.dtype} of shape {out.shape}; expected int64 {self.shape}, contiguous"
            )
        return out

    def bits(self) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
        """In plain numpy, for each image and i: n, i, bits (J, K, clocks) and signs (J, K).

        The bits are those of the product gate, without the signs; 0 where there is no product. The
        signs are +1 and -1, 0 where there is none. What the adders' plain definitions start from.
        """
        for n in range(self.a.shape[0]):
            b = _unpacked(self.b[self.b_life[n]], self.length)[self.b_index]
            sign_b = _signs(self.b_negative, self.b_life[n], self.b.shape[1])[self.b_index]
            a_all = _unpacked(self.a[n], self.length)
            sign_a = _signs(self.a_negative, n, self.a.shape[1])
            for i, index in enumerate(self.a_index):
                a = a_all[index]
                bits = a == b if self.kind == "bipolar" else a & b
                there = self.exists[i]
                yield n, i, bits & there[:, :, None], np.where(there, sign_a[index] * sign_b, 0)


def _unpacked(words: np.ndarray, length: int) -> np.ndarray:
    octets = np.ascontiguousarray(words.astype("<u8", copy=False)).view(np.uint8)
    return np.unpackbits(octets, axis=-1, bitorder="little")[..., :length].astype(bool)


def _signs(negative: np.ndarray | None, row: int, streams: int) -> np.ndarray:
    return np.ones(streams, np.int64) if negative is None else np.where(negative[row], -1, 1)
