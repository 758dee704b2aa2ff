"""Random bits by address: against published vectors, the plain definition and the binomial law."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from scipy.stats import chi2

from system.bitstream import BitStream
from system.kernels.bernoulli import bernoulli, bernoulli_definition, thresholds
from system.kernels.philox import philox, philox_definition

KEY = np.array([5, 6], np.uint32)
FULL = 2**32 - 1
# From the known-answer file of Random123 (Salmon et al. 2011): counter, key, four words.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((FULL,) * 4, (FULL,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@numba.njit
def compiled(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    return philox(c0, c1, c2, c3, k0, k1)


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_philox_gives_the_published_words(
    counter: tuple[int, ...], key: tuple[int, int], words: tuple[int, ...]
) -> None:
    wanted = (words[0] | words[1] << 32, words[2] | words[3] << 32)
    assert tuple(int(x) for x in philox_definition(counter, key)) == wanted
    assert tuple(compiled(*(np.uint64(x) for x in (*counter, *key)))) == wanted


@pytest.mark.parametrize("length", [1, 64, 100, 300])
def test_packed_bits_are_those_of_the_definition_for_any_number_of_threads(length: int) -> None:
    rng = np.random.default_rng(length)
    threshold = rng.integers(0, 65537, 300).astype(np.uint32)
    threshold[:3] = 0, 65536, 1
    streams = rng.integers(0, 2**32, 300).astype(np.uint32)
    lives = rng.integers(0, 2**32, 300).astype(np.uint32)
    wanted = bernoulli_definition(threshold, streams, lives, 9, KEY, length)
    before = numba.get_num_threads()
    try:
        for threads in (1, numba.config.NUMBA_NUM_THREADS):
            numba.set_num_threads(threads)
            words = bernoulli(threshold, streams, lives, 9, KEY, length)
            assert np.array_equal(BitStream(words, length).unpack(), wanted)
    finally:
        numba.set_num_threads(before)
    assert not wanted[0].any() and wanted[1].all()


def test_counts_of_ones_follow_the_binomial_law_at_every_threshold() -> None:
    """Sum of squared z over 2,000 thresholds, two-sided at 1e-6; neighbours are uncorrelated."""
    threshold = np.linspace(40, 65496, 2000).round().astype(np.uint32)
    streams, lives = np.arange(2000, dtype=np.uint32), np.zeros(2000, np.uint32)
    length = 8192
    stream = BitStream(bernoulli(threshold, streams, lives, 1, KEY, length), length)
    p = threshold / 65536
    z = (stream.count() - length * p) / np.sqrt(length * p * (1 - p))
    assert 1e-6 < chi2.cdf(np.sum(z**2), 2000) < 1 - 1e-6
    assert abs(np.corrcoef(z[:-1], z[1:])[0, 1]) < 4.9 / np.sqrt(2000)
    bits = stream.unpack() - p[:, None]
    lag1 = np.mean(bits[:, 1:] * bits[:, :-1], axis=1) / (p * (1 - p)) * np.sqrt(length - 1)
    assert 1e-6 < chi2.cdf(np.sum(lag1**2), 2000) < 1 - 1e-6


def test_each_part_of_the_address_makes_another_stream() -> None:
    half = thresholds(np.array([0.5]))

    def made(stream: int = 1, life: int = 2, purpose: int = 3, key: int = 4) -> bytes:
        address = np.array([stream], np.uint32), np.array([life], np.uint32)
        return bernoulli(half, *address, purpose, np.array([key, 0], np.uint32), 256).tobytes()

    assert len({made(), made(stream=9), made(life=9), made(purpose=9), made(key=9)}) == 5
    assert made() == made()
