"""The switching law: published numbers, closed forms, scipy as an independent implementation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from scipy.integrate import quad

from devices.accelerations import ACCELERATIONS, Temperature
from devices.accelerations.base import BOLTZMANN_EV
from devices.cbram import CBRAM
from devices.families import FAMILIES
from devices.law import SwitchingLaw
from devices.parameter import Parameter
from devices.presets import knag2014


def weibull_law(shape: float, sigma_c2c: float = 0.0, memory: float = 0.0) -> SwitchingLaw:
    """The published law, stretched."""
    law = knag2014().set
    spread = replace(
        law.spread,
        sigma_ln_tau_c2c=Parameter(sigma_c2c, "1", "assumed"),
        memory=Parameter(memory, "1", "assumed"),
    )
    return replace(
        law,
        family=FAMILIES["weibull"],
        shape=Parameter(shape, "1", "assumed"),
        spread=spread,
    )


@pytest.mark.parametrize(("voltage", "tau"), [(2.6, 16.5e-3), (3.2, 0.352e-3), (3.6, 27.1e-6)])
def test_published_law_gives_its_published_times(voltage: float, tau: float) -> None:
    law = knag2014().set
    assert math.exp(law.ln_tau(np.array([voltage]))[0]) == pytest.approx(tau, rel=5e-3)


def test_half_probability_voltages_of_the_published_law() -> None:
    law = knag2014().set
    assert law.probability(np.array([4.06]), 1e-6)[0] == pytest.approx(0.5, abs=0.01)
    assert law.probability(np.array([3.34]), 1e-4)[0] == pytest.approx(0.5, abs=0.01)


def test_rate_is_exactly_zero_at_the_other_polarity() -> None:
    assert np.all(knag2014().set.rate(np.array([0.0, -1e-9, -3.0])) == 0.0)


def test_rate_grows_with_the_voltage_until_no_float_could_hold_it() -> None:
    """At 8 V by 16 orders over that at 3.2 V; at 100 V it is large, and finite."""
    law = knag2014().set
    rate = law.rate(np.array([3.2, 8.0, 100.0]))
    assert rate[1] / rate[0] == pytest.approx(math.exp((8.0 - 3.2) / law.v0.value), rel=1e-9)
    assert rate[2] > rate[1] and math.isfinite(rate[2])


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.5])
def test_weibull_agrees_with_scipy(shape: float) -> None:
    family = FAMILIES["weibull"]
    u = np.array([1e-6, 0.1, 0.7, 1.0, 3.0])
    reference = scipy.stats.weibull_min(shape)
    assert family.probability(u, shape) == pytest.approx(reference.cdf(u), rel=1e-12)
    p = np.array([0.0, 1e-9, 0.3, 0.999])
    assert family.quantile(p, shape) == pytest.approx(reference.ppf(p), rel=1e-9)


SCIPY = {
    "exponential": lambda k: scipy.stats.expon(),
    "weibull": scipy.stats.weibull_min,
    "lognormal": scipy.stats.lognorm,
    "gamma": scipy.stats.gamma,
}


@pytest.mark.parametrize("name", sorted(FAMILIES))
@pytest.mark.parametrize("shape", [0.5, 1.0, 2.5])
def test_families_agree_with_scipy_in_both_tails(name: str, shape: float) -> None:
    family, reference = FAMILIES[name], SCIPY[name](shape)
    u = np.array([1e-6, 0.1, 0.7, 1.0, 3.0, 30.0])
    assert family.probability(u, shape) == pytest.approx(reference.cdf(u), rel=1e-11)
    assert family.hazard(u, shape) == pytest.approx(-reference.logsf(u), rel=1e-9, abs=1e-12)
    terms = family.log_density_terms(np.log(u), math.log(shape))
    assert terms[""] == pytest.approx(reference.logpdf(u) + np.log(u), rel=1e-9, abs=1e-9)
    p = np.array([0.0, 1e-9, 0.3, 0.999])
    assert family.quantile(p, shape) == pytest.approx(reference.ppf(p), rel=1e-8)


def test_the_gamma_hazard_goes_on_where_the_upper_tail_underflows() -> None:
    """Beyond u of about 745 exp(-H) is 0 in double precision; the series must join smoothly."""
    family = FAMILIES["gamma"]
    for shape in (0.5, 2.0, 20.0):
        hazard = family.hazard(np.array([499.999, 500.001, 5000.0]), shape)
        assert hazard[1] - hazard[0] == pytest.approx(0.002 * (1 - (shape - 1) / 500), rel=2e-3)
        exact = 5000 - (shape - 1) * math.log(5000) + math.lgamma(shape)
        assert hazard[2] == pytest.approx(exact, abs=1.1 * abs(shape - 1) / 5000 * 1.01 + 1e-9)


@pytest.mark.parametrize("name", sorted(FAMILIES))
@pytest.mark.parametrize("method", ["hazard_terms", "log_density_terms"])
def test_derivatives_agree_with_differences(name: str, method: str) -> None:
    terms_of, s, step = getattr(FAMILIES[name], method), math.log(0.7), 1e-5
    x = np.array([-3.0, -0.5, 0.4, 1.1])
    terms = terms_of(x, s)
    for key, below in (("x", ""), ("xx", "x")):
        up, down = terms_of(x + step, s)[below], terms_of(x - step, s)[below]
        assert terms[key] == pytest.approx((up - down) / (2 * step), rel=1e-6)
    for key, below in (("s", ""), ("xs", "x"), ("ss", "s")):
        up, down = terms_of(x, s + step)[below], terms_of(x, s - step)[below]
        assert terms[key] == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_family_is_the_same_in_jax(name: str) -> None:
    import jax.numpy as jnp

    u = np.array([0.0, 1e-3, 0.5, 2.0, 20.0])
    found = np.asarray(FAMILIES[name].probability(jnp.asarray(u), 1.7, "jax"))
    assert found == pytest.approx(FAMILIES[name].probability(u, 1.7), abs=3e-6)


TYPED_TWICE = {
    "exp(-V/V0)": lambda v, v0: math.exp(-v / v0),
    "1/sinh(V/V0)": lambda v, v0: 1 / math.sinh(v / v0),
    "(V/Vref)^-n": lambda v, v0: v ** (-2.0 / v0),
    "exp(B/V)": lambda v, v0: math.exp(4.0 / v0 / v),
}
"""tau up to a factor, at the reference voltage 2 V, typed a second time on purpose."""


@pytest.mark.parametrize("name", sorted(ACCELERATIONS))
def test_accelerations_agree_with_their_formula(name: str) -> None:
    acceleration, tau = ACCELERATIONS[name], TYPED_TWICE[name]
    for v in (0.3, 1.0, 2.0, 3.1):
        found = acceleration.evaluate(v, 2.0, math.log(5e-6), math.log(0.2))
        assert math.exp(found) == pytest.approx(5e-6 * tau(v, 0.2) / tau(2.0, 0.2), rel=1e-11)


@pytest.mark.parametrize("name", sorted(ACCELERATIONS))
def test_v0_is_the_volts_for_a_factor_e_wherever_the_reference_is(name: str) -> None:
    """And a law moved to another reference voltage is the same law."""
    acceleration, v = ACCELERATIONS[name], np.array([1.0, 1.7, 2.4])
    slope = (
        acceleration.evaluate(2.0 + 1e-5, 2.0, 0.0, math.log(0.2))
        - acceleration.evaluate(2.0 - 1e-5, 2.0, 0.0, math.log(0.2))
    ) / 2e-5
    assert -1 / slope == pytest.approx(0.2, rel=1e-6)
    there = float(acceleration.evaluate(2.4, 2.0, 0.0, math.log(0.2)))
    moved = acceleration.moved(math.log(0.2), 2.0, 2.4)
    np.testing.assert_allclose(
        acceleration.evaluate(v, 2.4, there, moved),
        acceleration.evaluate(v, 2.0, 0.0, math.log(0.2)),
        rtol=1e-9,
    )


def test_temperature_is_arrhenius_in_tau0_and_proportional_in_v0() -> None:
    """Typed a second time: tau = tau00 exp(Ea/kT) exp(-V/(c T)), quotients at two temperatures."""
    law = replace(
        knag2014().set,
        activation=Parameter(0.6, "eV", "taken"),
        valid_temperature=(280.0, 400.0),
    )
    k, t = 8.617333262e-5, 350.0
    for proportional, v0 in ((True, 0.156 * t / 300), (False, 0.156)):
        warm = replace(law, v0_follows_temperature=proportional)
        ratio = math.exp(0.6 / k * (1 / t - 1 / 300)) * math.exp(-2.9 / v0 + 2.9 / 0.156)
        found = warm.ln_tau(np.array([2.9]), t) - warm.ln_tau(np.array([2.9]))
        assert math.exp(found[0]) == pytest.approx(ratio, rel=1e-9)
    assert SwitchingLaw.from_dict(warm.to_dict()) == warm
    with pytest.raises(ValueError, match="activation"):
        knag2014().set.rate(np.array([2.9]), 350.0)


def test_jax_and_numpy_give_the_same_probability() -> None:
    import jax.numpy as jnp

    law = weibull_law(0.6, sigma_c2c=0.3)
    u = np.array([0.0, 1e-3, 0.5, 2.0])
    expected = law.probability_of_exposure(u, 0.1)
    found = np.asarray(law.probability_of_exposure(jnp.asarray(u), 0.1, backend="jax"))
    assert found == pytest.approx(expected, abs=2e-6)


def test_cycle_spread_is_integrated_not_sampled() -> None:
    law = weibull_law(0.8, sigma_c2c=0.7)
    expected, _ = quad(
        lambda z: (
            scipy.stats.norm.pdf(z) * scipy.stats.weibull_min(0.8).cdf(0.9 * math.exp(-0.7 * z))
        ),
        -8,
        8,
    )
    assert law.probability_of_exposure(np.array(0.9)) == pytest.approx(expected, abs=1e-6)


def test_exposure_of_probability_inverts_it_with_cycle_spread() -> None:
    law = weibull_law(0.8, sigma_c2c=0.5)
    p = np.array([1e-4, 0.1, 0.5, 0.93])
    u = law.exposure_of_probability(p)
    assert law.probability_of_exposure(u) == pytest.approx(p, rel=1e-6)


@pytest.mark.parametrize("sigma", [0.0, 0.4])
@pytest.mark.parametrize("shape", [0.1, 0.2, 1.0, 3.0])
def test_exposure_of_probability_holds_for_stretched_laws(shape: float, sigma: float) -> None:
    """Shapes near those of measured oxide devices (0.1), over the whole range of bits."""
    law = weibull_law(shape, sigma_c2c=sigma)
    p = np.array([1e-5, 1e-3, 0.5, 0.999])
    assert law.probability_of_exposure(law.exposure_of_probability(p)) == pytest.approx(p, rel=1e-6)


def test_device_voltage_follows_from_its_exposure() -> None:
    law, v = knag2014().set, np.array([1.9, 2.6, 3.5])
    found = law.voltage_of_exposure(law.rate(v) * 1e-4, 1e-4)
    assert found == pytest.approx(v, abs=1e-4)


def test_thresholds_follow_the_family_and_memory_does_not_change_it() -> None:
    """Kolmogorov-Smirnov, false-alarm rate 1e-3 each; lag 1 within 5 standard errors."""
    law = weibull_law(0.6, memory=0.5)
    chains = law.sample_thresholds(np.random.default_rng(3), (4000, 12))
    assert scipy.stats.kstest(chains[:, -1], scipy.stats.weibull_min(0.6).cdf).pvalue > 1e-3
    scores = scipy.stats.norm.ppf(scipy.stats.weibull_min(0.6).sf(chains))
    lag = np.mean([np.corrcoef(scores[:, k], scores[:, k + 1])[0, 1] for k in range(11)])
    assert lag == pytest.approx(0.5, abs=5 * 0.75 / math.sqrt(4000 * 11))


def test_spread_over_devices_combines_both_parameters() -> None:
    law = knag2014().set
    spread = replace(law.spread, sigma_ln_v0_d2d=Parameter(0.01, "1", "assumed"))
    law = replace(law, spread=spread)
    random, count, v = np.random.default_rng(0), 200_000, 3.5
    ln_tau = (
        math.log(law.tau_ref.value)
        + 0.2 * random.standard_normal(count)
        - (v - law.reference_voltage)
        / (law.v0.value * np.exp(0.01 * random.standard_normal(count)))
    )
    assert law.sigma_ln_tau_d2d(np.array([v]))[0] == pytest.approx(ln_tau.std(), rel=0.01)


def test_device_survives_its_dictionary() -> None:
    device = knag2014()
    assert CBRAM.from_dict(device.to_dict()) == device


@pytest.mark.parametrize("name", sorted(ACCELERATIONS))
def test_tau_at_0_volts_is_finite_for_the_exponential_acceleration_only(name: str) -> None:
    law = replace(knag2014().set, acceleration=ACCELERATIONS[name])
    written = law.to_dict()["derived"]["tau0"]["value"]
    if name == "exp(-V/V0)":
        exact = law.tau_ref.value * math.exp(law.reference_voltage / law.v0.value)
        assert law.tau0 == pytest.approx(exact, rel=1e-12)
        assert written == law.tau0
    else:
        assert law.tau0 == math.inf
        assert written is None


def warm_law(name: str = "exp(-V/V0)", proportional: bool = True) -> SwitchingLaw:
    """The published law with 0.6 eV, errors and D2D spread of both parameters."""
    law = knag2014().set
    sigma = np.array([0.05, 0.01, 0.02])
    rho = np.array([[1.0, 0.3, -0.4], [0.3, 1.0, 0.1], [-0.4, 0.1, 1.0]])
    spread = replace(
        law.spread,
        sigma_ln_tau_d2d=Parameter(0.2, "1", "fitted"),
        sigma_ln_v0_d2d=Parameter(0.03, "1", "fitted"),
        correlation_d2d=Parameter(-0.4, "1", "fitted"),
    )
    return replace(
        law,
        acceleration=ACCELERATIONS[name],
        activation=Parameter(0.6, "eV", "fitted", stderr=0.02),
        covariance_order=("tau_ref", "V0", "Ea"),
        covariance=tuple(map(tuple, (rho * np.outer(sigma, sigma)).tolist())),
        v0_follows_temperature=proportional,
        spread=spread,
    )


@pytest.mark.parametrize("proportional", [True, False])
@pytest.mark.parametrize("name", sorted(ACCELERATIONS))
def test_a_law_at_another_temperature_is_the_same_law(name: str, proportional: bool) -> None:
    law, v = warm_law(name, proportional), np.array([1.5, 2.6, 3.4])
    moved = law.at_temperature(340.0)
    assert moved.reference_temperature == 340.0
    for kelvin in (300.0, 340.0, 370.0):
        np.testing.assert_allclose(moved.ln_tau(v, kelvin), law.ln_tau(v, kelvin), rtol=1e-10)
    np.testing.assert_allclose(moved.ln_tau(v), law.ln_tau(v, 340.0), rtol=1e-10)
    back = moved.at_temperature(300.0)
    np.testing.assert_allclose(back.covariance, law.covariance, rtol=1e-9)
    assert back.tau_ref.value == pytest.approx(law.tau_ref.value, rel=1e-9)
    assert back.spread.sigma_ln_tau_d2d.value == pytest.approx(0.2, rel=1e-9)
    assert back.spread.correlation_d2d.value == pytest.approx(-0.4, rel=1e-9)
    assert law.at_temperature(300.0) is law
    with pytest.raises(ValueError, match="activation"):
        knag2014().set.at_temperature(340.0)


@pytest.mark.parametrize("name", sorted(ACCELERATIONS))
def test_errors_and_device_spread_move_with_the_law(name: str) -> None:
    """Against 200,000 draws of the parameters with a thousandth of each error: first order."""
    law, count, small = warm_law(name), 200_000, 1e-3
    random, voltage = np.random.default_rng(6), np.array([3.1])
    k = BOLTZMANN_EV * 300.0
    moved = law.at_temperature(340.0)

    def ln_tau(tau: np.ndarray, v0: np.ndarray, ea: np.ndarray | float) -> np.ndarray:
        warmth = Temperature(340.0 / 300.0, ea / k, True)
        return law.acceleration.evaluate(
            voltage, law.reference_voltage, tau, math.log(law.v0.value) + v0, warmth
        )

    draws = small * random.multivariate_normal(np.zeros(3), np.array(law.covariance), count).T
    drawn = ln_tau(draws[0], draws[1], 0.6 + draws[2]).std() / small
    gradient = np.array([*moved.ln_tau_gradient(voltage)[:, 0], 0.0])
    told = math.sqrt(gradient @ np.array(moved.covariance) @ gradient)
    assert told == pytest.approx(drawn, rel=0.01)  # 6 standard errors
    assert moved.tau_ref.stderr == pytest.approx(
        moved.tau_ref.value * math.sqrt(moved.covariance[0][0])
    )
    a, b = small * random.standard_normal((2, count))
    devices = ln_tau(0.2 * a, 0.03 * (-0.4 * a + math.sqrt(1 - 0.16) * b), 0.6).std() / small
    assert moved.sigma_ln_tau_d2d(voltage)[0] == pytest.approx(devices, rel=0.01)
