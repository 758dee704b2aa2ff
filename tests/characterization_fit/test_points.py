"""The points beside a law and its residuals: against scipy and by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from characterization.fit.goodness import points
from characterization.fit.goodness.residuals import MOST_ROWS, residual_rows, residual_table
from characterization.fit.goodness.survival import product_limit, turnbull
from characterization.fit.observations.base import single
from tests.characterization_fit.drawn_histories import (
    KINDS,
    fit,
    pulses,
    ramps,
    staircases,
    tau,
    waits,
)


def test_kaplan_meier_is_scipys() -> None:
    data = waits(3)
    for voltage in (2.8, 3.0, 3.2):
        here = data.voltage == voltage
        event = np.repeat(data.duration[here], data.exact[here].astype(int))
        censored = np.repeat(data.duration[here], data.waiting[here].astype(int))
        other = stats.ecdf(stats.CensoredData(event, right=censored)).sf
        time, share = points.kaplan_meier(data, voltage)
        np.testing.assert_array_equal(time, np.unique(event))
        np.testing.assert_allclose(share, other.evaluate(time), rtol=1e-12)


def test_turnbull_is_the_life_table_on_common_inspections_and_a_maximum_otherwise() -> None:
    low = np.array([0.0, 1.0, 2.0, 1.0, 3.0])
    high = np.array([1.0, 2.0, 3.0, np.inf, np.inf])
    weight = np.array([4.0, 3.0, 2.0, 1.0, 5.0])
    time, share = turnbull(low, high, weight)
    np.testing.assert_array_equal(time, [1.0, 2.0, 3.0])
    table = np.cumprod([1 - 4 / 15, 1 - 3 / 10, 1 - 2 / 7])
    np.testing.assert_allclose(share, table, atol=1e-5)

    random = np.random.default_rng(9)
    low = random.integers(0, 5, 40).astype(float)
    high = low + random.integers(1, 4, 40)
    time, share = turnbull(low, high, np.ones(40))
    mass = -np.diff(share, prepend=1.0)
    holds = (time > low[:, None]) & (time <= high[:, None])

    def likelihood(m: np.ndarray) -> float:
        return float(np.sum(np.log(holds @ (m / m.sum()))))

    best = likelihood(mass)
    for _ in range(200):
        assert likelihood(mass * np.exp(0.3 * random.standard_normal(mass.size))) <= best + 1e-6


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_residual_table_adds_up(kind: str) -> None:
    candidate = fit(KINDS[kind](5))
    rows = residual_table(candidate)
    assert sum(row.observed for row in rows) == candidate.likelihood.data.switched.sum()
    assert sum(row.share_of_deviance for row in rows) == pytest.approx(1.0)
    if kind in ("waits", "ramps"):  # the score equation of an exponential law's tau
        assert sum(row.expected for row in rows) == pytest.approx(sum(r.observed for r in rows))
    json.dumps(residual_rows(candidate), allow_nan=False)


def test_the_residuals_of_pulses_are_those_of_binomials() -> None:
    data = pulses(6)
    candidate = fit(data)
    for row in residual_table(candidate):
        assert row.voltage_V is not None
        assert row.width_s is not None
        theta = np.exp(candidate.theta)
        scale = theta[0] * np.exp(-(row.voltage_V - candidate.likelihood.reference) / theta[1])
        p = -np.expm1(-row.width_s / scale)
        assert row.expected == pytest.approx(30 * p, rel=1e-9)
        assert row.pearson == pytest.approx(
            (row.observed - 30 * p) / np.sqrt(30 * p * (1 - p)), rel=1e-6, abs=1e-9
        )


def test_many_conditions_are_joined_with_their_neighbours() -> None:
    random = np.random.default_rng(13)
    voltage = np.linspace(2.5, 3.5, 3000)
    switched = random.random(3000) < -np.expm1(-1e-3 / tau(voltage))
    data = single("pulses", voltage, np.full(3000, 1e-3), within=switched, waiting=~switched)
    rows = residual_table(fit(data))
    assert 10 < len(rows) <= MOST_ROWS
    assert sum(row.trials for row in rows) == 3000
    assert sum(row.conditions for row in rows) == 3000
    assert [row.voltage_V for row in rows] == sorted(row.voltage_V or 0.0 for row in rows)


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_has_points_near_its_law(kind: str) -> None:
    """Largest distance of the observed shares from the law below 0.35 of 1 (25 outcomes a curve:
    a Kolmogorov distance beyond has probability 3e-3)."""
    candidate = fit(KINDS[kind](0))
    found = points.points_of(candidate)
    assert len({len(column) for column in found.values()}) == 1
    json.dumps(found, allow_nan=False)
    if "trials" in found:
        observed = np.array(found["switched"]) / np.maximum(found["trials"], 1)
        fitted, weight = np.array(found["probability"]), np.array(found["trials"])
        assert np.average(np.abs(observed - fitted), weights=weight) < 0.1
        return
    name = "survival" if "survival_fitted" in found else "switched"
    distance = np.abs(np.array(found[f"{name}_observed"]) - np.array(found[f"{name}_fitted"]))
    assert distance.max() < 0.35


def test_staircase_points_are_the_fractions_switched_by_each_level() -> None:
    data = staircases(0)
    found = points.ramp_points(fit(data))
    rate, share = np.array(found["rate_V_per_s"]), np.array(found["switched_observed"])
    assert set(np.round(rate, 6)) == {1.0, 100.0}
    for value in (1.0, 100.0):
        here = np.isclose(rate, value)
        np.testing.assert_allclose(share[here][-1], 1.0, atol=1e-12)
        np.testing.assert_allclose(np.round(share[here] * 30), share[here] * 30, atol=1e-9)


def test_ramp_points_are_scipys_distribution() -> None:
    data = ramps(1)
    found = points.ramp_points(fit(data))
    settings = np.round((data.voltage - data.start) / data.duration, 6)
    for rate in (0.1, 1.0, 10.0):
        here = np.isclose(settings, rate)
        event = np.repeat(data.voltage[here], data.exact[here].astype(int))
        censored = np.repeat(data.voltage[here], data.waiting[here].astype(int))
        other = stats.ecdf(stats.CensoredData(event, right=censored)).cdf
        mine = np.isclose(found["rate_V_per_s"], rate)
        at = np.array(found["set_voltage_V"])[mine]
        np.testing.assert_allclose(
            np.array(found["switched_observed"])[mine], other.evaluate(at), atol=1e-12
        )


def test_the_product_limit_takes_weights_in_any_order() -> None:
    time, share = product_limit(
        np.array([2.0, 1.0, 1.0, 3.0]), np.array([1.0, 2.0, 0.0, 0.0]), np.array([1.0, 2, 3, 4])
    )
    np.testing.assert_array_equal(time, [1.0, 2.0])
    np.testing.assert_allclose(share, [0.8, 0.8 * 0.8])
