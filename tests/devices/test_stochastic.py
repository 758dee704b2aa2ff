"""The device as a Python object: against closed forms, and against itself by Monte Carlo."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from devices.accelerations.base import BOLTZMANN_EV
from devices.cbram import CBRAM
from devices.families import FAMILIES
from devices.law import SwitchingLaw
from devices.parameter import Parameter
from devices.presets import knag2014
from devices.stochastic import StochasticCBRAM

V = 3.3


def assumed(value: float, unit: str = "1") -> Parameter:
    return Parameter(value, unit, "assumed")


def changed(device: CBRAM, **fields: object) -> CBRAM:
    """The device with other fields of its SET law."""
    return replace(device, set=replace(device.set, **fields))  # type: ignore[arg-type]


def weibull(shape: float) -> StochasticCBRAM:
    return StochasticCBRAM(changed(knag2014(), family=FAMILIES["weibull"], shape=assumed(shape)))


def with_reset() -> StochasticCBRAM:
    """SET of the published law, RESET of a Weibull law at 1.2 V."""
    law = knag2014().set
    reset = replace(
        law.with_values(1e-6, 0.1),
        reference_voltage=1.2,
        family=FAMILIES["weibull"],
        shape=assumed(2.0),
    )
    return StochasticCBRAM(replace(knag2014(), reset=reset))


def tau(device: StochasticCBRAM, voltage: float = V) -> float:
    return float(1 / device.device.set.rate(np.array(voltage)))


@pytest.mark.parametrize("shape", [0.5, 1.0, 3.0])
def test_weibull_answers_are_the_closed_forms(shape: float) -> None:
    device = weibull(shape)
    scale = stats.weibull_min(shape, scale=tau(device))
    times = tau(device) * np.array([0.01, 0.5, 1.0, 4.0])
    expected_hazard = scale.pdf(times) / scale.sf(times)
    np.testing.assert_allclose(device.hazard(V, times), expected_hazard, rtol=1e-10)
    np.testing.assert_allclose(device.probability(V, times), scale.cdf(times), rtol=1e-12)
    np.testing.assert_allclose(device.quantile([0.01, 0.5, 0.99], V), scale.ppf([0.01, 0.5, 0.99]))


def test_the_hazard_of_the_exponential_law_is_the_rate_at_any_time() -> None:
    device = StochasticCBRAM(knag2014())
    np.testing.assert_allclose(device.hazard(V, [0.0, 1e-6, 1.0, 1e3]), 1 / tau(device))


@pytest.mark.parametrize(("shape", "expected"), [(0.5, math.inf), (2.0, 0.0)])
def test_hazard_at_the_very_beginning(shape: float, expected: float) -> None:
    assert weibull(shape).hazard(V, 0.0) == expected


def test_hazard_integrates_to_the_probability_with_spread_from_cycle_to_cycle() -> None:
    """P = 1 - exp(-integral of the hazard), the hazard of the mixture over C2C."""
    law = knag2014().set
    for family, shape in (("exponential", None), ("weibull", assumed(2.0))):
        spread = replace(law.spread, sigma_ln_tau_c2c=assumed(0.4))
        device = StochasticCBRAM(
            changed(knag2014(), spread=spread, family=FAMILIES[family], shape=shape)
        )
        times = np.linspace(0.0, 3 * tau(device), 4001)
        hazard = np.asarray(device.hazard(V, times))
        integral = np.sum((hazard[1:] + hazard[:-1]) / 2) * times[1]
        assert device.probability(V, times[-1]) == pytest.approx(-np.expm1(-integral), rel=1e-5)


def test_quantile_is_the_inverse_of_probability_in_both_directions() -> None:
    device = with_reset()
    p = np.array([0.001, 0.2, 0.5, 0.999])
    for voltage in (3.1, -1.3):
        np.testing.assert_allclose(device.probability(voltage, device.quantile(p, voltage)), p)


def test_scalars_give_floats_arrays_broadcast_and_nothing_happens_at_0_volts() -> None:
    device = with_reset()
    assert isinstance(device.probability(3.3, 1e-4), float)
    assert isinstance(device.hazard(-1.2, 1e-7), float)
    table = np.asarray(device.probability([[3.0], [-1.2], [0.0]], [1e-6, 1e-4]))
    assert table.shape == (3, 2)
    assert np.all(table[2] == 0) and np.all(table[:2] > 0)
    assert device.quantile(0.5, 0.0) == math.inf
    assert device.hazard(0.0, 1.0) == 0.0


def test_an_ideal_reset_takes_its_time_and_never_fails() -> None:
    device = StochasticCBRAM(knag2014())
    time = device.device.ideal_reset_time.value
    assert device.probability(-1.0, [0.9 * time, 1.1 * time]) == pytest.approx([0, 1])
    assert device.quantile(0.3, -1.0) == time
    assert device.hazard(-1.0, [0.5 * time, 2 * time]) == pytest.approx([0, math.inf])
    assert np.all(device.sample(5, -1.0) == time)


@pytest.mark.parametrize(("voltage", "width"), [(3.3, 1e-4), (-1.25, 5e-7)])
def test_samples_have_the_probability(voltage: float, width: float) -> None:
    """50,000 bits: exact binomial p-value above 1e-6, the false-alarm rate."""
    device = with_reset()
    bits = device.sample(50_000, voltage, width, seed=3)
    assert bits.dtype == np.uint8
    expected = float(device.probability(voltage, width))
    assert stats.binomtest(int(bits.sum()), bits.size, expected).pvalue > 1e-6


@pytest.mark.parametrize("shape", [0.5, 2.0])
def test_sampled_times_follow_the_law(shape: float) -> None:
    """20,000 times: Kolmogorov-Smirnov p-value above 1e-6."""
    device = weibull(shape)
    times = device.sample(20_000, V, seed=4)
    assert stats.kstest(times, lambda t: device.probability(V, t)).pvalue > 1e-6


def test_samples_depend_on_the_seed_and_on_it_alone() -> None:
    device = with_reset()
    one, same = device.sample(100, 3.3, seed=5), device.sample(100, 3.3, seed=5)
    assert np.all(one == same) and not np.any(one == device.sample(100, 3.3, seed=6))
    # A voltage for each cycle; the RESETs between leave the SET thresholds as they were.
    voltages = np.tile([3.3, -1.2], 100)
    assert np.all(device.sample(200, voltages, seed=5)[::2] == one)


def test_simulated_pulse_trains_have_the_probabilities_of_both_directions() -> None:
    """3,000 cycles of RESET and write as a Markov chain (design: Ps, Pr and pi).

    pi = Ps/(Ps + Pr(1 - Ps)), lag-1 = (1 - Ps)(1 - Pr); five standard errors, 6e-7.
    """
    device, n = with_reset(), 3000
    v_set, width, v_reset, short = 3.3, 1.2e-4, -1.2, 8e-7
    ps = float(device.probability(v_set, width))
    pr = float(device.probability(v_reset, short))
    edge, rest = 1e-12, 1e-6
    piece_t = np.array([edge, short, edge, rest, edge, width, edge, rest])
    piece_v = np.array([v_reset, v_reset, 0, 0, v_set, v_set, 0, 0])
    time = np.concatenate([[0.0], np.cumsum(np.tile(piece_t, n))])
    voltage = np.concatenate([[0.0], np.tile(piece_v, n)])
    trace = device.simulate(time, voltage, seed=8)
    bits = trace.state_at(np.cumsum(np.full(n, piece_t.sum())) - rest / 2)
    pi, lag = ps / (ps + pr * (1 - ps)), (1 - ps) * (1 - pr)
    error = math.sqrt(pi * (1 - pi) / n * (1 + lag) / (1 - lag))
    assert bits.mean() == pytest.approx(pi, abs=5 * error)
    centred = bits - bits.mean()
    assert np.mean(centred[1:] * centred[:-1]) / bits.var() == pytest.approx(
        lag, abs=5 / math.sqrt(n)
    )


def test_simulated_ramps_have_the_probability_of_their_exposure() -> None:
    """1,000 ramps each of a fresh device; five standard errors, 6e-7."""
    device = weibull(2.0)
    time, voltage = np.array([0.0, 4e-3]), np.array([0.0, 3.3])
    from devices.cbram import refine

    exposure = device.device.exposures(*refine(time, voltage))[0].sum()
    expected = float(device.device.set.family.probability(exposure, 2.0))
    switched = [device.simulate(time, voltage, seed=s).state for s in range(1000)]
    error = math.sqrt(expected * (1 - expected) / 1000)
    assert 0.2 < expected < 0.8
    assert np.mean(switched) == pytest.approx(expected, abs=5 * error)


def test_a_population_has_the_spread_of_the_law_and_its_members_none() -> None:
    """2,000 devices; sample standard deviations within 5/sqrt(2n) = 8 %, correlation 0.1."""
    law = knag2014().set
    spread = replace(
        law.spread,
        sigma_ln_tau_d2d=assumed(0.5),
        sigma_ln_v0_d2d=assumed(0.05),
        correlation_d2d=assumed(-0.6),
    )
    device = StochasticCBRAM(changed(knag2014(), spread=spread))
    members = device.population(2000, seed=1)
    ln_tau = np.log([m.device.set.tau_ref.value / law.tau_ref.value for m in members])
    ln_v0 = np.log([m.device.set.v0.value / law.v0.value for m in members])
    assert ln_tau.std() == pytest.approx(0.5, rel=0.08)
    assert ln_v0.std() == pytest.approx(0.05, rel=0.08)
    assert np.corrcoef(ln_tau, ln_v0)[0, 1] == pytest.approx(-0.6, abs=0.1)
    ln_r = np.log([m.device.conduction.r_hrs.value / 10e6 for m in members])
    assert ln_r.std() == pytest.approx(device.device.conduction.sigma_ln_r_hrs.value, rel=0.08)
    assert members[6] == device.individual(7)
    again = device.individual(7).individual(9).device
    assert again.set.tau_ref.value == members[6].device.set.tau_ref.value
    # P over the population is wider than, and about, the nominal one.
    p = np.array([m.probability(V, 1e-4) for m in members[:300]])
    assert p.min() < device.probability(V, 1e-4) < p.max()


def arrhenius(law: SwitchingLaw, activation: float) -> StochasticCBRAM:
    warm = replace(law, activation=assumed(activation, "eV"))
    return StochasticCBRAM(replace(knag2014(), set=warm))


def test_temperature_is_arrhenius_with_v0_proportional_to_t() -> None:
    law = knag2014().set
    device, t0, t1 = arrhenius(law, 0.6), 300.0, 350.0
    assert law.reference_temperature == t0
    v0, vref = law.v0.value, law.reference_voltage
    expected = law.tau_ref.value * math.exp(
        0.6 / BOLTZMANN_EV * (1 / t1 - 1 / t0) - V / (v0 * t1 / t0) + vref / v0
    )
    assert 1 / device.hazard(V, 1e-6, temperature=t1) == pytest.approx(expected)  # type: ignore[operator]
    assert device.quantile(0.5, V, t1) == pytest.approx(math.log(2) * expected)
    # By way of another temperature it comes to the same.
    assert device.at(320.0).hazard(V, 1e-6, t1) == pytest.approx(1 / expected)
    np.testing.assert_allclose(
        device.sample(5, V, seed=1, temperature=t1) * tau(device),
        device.sample(5, V, seed=1) * expected,
    )


def test_another_temperature_without_an_activation_energy_is_refused() -> None:
    device = StochasticCBRAM(knag2014())
    assert device.probability(V, 1e-4, 300.0) == device.probability(V, 1e-4)
    with pytest.raises(ValueError, match="no activation energy"):
        device.probability(V, 1e-4, 350.0)


def test_impossible_questions_are_refused() -> None:
    device = StochasticCBRAM(knag2014())
    with pytest.raises(ValueError, match="not including, 1"):
        device.quantile(1.0, V)
    with pytest.raises(ValueError, match="width"):
        device.probability(V, -1e-6)
    with pytest.raises(ValueError, match="time"):
        device.hazard(V, -1.0)


def test_the_dictionary_of_device_json_gives_the_same_device() -> None:
    device = weibull(0.7)
    again = StochasticCBRAM.from_dict(device.to_dict())
    assert again.probability(V, 1e-4) == device.probability(V, 1e-4)
