"""Packed bit streams: 64 clocks a word, numpy or JAX arrays, any leading shape.

Clock t is bit t mod 64 of word t // 64, counted from the least significant; the bits beyond the
stream's length are always 0. A numpy stream holds uint64 words. JAX has no 64-bit integers unless
``jax_enable_x64`` is set, so a JAX stream holds each word as two uint32 halves, the less
significant one first: the same bits in the same order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

WORD_BITS = 64


@dataclass(frozen=True, eq=False)
class BitStream:
    """Streams of ``length`` bits; ``words`` has the shape (..., words of a stream).

    Raises ValueError for words of another type or number than the length asks for, and for bits
    set beyond the length (numpy only; a traced JAX array cannot be looked at).
    """

    words: Any
    length: int

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ValueError(f"a stream of {self.length} bits: expected 1 or more")
        width, kind = self.words.dtype.itemsize * 8, self.words.dtype.name
        expected = "uint64" if isinstance(self.words, np.ndarray) else "uint32"
        if kind != expected:
            raise ValueError(f"words of type {kind}: expected {expected}")
        wanted = WORD_BITS // width * words_of(self.length)
        if self.words.ndim == 0 or self.words.shape[-1] != wanted:
            raise ValueError(
                f"words of shape {self.words.shape} for {self.length} bits: expected {wanted} "
                "along the last axis"
            )
        if isinstance(self.words, np.ndarray) and np.any(self.words[..., -1] & ~_last(self.length)):
            raise ValueError(f"bits are set beyond the length of {self.length}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array of streams, without the words."""
        return tuple(self.words.shape[:-1])

    @classmethod
    def pack(cls, bits: np.ndarray) -> BitStream:
        """From an array (..., clocks) whose nonzero elements are ones."""
        bits = np.asarray(bits) != 0
        if bits.ndim == 0:
            raise ValueError("bits: expected an array with the clocks along the last axis")
        length = bits.shape[-1]
        padded = np.zeros((*bits.shape[:-1], words_of(length) * WORD_BITS), bool)
        padded[..., :length] = bits
        octets = np.packbits(padded, axis=-1, bitorder="little")
        return cls(octets.view("<u8").astype(np.uint64, copy=False), length)

    def unpack(self) -> np.ndarray:
        """The bits as uint8 (..., clocks)."""
        octets = np.ascontiguousarray(self.to_numpy().words.astype("<u8", copy=False))
        bits = np.unpackbits(octets.view(np.uint8), axis=-1, bitorder="little")
        return bits[..., : self.length]

    def to_numpy(self) -> BitStream:
        """The same streams in numpy."""
        if isinstance(self.words, np.ndarray):
            return self
        halves = np.ascontiguousarray(np.asarray(self.words).astype("<u4", copy=False))
        return BitStream(halves.view("<u8").astype(np.uint64, copy=False), self.length)

    def to_jax(self) -> BitStream:
        """The same streams in JAX."""
        import jax.numpy as jnp

        if not isinstance(self.words, np.ndarray):
            return self
        words = np.ascontiguousarray(self.words.astype("<u8", copy=False))
        return BitStream(jnp.asarray(words.view("<u4").astype(np.uint32)), self.length)

    def count(self) -> Any:
        """Ones of each stream, in the array type of the words (int64; int32 in JAX)."""
        if isinstance(self.words, np.ndarray):
            return np.bitwise_count(self.words).sum(axis=-1, dtype=np.int64)
        import jax

        return jax.lax.population_count(self.words).astype("int32").sum(axis=-1)

    def share(self) -> Any:
        """Ones of each stream over its length."""
        return self.count() / self.length

    def __and__(self, other: BitStream) -> BitStream:
        return BitStream(self.words & self._same(other), self.length)

    def __or__(self, other: BitStream) -> BitStream:
        return BitStream(self.words | self._same(other), self.length)

    def __xor__(self, other: BitStream) -> BitStream:
        return BitStream(self.words ^ self._same(other), self.length)

    def __invert__(self) -> BitStream:
        return BitStream(self.words ^ _ones(self), self.length)

    def __getitem__(self, index: Any) -> BitStream:
        """Streams by their leading axes, as numpy indexes them; the clocks stay whole."""
        index = index if isinstance(index, tuple) else (index,)
        if not any(part is Ellipsis for part in index):
            index = (*index, Ellipsis)
        return BitStream(self.words[(*index, slice(None))], self.length)

    def reshape(self, *shape: int) -> BitStream:
        """The same streams in another leading shape."""
        return BitStream(self.words.reshape(*shape, self.words.shape[-1]), self.length)

    def _same(self, other: BitStream) -> Any:
        if other.length != self.length:
            raise ValueError(f"streams of {self.length} and of {other.length} bits do not meet")
        if isinstance(self.words, np.ndarray) != isinstance(other.words, np.ndarray):
            raise ValueError("one stream is in numpy, the other in JAX; convert one of them")
        return other.words


def words_of(length: int) -> int:
    """64-bit words of a stream of ``length`` bits."""
    return math.ceil(length / WORD_BITS)


def _last(length: int) -> np.uint64:
    """The bits of the last word that belong to the stream."""
    return np.uint64(2 ** ((length - 1) % WORD_BITS + 1) - 1)


def _ones(stream: BitStream) -> Any:
    """Words of a stream of ones, in the array type of ``stream``."""
    words = np.full(words_of(stream.length), np.uint64(2**WORD_BITS - 1))
    words[-1] = _last(stream.length)
    if isinstance(stream.words, np.ndarray):
        return words
    import jax.numpy as jnp

    return jnp.asarray(words.astype("<u8").view("<u4").astype(np.uint32))
