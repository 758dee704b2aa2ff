"""Two stochastic numbers from SNGs: what a pair of bits costs, and how its bits hang together."""

from __future__ import annotations

from dataclasses import dataclass

from circuits.sng.chain import BitStatistics


@dataclass(frozen=True)
class PairOption:
    """A way to make two bits, of p and p or of p and 1 - p.

    ``cycles`` is the time of a pair in cycles of one SNG, ``devices`` the number of SNGs,
    ``energy`` that of a pair over that of one bit. ``correlation`` is that of the two bits of a
    pair of p and p (``complement_correlation``: of p and 1 - p), ``autocorrelation`` that of
    successive bits in either stream. An option that cannot make p and p has ``correlation`` None.
    """

    name: str
    cycles: int
    devices: int
    energy: float
    correlation: float | None
    complement_correlation: float
    autocorrelation: float


def pair_options(bits: BitStatistics) -> tuple[PairOption, ...]:
    """The options for an SNG whose bits have the statistics given.

    - "complement": the latch's q and qn of one bit: p and 1 - p, wholly correlated.
    - "successive": two cycles of one device, the second bit inverted for 1 - p (regeneration).
      What a failed RESET or memory carries over correlates them.
    - "parallel": two devices at once; independent, but each with its own p (D2D).
    """
    return (
        PairOption("complement", 1, 1, 1.0, None, -1.0, bits.lag1),
        PairOption("successive", 2, 1, 2.0, bits.lag1, -bits.lag1, bits.lag2),
        PairOption("parallel", 1, 2, 2.0, 0.0, 0.0, bits.lag1),
    )
