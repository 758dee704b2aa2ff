"""The fit finds what synthetic data were drawn from, with honest errors, whatever their form."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from characterization.fit import fit_table
from characterization.fit.goodness.tests import wait_test
from characterization.fit.inference.candidate import Candidate, fit_candidate
from characterization.fit.observations.base import Waits, group_pulses, group_waits
from devices.accelerations import ACCELERATIONS
from devices.families import FAMILIES

ACCELERATION = ACCELERATIONS["exp(-V/V0)"]
V0, TAU_3V = 0.156, 1.3e-3
SEEDS = range(40)


def tau(voltage: np.ndarray) -> np.ndarray:
    return TAU_3V * np.exp(-(voltage - 3.0) / V0)


def fit_pulses(seed: int, shape: float) -> Candidate:
    random = np.random.default_rng([1, seed])
    voltage = np.tile(np.linspace(2.7, 3.3, 5), 3)
    width = np.repeat([1e-4, 1e-3, 1e-2], 5)
    p = -np.expm1(-((width / tau(voltage)) ** shape))
    data = group_pulses(voltage, width, np.full(15, 200.0), random.binomial(200, p))
    family = FAMILIES["exponential" if shape == 1 else "weibull"]
    return fit_candidate(data, family, ACCELERATION, floor=False, where="x")


def draw_waits(seed: int, shape: float, rows: int = 100) -> Waits:
    random = np.random.default_rng([2, seed])
    voltage = np.repeat([2.8, 3.0, 3.2], rows)
    time = tau(voltage) * random.weibull(shape, voltage.size)
    limit = 2e-3
    return group_waits(voltage, np.minimum(time, limit), (time < limit).astype(float))


def fit_waits(seed: int, shape: float) -> Candidate:
    family = FAMILIES["exponential" if shape == 1 else "weibull"]
    return fit_candidate(draw_waits(seed, shape), family, ACCELERATION, floor=False, where="x")


@pytest.mark.parametrize("fit", [fit_pulses, fit_waits])
@pytest.mark.parametrize("shape", [1.0, 0.6])
def test_estimates_and_intervals_are_honest(
    fit: Callable[[int, float], Candidate], shape: float
) -> None:
    """Sum of 40 squared z-scores within the 0.1 % tails of chi-square, and at least 32 of 40
    intervals hold the truth (binomial at 95 %: below 32 has probability 2e-4). False alarms of the
    whole file: below 3 %; the seeds are fixed."""
    fits = [fit(seed, shape) for seed in SEEDS]
    truth = {"V0": V0, "shape": shape}
    for name in fits[0].names:
        scores, held = [], 0
        for fitted in fits:
            true = truth.get(name, float(tau(np.array(fitted.likelihood.reference))))
            index = fitted.names.index(name)
            error = fitted.theta[index] - np.log(true)
            scores.append(error / np.sqrt(fitted.covariance[index, index]))
            low, high = fitted.intervals[index]
            assert low is not None
            assert high is not None
            held += low <= np.log(true) <= high
        total = float(np.sum(np.square(scores)))
        assert chi2.ppf(0.001, 40) < total < chi2.ppf(0.999, 40), name
        assert held >= 32, name


def test_the_wait_goodness_of_fit_has_uniform_p_values() -> None:
    """Under the law at most 8 of 40 p-values below 0.05 (more has probability 5e-5), and the sum of
    40 uniforms within 4 standard deviations; against the wrong law nearly all are small."""
    right, wrong = [], []
    for seed in SEEDS:
        data = draw_waits(seed, 0.6)
        for family, found in (("weibull", right), ("exponential", wrong)):
            fitted = fit_candidate(
                data, FAMILIES[family], ACCELERATION, floor=False, where="x", intervals=False
            )
            found.append(wait_test(fitted).p_value)
    assert np.sum(np.array(right) < 0.05) <= 8
    assert abs(np.mean(right) - 0.5) < 4 / np.sqrt(12 * 40)
    assert np.mean(np.array(wrong) < 0.05) > 0.9


def pulse_frame() -> pd.DataFrame:
    random = np.random.default_rng(3)
    voltage, width = np.tile(np.linspace(2.7, 3.3, 4), 2), np.repeat([1e-4, 1e-3], 4)
    switched = random.binomial(60, -np.expm1(-width / tau(voltage)))
    return pd.DataFrame(
        {"voltage_V": voltage, "pulse_width_s": width, "trials": 60, "switched": switched}
    )


def single_rows(frame: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (row.voltage_V, row.pulse_width_s, int(i < row.switched))
        for row in frame.itertuples()
        for i in range(row.trials)
    ]
    return pd.DataFrame(rows, columns=["voltage_V", "pulse_width_s", "switched"])


def test_single_rows_in_any_order_and_counts_give_the_same_bits() -> None:
    counts = fit_table(pulse_frame())
    rows = fit_table(single_rows(pulse_frame()).sample(frac=1, random_state=1))
    assert rows.chosen.loglik == counts.chosen.loglik
    np.testing.assert_array_equal(rows.chosen.theta, counts.chosen.theta)
    assert rows.chosen.bic == counts.chosen.bic


@pytest.mark.parametrize("family", ["exponential", "weibull"])
def test_scaling_time_scales_tau_only(family: str) -> None:
    frame = pulse_frame()
    scaled = frame.assign(pulse_width_s=frame["pulse_width_s"] * 1e6)
    one, other = (fit_table(f, family=family).chosen for f in (frame, scaled))
    assert other.value("tau_ref") == pytest.approx(1e6 * one.value("tau_ref"), rel=1e-6)
    np.testing.assert_allclose(other.theta[1:], one.theta[1:], atol=1e-6)
    np.testing.assert_allclose(other.covariance, one.covariance, rtol=1e-5, atol=1e-12)
    assert other.loglik == pytest.approx(one.loglik, rel=1e-10)


def test_auto_finds_the_family_and_says_so() -> None:
    stretched = draw_waits(0, 0.6, 400)
    frame = pd.DataFrame(
        {
            "voltage_V": stretched.voltage,
            "wait_time_s": stretched.time,
            "switched": stretched.switched,
        }
    )
    result = fit_table(frame)
    assert result.chosen.family.name == "weibull"
    assert any(t.name.startswith("likelihood ratio") and t.p_value < 1e-6 for t in result.tests)
    assert any("rejected" in s for s in fit_table(frame, family="exponential").verdict)


def test_a_floor_is_found_suggested_and_fitted() -> None:
    random = np.random.default_rng(4)
    voltage, width = np.tile(np.linspace(2.0, 3.4, 8), 2), np.repeat([1e-4, 1e-3], 8)
    p = 0.03 - 0.97 * np.expm1(-width / tau(voltage))
    frame = pd.DataFrame(
        {
            "voltage_V": voltage,
            "pulse_width_s": width,
            "trials": 400,
            "switched": random.binomial(400, p),
        }
    )
    assert any("--floor" in sentence for sentence in fit_table(frame).verdict)
    fitted = fit_table(frame, floor=True).chosen
    low, high = fitted.parameter("floor", "").ci95 or (None, None)
    assert low is not None
    assert high is not None
    assert low < 0.03 < high
    clean = fit_table(pulse_frame(), floor=True)
    assert not any("--floor" in sentence for sentence in fit_table(pulse_frame()).verdict)
    assert clean.chosen.value("floor") < 0.03


def test_a_step_only_brackets_v0() -> None:
    frame = pd.DataFrame(
        {
            "voltage_V": [1.0, 2.0, 3.0] * 2,
            "pulse_width_s": [1e-6] * 3 + [2e-6] * 3,
            "trials": 100,
            "switched": [0, 40, 100, 0, 60, 100],
        }
    )
    result = fit_table(frame)
    v0 = result.chosen.parameter("V0", "")
    assert v0.stderr is None
    assert v0.ci95 is not None
    assert v0.ci95[0] is None
    assert v0.ci95[1] is not None
    assert any("only bracketed" in sentence for sentence in result.verdict)
    assert result.bracket is not None
    assert v0.ci95[1] < 1.5 * result.bracket.below


def test_lmfit_objects_carry_the_fit() -> None:
    result = fit_table(pulse_frame(), family="weibull")
    parameters = result.parameters()
    assert parameters["V0"].value == result.chosen.value("V0")
    assert parameters["V0"].stderr == result.chosen.parameter("V0", "").stderr
    c = result.chosen.covariance
    expected = c[1, 2] / np.sqrt(c[1, 1] * c[2, 2])
    assert parameters["V0"].correl["shape"] == pytest.approx(expected)
    assert "V0" in result.report()
