"""The device as a source: probability and dependence of its bits against exact laws.

Statistical tests compare means over streams, which are independent, with exact values; all
z-scores of a test together exceed the bound with a chance of 1e-6 (Bonferroni).
"""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import multivariate_normal, norm

from circuits.sng.chain import bit_statistics, memory_statistics
from devices.cbram import CBRAM
from devices.families import FAMILIES
from devices.law import SwitchingLaw
from devices.parameter import Parameter
from devices.presets import knag2014
from formats.cells import read_cells
from system.arithmetic.operands import Generators, ReadOut
from system.bitstream.sources import Bernoulli, DeviceSource, bernoulli, device, device_stream
from system.bitstream.sources.device import ScoreThresholds

DEVICE = knag2014()
CLEAN = ReadOut(1.0, 0.0, 0.0)


def law(memory: float = 0.0, c2c: float = 0.0, family: str = "exponential") -> SwitchingLaw:
    spread = DEVICE.set.spread
    return replace(
        DEVICE.set,
        family=FAMILIES[family],
        shape=Parameter(0.7, "1", "assumed", "") if FAMILIES[family].has_shape else None,
        spread=replace(
            spread,
            memory=replace(spread.memory, value=memory),
            sigma_ln_tau_c2c=replace(spread.sigma_ln_tau_c2c, value=c2c),
        ),
    )


def scores(bits: np.ndarray, p: float, correlations: dict[int, float]) -> list[float]:
    """z-scores of the share of ones, of that in the first clock, and of lag correlations."""
    centred = bits - p

    def score(each: np.ndarray, expected: float) -> float:
        return float((each.mean() - expected) / (each.std(ddof=1) / np.sqrt(each.size)))

    found = [score(centred.mean(axis=1), 0.0), score(centred[:, 0], 0.0)]
    for lag, correlation in correlations.items():
        product = np.mean(centred[:, lag:] * centred[:, :-lag], axis=1)
        found.append(score(product, correlation * p * (1 - p)))
    return found


def assert_unlikely_only_once_in_a_million(z: list[float]) -> None:
    assert np.max(np.abs(z)) < norm.isf(0.5e-6 / len(z)), z


def test_independent_cycles_are_ideal_streams_of_the_probability() -> None:
    source = DeviceSource(law(c2c=0.5), ReadOut(1.0, 0.01, 0.02))
    p = np.linspace(0.01, 0.98, 50)
    assert source.independent and DeviceSource(law(), ReadOut(1 - 1e-12, 0.0, 0.0)).independent
    assert not DeviceSource(law(), ReadOut(1 - 1e-6, 0.0, 0.0)).independent
    assert not DeviceSource(law(0.1), CLEAN).independent
    assert np.array_equal(source.stream(p, 300).words, Bernoulli().stream(p, 300).words)


def test_switching_is_the_inverse_of_the_read_out() -> None:
    ps = np.linspace(0, 1, 101)
    for read_out in (CLEAN, ReadOut(0.3, 0.0, 0.0), ReadOut(0.9, 1e-3, 0.2)):
        source = DeviceSource(law(), read_out)
        assert np.allclose(source.switching(read_out.read(ps)), ps, rtol=0, atol=1e-12)


def test_probabilities_that_read_errors_rule_out_are_refused() -> None:
    source = DeviceSource(law(), ReadOut(1.0, 0.01, 0.02))
    assert source.attainable == (0.01, 0.98)
    for p in (0.0, 0.005, 0.99):
        with pytest.raises(ValueError, match=r"read errors leave 0\.01 to 0\.98"):
            source.stream(np.array([0.5, p]), 64)
    # Tables of probabilities are float32: their roundings are no mistake.
    assert source.stream(float(np.float32(0.98)), 64).length == 64
    with pytest.raises(ValueError, match="expected 0 < Pr <= 1"):
        DeviceSource(law(), ReadOut(0.0, 0.0, 0.0))
    with pytest.raises(ValueError, match=r"with memory: expected 0\.001 or more"):
        DeviceSource(law(0.5), ReadOut(1e-4, 0.0, 0.0))


def test_streams_end_where_their_addresses_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "MOST_WORDS", 3)
    monkeypatch.setattr(bernoulli, "MOST_WORDS", 3)
    sources = (Bernoulli(), *(DeviceSource(law(m), ReadOut(0.9, 0.0, 0.0)) for m in (0.0, 0.5)))
    for source in sources:
        assert source.stream(0.5, 3 * 64).length == 3 * 64
        with pytest.raises(ValueError, match="longer than 192 bits"):
            source.stream(0.5, 3 * 64 + 1)


def test_failing_resets_make_the_chain_s_probability_and_lags() -> None:
    """Over a grid of probabilities, P(RESET) and read errors: P, its start, lags 1 and 2."""
    z = []
    for reset in (0.05, 0.6, 0.999):
        for e01, e10 in ((0.0, 0.0), (0.03, 0.01), (2e-6, 0.2)):
            source = DeviceSource(law(), ReadOut(reset, e01, e10))
            for ps in (0.02, 0.3, 0.9):
                exact = bit_statistics(ps, reset, e01, e10)
                p = float(source.read_out.read(np.array([ps]))[0])
                assert p == pytest.approx(exact.probability, abs=1e-12)
                bits = source.stream(np.full(600, p), 512, seed=1, life=len(z)).unpack()
                z += scores(bits, p, {1: exact.lag1, 2: exact.lag2})
    assert_unlikely_only_once_in_a_million(z)


def test_memory_correlates_bits_as_two_normal_scores_below_a_limit() -> None:
    """P(both bits 1) k cycles apart is the bivariate normal integral at the correlation rho^k."""
    z = []
    for rho in (0.6, -0.5, 0.95):
        for p in (0.05, 0.5, 0.9):
            limit = [ndtri(p)] * 2
            both = {
                lag: multivariate_normal([0, 0], [[1, rho**lag], [rho**lag, 1]]).cdf(limit)
                for lag in (1, 2, 5)
            }
            expected = {lag: (joint - p * p) / (p * (1 - p)) for lag, joint in both.items()}
            stream = DeviceSource(law(rho), CLEAN).stream(np.full(600, p), 500, life=len(z))
            z += scores(stream.unpack(), p, expected)
    assert_unlikely_only_once_in_a_million(z)


def test_memory_with_failing_resets_is_the_chain_of_scores() -> None:
    """Against the chain solved on nodes of z; read errors shrink both lags by the contrast."""
    z = []
    for rho, reset, e01, e10 in ((0.6, 0.5, 0.0, 0.0), (0.6, 0.9, 0.02, 0.05), (-0.4, 0.2, 0, 0)):
        source = DeviceSource(law(rho), ReadOut(reset, e01, e10))
        for ps in (0.1, 0.6):
            stored = memory_statistics(ps, reset, rho)
            p = float(source.read_out.read(np.array([ps]))[0])
            shrink = (
                (1 - e01 - e10) ** 2 * stored.probability * (1 - stored.probability) / (p * (1 - p))
            )
            bits = source.stream(np.full(600, p), 500, seed=4, life=len(z)).unpack()
            z += scores(bits, p, {1: shrink * stored.lag1, 2: shrink * stored.lag2})
    assert_unlikely_only_once_in_a_million(z)


def switched_given_score(own: SwitchingLaw, z: np.ndarray, p: float) -> np.ndarray:
    """P(SET | z) of one renewal with C2C, by the law's own thresholds and exposures."""
    ln_u = np.log(own.exposure_of_probability(np.array([p]))[0])
    ln_y = np.log(own.family.threshold(-norm.logsf(z), own.shape_value))
    return ndtr((ln_u - ln_y) / own.spread.sigma_ln_tau_c2c.value)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_memory_with_c2c_has_the_family_s_lags(family: str) -> None:
    """Against the double integral over the scores, and a simulation of the law's thresholds."""
    own = law(0.7, 0.6, family)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    z, simulated = [], []
    for p in (0.1, 0.6):
        here = switched_given_score(own, nodes, p)
        assert weights @ here == pytest.approx(p, abs=1e-5)
        expected = {}
        for lag in (1, 3):
            r = 0.7**lag
            there = r * nodes[:, None] + np.sqrt(1 - r * r) * nodes
            both = weights @ (here[:, None] * switched_given_score(own, there, p)) @ weights
            expected[lag] = (both - p * p) / (p * (1 - p))
        bits = DeviceSource(own, CLEAN).stream(np.full(600, p), 500, seed=5).unpack()
        z += scores(bits, p, expected)
        thresholds = own.sample_thresholds(np.random.default_rng(6), (300, 400))
        drawn = thresholds <= own.exposure_of_probability(np.array([p]))[0]
        simulated += scores(drawn.astype(float), p, expected)
    assert_unlikely_only_once_in_a_million(z)
    assert_unlikely_only_once_in_a_million(simulated)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_tables_hold_the_law_s_thresholds_and_exposures(family: str) -> None:
    """ln Y(z) within 1e-5 for |z| < 6, probabilities within 1e-7, both between the nodes."""
    own = law(0.5, 0.8, family)
    tables = ScoreThresholds.of(own)
    ps = np.linspace(1e-4, 1 - 1e-4, 777)
    again = own.probability_of_exposure(np.exp(tables.limits(ps)))
    assert np.max(np.abs(again - ps)) < 1e-7
    assert tables.limits(np.array([0.0, 1.0])).tolist() == [-np.inf, np.inf]
    z = np.linspace(-6, 6, 1001)
    place = (z + 8) * 32
    interval = place.astype(int)
    ln_y = np.sum(tables.table[:, interval] * (place - interval) ** np.arange(4)[:, None], axis=0)
    exact = np.log(own.family.threshold(-norm.logsf(z), own.shape_value))
    assert np.max(np.abs(ln_y - exact)) < 1e-5


def test_a_failing_reset_uses_up_no_set_threshold_in_the_device_model() -> None:
    """``CBRAM.simulate`` through RESET-write cycles: its state follows the rule of the source."""
    own = replace(DEVICE, set=law(0.6, 0.4), reset=replace(DEVICE.set, tau_ref=DEVICE.set.tau_ref))
    assert isinstance(own, CBRAM)
    cycles, rng = 150, np.random.default_rng(8)
    width = own.set.quantile(0.5, 3.2)
    levels = np.tile([0.0, -3.2, -3.2, 0.0, 3.2, 3.2], cycles)
    edges = np.tile([1e-9, 1e-9, width, 1e-9, 1e-9, width], cycles)
    set_y = own.set.sample_thresholds(rng, cycles + 1)
    reset_y = own.reset.sample_thresholds(rng, cycles + 1) if own.reset else np.ones(1)
    trace = own.simulate(np.cumsum(edges), levels, set_y, reset_y)
    found = trace.state_at(np.cumsum(edges)[5::6] + 1e-12)
    gain = own.exposures(np.array([0.0, width]), np.array([3.2, 3.2]))[0][0]
    # Each RESET pulse on LRS takes a new RESET threshold: the write between two of them renews it.
    state, renewals, tries, expected = 0, 0, 0, []
    for _ in range(cycles):
        if state == 1:
            state = int(gain < reset_y[tries])
            tries += 1
        if state == 0:
            state = int(gain >= set_y[renewals])
            renewals += 1
        expected.append(state)
    assert np.array_equal(found, expected)
    assert trace.used_set in (renewals, renewals - 1)
    assert cycles - renewals > 20


@pytest.fixture(scope="module")
def generators(tmp_path_factory: pytest.TempPathFactory) -> Generators:
    path = Path(__file__).resolve().parent.parent / "synthetic_cells.py"
    spec = importlib.util.spec_from_file_location("synthetic_cells", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.synthetic_cells(tmp_path_factory.mktemp("cells") / "cells.nc")
    return Generators.from_cells(read_cells(made))


def test_numbers_go_through_their_own_devices(generators: Generators) -> None:
    """Each stream's share is its device's probability, not the number asked (D2D 20 %)."""
    deviation = generators.draw_devices(np.random.default_rng(9), (300,))
    number = np.full(300, 0.4)
    probability = np.asarray(generators.probability(number, deviation))
    stream = device_stream(generators, number, deviation, 4096, seed=3)
    z = (stream.share() - probability) / np.sqrt(probability * (1 - probability) / 4096)
    assert_unlikely_only_once_in_a_million(z.tolist())
    assert np.std(probability) > 0.03
    source = DeviceSource.of(generators)
    assert (source.law, source.read_out) == (generators.law, generators.read_out)
