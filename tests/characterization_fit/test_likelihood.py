"""The likelihood: against scipy's distributions, numerical derivatives and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, expon, weibull_min

from characterization.fit.inference.candidate import fit_candidate
from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.maximise import maximise
from characterization.fit.inference.start import bounds
from characterization.fit.observations.base import Observations, group_pulses, group_waits
from devices.accelerations import ACCELERATIONS
from devices.families import FAMILIES
from devices.presets import knag2014

ACCELERATION = ACCELERATIONS["exp(-V/V0)"]
RANDOM = np.random.default_rng(7)
VOLTAGE = np.tile([2.6, 2.9, 3.2], 4)
WIDTH = np.repeat([1e-5, 1e-4, 1e-3, 1e-2], 3)
TRIALS = np.full(12, 40.0)
P = knag2014().set.probability(VOLTAGE, WIDTH)
PULSES = group_pulses(VOLTAGE, WIDTH, TRIALS, RANDOM.binomial(40, P))
WAITS = group_waits(
    np.repeat([2.8, 3.2], 50),
    np.concatenate([RANDOM.exponential(5e-3, 50), RANDOM.exponential(4e-4, 50)]),
    (RANDOM.random(100) < 0.7).astype(float),
)
THETA = {"tau_ref": np.log(1.2e-3), "V0": np.log(0.17), "shape": np.log(0.8), "floor": -3.0}


def law(data: Observations, family: str, floor: bool = False) -> tuple[Likelihood, np.ndarray]:
    likelihood = Likelihood(data, FAMILIES[family], ACCELERATION, 3.0, floor)
    return likelihood, np.array([THETA[name] for name in likelihood.names])


def scale_and_shape(family: str, voltage: np.ndarray) -> tuple[np.ndarray, float]:
    """tau(V) and shape, typed here a second time on purpose."""
    tau = np.exp(THETA["tau_ref"]) * np.exp(-(voltage - 3.0) / np.exp(THETA["V0"]))
    return tau, float(np.exp(THETA["shape"])) if family == "weibull" else 1.0


@pytest.mark.parametrize("family", ["exponential", "weibull"])
def test_waits_agree_with_scipy(family: str) -> None:
    likelihood, theta = law(WAITS, family)
    tau, shape = scale_and_shape(family, WAITS.voltage)
    other = weibull_min(shape, scale=tau) if family == "weibull" else expon(scale=tau)
    terms = np.where(WAITS.switched == 1, other.logpdf(WAITS.time), other.logsf(WAITS.time))
    assert likelihood.evaluate(theta)[0] == pytest.approx(np.sum(terms * WAITS.weight), rel=1e-12)


@pytest.mark.parametrize("family", ["exponential", "weibull"])
@pytest.mark.parametrize("floor", [False, True])
def test_pulses_agree_with_scipy_up_to_the_binomial_constant(family: str, floor: bool) -> None:
    likelihood, theta = law(PULSES, family, floor)
    tau, shape = scale_and_shape(family, PULSES.voltage)
    base = 1 / (1 + np.exp(3.0)) if floor else 0.0
    p = base + (1 - base) * weibull_min(shape, scale=tau).cdf(PULSES.width)
    full = binom.logpmf(PULSES.switched, PULSES.trials, p)
    fraction = PULSES.switched / PULSES.trials
    saturated = binom.logpmf(PULSES.switched, PULSES.trials, fraction)
    inside = (fraction > 0) & (fraction < 1)
    entropy = PULSES.trials[inside] * (
        fraction[inside] * np.log(fraction[inside])
        + (1 - fraction[inside]) * np.log1p(-fraction[inside])
    )
    constant = saturated.sum() - entropy.sum()
    assert likelihood.evaluate(theta)[0] == pytest.approx(full.sum() - constant, rel=1e-10)


CASES = [
    (PULSES, "exponential", False),
    (PULSES, "weibull", False),
    (PULSES, "exponential", True),
    (PULSES, "weibull", True),
    (WAITS, "exponential", False),
    (WAITS, "weibull", False),
]


@pytest.mark.parametrize(("data", "family", "floor"), CASES)
def test_gradient_and_hessian_agree_with_differences(
    data: Observations, family: str, floor: bool
) -> None:
    likelihood, theta = law(data, family, floor)
    _, gradient, hessian = likelihood.evaluate(theta)
    for i, step in enumerate(np.eye(theta.size) * 1e-5):
        up, down = likelihood.evaluate(theta + step), likelihood.evaluate(theta - step)
        assert (up[0] - down[0]) / 2e-5 == pytest.approx(gradient[i], rel=1e-5, abs=1e-4)
        np.testing.assert_allclose((up[1] - down[1]) / 2e-5, hessian[i], rtol=1e-5, atol=1e-4)


def test_exponential_at_one_voltage_is_total_time_over_events() -> None:
    time = RANDOM.exponential(2e-3, 300)
    data = group_waits(np.full(300, 3.0), np.minimum(time, 3e-3), (time < 3e-3).astype(float))
    likelihood, theta = law(data, "exponential")
    hold_v0 = np.array([False, True])
    lower, upper = np.array([-30.0, -10.0]), np.array([10.0, 10.0])
    best = maximise(likelihood.evaluate, theta, lower, upper, hold_v0)
    expected = np.minimum(time, 3e-3).sum() / np.sum(time < 3e-3)
    assert np.exp(best.theta[0]) == pytest.approx(expected, rel=1e-9)


def test_the_maximum_agrees_with_a_derivative_free_search() -> None:
    from scipy.optimize import minimize

    fitted = fit_candidate(WAITS, FAMILIES["weibull"], ACCELERATION, floor=False, where="x")

    def loss(theta: np.ndarray) -> float:
        tau = np.exp(theta[0] - (WAITS.voltage - 3.0) * np.exp(-theta[1]))
        other = weibull_min(np.exp(theta[2]), scale=tau)
        terms = np.where(WAITS.switched == 1, other.logpdf(WAITS.time), other.logsf(WAITS.time))
        return -float(np.sum(terms))

    found = minimize(
        loss, [-7.0, -1.8, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}
    )
    assert fitted.loglik == pytest.approx(-found.fun, abs=1e-7)
    assert fitted.value("V0") == pytest.approx(np.exp(found.x[1]), rel=1e-5)


def test_the_centre_makes_tau_and_v0_uncorrelated() -> None:
    fitted = fit_candidate(PULSES, FAMILIES["exponential"], ACCELERATION, floor=False, where="x")
    c = fitted.covariance
    assert abs(c[0, 1]) / np.sqrt(c[0, 0] * c[1, 1]) < 0.1
    assert fitted.likelihood.reference == round(fitted.likelihood.reference, 2)


def test_far_from_the_data_the_likelihood_climbs_back() -> None:
    likelihood, _ = law(PULSES, "weibull")
    box = bounds(PULSES, likelihood.names)
    values = [
        maximise(likelihood.evaluate, np.array(start), *box).value
        for start in ([-7.0, -1.8, 0.0], [-12.0, 0.0, 1.0], [-2.0, -3.0, -1.5], [2.0, 1.0, 0.5])
    ]
    np.testing.assert_allclose(values, values[0], atol=1e-6)
