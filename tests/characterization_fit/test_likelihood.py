"""The likelihood: against scipy's distributions, numerical derivatives and closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, expon, gamma, lognorm, weibull_min

from characterization.fit.inference.candidate import fit_candidate
from characterization.fit.inference.likelihood import Likelihood
from characterization.fit.inference.maximise import maximise
from characterization.fit.inference.start import bounds
from characterization.fit.observations.base import (
    Observations,
    Step,
    chains,
    condensed,
    single,
)
from devices.accelerations import ACCELERATIONS
from devices.families import FAMILIES
from devices.presets import knag2014

ACCELERATION = ACCELERATIONS["exp(-V/V0)"]
RANDOM = np.random.default_rng(7)
VOLTAGE = np.tile([2.6, 2.9, 3.2], 4)
WIDTH = np.repeat([1e-5, 1e-4, 1e-3, 1e-2], 3)
SWITCHED = RANDOM.binomial(40, knag2014().set.probability(VOLTAGE, WIDTH)).astype(float)
PULSES = single("pulses", VOLTAGE, WIDTH, within=SWITCHED, waiting=40 - SWITCHED)
HOT = single(
    "pulses",
    VOLTAGE,
    WIDTH,
    within=SWITCHED,
    waiting=40 - SWITCHED,
    temperature=np.resize([300.0, 340.0], 12),
)
EVENT = (RANDOM.random(100) < 0.7).astype(float)
TIME = np.concatenate([RANDOM.exponential(5e-3, 50), RANDOM.exponential(4e-4, 50)])
WAITS = single("waits", np.repeat([2.8, 3.2], 50), TIME, exact=EVENT, waiting=1 - EVENT)
TOP = RANDOM.uniform(2.5, 3.4, 40)
RATE = np.repeat([1.0, 30.0], 20)
RAMPS = single(
    "ramps",
    TOP,
    (TOP - 0.2) / RATE,
    start=np.full(40, 0.2),
    exact=EVENT[:40],
    waiting=1 - EVENT[:40],
)
STEPS = [
    Step(np.full(12, 2.9), np.full(12, 1e-4), np.ones(12, bool)),
    Step(VOLTAGE, WIDTH, np.ones(12, bool)),
    Step(VOLTAGE + 0.1, WIDTH, RANDOM.random(12) < 0.5),
]
TRAINS = chains("pulses", STEPS, (RANDOM.random(12) < 0.5).astype(int))
KINDS = {
    "pulses": PULSES,
    "pulses at two temperatures": HOT,
    "waits": WAITS,
    "ramps": RAMPS,
    "trains": TRAINS,
}
THETA = {
    "tau_ref": np.log(1.2e-3),
    "V0": np.log(0.17),
    "Ea": 0.6,
    "shape": np.log(0.8),
    "floor": -3.0,
    "lapse": -4.0,
}
SCIPY = {
    "exponential": lambda k, scale: expon(scale=scale),
    "weibull": lambda k, scale: weibull_min(k, scale=scale),
    "lognormal": lambda k, scale: lognorm(k, scale=scale),
    "gamma": lambda k, scale: gamma(k, scale=scale),
}


def law(
    data: Observations, family: str, floor: bool = False, acceleration: str = "exp(-V/V0)"
) -> tuple[Likelihood, np.ndarray]:
    likelihood = Likelihood(
        data,
        FAMILIES[family],
        ACCELERATIONS[acceleration],
        3.0,
        floor=floor,
        lapse=floor,
        thermal=data.temperature is not None,
    )
    return likelihood, np.array([THETA[name] for name in likelihood.names])


def distribution(family: str, voltage: np.ndarray) -> Any:
    """scipy's distribution of the wait, tau(V) typed here a second time on purpose."""
    tau = np.exp(THETA["tau_ref"]) * np.exp(-(voltage - 3.0) / np.exp(THETA["V0"]))
    return SCIPY[family](float(np.exp(THETA["shape"])), tau)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_waits_agree_with_scipy(family: str) -> None:
    likelihood, theta = law(WAITS, family)
    other = distribution(family, WAITS.voltage)
    terms = np.where(WAITS.exact > 0, other.logpdf(WAITS.duration), other.logsf(WAITS.duration))
    assert likelihood.evaluate(theta)[0] == pytest.approx(np.sum(terms * WAITS.trials), rel=1e-11)


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("floor", [False, True])
def test_pulses_agree_with_scipy_up_to_the_binomial_constant(family: str, floor: bool) -> None:
    likelihood, theta = law(PULSES, family, floor)
    base, missed = (1 / (1 + np.exp(3.0)), 1 / (1 + np.exp(4.0))) if floor else (0.0, 0.0)
    trials, switched = PULSES.trials, PULSES.switched
    p = base + (1 - base - missed) * distribution(family, PULSES.voltage).cdf(PULSES.duration)
    full = binom.logpmf(switched, trials, p)
    fraction = switched / trials
    saturated = binom.logpmf(switched, trials, fraction)
    inside = (fraction > 0) & (fraction < 1)
    entropy = trials[inside] * (
        fraction[inside] * np.log(fraction[inside])
        + (1 - fraction[inside]) * np.log1p(-fraction[inside])
    )
    constant = saturated.sum() - entropy.sum()
    assert likelihood.evaluate(theta)[0] == pytest.approx(full.sum() - constant, rel=1e-9)
    np.testing.assert_allclose(likelihood.probability(theta), p, rtol=1e-9)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_ramps_agree_with_the_closed_form_of_the_e_model(family: str) -> None:
    """u = (V0/(r tau0)) (exp(V/V0) - exp(V_start/V0)), and the density in time by dF/du du/dt."""
    likelihood, theta = law(RAMPS, family)
    v0 = np.exp(THETA["V0"])
    tau0 = np.exp(THETA["tau_ref"] + 3.0 / v0)
    rate = (RAMPS.voltage - 0.2) / RAMPS.duration
    u = v0 / (rate * tau0) * (np.exp(RAMPS.voltage / v0) - np.exp(0.2 / v0))
    other = SCIPY[family](float(np.exp(THETA["shape"])), 1.0)
    density = other.logpdf(u) + RAMPS.voltage / v0 - np.log(tau0)
    expected = np.where(RAMPS.exact > 0, density, other.logsf(u))
    kept = np.isfinite(expected)  # scipy's upper gamma tail underflows beyond u of 745
    assert kept.sum() > 30
    np.testing.assert_allclose(likelihood.contributions(theta)[0][kept], expected[kept], rtol=1e-9)


def test_trains_add_exposure_and_condition_on_not_having_switched() -> None:
    """ln(S(before) - S(after)) of the summed exposures, pulse by pulse, against scipy."""
    likelihood, theta = law(TRAINS, "weibull")
    total = 0.0
    for i in range(TRAINS.voltage.size):
        gains, j = [], i
        while j >= 0:
            t = np.exp(THETA["tau_ref"]) * np.exp(-(TRAINS.voltage[j] - 3.0) / np.exp(THETA["V0"]))
            gains.append(TRAINS.duration[j] / t)
            j = int(TRAINS.parent[j])
        after, before = weibull_min(0.8).sf(sum(gains)), weibull_min(0.8).sf(sum(gains[1:]))
        if TRAINS.within[i]:
            total += TRAINS.within[i] * np.log(before - after)
        if TRAINS.waiting[i]:
            total += TRAINS.waiting[i] * np.log(after)
    assert likelihood.value(theta) == pytest.approx(total, rel=1e-10)


def test_a_split_pulse_is_the_pulse() -> None:
    """Exposure adds up at constant voltage, whatever the family."""
    halves = chains("pulses", [Step(VOLTAGE, WIDTH / 2, np.ones(12, bool))] * 2, np.zeros(12, int))
    whole = single("pulses", VOLTAGE, WIDTH, waiting=np.ones(12))
    for family in FAMILIES:
        one, other = (law(data, family) for data in (halves, whole))
        assert one[0].value(one[1]) == pytest.approx(other[0].value(other[1]), rel=1e-12)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("acceleration", sorted(ACCELERATIONS))
def test_gradient_and_hessian_agree_with_differences(
    kind: str, family: str, acceleration: str
) -> None:
    likelihood, theta = law(KINDS[kind], family, kind.startswith("pulses"), acceleration)
    _, gradient, hessian = likelihood.evaluate(theta)
    whole = likelihood.contributions(theta)
    np.testing.assert_allclose(whole[1].sum(axis=-1), gradient, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(whole[2].sum(axis=-1), hessian, rtol=1e-8, atol=1e-7)
    for i, step in enumerate(np.eye(theta.size) * 1e-5):
        up, down = likelihood.evaluate(theta + step), likelihood.evaluate(theta - step)
        assert (up[0] - down[0]) / 2e-5 == pytest.approx(gradient[i], rel=1e-5, abs=1e-4)
        np.testing.assert_allclose((up[1] - down[1]) / 2e-5, hessian[i], rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("kind", ["waits", "ramps", "trains"])
def test_parameters_may_differ_from_segment_to_segment(kind: str) -> None:
    """What populations need: arrays over nodes and segments give what numbers give."""
    likelihood, theta = law(KINDS[kind], "gamma")
    size = likelihood.data.voltage.size
    arrays: list[Any] = [np.full((3, size), theta[0]), np.full((3, size), theta[1]), theta[2]]
    for many, one in zip(
        likelihood.contributions(arrays), likelihood.contributions(theta), strict=True
    ):
        np.testing.assert_allclose(many[..., 1, :], one, rtol=1e-12, atol=1e-300)


def test_joining_times_hardly_moves_the_likelihood() -> None:
    """Cells of 0.002 in ln t move log L per row by curvature x 0.002^2/24, about 2e-7."""
    likelihood, theta = law(WAITS, "weibull")
    fine = likelihood.on(condensed(WAITS, 2e-3))
    assert fine.value(theta) == pytest.approx(likelihood.value(theta), abs=1e-4)
    assert condensed(WAITS, 0.5).voltage.size < 60


def test_exponential_at_one_voltage_is_total_time_over_events() -> None:
    time = RANDOM.exponential(2e-3, 300)
    event = (time < 3e-3).astype(float)
    data = single(
        "waits", np.full(300, 3.0), np.minimum(time, 3e-3), exact=event, waiting=1 - event
    )
    likelihood, theta = law(data, "exponential")
    hold_v0 = np.array([False, True])
    lower, upper = np.array([-30.0, -10.0]), np.array([10.0, 10.0])
    best = maximise(likelihood.evaluate, theta, lower, upper, hold_v0)
    expected = np.minimum(time, 3e-3).sum() / np.sum(time < 3e-3)
    assert np.exp(best.theta[0]) == pytest.approx(expected, rel=1e-9)


def test_the_maximum_agrees_with_a_derivative_free_search() -> None:
    from scipy.optimize import minimize

    fitted = fit_candidate(WAITS, FAMILIES["weibull"], ACCELERATION, where="x")

    def loss(theta: np.ndarray) -> float:
        tau = np.exp(theta[0] - (WAITS.voltage - 3.0) * np.exp(-theta[1]))
        other = weibull_min(np.exp(theta[2]), scale=tau)
        terms = np.where(
            WAITS.exact == 1, other.logpdf(WAITS.duration), other.logsf(WAITS.duration)
        )
        return -float(np.sum(terms))

    found = minimize(
        loss, [-7.0, -1.8, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}
    )
    assert fitted.loglik == pytest.approx(-found.fun, abs=1e-7)
    assert fitted.value("V0") == pytest.approx(np.exp(found.x[1]), rel=1e-5)


def test_the_centre_makes_tau_and_v0_uncorrelated() -> None:
    fitted = fit_candidate(PULSES, FAMILIES["exponential"], ACCELERATION, where="x")
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
