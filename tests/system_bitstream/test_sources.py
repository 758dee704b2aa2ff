"""What every source promises, and the three that are no device."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
import pytest
from scipy.stats import chi2, qmc

from circuits.logic.cell import digits
from circuits.reference import lfsr as circuit
from devices.presets import knag2014
from system.arithmetic.operands import ReadOut
from system.bitstream.sources import (
    TAPS,
    Bernoulli,
    BitSource,
    DeviceSource,
    Lfsr,
    Sobol,
    key_of,
)
from system.bitstream.sources.lfsr import lfsr_numbers
from system.bitstream.sources.sobol import MOST_DIMENSIONS

LAW = knag2014().set
REMEMBERS = replace(
    LAW,
    spread=replace(
        LAW.spread,
        memory=replace(LAW.spread.memory, value=0.5),
        sigma_ln_tau_c2c=replace(LAW.spread.sigma_ln_tau_c2c, value=0.4),
    ),
)
SOURCES: dict[str, BitSource] = {
    "bernoulli": Bernoulli(),
    "lfsr": Lfsr(8),
    "sobol": Sobol(8),
    "shifted sobol": Sobol(12, shift=True),
    "independent device": DeviceSource(LAW, ReadOut(1.0, 1e-3, 2e-3)),
    "failing RESET": DeviceSource(LAW, ReadOut(0.9, 1e-3, 2e-3)),
    "memory": DeviceSource(REMEMBERS, ReadOut(0.9, 1e-3, 2e-3)),
}
COUNT, WIDTH = 40, 7
PROBABILITY = np.linspace(0.01, 0.99, COUNT)
STREAMS = np.random.default_rng(1).permutation(COUNT).astype(np.uint32)
LIVES = (np.arange(COUNT) % 3).astype(np.uint32)
KEY = key_of(5)

every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


def read(
    source: BitSource, pieces: tuple[int, ...], order: np.ndarray | slice = slice(None)
) -> np.ndarray:
    """Words of the streams, read in pieces and in an order of the streams."""
    opened = source.open(PROBABILITY[order], STREAMS[order], LIVES[order], 2, KEY)
    parts = [np.empty((opened.count, width), np.uint64) for width in pieces]
    for part in parts:
        opened.read(part)
    return np.concatenate(parts, axis=1)


@every_source
def test_bits_depend_on_their_address_alone(source: BitSource) -> None:
    """Not on the pieces of reading, the threads, or the streams beside them."""
    whole = read(source, (WIDTH,))
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        assert np.array_equal(read(source, (1, 3, 0, 2, 1)), whole)
    finally:
        numba.set_num_threads(before)
    some = np.random.default_rng(2).permutation(COUNT)[:11]
    assert np.array_equal(read(source, (4, 3), some), whole[some])


@every_source
@pytest.mark.parametrize("length", [1, 64, 100])
def test_whole_streams_are_the_same_bits_in_the_shape_of_the_probabilities(
    source: BitSource, length: int
) -> None:
    p = PROBABILITY[:12].reshape(3, 4)
    stream = source.stream(p, length, seed=5, first_stream=7, life=1, purpose=2)
    assert (stream.shape, stream.length) == ((3, 4), length)
    opened = source.open(
        p.ravel(), np.arange(7, 19, dtype=np.uint32), np.full(12, 1, np.uint32), 2, KEY
    )
    words = np.empty((12, stream.words.shape[-1]), np.uint64)
    opened.read(words)
    bits = np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little")[:, :length]
    assert np.array_equal(stream.unpack().reshape(12, length), bits)


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "sobol"])
def test_each_part_of_the_address_makes_another_stream(name: str) -> None:
    """All but the unshifted Sobol sequence, which knows the stream's number only."""
    source, p = SOURCES[name], np.array([0.37])
    changes: tuple[dict[str, int], ...] = (
        {},
        {"seed": 1},
        {"first_stream": 1},
        {"life": 1},
        {"purpose": 1},
    )
    made = {source.stream(p, 256, **change).words.tobytes() for change in changes}
    assert len(made) == len(changes)


@every_source
def test_mistakes_are_refused_with_what_was_expected(source: BitSource) -> None:
    address = STREAMS, LIVES, 2, KEY
    for wrong in (1.5, -0.1, np.nan):
        with pytest.raises(ValueError, match="expected 0 to 1"):
            source.open(np.where(np.arange(COUNT) == 3, wrong, PROBABILITY), *address)
    with pytest.raises(ValueError, match=r"lives .* expected \(40,\) of uint32"):
        source.open(PROBABILITY, STREAMS, LIVES.astype(np.int64), 2, KEY)
    with pytest.raises(ValueError, match="purpose -1"):
        source.open(PROBABILITY, STREAMS, LIVES, -1, KEY)
    opened = source.open(PROBABILITY, *address)
    for words in (np.empty((COUNT, 2)), np.empty((3, 2), np.uint64)):
        with pytest.raises(ValueError, match=r"expected \(40, any\) of uint64"):
            opened.read(words)
    with pytest.raises(ValueError, match="C-contiguous"):
        opened.read(np.empty((2, COUNT), np.uint64).T)


def test_ideal_streams_with_one_address_are_correlated_as_strongly_as_can_be() -> None:
    """SCC = +1 (Alaghi, Hayes 2013): the ones of the smaller number are ones of the greater."""
    p = np.array([0.1, 0.3, 0.5, 0.9])
    opened = Bernoulli().open(p, np.zeros(4, np.uint32), np.zeros(4, np.uint32), 0, KEY)
    words = np.empty((4, 64), np.uint64)
    opened.read(words)
    count = np.bitwise_count(words).sum(axis=1)
    for i in range(4):
        for j in range(i):
            both = np.bitwise_count(words[i] & words[j]).sum()
            assert both == min(count[i], count[j]) > 0


def test_probabilities_of_ideal_streams_and_their_independence() -> None:
    """Shares of 400 streams of 4,096 bits, and products of neighbours: chi-square at 1e-6."""
    p = np.linspace(0.01, 0.99, 400)
    stream = Bernoulli().stream(p, 4096, seed=3)
    z = (stream.share() - p) / np.sqrt(p * (1 - p) / 4096)
    both = (stream[:-1] & stream[1:]).share()
    product = p[:-1] * p[1:]
    z_both = (both - product) / np.sqrt(product * (1 - product) / 4096)
    assert 1e-6 < chi2.cdf(np.sum(z**2), 400) < 1 - 1e-6
    # Neighbouring products share a stream; every other one does not.
    assert 1e-6 < chi2.cdf(np.sum(z_both[::2] ** 2), 200) < 1 - 1e-6


def test_an_lfsr_has_the_bits_of_its_circuit() -> None:
    """Against the circuit's gates, from the cleared register on; a start is a place in these."""
    assert TAPS == circuit.TAPS
    for width in (4, 8):
        cell, source = circuit.lfsr_sng(width), Lfsr(width)
        names = [f"x{k}" for k in range(width)]
        p = np.array([0.0, 0.07, 0.5, 0.8, 1.0])
        clocks = 2 * source.period + 3
        for threshold, row in zip(
            source.thresholds(p), source.stream(p, clocks).unpack(), strict=True
        ):
            vector = digits(int(threshold), names) | {"run": 1}
            history = cell.run([vector] * (2 * clocks))
            bits = np.array([values["y"] for values in history])
            starts = [k for k in range(source.period) if np.array_equal(bits[k : k + clocks], row)]
            assert starts


def test_an_lfsr_counts_its_threshold_in_every_period() -> None:
    p = np.linspace(0, 1, 23)
    for width in TAPS:
        source = Lfsr(width)
        assert len(set(lfsr_numbers(width).tolist())) == source.period
        assert np.array_equal(source.stream(p, source.period).count(), source.thresholds(p))
        assert (
            np.max(np.abs(source.thresholds(p) / source.period - p)) <= 0.5 / source.period + 1e-12
        )
    with pytest.raises(ValueError, match="taps are known for 4, 8, 16"):
        Lfsr(9)


def test_sobol_bits_are_scipy_s_points_below_the_threshold() -> None:
    p = np.linspace(0.03, 0.98, 30)
    points = qmc.Sobol(30, scramble=False).random(1024).T
    stream = Sobol(10).stream(p, 1500)
    number = np.floor(points * 1024)
    wanted = number[:, np.arange(1500) % 1024] < np.rint(p * 1024)[:, None]
    assert np.array_equal(stream.unpack(), wanted)


@pytest.mark.parametrize("width", [3, 8, 12])
@pytest.mark.parametrize("shift", [False, True])
def test_sobol_counts_its_threshold_in_every_2_width_clocks(width: int, shift: bool) -> None:
    p = np.linspace(0, 1, 50)
    source = Sobol(width, shift)
    stream = source.stream(p, 3 * 2**width, seed=4)
    assert np.array_equal(stream.count(), 3 * source.thresholds(p).astype(np.int64))


def test_products_of_sobol_streams_converge_faster_than_those_of_ideal_ones() -> None:
    """The first dimensions at N = 256, all pairs: a fifth of the ideal streams' RMSE."""
    p = np.linspace(0.1, 0.9, 8)
    i, j = np.triu_indices(8, 1)
    error = {}
    for source in (Sobol(8), Bernoulli()):
        stream = source.stream(p, 256, seed=2)
        found = np.bitwise_count(stream.words[i] & stream.words[j]).sum(axis=1) / 256
        error[source.name] = np.sqrt(np.mean((found - p[i] * p[j]) ** 2))
    assert error["sobol"] < error["bernoulli"] / 5


def test_sobol_refuses_streams_and_widths_it_has_no_numbers_for() -> None:
    with pytest.raises(ValueError, match=f"stream {MOST_DIMENSIONS} has no Sobol dimension"):
        Sobol(8).stream(0.5, 64, first_stream=MOST_DIMENSIONS)
    assert 0 < Sobol(8).stream(0.5, 256, first_stream=MOST_DIMENSIONS - 1).count() < 256
    with pytest.raises(ValueError, match="expected 1 to 16"):
        Sobol(17)
