"""The tests of NIST SP 800-22 rev. 1a for fair bits that matter for a device's stream.

Rukhin et al., "A statistical test suite for random and pseudorandom number generators for
cryptographic applications" (2010). Not here: tests made for ciphers (matrix rank, templates,
Maurer's, linear complexity) and for the excursions of a walk.
"""

from __future__ import annotations

from system.bitstream.randomness.base import Test
from system.bitstream.randomness.frequency import block_frequency, monobit
from system.bitstream.randomness.patterns import approximate_entropy, serial
from system.bitstream.randomness.runs import longest_run, runs
from system.bitstream.randomness.spectral import spectral
from system.bitstream.randomness.walk import cumulative_sums

SP800_22 = (
    Test("frequency", monobit, "P(1) other than 1/2"),
    Test("block frequency", block_frequency, "P(1) other than 1/2, or drifting"),
    Test("runs", runs, "bits that follow or avoid their neighbours"),
    Test("longest run of ones", longest_run, "clusters of ones"),
    Test("spectral (DFT)", spectral, "periods"),
    Test("serial", serial, "patterns too frequent or too rare", ("first", "second")),
    Test("approximate entropy", approximate_entropy, "patterns that repeat"),
    Test("cumulative sums", cumulative_sums, "P(1) other than 1/2", ("forward", "back")),
)
"""The tests in the order of the publication."""
