"""Ideal streams: independent bits, P(1) to the nearest 1/65536.

A true random number of 16 bits is compared with a threshold in every clock. Streams with the same
address meet the same numbers: with other thresholds they are correlated as strongly as can be
(a 1 of the smaller one is a 1 of the greater one, SCC = +1), which is what parameters that share
one random number have.
"""

from __future__ import annotations

import numpy as np

from system.bitstream.sources.base import BitSource, OpenStreams
from system.kernels.bernoulli import MOST_WORDS, bernoulli_words, thresholds


class Bernoulli(BitSource):
    """Independent bits of any probability at 16-bit resolution."""

    name = "bernoulli"
    independent = True

    def _open(
        self,
        probability: np.ndarray,
        streams: np.ndarray,
        lives: np.ndarray,
        purpose: int,
        key: np.ndarray,
    ) -> OpenStreams:
        return OpenBernoulli(thresholds(probability), streams, lives, purpose, key)


class OpenBernoulli(OpenStreams):
    """Streams of thresholds (S,) uint32 out of 65536; an address stands for each bit."""

    def __init__(
        self,
        threshold: np.ndarray,
        streams: np.ndarray,
        lives: np.ndarray,
        purpose: int,
        key: np.ndarray,
    ) -> None:
        super().__init__(threshold.size)
        self._address = (threshold, streams, lives, purpose, key)
        self._word = 0

    def _fill(self, words: np.ndarray) -> None:
        if self._word + words.shape[1] > MOST_WORDS:
            raise ValueError(f"a stream is longer than {64 * MOST_WORDS:.3g} bits")
        bernoulli_words(*self._address, self._word, words)
        self._word += words.shape[1]
