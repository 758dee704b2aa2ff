"""Low-discrepancy streams: Sobol numbers and a comparator, a dimension for each stream.

The direction numbers are those of ``scipy.stats.qmc.Sobol`` (Joe, Kuo 2008), the order is scipy's
(by the Gray code). Dimension 0 is the van der Corput sequence of base 2. In the first 2^width
clocks every number of ``width`` bits comes once, so the count of ones is the threshold, and two
dimensions together fill the square evenly: products converge faster than those of random streams.
The numbers repeat after that.

``shift``: each stream XORs its numbers with a random one of its address (a digital shift), so that
lives differ and any length is unbiased; without it streams depend on their number only.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc

from system.bitstream.sources.base import BitSource, OpenStreams
from system.kernels.philox import philox_definition
from system.kernels.sequences import WORD_LEVELS, binary_words

MOST_DIMENSIONS = int(qmc.Sobol.MAXDIM)
"""Dimensions for which scipy has direction numbers: 21201."""
_MOST_WIDTH = 16
_SCIPY_BITS = 30
"""scipy's own; with fewer it loses direction numbers of high dimensions without an error."""


@dataclass(frozen=True)
class Sobol(BitSource):
    """Sobol numbers of ``width`` bits (1 to 16); stream n takes the dimension n.

    ``width`` 8 suits N = 256: the comparator then rounds P(1) to k/N and makes it exactly.
    """

    width: int = 8
    shift: bool = False
    name = "sobol"
    independent = False

    def __post_init__(self) -> None:
        if not 1 <= self.width <= _MOST_WIDTH:
            raise ValueError(f"Sobol numbers of {self.width} bits: expected 1 to {_MOST_WIDTH}")

    def thresholds(self, probability: np.ndarray) -> np.ndarray:
        """Thresholds (uint64) of probabilities in [0, 1], out of 2^width."""
        return np.rint(np.asarray(probability, float) * 2**self.width).astype(np.uint64)

    def _open(
        self,
        probability: np.ndarray,
        streams: np.ndarray,
        lives: np.ndarray,
        purpose: int,
        key: np.ndarray,
    ) -> OpenStreams:
        highest = int(streams.max(initial=0))
        if highest >= MOST_DIMENSIONS:
            raise ValueError(
                f"stream {highest} has no Sobol dimension: there are {MOST_DIMENSIONS}; number the "
                "streams from 0, let some share one, or take another source"
            )
        # Tables for 2^k dimensions, so that few are made and kept.
        dimensions = min(1 << highest.bit_length(), MOST_DIMENSIONS)
        columns = sobol_columns(dimensions, self.width)[streams]
        shift = np.zeros(streams.size, np.uint64)
        if self.shift:
            drawn = philox_definition((0, streams, lives, purpose), (int(key[0]), int(key[1])))[0]
            shift = drawn & np.uint64(2**self.width - 1)
        return OpenSobol(self.thresholds(probability), columns, shift)


class OpenSobol(OpenStreams):
    """Streams of thresholds (S,) uint64 with their own columns (S, width) and shifts (S,)."""

    def __init__(self, threshold: np.ndarray, columns: np.ndarray, shift: np.ndarray) -> None:
        super().__init__(threshold.size)
        self._numbers, self._word = (threshold, columns, shift), 0
        self._repeat = 2 ** max(columns.shape[1] - WORD_LEVELS, 0)

    def _fill(self, words: np.ndarray) -> None:
        binary_words(*self._numbers, self._word, words)
        self._word = (self._word + words.shape[1]) % self._repeat


@functools.lru_cache(maxsize=8)
def sobol_columns(dimensions: int, width: int) -> np.ndarray:
    """Points 2^k of each dimension, (dimensions, width) uint64 of ``width`` bits.

    Point n is the XOR of those at the binary digits of n.
    """
    engine = qmc.Sobol(dimensions, scramble=False, bits=_SCIPY_BITS)
    columns = np.empty((dimensions, width), np.uint64)
    at = 0
    for k in range(width):
        if 2**k > at:
            engine.fast_forward(2**k - at)
        columns[:, k] = (engine.random(1)[0] * 2.0**width).astype(np.uint64)
        at = 2**k + 1
    columns.setflags(write=False)
    return columns
