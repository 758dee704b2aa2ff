"""Tests of randomness: for fair bits as in NIST SP 800-22, and for bits of any P(1)."""

from system.bitstream.randomness.base import ALPHA, NotApplicable, Outcome, Test
from system.bitstream.randomness.battery import Battery, Row, false_alarm, least_passes, uniformity
from system.bitstream.randomness.debias import von_neumann
from system.bitstream.randomness.independence import INDEPENDENCE
from system.bitstream.randomness.sp800_22 import SP800_22

__all__ = [
    "ALPHA",
    "INDEPENDENCE",
    "SP800_22",
    "Battery",
    "NotApplicable",
    "Outcome",
    "Row",
    "Test",
    "false_alarm",
    "least_passes",
    "uniformity",
    "von_neumann",
]
