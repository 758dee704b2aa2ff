"""Autocorrelation, effective size, and errors that allow for dependence. Fixed seeds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from characterization.fit.dependence.ar1 import correlation, sums
from characterization.fit.dependence.autocorrelation import autocorrelation
from characterization.fit.dependence.robust import (
    block_length,
    clusters,
    sandwich,
)
from formats.seeds import generator
from tests.characterization_fit.drawn_scores import (
    chains,
    index,
)


def test_autocorrelation_of_one_long_record_is_ljung_and_boxes() -> None:
    random = generator(2, "ljung-box")
    n, lags = 4000, 20
    x = random.standard_normal(n)
    found = autocorrelation(*index(1, n), x, lags)
    c = x - x.mean()
    plain = np.array([c[k:] @ c[:-k] for k in range(1, lags + 1)]) / (c @ c)
    statistic = n * (n + 2) * np.sum(plain**2 / (n - np.arange(1, lags + 1)))
    assert found.freedom == lags
    assert found.statistic == pytest.approx(statistic, rel=0.03)
    np.testing.assert_allclose(found.value, plain, atol=1.2e-3)


@pytest.mark.parametrize(("devices", "rows"), [(1, 60), (60, 4), (20, 15)])
def test_independence_is_rejected_as_rarely_as_stated_for_short_records(
    devices: int, rows: int
) -> None:
    # 150 sets at the 5 % level: more than 16 or fewer than 2 rejections with 0.8 %.
    random = generator(3, "size", devices)
    rejected = 0
    for _ in range(150):
        x = random.standard_normal((devices, rows)) + 5 * random.standard_normal((devices, 1))
        rejected += autocorrelation(*index(devices, rows), x.ravel()).p_none < 0.05
    assert 2 <= rejected <= 16


@pytest.mark.parametrize(("devices", "rows"), [(1, 1000), (100, 10)])
def test_taking_device_means_out_does_not_bias_the_autocorrelation(devices: int, rows: int) -> None:
    random = generator(4, "bias", devices)
    found = np.array(
        [
            autocorrelation(
                *index(devices, rows), chains(random, devices, rows, 0.6, 0.5).ravel()
            ).value[0]
            for _ in range(100)
        ]
    )
    # The means of 100 sets err by 0.005 at most (one standard error); 0.04 is left for records of
    # ten, where an uncorrected estimate would be 0.2 too low.
    assert found.mean() == pytest.approx(0.6, abs=0.012 if devices == 1 else 0.05)


def test_effective_sample_size_is_that_of_an_ar1() -> None:
    random = generator(5, "effective")
    found = autocorrelation(*index(1, 20_000), chains(random, 1, 20_000, 0.6).ravel())
    assert found.effective == pytest.approx(20_000 * 0.4 / 1.6, rel=0.1)
    assert not found.effective_is_limit
    assert "Independence is rejected" in found.sentences[1]


def test_gaps_and_reading_every_hundredth_cycle_leave_the_correlation_unchanged() -> None:
    random = generator(6, "gaps")
    z = chains(random, 1, 20_000, 0.6)[0]
    keep = random.random(z.size) < 0.7
    order = 100 * np.arange(z.size)[keep]
    found = autocorrelation(np.zeros(order.size, int), order, z[keep])
    assert found.spacing == 100
    np.testing.assert_allclose(found.value[:4], 0.6 ** np.arange(1, 5), atol=0.05)


def test_single_outcomes_are_counted_and_tell_nothing() -> None:
    found = autocorrelation(np.arange(50), np.zeros(50, int), np.arange(50.0))
    assert found.single == 50
    assert found.freedom == 0
    assert "cannot be tested" in found.sentences[0]


def test_sandwich_of_a_mean_over_devices_is_the_variance_of_device_sums() -> None:
    random = generator(17, "sandwich")
    label = np.repeat(np.arange(40), 5)
    x = random.standard_normal(200) + np.repeat(random.standard_normal(40), 5)
    found = sandwich((x - x.mean())[:, None], label, np.array([[1 / 200]]))
    sums = np.bincount(label, x - x.mean())
    assert found.covariance[0, 0] == pytest.approx(40 / 39 * np.sum(sums**2) / 200**2)
    assert found.clusters == 40
    assert np.isinf(sandwich(np.ones((3, 1)), np.zeros(3), np.eye(1)).covariance[0, 0])


def test_sandwich_of_a_line_through_rows_of_their_own_is_the_small_sample_one_of_white() -> None:
    """HC1 (MacKinnon, White, J. Econometrics 29, 305 (1985); recalled), here by plain algebra."""
    random = generator(18, "white")
    design = np.column_stack([np.ones(12), random.standard_normal((12, 2))])
    y = random.standard_normal(12) * np.abs(design[:, 1])
    left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    inverse = np.linalg.inv(design.T @ design)
    white = 12 / (12 - 3) * inverse @ (design.T * left**2) @ design @ inverse
    found = sandwich(design * left[:, None], np.arange(12), inverse)
    np.testing.assert_allclose(found.covariance, white, rtol=1e-12)


@pytest.mark.parametrize("trend", [False, True])
def test_random_walks_are_told_from_memory_as_rarely_as_stated(trend: bool) -> None:
    """At the 10 % level 20 walks have it in 10.5 to 11.7 %: of 300 sets 18 to 50, 3 sigma wide."""
    random = generator(19, "walks", trend)
    device, order = index(20, 50)
    own = np.column_stack([np.ones(1000), *([order / 50] if trend else [])])
    below = 0
    for _ in range(300):
        y = np.cumsum(random.standard_normal((20, 50)), axis=1).ravel()
        below += correlation(sums(device, order, own, np.zeros((1000, 0)), y)).p_walk < 0.1
    assert 18 <= below <= 50


def test_intervals_cover_with_sandwich_errors_and_not_with_naive_ones() -> None:
    # An exponential rate from 1000 waits with memory 0.6, 200 sets. Intervals of exact 95 % would
    # cover in fewer than 179 with 0.05 %; the naive ones cover in about 72 %.
    random = generator(18, "rate")
    naive = robust = 0
    for _ in range(200):
        z = chains(random, 1, 1000, 0.6)[0]
        waits = -special.log_ndtr(-z)
        ln_rate = -np.log(waits.mean())
        scores = (1 - np.exp(ln_rate) * waits)[:, None]  # d ln L / d ln rate, row by row
        groups = clusters(np.zeros(1000, int), autocorrelation(*index(1, 1000), waits))
        errors = sandwich(scores, groups.label, np.array([[1 / 1000]]))
        low, high = errors.interval95(np.array([ln_rate]))
        robust += bool(low[0] <= 0.0 <= high[0])
        naive += bool(abs(ln_rate) <= 1.96 / np.sqrt(1000))
    assert naive < 165
    assert robust >= 179


def test_clusters_are_devices_where_there_are_many_and_even_blocks_otherwise() -> None:
    random = generator(19, "clusters")
    many = chains(random, 50, 20, 0.6)
    found = clusters(index(50, 20)[0], autocorrelation(*index(50, 20), many.ravel()))
    assert (found.count, found.block_length) == (50, None)
    device = np.repeat([0, 1], [300, 700])
    order = np.concatenate([np.arange(300), np.arange(700)])
    z = chains(random, 1, 1000, 0.6)[0]
    found = clusters(device, autocorrelation(device, order, z))
    sizes = np.bincount(found.label)
    assert sizes.size == found.count >= 10
    assert sizes.max() - sizes.min() <= 0.2 * sizes.max()
    assert found.label[299] != found.label[300]  # no block holds two devices


def test_block_length_is_politis_and_whites_for_an_ar1() -> None:
    random = generator(20, "length")
    found = [
        block_length(autocorrelation(*index(1, 1000), chains(random, 1, 1000, 0.6).ravel()), 1000)
        for _ in range(20)
    ]
    # g = 4 and G = 2 * 0.6/0.4^2 = 7.5 in closed form
    wanted = (2 * 7.5**2 / (4 / 3 * 4.0**2)) ** (1 / 3) * 10
    assert np.median(found) == pytest.approx(wanted, rel=0.25)
    white = autocorrelation(*index(1, 1000), random.standard_normal(1000))
    assert block_length(white, 1000) <= 6
