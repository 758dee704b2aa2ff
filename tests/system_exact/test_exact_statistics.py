"""Means, variances and covariances of exact layers against closed forms.

Each run is one image of a batch. Every comparison is a z-test over a fixed seed; with |z| < 4.9 the
false-alarm rate of each figure, were the seed free, is 1e-6.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from devices.presets import knag2014
from system.arithmetic.exact import ExactLayers
from system.arithmetic.exact.gather import meeting
from system.arithmetic.linear import Convolution, Dense
from system.arithmetic.operands import ReadOut
from system.bitstream import BATCH, Encoded, StreamRules
from system.bitstream.sources.base import BitSource
from system.bitstream.sources.bernoulli import Bernoulli
from system.bitstream.sources.device import DeviceSource

RUNS, LENGTH = 20_000, 24
KEY = np.array([3, 1], np.uint32)
CONVOLUTION = Convolution(channels=1, size=3, outputs=2, kernel=2)


def drawn(
    layers: ExactLayers, a: np.ndarray, b: np.ndarray, linear: Convolution | Dense = CONVOLUTION
) -> np.ndarray:
    """Forward results (RUNS, outputs) of signed numbers, the same in every run."""
    x = np.broadcast_to(a, (RUNS, *a.shape))
    held = [Encoded(np.abs(v), np.where(v < 0, -1.0, 1.0)) for v in (x, b)]
    return layers.values(linear, "forward", *held, KEY).reshape(RUNS, -1)


def agree(found: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> None:
    error = np.sqrt(np.diag(covariance) / RUNS)
    assert np.max(np.abs(found.mean(0) - mean) / error) < 4.9
    off = found - mean
    products = off[:, :, None] * off[:, None, :]
    spread = products.std(0) / np.sqrt(RUNS)
    assert np.max(np.abs(products.mean(0) - covariance) / spread) < 4.9


def counted_covariance(x: np.ndarray, w: np.ndarray, common: int = 1) -> np.ndarray:
    """Covariance of all forward outputs of CONVOLUTION: sum over all pairs of products.

    Bits of one clock only; x and w signed. Two products share a's stream, b's, both or none.
    Streams of weights in groups of ``common`` are as correlated as can be: E[b b'] = min(p, p').
    """
    meet = meeting(CONVOLUTION, "forward")
    values, weights = x.ravel(), w.ravel()

    def joint(p: np.ndarray, left: np.ndarray, right: np.ndarray, group: int) -> np.ndarray:
        q, r = np.abs(p[left])[:, None], np.abs(p[right])[None]
        together = (left[:, None] // group) == (right[None] // group)
        return np.where(together, np.minimum(q, r), q * r)

    outputs = [(i, j) for j in range(2) for i in range(4)]
    covariance = np.empty((8, 8))
    for row, (i, j) in enumerate(outputs):
        for column, (k, m) in enumerate(outputs):
            left, right = meet.left[i], meet.left[k]
            at, to = meet.right[j], meet.right[m]
            both = joint(values, left, right, 1) * joint(weights, at, to, common)
            ones = np.abs(values[left] * weights[at])[:, None] * np.abs(values[right] * weights[to])
            sign = np.sign(values[left] * weights[at])[:, None] * np.sign(
                values[right] * weights[to]
            )
            covariance[row, column] = np.sum(sign * (both - ones)) / LENGTH
    return covariance


def numbers(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, w = (rng.uniform(0.1, 0.9, s) * rng.choice([-1, 1], s) for s in ((1, 3, 3), (4, 2)))
    return np.rint(x * 65536) / 65536, np.rint(w * 65536) / 65536


def expected(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    meet = meeting(CONVOLUTION, "forward")
    return np.einsum("pk,ok->op", x.ravel()[meet.left], w.ravel()[meet.right]).ravel()


@pytest.mark.parametrize("common", [1, 2], ids=["own generators", "a generator for two"])
def test_outputs_covary_by_the_streams_they_share(common: int) -> None:
    """Positions share weight streams, channels share activations, weights share generators."""
    x, w = numbers(1)
    rules = StreamRules(1, "common", common) if common > 1 else StreamRules()
    layers = ExactLayers("sign-magnitude", "exact-counter", LENGTH, Bernoulli(), rules)
    agree(drawn(layers, x, w), expected(x, w), counted_covariance(x, w, common))


def test_a_stream_for_each_use_uncouples_the_positions() -> None:
    x, w = numbers(2)
    layers = ExactLayers(
        "sign-magnitude", "exact-counter", LENGTH, Bernoulli(), StreamRules(1, "use")
    )
    meet = meeting(CONVOLUTION, "forward")
    covariance = counted_covariance(x, w)
    places = [i for j in range(2) for i in range(4)]
    for row, i in enumerate(places):
        for column, k in enumerate(places):
            if i != k:  # other positions: only activations are shared
                left, right = meet.left[i], meet.left[k]
                same = left[:, None] == right[None]
                a, c = x.ravel()[left][:, None], x.ravel()[right][None]
                both = np.sign(a * c) * np.where(same, np.minimum(np.abs(a), np.abs(c)), 0)
                own = np.where(same, both - a * c, 0)
                b = w.ravel()[meet.right[row // 4]][:, None]
                d = w.ravel()[meet.right[column // 4]][None]
                covariance[row, column] = np.sum(own * b * d) / LENGTH
    agree(drawn(layers, x, w), expected(x, w), covariance)


def test_images_of_one_life_meet_the_same_weights() -> None:
    """An activation that is always 1 shows the weight's stream: alike within a life only."""
    for life, lives in ((1, 6), (2, 3), (BATCH, 1)):
        layers = ExactLayers(
            "unipolar", "exact-counter", 99_999, Bernoulli(), StreamRules(life), 2_000
        )
        a, b = Encoded(np.ones((6, 1)), np.ones((6, 1))), Encoded(np.full((1, 1), 0.5), np.ones(1))
        counts = layers.sums(Dense(1, 1), "forward", a, b, KEY).ravel()
        assert np.unique(counts).size == lives
        assert np.array_equal(counts, np.repeat(counts[:: 6 // lives], 6 // lives))


def mux_moments(m: np.ndarray, terms: int) -> tuple[float, float]:
    mean = float(np.sum(m))
    return mean, (terms**2 - mean**2) / LENGTH


@pytest.mark.parametrize("padding", [0, 1])
def test_a_mux_lets_each_product_through_equally_often(padding: int) -> None:
    rng = np.random.default_rng(4)
    linear = Convolution(channels=1, size=3, outputs=2, kernel=2, padding=padding)
    x, w = rng.uniform(-0.9, 0.9, (1, 3, 3)), rng.uniform(-0.9, 0.9, (4, 2))
    layers = ExactLayers("bipolar", "mux", LENGTH, Bernoulli())
    held = [
        Encoded((1 + v) / 2, np.ones(v.shape)) for v in (np.broadcast_to(x, (RUNS, 1, 3, 3)), w)
    ]
    found = layers.values(linear, "forward", *held, KEY).reshape(RUNS, 2, -1)
    meet = meeting(linear, "forward")
    value = np.append(x.ravel(), np.zeros(meet.padded))
    for j in range(2):
        for i, left in enumerate(meet.left):
            mean, variance = mux_moments(value[left] * w.ravel()[meet.right[j]], 4)
            one = found[:, j, i]
            assert abs(one.mean() - mean) < 4.9 * np.sqrt(variance / RUNS)
            # A variance from RUNS nearly normal values: sqrt(2/RUNS).
            assert abs(one.var() / variance - 1) < 4.9 * np.sqrt(2 / RUNS)


def of_lags(p: float, correlation: np.ndarray) -> float:
    """Variance of the mean of LENGTH bits with autocorrelation (lags 1 to LENGTH - 1)."""
    lag = np.arange(1, LENGTH)
    return p * (1 - p) / LENGTH * (1 + 2 * float(np.sum((1 - lag / LENGTH) * correlation)))


def chain() -> tuple[BitSource, float, float]:
    """A RESET that fails: the stored bit is a two-state chain, of geometric correlation."""
    ps, pr = 0.25, 0.6
    pi = ps / (ps + pr * (1 - ps))
    lag1 = (1 - ps) * (1 - pr)
    source = DeviceSource(knag2014().set, ReadOut(reset=pr, e01=0.0, e10=0.0))
    return source, pi, of_lags(pi, lag1 ** np.arange(1, LENGTH))


def memory() -> tuple[BitSource, float, float]:
    """Scores z in an AR(1): two bits are 1 together as often as two correlated normals are low."""
    rho, p = 0.6, 0.3
    law = knag2014().set
    held = replace(law.spread.memory, value=rho)
    law = replace(law, spread=replace(law.spread, memory=held))
    z = norm.ppf(p)
    together = [
        multivariate_normal.cdf([z, z], cov=[[1, rho**lag], [rho**lag, 1]])
        for lag in range(1, LENGTH)
    ]
    correlation = (np.array(together) - p * p) / (p * (1 - p))
    source = DeviceSource(law, ReadOut(reset=1.0, e01=0.0, e10=0.0))
    return source, p, of_lags(p, correlation)


@pytest.mark.parametrize("case", [chain, memory], ids=["failed RESET", "memory"])
def test_dependent_bits_have_the_variance_of_their_autocorrelation(case: object) -> None:
    """An activation that is always 1 lets the weight's stream through; moments would be wrong."""
    source, p, variance = case()  # type: ignore[operator]
    layers = ExactLayers("sign-magnitude", "exact-counter", LENGTH, source)
    found = drawn(layers, np.ones(1), np.full((1, 1), p), Dense(1, 1)).ravel()
    assert abs(found.mean() - p) < 4.9 * np.sqrt(variance / RUNS)
    fourth = np.mean((found - p) ** 4) - variance**2
    error = 4.9 * np.sqrt(fourth / RUNS)
    assert abs(np.mean((found - p) ** 2) - variance) < error
    independent = p * (1 - p) / LENGTH
    assert variance > 1.3 * independent
    assert variance - independent > 3 * error
