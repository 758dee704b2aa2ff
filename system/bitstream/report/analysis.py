"""All that the report says about the sequences of one origin, in numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, erfc
from scipy.stats import binom, t

from system.bitstream.correlation import Autocorrelation, autocorrelation
from system.bitstream.packed import WORD_BITS, BitStream
from system.bitstream.randomness import ALPHA, INDEPENDENCE, SP800_22, Battery, Row, von_neumann
from system.bitstream.report.origin import Origin

SHOWN_LAGS, MOST_LAGS = 8, 50
"""Lags of the table and its test, and of the picture."""
BLOCKS = 100
"""Pieces of all sequences together, for the picture and for an interval despite correlation."""
FAIR = 0.5


@dataclass(frozen=True)
class Share:
    """P(1): ``ones`` of ``bits``; ``blocks`` are the shares of equal pieces in order.

    ``interval95`` and ``p_asked``, the P-value of the P(1) asked for, are Wilson's and the exact
    binomial one if ``independent`` bits may be assumed, else from the scatter of the blocks.
    ``p_expected`` is that of what the source says (None: it does not).
    """

    ones: int
    bits: int
    blocks: np.ndarray
    independent: bool
    interval95: tuple[float, float]
    p_asked: float
    p_expected: float | None

    @property
    def value(self) -> float:
        """The share of ones."""
        return self.ones / self.bits


@dataclass(frozen=True)
class Independence:
    """Tests for any P(1), one row each, and all together.

    ``p_all`` is the smallest P of the tests, each over all sequences at once, times their number
    (Bonferroni): below 0.01 the bits are not independent, wrongly said in at most 1 % of reports.
    ``strongest`` is the test it came from. None where no test could be made.
    """

    rows: tuple[Row, ...]
    p_all: float | None
    strongest: str

    @property
    def rejected(self) -> bool:
        """Whether the bits are dependent."""
        return self.p_all is not None and self.p_all < ALPHA


@dataclass(frozen=True)
class Analysis:
    """The report's content: ``fair`` rows are SP 800-22's, or ``fair_reason`` why there are none.

    ``extracted``: bits that von Neumann's extractor left to these tests, if it was used.
    ``stream`` holds the sequences (S,) if they were to be kept.
    """

    origin: Origin
    share: Share
    lags: Autocorrelation
    independence: Independence
    fair: tuple[Row, ...]
    fair_reason: str
    extracted: int | None
    stream: BitStream | None


def analyse(
    origin: Origin,
    *,
    debias: bool = False,
    keep: bool = False,
    step: Callable[[str], None] = lambda _: None,
) -> Analysis:
    """Read and test every sequence; ``step`` hears of each."""
    any_p, fair = Battery(INDEPENDENCE), Battery(SP800_22)
    for_fair = debias or origin.asked == FAIR
    pieces = max(
        2 if origin.sequences == 1 else 1,
        min(math.ceil(BLOCKS / origin.sequences), origin.length // WORD_BITS),
    )
    lags, blocks, kept = [], [], []
    ones = extracted = 0
    for stream in _told(origin, step):
        bits = stream.unpack()
        any_p.add(bits)
        if for_fair:
            tested = von_neumann(bits) if debias else bits
            extracted += tested.size
            fair.add(tested)
        lags.append(autocorrelation(stream, min(MOST_LAGS, origin.length // 4)))
        blocks.append(_shares(bits, pieces))
        ones += int(stream.count())
        if keep:
            kept.append(stream.words)
    pooled = Autocorrelation(
        lags[0].lag,
        *(np.stack([getattr(a, name) for a in lags]) for name in ("value", "expected", "stderr")),
    ).pooled()
    independence = together(any_p.rows(), pooled)
    return Analysis(
        origin=origin,
        share=_share(origin, ones, np.concatenate(blocks), not independence.rejected),
        lags=pooled,
        independence=independence,
        fair=fair.rows(),
        fair_reason="" if for_fair else f"they are for fair bits; asked is {origin.asked:g}",
        extracted=extracted if debias else None,
        stream=BitStream(np.stack(kept), origin.length) if keep else None,
    )


def _told(origin: Origin, step: Callable[[str], None]) -> Iterator[BitStream]:
    step(f"sequence 1 of {origin.sequences}")
    for number, stream in enumerate(origin.packed(), 1):
        yield stream
        if number < origin.sequences:
            step(f"sequence {number + 1} of {origin.sequences}")


def _shares(bits: np.ndarray, pieces: int) -> np.ndarray:
    length = bits.size // pieces
    return np.asarray(bits[: length * pieces].reshape(pieces, length).mean(1))


def together(rows: tuple[Row, ...], pooled: Autocorrelation) -> Independence:
    """The verdict over all tests and sequences.

    The P-values of a test are joined by Fisher's method (-2 sum ln P is chi-square with two
    degrees of freedom each), those of the lags by their pooled standard scores.
    """
    found: dict[str, float] = {}
    for row in rows:
        p = row.p_values
        if p.size:
            total = -2 * float(np.sum(np.log(np.maximum(p, 1e-300))))
            found[row.label] = float(chdtrc(2 * p.size, total))
            if row.label == "autocorrelation":
                z = pooled.z[:SHOWN_LAGS]
                found[row.label] = float(chdtrc(z.size, np.sum(z**2)))
    if not found:
        return Independence(rows, None, "")
    strongest = min(found, key=lambda label: found[label])
    return Independence(rows, min(1.0, len(found) * found[strongest]), strongest)


def _share(origin: Origin, ones: int, blocks: np.ndarray, independent: bool) -> Share:
    bits = origin.length * origin.sequences
    if independent:
        interval = _wilson(ones, bits)

        def p_of(p: float) -> float:
            law = binom(bits, p)
            return min(1.0, 2 * float(min(law.cdf(ones), law.sf(ones - 1))))

    else:
        spread = float(np.std(blocks, ddof=1)) / math.sqrt(blocks.size)
        law = t(blocks.size - 1)
        reach = float(law.ppf(0.975)) * spread
        interval = (max(0.0, ones / bits - reach), min(1.0, ones / bits + reach))

        def p_of(p: float) -> float:
            off = abs(ones / bits - p)
            if spread == 0:  # a period fits the blocks
                return float(off * bits < 1)
            return 2 * float(law.sf(off / spread))

    return Share(
        ones,
        bits,
        blocks,
        independent,
        interval,
        p_of(origin.asked),
        None if origin.expected is None else p_of(origin.expected),
    )


def _wilson(ones: int, bits: int) -> tuple[float, float]:
    z2 = 1.959963984540054**2
    centre = (ones + z2 / 2) / (bits + z2)
    reach = math.sqrt(z2 * (ones * (bits - ones) / bits + z2 / 4)) / (bits + z2)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def two_sided(z: np.ndarray) -> np.ndarray:
    """P of standard scores."""
    return np.asarray(erfc(np.abs(z) / math.sqrt(2)))
