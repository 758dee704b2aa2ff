"""Goodness of fit: uniform p-values under the law, power against wrong ones, invariances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from characterization.fit.goodness.exact import kolmogorov_smirnov
from characterization.fit.goodness.risk import at_risk, merged, sequential
from characterization.fit.goodness.simulate import ramps_to, simulate, voltage_of_exposure
from characterization.fit.goodness.tests import (
    floor_test,
    lapse_test,
    likelihood_ratio,
)
from characterization.fit.goodness.tests import (
    tests_of as goodness_tests,  # not one of pytest's
)
from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.observations.base import Observations, single
from devices.accelerations import ACCELERATIONS
from devices.families import FAMILIES
from tests.characterization_fit.drawn_histories import (
    KINDS,
    SETS,
    THETA,
    fit,
    intervals,
    p_values,
    pulses,
    tau,
    trains,
    waits,
)


@pytest.mark.parametrize("kind", ["pulses", "waits", "ramps", "staircases", "inspections"])
def test_p_values_are_uniform_under_the_law(kind: str) -> None:
    p = np.array([p_values(KINDS[kind](seed), seed) for seed in range(SETS)])
    assert np.all(np.sum(p < 0.17, axis=0) <= 16)
    spread = np.sqrt((36 - 1) / (12 * 36) / SETS)
    assert np.all(np.abs(p.mean(axis=0) - 7 / 12) < 4 * spread)


@pytest.mark.parametrize("kind", ["pulses", "waits", "ramps", "inspections"])
def test_a_wrong_law_is_rejected(kind: str) -> None:
    """Exponential on data of Weibull shape 0.5: at least 4 of 5 sets at the smallest p."""
    more = {"rows": 80} if kind == "waits" else {}
    p = np.array([p_values(KINDS[kind](seed, 0.5, **more), seed, 19) for seed in range(5)])
    assert np.all(np.sum(p < 0.051, axis=0) >= 4)


def test_the_chi_square_approximation_holds_where_nothing_is_simulated() -> None:
    """Under the law at most 8 of 40 p-values below 0.05 (more has probability 1e-4), and a mean
    within 4 standard deviations of 1/2; against the wrong law nearly all are small."""
    right, wrong = [], []
    for seed in range(SETS):
        data = waits(seed, 0.6, 80)
        for family, found in (("weibull", right), ("exponential", wrong)):
            tests = goodness_tests(fit(data, family), np.random.default_rng(0), budget_s=0.0)
            assert tests[0].p_value is None
            assert all("would take too long" in test.note for test in tests)
            assert "chi-square approximation" in tests[-1].note
            found.append(tests[-1].p_value)
    assert np.sum(np.array(right) < 0.05) <= 8
    assert abs(np.mean(right) - 0.5) < 4 / np.sqrt(12 * SETS)
    assert np.mean(np.array(wrong) < 0.05) > 0.9


def test_without_simulation_pulses_fall_back_on_pearson_and_say_so() -> None:
    tests = goodness_tests(fit(pulses(0)), np.random.default_rng(0), budget_s=0.0)
    assert tests[-1].name == "goodness of fit: Pearson chi-square"
    assert "chi-square approximation" in tests[-1].note
    assert tests[-1].p_value is not None
    assert tests[0].p_value is None


def test_the_note_names_the_voltage_that_is_off() -> None:
    """One voltage of seven switches three times as slowly as the others say."""
    random = np.random.default_rng(14)
    voltage = np.repeat(np.linspace(2.7, 3.3, 7), 40)
    slow = np.where(np.isclose(voltage, 2.9), 3.0, 1.0)
    time = slow * tau(voltage) * random.exponential(size=voltage.size)
    exact = single("waits", voltage, time, exact=np.ones(voltage.size))
    p = -np.expm1(-np.repeat(1.0, voltage.size) / slow)
    counted = single("pulses", voltage, tau(voltage), within=random.random(p.size) < p, waiting=0.0)
    counted = counted.with_weights(counted.within, counted.exact, 40 - counted.within)
    for data in (exact, counted):
        test = goodness_tests(fit(data), np.random.default_rng(0), replicates=39)[-1]
        assert test.p_value == pytest.approx(1 / 40)
        assert "most of all at 2.9 V (p = 0.025 there alone)" in test.note


def test_kolmogorov_smirnov_is_scipys_where_nothing_is_censored_or_estimated() -> None:
    random = np.random.default_rng(8)
    voltage = np.repeat([2.9, 3.1], 40)
    time = tau(voltage) * random.weibull(0.7, 80)
    data = single("waits", voltage, time, exact=np.ones(80))
    for family, theta, law in (
        ("exponential", THETA, stats.expon()),
        ("weibull", np.append(THETA, np.log(0.7)), stats.weibull_min(0.7)),
        ("gamma", np.append(THETA, np.log(0.7)), stats.gamma(0.7)),
    ):
        likelihood = Likelihood(data, FAMILIES[family], ACCELERATIONS["exp(-V/V0)"], 3.0)
        expected = stats.kstest(time / tau(voltage), law.cdf).statistic
        assert kolmogorov_smirnov(likelihood, theta) == pytest.approx(expected, rel=1e-9)


def test_waits_known_to_intervals_become_trials_at_risk() -> None:
    """Between inspections at 1, 2 and 3 s; the interval (1, 3] straddles 2, which is no cut then;
    who was last seen at 2 s is counted until 1 s, who was last seen at 0.5 s is lost."""
    low = np.array([0.0, 0.0, 1.0, 1.0, 2.0, 3.0])
    high = np.array([1.0, 1.0, 2.0, 2.0, 3.0, np.inf])
    cut, lost = sequential(intervals(np.full(6, 3.0), low, high))
    assert lost == 0
    np.testing.assert_allclose(cut.duration, [1, 1, 1])
    np.testing.assert_array_equal(at_risk(cut), [6, 4, 2])
    np.testing.assert_array_equal(cut.switched, [2, 2, 1])
    low, high = np.append(low, [1.0, 2.0, 0.5]), np.append(high, [3.0, np.inf, np.inf])
    cut, lost = sequential(intervals(np.full(9, 3.0), low, high))
    assert lost == 1
    np.testing.assert_allclose(cut.duration, [1, 2])
    np.testing.assert_array_equal(at_risk(cut), [8, 5])
    again, none = sequential(cut)
    np.testing.assert_array_equal(again.switched, cut.switched)
    np.testing.assert_allclose(again.duration, cut.duration, rtol=1e-12)
    assert none == 0


def test_equal_trains_of_pooled_devices_are_one_history() -> None:
    whole = trains(0)
    apart = [trains(0), trains(1)]
    offset = whole.voltage.size
    twice = Observations(
        "pulses",
        **{
            name: np.concatenate([getattr(d, name) for d in apart])
            for name in ("voltage", "start", "duration", "within", "exact", "waiting")
        },
        parent=np.concatenate(
            [apart[0].parent, np.where(apart[1].parent < 0, -1, apart[1].parent + offset)]
        ),
        temperature=None,
        device=np.zeros(offset + apart[1].voltage.size, int),
    )
    one = merged(twice)
    assert one.voltage.size == len(set(zip(one.voltage, np.diff(one.history.indptr), strict=True)))
    assert at_risk(one)[one.parent < 0].sum() == twice.size
    again = merged(one)
    np.testing.assert_array_equal(again.parent, one.parent)
    np.testing.assert_array_equal(again.within, one.within)


@pytest.mark.parametrize("kind", list(KINDS))
def test_simulated_data_keep_the_design_and_follow_the_law(kind: str) -> None:
    """Mean hazard spent per event over 60 sets: events less cumulative hazard is a martingale, so
    its sum lies within 4 standard deviations (probability 6e-5 per kind)."""
    data = KINDS[kind](0)
    likelihood = Likelihood(data, FAMILIES["exponential"], ACCELERATIONS["exp(-V/V0)"], 3.0)
    random = np.random.default_rng(10)
    surplus, events = 0.0, 0.0
    for _ in range(60):
        drawn = simulate(likelihood, THETA, random)
        assert drawn.size == data.size
        own = likelihood.on(drawn)
        if kind in ("waits", "ramps"):
            limit = data.duration[data.waiting > 0].max()
            assert np.all(drawn.duration[drawn.waiting > 0] <= limit)
            expected = float(drawn.trials @ own.hazard(THETA)[1])
            events += expected
        else:
            p = own.probability(THETA)
            expected = float(at_risk(drawn) @ p)
            events += float(at_risk(drawn) @ (p * (1 - p)))
        surplus += drawn.switched.sum() - expected
    assert abs(surplus) < 4 * np.sqrt(events)


@pytest.mark.parametrize("name", list(ACCELERATIONS))
def test_ramps_switch_where_their_exposure_reaches_the_threshold(name: str) -> None:
    """For any acceleration, cold starts and warm ones, and far out in both tails."""
    target = np.repeat([-25.0, -3.0, 0.0, 2.0], 2)
    start, rate = np.tile([0.0, 0.4], 4), np.tile([0.1, 50.0], 4)
    likelihood = Likelihood(
        ramps_to(np.full(8, 2.0), start, rate, None),
        FAMILIES["exponential"],
        ACCELERATIONS[name],
        3.0,
    )
    guess = (np.full(8, 2.0), likelihood.exposures(THETA)[0][0])
    found = voltage_of_exposure(likelihood, THETA, target, start, rate, None, guess)
    assert np.all(found > start)
    reached = likelihood.on(ramps_to(found, start, rate, None)).exposures(THETA)[0][0]
    np.testing.assert_allclose(reached, target, atol=1e-8)


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_unit_of_time_does_not_matter(kind: str) -> None:
    data = KINDS[kind](2)
    scaled = Observations(
        **{
            **{name: getattr(data, name) for name in data.__dataclass_fields__},
            "duration": data.duration * 1000.0,
        }
    )
    one, other = (
        goodness_tests(fit(d), np.random.default_rng(0), replicates=9) for d in (data, scaled)
    )
    for a, b in zip(one, other, strict=True):
        assert a.name == b.name
        assert b.statistic == pytest.approx(a.statistic, rel=1e-5)
        assert b.p_value == pytest.approx(a.p_value, abs=0.11)


def test_the_order_of_rows_does_not_matter() -> None:
    random = np.random.default_rng(11)
    data = waits(4)
    order = random.permutation(data.voltage.size)
    shuffled = single(
        "waits",
        data.voltage[order],
        data.duration[order],
        exact=data.exact[order],
        waiting=data.waiting[order],
    )
    one, other = (
        goodness_tests(fit(d), np.random.default_rng(0), replicates=9) for d in (data, shuffled)
    )
    assert one == other


def test_a_law_with_as_many_parameters_as_groups_is_not_judged() -> None:
    data = single(
        "pulses", np.array([2.8, 3.0]), np.full(2, 1e-3), within=np.array([8.0, 20.0]), waiting=20
    )
    for test in goodness_tests(fit(data), np.random.default_rng(0)):
        assert test.p_value is None
        assert "by construction" in test.note


def test_floor_and_lapses_are_found_where_they_are_and_only_there() -> None:
    random = np.random.default_rng(12)
    voltage = np.linspace(2.0, 4.2, 12)
    p = -np.expm1(-1e-3 / tau(voltage))
    for floor, lapse in ((0.0, 0.0), (0.03, 0.0), (0.0, 0.03)):
        switched = random.binomial(400, floor + (1 - floor - lapse) * p)
        data = single("pulses", voltage, np.full(12, 1e-3), within=switched, waiting=400 - switched)
        plain = fit(data)
        found = floor_test(plain, fit(data, floor=True))
        other = lapse_test(plain, fit(data, lapse=True))
        assert found.p_value is not None
        assert other.p_value is not None
        assert (found.p_value < 1e-6) == (floor > 0)
        assert (other.p_value < 1e-6) == (lapse > 0)


@pytest.mark.parametrize("family", ["weibull", "gamma"])
def test_the_likelihood_ratio_tells_a_stretched_law_from_an_exponential_one(family: str) -> None:
    for shape, rejected in ((1.0, False), (0.5, True)):
        data = waits(7, shape)
        test = likelihood_ratio(fit(data), fit(data, family))
        assert test.name == f"likelihood ratio: exponential within {family}"
        assert test.p_value is not None
        assert (test.p_value < 1e-3) == rejected
