"""The seeded thresholds of the self-contained subcircuit: statistics, and ngspice against numpy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from circuits.drives import cycle, matched, pulse
from circuits.ngspice.installation import executable_version
from circuits.simulator import Simulator, Waveforms
from devices.cbram import CBRAM
from devices.drawn import generated_device
from devices.families import FAMILIES
from devices.generator import WORD, words
from devices.law import SwitchingLaw
from devices.parameter import Parameter
from devices.presets import knag2014
from devices.subcircuit import library
from devices.threshold_table import ACCURACY, broken_line
from devices.thresholds import generated_thresholds

DRAWS = 100_000
DRIVE = cycle("pulses", [pulse(-1.2, 1e-6), pulse(3.3, 20e-6)], 5e-6)


def assumed(value: float) -> Parameter:
    return Parameter(value, "1", "assumed")


def law_of(family: str, shape: float | None = None, **spread: float) -> SwitchingLaw:
    law = knag2014().set
    spreads = replace(law.spread, **{name: assumed(value) for name, value in spread.items()})
    return replace(
        law,
        family=FAMILIES[family],
        shape=None if shape is None else assumed(shape),
        spread=spreads,
    )


def device_of(law: SwitchingLaw, reset: SwitchingLaw | None = None) -> CBRAM:
    return matched(replace(knag2014(), set=law, reset=reset), DRIVE)


def reset_law() -> SwitchingLaw:
    """P = 0.6 of a Weibull RESET in the pulses of ``DRIVE``."""
    law = law_of("weibull", 2.0)
    return replace(law.with_values(1.04e-6, 0.1), reference_voltage=1.2)


def variates(seed: int, direction: int = 0, law: SwitchingLaw | None = None) -> np.ndarray:
    """Uniform variates 1 - F(Y) of the generated thresholds."""
    law = law or law_of("exponential")
    thresholds = generated_thresholds(law, seed, DRAWS, direction)
    return 1 - law.family.probability(thresholds, law.shape_value)


def autocorrelation(u: np.ndarray, lag: int) -> float:
    """In units of its standard deviation for independent uniform variates."""
    x = (u - 0.5) * np.sqrt(12)
    return float(np.mean(x[lag:] * x[:-lag]) * np.sqrt(u.size - lag))


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 12345, 2**25 - 1])
@pytest.mark.parametrize("direction", [0, 1])
def test_a_hundred_thousand_draws_pass_ks_and_autocorrelation(seed: int, direction: int) -> None:
    """p > 1e-5 and 4.9 standard deviations at lags 1 to 20: false alarms below 1e-3 in all."""
    u = variates(seed, direction)
    assert stats.kstest(u, "uniform").pvalue > 1e-5
    assert max(abs(autocorrelation(u, lag)) for lag in range(1, 21)) < 4.9


@pytest.mark.parametrize("family", ["weibull", "lognormal", "gamma"])
def test_other_families_follow_their_distribution(family: str) -> None:
    assert stats.kstest(variates(7, law=law_of(family, 0.7)), "uniform").pvalue > 1e-5


def test_neighbouring_seeds_and_the_two_directions_are_independent() -> None:
    """Chi-square of pairs in 32 x 32 cells and correlation; 60 pairs, p > 1e-6 each."""
    for seed in range(20):
        here = variates(seed)
        others = (variates(seed + 1), variates(seed, 1), here[1:])
        for other in others:
            n = other.size
            counts = np.histogram2d(here[:n], other, bins=32, range=[[0, 1], [0, 1]])[0]
            statistic = np.sum((counts - n / 1024) ** 2) / (n / 1024)
            assert 1e-6 < stats.chi2.sf(statistic, 1023) < 1 - 1e-6
            correlation = np.mean((here[:n] - 0.5) * (other - 0.5)) * 12 * np.sqrt(n)
            assert abs(correlation) < 5.2


def test_first_thresholds_of_successive_seeds_are_uniform_and_uncorrelated() -> None:
    """What a user sees who numbers 5,000 devices; p > 1e-5, 4.9 standard deviations."""
    law = law_of("exponential")
    first = np.array([generated_thresholds(law, seed, 1)[0] for seed in range(5000)])
    u = np.exp(-first)
    assert stats.kstest(u, "uniform").pvalue > 1e-5
    assert max(abs(autocorrelation(u, lag)) for lag in range(1, 21)) < 4.9


def test_a_renewal_never_repeats_before_the_period() -> None:
    """Every round is one to one, so all words of a seed differ."""
    last, before = words(3, 0, DRAWS, "threshold")
    for word in (last, before):
        assert np.unique(word).size == DRAWS
        assert np.all((word >= 0) & (word < WORD) & (word == np.floor(word)))


def test_memory_and_spread_from_cycle_to_cycle_are_those_of_the_law() -> None:
    """Lag-1 correlation of the normal scores rho, marginal unchanged; Y x exp(sigma N)."""
    rho, sigma = 0.6, 0.3
    law = law_of("exponential", memory=rho)
    u = variates(5, law=law)
    scores = stats.norm.isf(u)
    assert np.corrcoef(scores[1:], scores[:-1])[0, 1] == pytest.approx(rho, abs=0.02)
    assert stats.kstest(u[::20], "uniform").pvalue > 1e-5  # 0.6^20: independent
    plain = generated_thresholds(law_of("exponential"), 5, DRAWS)
    spread = generated_thresholds(law_of("exponential", sigma_ln_tau_c2c=sigma), 5, DRAWS)
    ratio = np.log(spread / plain) / sigma
    assert stats.kstest(ratio, "norm").pvalue > 1e-5
    assert abs(np.corrcoef(ratio, np.log(plain))[0, 1]) < 0.016


@pytest.mark.parametrize("seed", [-1, 2**25, 1.5])
def test_seeds_the_netlist_cannot_hold_are_refused(seed: int) -> None:
    with pytest.raises(ValueError, match="whole number from 0 to 33554431"):
        generated_thresholds(law_of("exponential"), seed, 3)


def test_the_broken_line_keeps_its_accuracy() -> None:
    family = FAMILIES["gamma"]

    def ln_threshold(x: np.ndarray) -> np.ndarray:
        return np.log(family.threshold(np.exp(x), 0.5))

    x, y = broken_line(ln_threshold, -21.0, 3.6)
    fine = np.linspace(-21.0, 3.6, 20_001)
    assert np.max(np.abs(np.interp(fine, x, y) - ln_threshold(fine))) < 1.05 * ACCURACY


# --- in ngspice ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator() as engine:
        yield engine


def run(
    simulator: Simulator,
    device: CBRAM,
    cycles: int,
    seed: int,
    step: float = 5e-6,
    method: str = "gear",
) -> Waveforms:
    """One self-contained device in a user's deck: pulses of both polarities."""
    sources = []
    for index, t in enumerate(DRIVE.trapezoids):
        below = "0" if index == 1 else "b"
        node = "a" if index == 0 else "b"
        shape = f"{t.begin:g} {t.rise:g} {t.fall:g} {t.width:g} {DRIVE.period:.12g}"
        sources.append(f"v{index} {node} {below} PULSE(0 {t.level:g} {shape})")
    lines = [
        "* a user's deck",
        library(device),
        *sources,
        f"x1 a 0 cbram_auto seed={seed}",
        f".options method={method}",
        ".save v(a) v(x1.s) v(x1.us) v(x1.kset) v(x1.yset) v(x1.yreset)"
        + (" v(x1.kreset)" if device.reset is not None else ""),
        f".tran {step:g} {cycles * DRIVE.period:.12g} 0 {step:g} uic",
        ".end",
    ]
    return simulator.run("\n".join(lines) + "\n")


def bits(waves: Waveforms, cycles: int) -> np.ndarray:
    """State after the RESET and at the end of each cycle."""
    times = (np.arange(cycles)[:, None] * DRIVE.period + np.array(DRIVE.reads)).ravel()
    index = np.searchsorted(waves.time, times, side="right") - 1
    return (waves["v(x1.s)"][index] > 0.5).astype(int)


def bits_of_python(device: CBRAM, cycles: int, seed: int) -> np.ndarray:
    """The same waveform through ``CBRAM.simulate`` with the thresholds of the Python twin."""
    one, level = DRIVE.waveform()
    starts = np.arange(cycles) * DRIVE.period
    time = np.append((starts[:, None] + one[:-1]).ravel(), cycles * DRIVE.period)
    voltage = np.append(np.tile(level[:-1], cycles), level[-1])
    thresholds = generated_thresholds(device.set, seed, cycles + 2)
    resets = (
        np.ones(cycles + 2)
        if device.reset is None
        else generated_thresholds(device.reset, seed, cycles + 2, direction=1)
    )
    trace = device.simulate(time, voltage, thresholds, resets)
    return trace.state_at((starts[:, None] + np.array(DRIVE.reads)).ravel())


LAWS = {
    "exponential": (law_of("exponential"), 1e-12),
    "weibull": (law_of("weibull", 0.5), 1e-12),
    "gamma": (law_of("gamma", 0.5), 1e-4),
    "lognormal": (law_of("lognormal", 1.0), 1e-4),
    "spread": (law_of("weibull", 2.0, sigma_ln_tau_c2c=0.3), 1e-9),
    "memory": (law_of("exponential", memory=0.7), 1.2e-4),
}


@pytest.mark.parametrize("name", sorted(LAWS))
def test_ngspice_draws_the_thresholds_of_the_python_twin(name: str, simulator: Simulator) -> None:
    """Renewal after renewal; exactly, where the family's inverse has a closed expression."""
    law, accuracy = LAWS[name]
    device, cycles, seed = device_of(law), 60, 1234567
    waves = run(simulator, device, cycles, seed)
    waiting = (waves["v(x1.s)"] < 0.5) & (waves["v(a)"] > 0.2)
    count = np.rint(waves["v(x1.kset)"][waiting]).astype(int)
    assert set(count) == set(range(cycles))
    expected = generated_thresholds(device.set, seed, cycles)[count]
    np.testing.assert_allclose(waves["v(x1.yset)"][waiting], expected, rtol=accuracy)


@pytest.mark.parametrize(("step", "method"), [(4e-6, "trap"), (2e-6, "trap"), (8e-6, "gear")])
def test_bits_are_those_of_python_at_any_time_step(
    step: float, method: str, simulator: Simulator
) -> None:
    """Stochastic SET and RESET, both from one seed; halved and doubled steps; 600 bits in all."""
    if method == "trap" and float(executable_version()) >= 40:
        pytest.skip("the trapezoidal rule of ngspice 44 and 47 can count a renewal twice")
    device, cycles = device_of(law_of("weibull", 0.5), reset_law()), 50
    for seed in (1, 2):
        found = bits(run(simulator, device, cycles, seed, step, method), cycles)
        expected = bits_of_python(device, cycles, seed)
        assert 10 < expected.sum() < 90
        assert found.tolist() == expected.tolist()


def test_seeds_and_parameters_are_those_of_the_instance(simulator: Simulator) -> None:
    """Three instances in one deck: two seeds, and one that never switches."""
    device = device_of(law_of("exponential"))
    deck = f"""* three instances
{library(device)}
va a 0 PULSE(0 3.3 1u 10n 10n 20u 30u)
x1 a 0 cbram_auto seed=1
x2 a 0 cbram_auto seed=33554431 r_hrs=2e7
x3 a 0 cbram_auto seed=1 tau_set=1e9
.save v(x1.yset) v(x2.yset) v(x3.yset) v(x3.us) v(a)
.tran 1u 3u 0 1u uic
.end
"""
    waves = simulator.run(deck)
    for name, seed in (("x1", 1), ("x2", 33554431), ("x3", 1)):
        expected = generated_thresholds(device.set, seed, 1)[0]
        assert waves[f"v({name}.yset)"][-1] == pytest.approx(expected, rel=1e-12)
    assert waves["v(x3.us)"][-1] < 1e-12


def test_renewals_are_counted_by_the_rules_of_the_device(simulator: Simulator) -> None:
    """Rest, staircases and small opposite excursions keep a threshold, larger ones take the next.

    Each excursion comes as (level, width); the device never switches, so that only the rules count.
    """
    train = [
        (1.0, 1e-6),
        (2.0, 1e-6),
        (0.0, 5e-6),
        (1.5, 1e-6),
        (-0.09, 1e-6),
        (1.5, 1e-6),
        (-0.11, 1e-6),  # the first renewal
        (-1.0, 1e-6),
        (0.0, 1e-6),
        (-0.5, 1e-6),
        (0.05, 1e-6),  # no trial: below the renewal voltage
        (-0.5, 1e-6),
        (1.0, 1e-6),
        (-0.5, 1e-6),  # the second
        (2.0, 1e-6),
    ]
    device = device_of(law_of("exponential"))
    time, voltage = [0.0], [0.0]
    for level, width in train:
        time += [time[-1] + 1e-8, time[-1] + 1e-8 + width]
        voltage += [level, level]
    trace = device.simulate(np.array(time), np.array(voltage), np.full(9, 1e9), np.ones(9))
    source = " ".join(f"{t:.12g} {v:g}" for t, v in zip(time, voltage, strict=True))
    deck = f"""* rules of renewal
{library(device)}
va a 0 PWL({source})
x1 a 0 cbram_auto seed=9 tau_set=1e6
.save v(x1.kset) v(x1.us)
.tran 1u {time[-1]:.12g} 0 1u uic
.end
"""
    waves = simulator.run(deck)
    assert trace.used_set == 2
    assert waves["v(x1.kset)"][-1] == pytest.approx(2, abs=1e-6)


def test_bits_behind_a_series_resistor_do_not_depend_on_steps_or_method(
    simulator: Simulator,
) -> None:
    """The voltage moves as the device switches, and steps are rejected; 3 x 80 bits, two ways."""
    device, cycles = device_of(law_of("weibull", 2.0)), 40
    results = []
    for step, method in ((4e-6, "trap"), (1e-6, "trap"), (2e-6, "gear")):
        lines = [
            "* behind a resistor",
            library(device),
            f"v0 in b PULSE(0 -1.5 2u 10n 10n 2u {DRIVE.period:.12g})",
            f"v1 b 0 PULSE(0 3.35 6u 10n 10n 18u {DRIVE.period:.12g})",
            "rs in a 100k",
            "cs a 0 0.1p",
            "x1 a 0 cbram_auto seed=11",
            f".options method={method}",
            ".save v(x1.s) v(x1.kset)",
            f".tran {step:g} {cycles * DRIVE.period:.12g} 0 {step:g} uic",
            ".end",
        ]
        results.append(bits(simulator.run("\n".join(lines) + "\n"), cycles).tolist())
    assert 10 < sum(results[0]) < 70
    assert results[0] == results[1] == results[2]


def spread_device() -> CBRAM:
    spreads = {
        "sigma_ln_tau_d2d": 0.5,
        "sigma_ln_v0_d2d": 0.02,
        "correlation_d2d": -0.5,
    }
    reset = replace(reset_law(), spread=law_of("weibull", 2.0, **spreads).spread)
    return device_of(law_of("exponential", **spreads), reset)


def test_the_seeds_draw_a_population_with_the_spread_of_the_law() -> None:
    """3,000 seeds; standard deviations within 5/sqrt(2n) = 6.5 %, correlations within 0.09."""
    device = spread_device()
    assert device.reset is not None
    drawn = [generated_device(device, seed) for seed in range(3000)]
    resets = [d.reset for d in drawn if d.reset is not None]
    columns = np.log(
        [
            [d.set.tau_ref.value for d in drawn],
            [d.set.v0.value for d in drawn],
            [law.tau_ref.value for law in resets],
            [law.v0.value for law in resets],
            [d.conduction.r_lrs.value for d in drawn],
            [d.conduction.r_hrs.value for d in drawn],
        ]
    )
    np.testing.assert_allclose(columns.std(axis=1), [0.5, 0.02, 0.5, 0.02, 0.1, 0.3], rtol=0.065)
    expected = np.eye(6)
    expected[0, 1] = expected[1, 0] = expected[2, 3] = expected[3, 2] = -0.5
    np.testing.assert_allclose(np.corrcoef(columns), expected, atol=0.09)
    scores = (columns[0] - columns[0].mean()) / 0.5
    assert abs(np.mean(scores[1:] * scores[:-1])) < 0.09


def test_ngspice_draws_the_device_of_the_python_twin(simulator: Simulator) -> None:
    """Exposures in both directions and the resistance, about the values the instance is given."""
    device, seed = spread_device(), 424242
    drawn = generated_device(device, seed)
    assert device.reset is not None and drawn.reset is not None
    deck = f"""* drawn by the seed
{library(device)}
va a 0 PULSE(0 3.3 1u 10n 10n 10u 1)
vb b 0 PULSE(0 -1.2 1u 10n 10n 1u 1)
x1 a 0 cbram_auto seed={seed} d2d=1
x2 b 0 cbram_auto seed={seed} d2d=1 state0=1
x3 a 0 cbram_auto seed={seed}
x4 a 0 cbram_auto seed={seed} d2d=1 tau_set={2 * device.set.tau_ref.value:.12g}
.save v(x1.us) v(x2.ur) v(x3.us) v(x4.us) i(va)
.tran 10n 1.3u 0 10n uic
.end
"""
    waves = simulator.run(deck)
    rates = (
        drawn.set.rate(np.array([3.3]))[0],
        drawn.reset.rate(np.array([1.2]))[0],
        device.set.rate(np.array([3.3]))[0],
        drawn.set.rate(np.array([3.3]))[0] / 2,
    )
    # Slopes on the flat parts of the pulses.
    early, late = (np.searchsorted(waves.time, t) for t in (1.02e-6, 1.06e-6))
    for name, rate in zip(("x1.us", "x2.ur", "x3.us", "x4.us"), rates, strict=True):
        values = waves[f"v({name})"]
        slope = (values[late] - values[early]) / (waves.time[late] - waves.time[early])
        assert slope == pytest.approx(rate, rel=1e-6)
    current = 3.3 * (2 / drawn.conduction.r_hrs.value + 1 / device.conduction.r_hrs.value)
    assert -waves["i(va)"][late] == pytest.approx(current, rel=1e-6)
