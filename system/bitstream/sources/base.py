"""What a source of bit streams is: probabilities and addresses in, packed bits out, in any pieces.

A stream has an address: its number, which of its lives it is, what it is used for, and the key
(the seed). Reading it in pieces, with any number of threads or beside other streams gives the
same bits, so a reader needs memory for a piece only, however long the streams are.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np

from formats.seeds import seed_sequence
from system.bitstream.packed import BitStream, words_of
from system.kernels.bernoulli import clear_tail


class OpenStreams(ABC):
    """Streams on the way: what is needed to make their next bits."""

    def __init__(self, count: int) -> None:
        self.count = count

    def read(self, words: np.ndarray) -> None:
        """Fill ``words`` (S, W) uint64, C-contiguous, with the next W words of every stream.

        Bits are counted on from where the last reading stopped. Raises ValueError for an array of
        another shape or type.
        """
        if words.ndim != 2 or words.shape[0] != self.count or words.dtype != np.uint64:
            raise ValueError(
                f"words of shape {words.shape} and type {words.dtype}: expected "
                f"({self.count}, any) of uint64"
            )
        if not words.flags.c_contiguous:
            raise ValueError("words: expected a C-contiguous array")
        if words.size:
            self._fill(words)

    @abstractmethod
    def _fill(self, words: np.ndarray) -> None:
        """Fill an array that has been checked and is not empty."""


class BitSource(ABC):
    """A kind of generator. ``name`` is shown to users.

    ``independent``: whether the bits of one stream are independent of each other and of those of
    other streams, which is what moments assume.
    """

    name: str
    independent: bool

    def open(
        self,
        probability: np.ndarray,
        streams: np.ndarray,
        lives: np.ndarray,
        purpose: int,
        key: np.ndarray,
    ) -> OpenStreams:
        """Start streams at clock 0.

        ``probability`` (S,) is the marginal P(bit read = 1) asked of each; ``streams`` and
        ``lives`` (S,) uint32, ``purpose`` (0 to 2^32 - 1) and ``key`` (2,) uint32 are the address.
        Raises ValueError for probabilities outside [0, 1] and addresses of other shapes or types.
        """
        probability = np.ascontiguousarray(probability, np.float64)
        if probability.ndim != 1:
            raise ValueError(f"probability of shape {probability.shape}: expected one axis")
        least, most = probability.min(initial=0.0), probability.max(initial=1.0)
        if not (least >= 0 and most <= 1):
            wrong = least if not least >= 0 else most
            raise ValueError(f"a probability of {float(wrong)!r}: expected 0 to 1")
        for name, part, shape in (
            ("streams", streams, probability.shape),
            ("lives", lives, probability.shape),
            ("key", key, (2,)),
        ):
            if part.shape != shape or part.dtype != np.uint32:
                raise ValueError(
                    f"{name} of shape {part.shape} and type {part.dtype}: "
                    f"expected {shape} of uint32"
                )
        if not 0 <= purpose < 2**32:
            raise ValueError(f"purpose {purpose}: expected 0 to 2^32 - 1")
        streams, lives = np.ascontiguousarray(streams), np.ascontiguousarray(lives)
        key = key.copy()  # one that cannot be written would make Numba compile everything again
        return self._open(probability, streams, lives, int(purpose), key)

    @abstractmethod
    def _open(
        self,
        probability: np.ndarray,
        streams: np.ndarray,
        lives: np.ndarray,
        purpose: int,
        key: np.ndarray,
    ) -> OpenStreams:
        """Start streams; the arguments have been checked."""

    def stream(
        self,
        probability: np.ndarray | float,
        length: int,
        *,
        seed: int = 0,
        first_stream: int = 0,
        life: int = 0,
        purpose: int = 0,
    ) -> BitStream:
        """Whole streams of ``length`` bits (numpy), one for each probability (any shape).

        The streams are numbered in the order of the probabilities from ``first_stream`` on.
        """
        probability = np.asarray(probability, np.float64)
        count = math.prod(probability.shape)
        if not (first_stream >= 0 and first_stream + count <= 2**32 and 0 <= life < 2**32):
            raise ValueError(
                f"{count} streams from {first_stream} on, life {life}: expected 32-bit numbers"
            )
        words = np.empty((count, words_of(length)), np.uint64)
        opened = self.open(
            probability.reshape(-1),
            np.arange(first_stream, first_stream + count, dtype=np.uint32),
            np.full(count, life, np.uint32),
            purpose,
            key_of(seed),
        )
        opened.read(words)
        clear_tail(words, length)
        return BitStream(words.reshape(*probability.shape, words.shape[1]), length)


def key_of(seed: int) -> np.ndarray:
    """The key (2,) uint32 of a seed, unlike that of any other use of the seed."""
    return np.asarray(seed_sequence(seed, "bit streams").generate_state(2), np.uint32)
