"""All bit patterns of short streams with their probabilities, and what follows from them."""

from __future__ import annotations

import numpy as np

from system.bitstream import BitStream


def all_bits(streams: int, length: int) -> np.ndarray:
    """Every pattern of the streams: (2**(streams * length), streams, length) uint8."""
    index = np.arange(2 ** (streams * length))
    bits = (index[:, None] >> np.arange(streams * length)) & 1
    return bits.reshape(-1, streams, length).astype(np.uint8)


def packed(bits: np.ndarray) -> list[BitStream]:
    """The streams of patterns (P, streams, N), each of shape (P,)."""
    return [BitStream.pack(bits[:, j]) for j in range(bits.shape[1])]


def symbols(bits: np.ndarray) -> np.ndarray:
    """Symbols (P, N) of the streams' bits, the first stream lowest."""
    return np.asarray((bits.astype(int) << np.arange(bits.shape[1])[None, :, None]).sum(1))


def weights(bits: np.ndarray, law: np.ndarray) -> np.ndarray:
    """Probability of each pattern for independent clocks of one law of symbols."""
    return np.asarray(law[symbols(bits)].prod(-1))


def conditional(bits: np.ndarray, groups: list[list[int]], shares: list[np.ndarray]) -> np.ndarray:
    """Probability of each pattern given the shares of the symbols of each group of streams."""
    length = bits.shape[-1]
    fits = np.ones(len(bits), bool)
    for streams, share in zip(groups, shares, strict=True):
        seen = symbols(bits[:, streams])
        for symbol, wanted in enumerate(share):
            fits &= (seen == symbol).sum(-1) == round(wanted * length)
    return fits / fits.sum()


def moments(
    first: np.ndarray, second: np.ndarray, weight: np.ndarray
) -> tuple[float, float, float]:
    """Means and covariance of two numbers of each pattern."""
    assert abs(weight.sum() - 1) < 1e-12
    mean = float(weight @ first), float(weight @ second)
    return *mean, float(weight @ (first * second)) - mean[0] * mean[1]


def some_law(streams: int, seed: int) -> np.ndarray:
    """A law of symbols in which all streams depend on each other."""
    law = np.random.default_rng(seed).gamma(0.7, size=2**streams)
    return np.asarray(law / law.sum())


def drawn(law: np.ndarray, repeats: int, length: int, seed: int) -> list[BitStream]:
    """Streams of independent clocks of a law, drawn: each of shape (repeats,)."""
    seen = np.random.default_rng(seed).choice(law.size, (repeats, length), p=law)
    return [BitStream.pack((seen >> j) & 1) for j in range(law.size.bit_length() - 1)]


def agree(
    first: np.ndarray, second: np.ndarray, expected: tuple[float, float, float], sigmas: float = 4.5
) -> None:
    """Means and covariance of drawn pairs against their expectation, in standard errors.

    The standard errors come from the samples; 4.5 standard errors are passed by chance once in
    150,000 comparisons.
    """
    n = len(first)
    product = (first - expected[0]) * (second - expected[1])
    for samples, value in ((first, expected[0]), (second, expected[1]), (product, expected[2])):
        error = samples.std() / np.sqrt(n)
        assert abs(samples.mean() - value) <= sigmas * error + 1e-12, (samples.mean(), value, error)
