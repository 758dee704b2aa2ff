"""Intervals of counted bits: exact, honest under early stop, honest for bits that go together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from characterization.extract.check.intervals import Precision, clopper_pearson, clustered
from characterization.extract.check.monte_carlo import FEWEST_UNITS


@pytest.mark.parametrize(("ones", "count"), [(0, 30), (30, 30), (7, 50), (611, 1000)])
def test_interval_is_that_of_an_independent_implementation(ones: int, count: int) -> None:
    expected = binomtest(ones, count).proportion_ci(0.999, method="exact")
    assert clopper_pearson(ones, count, 0.999) == pytest.approx((expected.low, expected.high))


def coverage_after_stop(
    probabilities: np.ndarray, block: int, precision: Precision, plain: bool
) -> np.ndarray:
    """P(interval covers) under the rule of stopping, exactly, by the distribution of the count.

    ``plain``: with the interval of a fixed count instead of the one corrected for the stop.
    """
    running = np.ones((probabilities.size, 1))
    step = binom.pmf(np.arange(block + 1), block, probabilities[:, None])
    covered = np.zeros(probabilities.size)
    for count in range(block, precision.largest + block, block):
        running = np.array([np.convolve(a, b) for a, b in zip(running, step, strict=True)])
        for ones in range(count + 1):
            if plain:
                low, high = clopper_pearson(ones, count, precision.confidence)
                stops = (high - low) / 2 <= precision.half_width
            else:
                found = precision.interval(np.array([ones]), np.array([count]), True)
                low, high, stops = found.low, found.high, precision.reached(found)
            if stops or count >= precision.largest:
                covered += running[:, ones] * ((low <= probabilities) & (probabilities <= high))
                running[:, ones] = 0.0
    return covered


@pytest.mark.parametrize(
    ("confidence", "half_width", "largest"), [(0.95, 0.06, 400), (0.999, 0.1, 350)]
)
def test_interval_covers_although_its_width_chose_the_count(
    confidence: float, half_width: float, largest: int
) -> None:
    """Exact, no sampling: at every probability of a fine grid at least the stated confidence."""
    grid = np.linspace(0.002, 0.998, 167)
    precision = Precision(half_width, confidence, largest)
    assert coverage_after_stop(grid, 50, precision, plain=False).min() >= confidence


def test_plain_interval_would_not_cover_after_an_early_stop() -> None:
    grid = np.linspace(0.002, 0.998, 167)
    precision = Precision(0.06, 0.95, largest=400)
    assert coverage_after_stop(grid, 50, precision, plain=True).min() < 0.945


def test_early_stop_saves_bits_where_little_is_to_be_learnt() -> None:
    """At P = 0.02 the asked width is reached with a fraction of the bits P = 0.5 needs."""
    precision = Precision(0.05, 0.95)

    def needed(p: float) -> int:
        counts = np.arange(50, 2000, 50)
        found = [precision.interval(np.array([round(p * n)]), np.array([n]), True) for n in counts]
        return int(counts[[precision.reached(f) for f in found].index(True)])

    assert needed(0.02) <= needed(0.5) / 3


def test_bits_that_are_all_alike_in_a_cluster_count_as_one() -> None:
    counts = np.full(40, 25)
    ones = np.where(np.arange(40) < 10, 25, 0)
    low, high = clustered(ones, counts, 0.95)
    alone = clopper_pearson(10, 40, 0.95)
    assert low == pytest.approx(alone[0], abs=0.01)
    assert high == pytest.approx(alone[1], abs=0.01)
    assert clustered(np.zeros(40), counts, 0.95) == clopper_pearson(0, 40, 0.95)
    with pytest.raises(ValueError, match="two clusters"):
        clustered(np.array([3]), np.array([25]), 0.95)


@pytest.mark.parametrize("name", ["chain", "population"])
def test_interval_of_dependent_bits_covers(name: str) -> None:
    """Failed RESETs, and devices that differ; 300 early stopped runs, 95-% intervals.

    More than 24 misses have a probability of 1 % at a miss rate of 5 %; the plain interval of as
    many independent bits misses several times as often.
    """
    random = np.random.default_rng(3)
    ps, pr, bits, units = 0.05, 0.3, 25, 16

    def chain() -> np.ndarray:
        state, ones = np.zeros(units, bool), np.zeros(units)
        for cycle in range(bits + 12):
            state &= random.random(units) > pr
            state |= random.random(units) < ps
            ones += state * (cycle >= 12)
        return ones

    def population() -> np.ndarray:
        own = 1 / (1 + np.exp(-random.standard_normal(units)))
        return random.binomial(bits, own).astype(float)

    draw, truth = {
        "chain": (chain, ps / (ps + pr * (1 - ps))),
        "population": (population, 0.5),
    }[name]
    precision, misses, plain_misses = Precision(0.06, 0.95), 0, 0
    for _ in range(300):
        ones = np.zeros(0)
        while True:
            ones = np.concatenate([ones, draw()])
            found = precision.interval(ones, np.full(ones.size, bits), False)
            if ones.size >= FEWEST_UNITS and precision.reached(found):
                break
        misses += not found.covers(truth)
        low, high = clopper_pearson(ones.sum(), ones.size * bits, 0.95)
        plain_misses += not low <= truth <= high
    assert misses <= 24
    assert plain_misses > 45
