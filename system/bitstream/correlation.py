"""Correlation of packed streams: SCC, Pearson and autocorrelation, by shifts and counts of words.

The null hypothesis of every standard error here is that the bits are exchangeable given how many
ones there are, which holds for independent bits of any, even unknown, probability. The number of
common ones of two independent streams is then hypergeometric, and the moments of an autocorrelation
follow from those of a random permutation of the bits; both are exact at every length.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from system.bitstream.packed import WORD_BITS, BitStream

_ROWS_AT_ONCE = 2**22
"""Bytes of words that a row meets at a time in a matrix of pairs; stays in the cache."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of streams of ``length`` bits by their counts: ones of each, and ones in common.

    ``first``, ``second`` and ``both`` are integer arrays of one shape (or broadcast to it). A
    stream that is constant has no correlation: the measures are NaN there.
    """

    length: int
    first: np.ndarray
    second: np.ndarray
    both: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        """p_XY - p_X p_Y, the p being shares of ones."""
        return np.asarray(self._excess() / self.length**2)

    @property
    def scc(self) -> np.ndarray:
        """Stochastic cross-correlation: the covariance over the largest of its sign.

        1 for the greatest possible overlap of the two counts, -1 for the least, 0 for p_X p_Y
        (Alaghi and Hayes, "Exploiting correlation in stochastic circuit design", ICCD 2013; the
        formula is recalled).
        """
        excess = self._excess()
        most, least = self._extremes()
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(excess > 0, excess / most, excess / least))

    @property
    def pearson(self) -> np.ndarray:
        """Correlation coefficient of the bits."""
        n = self.length
        first, second = self._counts()
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(
                self._excess() / np.sqrt(first * (n - first)) / np.sqrt(second * (n - second))
            )

    @property
    def z(self) -> np.ndarray:
        """Standard score of the common ones if independent: hypergeometric mean and variance.

        Equals the Pearson correlation times sqrt(length - 1); that of the SCC differs, see
        :func:`scc_moments`.
        """
        return np.asarray(self.pearson * np.sqrt(self.length - 1))

    def _counts(self) -> tuple[np.ndarray, np.ndarray]:
        return np.asarray(self.first, float), np.asarray(self.second, float)

    def _excess(self) -> np.ndarray:
        """length^2 times the covariance, from integers: exact below 2^63."""
        first, second = np.asarray(self.first, np.int64), np.asarray(self.second, np.int64)
        return np.asarray(self.length * np.asarray(self.both, np.int64) - first * second, float)

    def _extremes(self) -> tuple[np.ndarray, np.ndarray]:
        """The largest positive excess of these counts, and the size of the largest negative one."""
        n = self.length
        first, second = self._counts()
        product = first * second
        return n * np.minimum(first, second) - product, product - n * np.maximum(
            first + second - n, 0
        )


def pairs(first: BitStream, second: BitStream) -> Pairs:
    """Each stream of ``first`` with its partner of ``second``; leading shapes broadcast.

    Raises ValueError for different lengths.
    """
    x, y = first.to_numpy(), second.to_numpy()
    return Pairs(x.length, x.count(), y.count(), np.asarray((x & y).count()))


def all_pairs(streams: BitStream) -> Pairs:
    """Every stream of a one-dimensional array (S,) with every other: counts of shape (S, S).

    Raises ValueError for another shape.
    """
    if len(streams.shape) != 1:
        raise ValueError(f"streams of shape {streams.shape}: expected one axis of streams")
    words = streams.to_numpy().words
    ones, count = streams.to_numpy().count(), len(words)
    both = np.zeros((count, count), np.int64)
    # Words of all streams are taken in pieces that stay in the cache while every row meets them.
    piece = max(1, _ROWS_AT_ONCE // (8 * max(count, 1)))
    for low in range(0, words.shape[1], piece):
        part = np.ascontiguousarray(words[:, low : low + piece])
        for i in range(count):
            both[i, i:] += np.bitwise_count(part[i] & part[i:]).sum(-1, dtype=np.int64)
    both = np.triu(both) + np.triu(both, 1).T
    return Pairs(streams.length, ones[:, None], ones[None, :], both)


def scc_moments(length: int, first: int, second: int) -> tuple[float, float]:
    """Mean and variance of the SCC of independent streams with these counts of ones.

    Exact, by summation over the hypergeometric number of common ones. The mean is not 0 where the
    two extremes of the covariance differ. Raises ValueError for a constant stream.
    """
    if not (0 < first < length and 0 < second < length):
        raise ValueError(
            f"{first} and {second} ones in {length} bits: expected streams with both values"
        )
    both = np.arange(max(0, first + second - length), min(first, second) + 1)
    weight = hypergeom(length, first, second).pmf(both)
    scc = Pairs(length, np.asarray(first), np.asarray(second), both).scc
    mean = float(weight @ scc)
    return mean, float(weight @ (scc - mean) ** 2)


@dataclass(frozen=True)
class Autocorrelation:
    """Correlation of a stream's bits ``lag`` clocks apart.

    ``lag`` (K,); ``value`` (..., K) per stream; ``expected`` and ``stderr`` (..., K): its mean and
    standard deviation for independent bits. NaN for constant streams.
    """

    lag: np.ndarray
    value: np.ndarray
    expected: np.ndarray
    stderr: np.ndarray

    @property
    def z(self) -> np.ndarray:
        """Standard scores for independent bits."""
        return np.asarray((self.value - self.expected) / self.stderr)

    @property
    def corrected(self) -> np.ndarray:
        """The values less what subtracting a stream's own mean takes from them."""
        return np.asarray(self.value - self.expected)

    def pooled(self) -> Autocorrelation:
        """The mean over all streams, which are taken as independent: shapes (K,).

        Constant streams, which have no correlation, are left out.
        """
        flat = [x.reshape(-1, self.lag.size) for x in (self.value, self.expected, self.stderr)]
        kept = np.isfinite(flat[0]).all(1)
        if not kept.any():
            return Autocorrelation(self.lag, *np.full((3, self.lag.size), np.nan))
        value, expected, stderr = (x[kept] for x in flat)
        return Autocorrelation(
            self.lag,
            value.mean(0),
            expected.mean(0),
            np.sqrt(np.sum(stderr**2, axis=0)) / len(value),
        )


def autocorrelation(
    stream: BitStream, lags: int | Sequence[int], probability: float | None = None
) -> Autocorrelation:
    """Autocorrelation at lags 1 ... ``lags``, or at the given ones, of each stream.

    The mean over the length - k pairs k clocks apart of (x - p)(x' - p), over p (1 - p). With
    ``probability`` None, p is the stream's own share of ones, and mean and variance are those of
    all arrangements of its ones: a wrong P(1) does not look like correlation. With P(1) given, p is
    that: mean 0 and variance 1/(length - k) (both derived, for every length).

    Raises ValueError for lags below 1 or not below the length, fewer than 4 bits, and a probability
    not within (0, 1).
    """
    stream = stream.to_numpy()
    n = stream.length
    lag = np.arange(1, lags + 1) if isinstance(lags, int) else np.asarray(lags, np.int64)
    if lag.size == 0 or lag.min() < 1 or lag.max() >= n:
        raise ValueError(f"lags {lag.tolist()} of {n} bits: expected lags from 1 to {n - 1}")
    if n < 4:
        raise ValueError(f"a stream of {n} bits: expected 4 or more")
    if probability is not None and not 0 < probability < 1:
        raise ValueError(f"P(1) = {probability:g}: expected a number between 0 and 1")
    counts = np.bitwise_count(stream.words)
    ones = counts.sum(-1, dtype=np.int64)
    both = np.stack([_common(stream.words, int(k)) for k in lag], -1)
    late = ones[..., None] - np.stack([_ones_below(stream.words, counts, int(k)) for k in lag], -1)
    early = np.stack([_ones_below(stream.words, counts, n - int(k)) for k in lag], -1)
    p = ones[..., None] / n if probability is None else np.full((*stream.shape, 1), probability)
    variance = p * (1 - p)
    total = both - p * (early + late) + (n - lag) * p * p
    with np.errstate(divide="ignore", invalid="ignore"):
        value = total / ((n - lag) * variance)
        if probability is None:
            expected, stderr = _moments_of_arrangements(n, lag, p)
        else:
            expected, stderr = (
                np.zeros_like(value),
                np.broadcast_to(1 / np.sqrt(n - lag), both.shape),
            )
    return Autocorrelation(lag, value, expected, np.asarray(stderr))


def _moments_of_arrangements(
    n: int, lag: np.ndarray, p: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the value over all arrangements of a stream's ones.

    y = x - p has mean 0 and takes two values: its second moment is m2 = p (1 - p), its fourth
    m2 (1 - 3 m2). Means of products of y at distinct places follow from Newton's identities with
    sum y = 0. Two of the pairs (t, t + k) are the same, share one place or none.
    """
    m2 = p * (1 - p)
    m4 = m2 * (1 - 3 * m2)
    two = -m2 / (n - 1)
    square_square = (n * m2**2 - m4) / (n - 1)
    square_two = (2 * m4 - n * m2**2) / ((n - 1) * (n - 2))
    four = (3 * n * m2**2 - 6 * m4) / ((n - 1) * (n - 2) * (n - 3))
    pairs_ = (n - lag).astype(float)
    sharing = 2.0 * np.maximum(n - 2 * lag, 0)
    apart = pairs_**2 - pairs_ - sharing
    second = pairs_ * square_square + sharing * square_two + apart * four
    variance = second - (pairs_ * two) ** 2
    expected = np.broadcast_to(two / m2, variance.shape)
    return expected, np.sqrt(np.maximum(variance, 0)) / (pairs_ * m2)


def _common(words: np.ndarray, lag: int) -> np.ndarray:
    """Clocks t at which both bit t and bit t + lag are ones."""
    skip, rest = divmod(lag, WORD_BITS)
    later = words[..., skip:] >> np.uint64(rest)
    if rest:
        later[..., :-1] |= words[..., skip + 1 :] << np.uint64(WORD_BITS - rest)
    together = words[..., : words.shape[-1] - skip] & later
    return np.asarray(np.bitwise_count(together).sum(-1, dtype=np.int64))


def _ones_below(words: np.ndarray, counts: np.ndarray, clock: int) -> np.ndarray:
    """Ones at the clocks before ``clock``; ``counts`` are those of the words."""
    whole, rest = divmod(clock, WORD_BITS)
    ones = counts[..., :whole].sum(-1, dtype=np.int64)
    if rest:
        mask = np.uint64(2**rest - 1)
        ones = ones + np.bitwise_count(words[..., whole] & mask).astype(np.int64)
    return np.asarray(ones)
