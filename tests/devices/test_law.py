"""The switching law: published numbers, closed forms, scipy as an independent implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from scipy.integrate import quad

from devices.cbram import CBRAM
from devices.families import FAMILIES
from devices.law import SwitchingLaw
from devices.parameter import Parameter
from devices.presets import knag2014


def weibull_law(shape: float, sigma_c2c: float = 0.0, memory: float = 0.0) -> SwitchingLaw:
    """The published law, stretched."""
    from dataclasses import replace

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


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.5])
def test_weibull_agrees_with_scipy(shape: float) -> None:
    family = FAMILIES["weibull"]
    u = np.array([1e-6, 0.1, 0.7, 1.0, 3.0])
    reference = scipy.stats.weibull_min(shape)
    assert family.probability(u, shape) == pytest.approx(reference.cdf(u), rel=1e-12)
    p = np.array([0.0, 1e-9, 0.3, 0.999])
    assert family.quantile(p, shape) == pytest.approx(reference.ppf(p), rel=1e-9)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_hazard_derivatives_agree_with_differences(name: str) -> None:
    family, s, step = FAMILIES[name], math.log(0.7), 1e-5
    x = np.array([-3.0, -0.5, 0.4, 1.1])
    terms = family.hazard_terms(x, s)
    for key, below in (("x", "H"), ("xx", "x"), ("xxx", "xx")):
        up, down = family.hazard_terms(x + step, s)[below], family.hazard_terms(x - step, s)[below]
        assert terms[key] == pytest.approx((up - down) / (2 * step), rel=1e-6)
    for key, below in (("s", "H"), ("xs", "x"), ("ss", "s"), ("xxs", "xx"), ("xss", "xs")):
        up, down = family.hazard_terms(x, s + step)[below], family.hazard_terms(x, s - step)[below]
        assert terms[key] == pytest.approx((up - down) / (2 * step), rel=1e-6, abs=1e-9)


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
    from dataclasses import replace

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
