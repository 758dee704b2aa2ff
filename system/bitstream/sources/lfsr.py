"""The conventional SNG as a source: linear-feedback shift register and comparator.

Bit for bit the circuit ``lfsr_sng`` of circuits/reference/lfsr.py: XNOR of the taps into the first
stage, stage k the digit 2^k of the number, 1 where the number is below the threshold. A period of
2^width - 1 clocks holds the threshold's number of ones. A stream's address gives its seed: the
place in the period where it starts. Streams with the same address meet the same numbers, streams
with other ones the same numbers later: they are not independent.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from system.bitstream.sources.base import BitSource, OpenStreams
from system.kernels.philox import philox_definition
from system.kernels.sequences import periodic_words

TAPS = {4: (4, 3), 8: (8, 6, 5, 4), 16: (16, 15, 13, 4)}
"""Stages fed back for the maximal period, numbered from 1; those of the circuit (Xilinx XAPP 052,
recalled)."""


@dataclass(frozen=True)
class Lfsr(BitSource):
    """An LFSR of ``width`` 4, 8 or 16 bits for each stream.

    P(1) over a period is the nearest multiple of 1/(2^width - 1). Raises ValueError for another
    width.
    """

    width: int = 8
    name = "lfsr"
    independent = False

    def __post_init__(self) -> None:
        if self.width not in TAPS:
            widths = ", ".join(map(str, TAPS))
            raise ValueError(f"an LFSR of {self.width} bits: taps are known for {widths}")

    @property
    def period(self) -> int:
        """Clocks after which the numbers repeat."""
        return 2**self.width - 1

    def thresholds(self, probability: np.ndarray) -> np.ndarray:
        """Thresholds (uint64) of probabilities in [0, 1], as the comparator's input takes them."""
        return np.rint(np.asarray(probability, float) * self.period).astype(np.uint64)

    def _open(
        self,
        probability: np.ndarray,
        streams: np.ndarray,
        lives: np.ndarray,
        purpose: int,
        key: np.ndarray,
    ) -> OpenStreams:
        drawn = philox_definition((0, streams, lives, purpose), (int(key[0]), int(key[1])))[0]
        place = (drawn % np.uint64(self.period)).astype(np.int64)
        return OpenLfsr(self.thresholds(probability), place, lfsr_numbers(self.width))


class OpenLfsr(OpenStreams):
    """Streams of thresholds (S,) uint64 that start at ``place`` (S,) int64 of the numbers."""

    def __init__(self, threshold: np.ndarray, place: np.ndarray, numbers: np.ndarray) -> None:
        super().__init__(threshold.size)
        self._threshold, self._place, self._period = threshold, place, numbers.size
        self._numbers = np.concatenate([numbers, np.resize(numbers, 64)])

    def _fill(self, words: np.ndarray) -> None:
        periodic_words(self._threshold, self._place, self._numbers, self._period, words)


@functools.cache
def lfsr_numbers(width: int) -> np.ndarray:
    """One period of the register's numbers (uint32), from 0 on."""
    period = 2**width - 1
    numbers = np.empty(period, np.uint32)
    state = 0
    for clock in range(period):
        numbers[clock] = state
        fed_back = 1
        for tap in TAPS[width]:
            fed_back ^= (state >> (tap - 1)) & 1
        state = (state << 1 | fed_back) & period
    numbers.setflags(write=False)
    return numbers
