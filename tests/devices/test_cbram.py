"""The stateful device: renewal rules of the design, against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from devices.cbram import CBRAM, refine
from devices.families import FAMILIES
from devices.parameter import Parameter
from devices.presets import knag2014

EDGE = 1e-12


def stretched(shape: float) -> CBRAM:
    """The published device with a Weibull shape."""
    device = knag2014()
    law = replace(device.set, family=FAMILIES["weibull"], shape=Parameter(shape, "1", "assumed"))
    return replace(device, set=law)


def pulses(levels: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Waveform of (voltage, duration) pieces with near-vertical edges."""
    time, voltage = [0.0], [0.0]
    for level, duration in levels:
        time += [time[-1] + EDGE, time[-1] + EDGE + duration]
        voltage += [level, level]
    return np.array([*time, time[-1] + EDGE]), np.array([*voltage, 0.0])


def switched_fraction(device: CBRAM, levels: list[tuple[float, float]], seed: int) -> float:
    time, voltage = pulses(levels)
    random, count = np.random.default_rng(seed), 4000
    thresholds = device.set.sample_thresholds(random, (count, 4))
    states = [device.simulate(time, voltage, row, np.ones(4)).state for row in thresholds]
    return float(np.mean(states))


def test_splitting_a_pulse_keeps_the_probability_and_renewal_changes_it() -> None:
    """Weibull k = 0.5 with P = 0.5 over one pulse: 0.5 split in two, 0.625 with renewed halves.

    4,000 devices each: five standard errors are 0.04, the false-alarm rate 6e-7.
    """
    device = stretched(0.5)
    v = 3.4
    width = float(device.set.family.quantile(np.array(0.5), 0.5) / device.set.rate(np.array(v)))
    whole = [(v, width)]
    split = [(v, width / 2), (0.0, 1e-6), (v, width / 2)]
    renewed = [(v, width / 2), (-0.11, 1e-9), (v, width / 2)]
    assert switched_fraction(device, whole, 1) == pytest.approx(0.5, abs=0.04)
    assert switched_fraction(device, split, 1) == switched_fraction(device, whole, 1)
    # Two independent halves: 1 - (1 - P(w/2))^2 with P(w/2) = 1 - 2^(-sqrt(1/2)).
    half = 1 - 2 ** (-np.sqrt(0.5))
    assert 1 - (1 - half) ** 2 == pytest.approx(0.625, abs=1e-3)
    assert switched_fraction(device, renewed, 1) == pytest.approx(0.625, abs=0.04)


def test_small_opposite_excursions_do_not_renew() -> None:
    device, v = knag2014(), 3.4
    tau = 1 / device.set.rate(np.array(v))
    time, voltage = pulses([(v, 0.6 * tau), (-0.09, 1e-6), (v, 0.6 * tau)])
    assert device.simulate(time, voltage, np.array([1.0, 9.0]), np.ones(2)).state == 1
    time, voltage = pulses([(v, 0.6 * tau), (-0.11, 1e-6), (v, 0.6 * tau)])
    assert device.simulate(time, voltage, np.array([1.0, 9.0]), np.ones(2)).state == 0


def test_ramp_exposure_is_the_closed_form() -> None:
    """u = V0/(r tau0) (exp(V/V0) - exp(V_start/V0)) for a ramp of rate r."""
    device = knag2014()
    rate, start, stop = 1e3, 0.5, 3.3
    time, voltage = refine(np.array([0.0, (stop - start) / rate]), np.array([start, stop]))
    gained = device.exposures(time, voltage)[0].sum()
    v0 = device.set.v0.value
    expected = v0 / (rate * device.set.tau0) * (np.exp(stop / v0) - np.exp(start / v0))
    assert gained == pytest.approx(expected, rel=1e-9)


def test_exposure_does_not_depend_on_the_time_step() -> None:
    device = knag2014()
    coarse = np.linspace(0.0, 3e-3, 4)
    fine = np.linspace(0.0, 3e-3, 1000)
    shape = np.array([0.0, 3.2, 3.2, 0.0])
    one = device.exposures(*refine(coarse, shape))[0].sum()
    two = device.exposures(*refine(fine, np.interp(fine, coarse, shape)))[0].sum()
    assert one == pytest.approx(two, rel=1e-6)


def test_switching_time_is_where_the_threshold_is_met() -> None:
    device, v = knag2014(), 3.2
    tau = float(1 / device.set.rate(np.array(v)))
    time, voltage = pulses([(v, 3 * tau)])
    trace = device.simulate(time, voltage, np.array([1.7, 9.0]), np.ones(2))
    assert trace.switch_times == pytest.approx([1.7 * tau], rel=1e-6)


def test_ideal_reset_takes_its_time_and_starts_a_new_threshold() -> None:
    device, v = knag2014(), 3.4
    tau = float(1 / device.set.rate(np.array(v)))
    short = [(v, 2 * tau), (-1.5, 0.9e-7), (v, tau)]
    long = [(v, 2 * tau), (-1.5, 1.1e-7), (v, tau)]
    for levels, expected in ((short, 1), (long, 0)):
        trace = device.simulate(*pulses(levels), np.array([1.0, 5.0]), np.ones(3))
        assert trace.state == expected


def test_running_out_of_thresholds_is_an_error() -> None:
    device = knag2014()
    with pytest.raises(ValueError, match="SET thresholds ran out"):
        device.simulate(*pulses([(3.4, 1e-3)]), np.array([]), np.ones(2))


def test_waveforms_must_move_forward_in_time() -> None:
    with pytest.raises(ValueError, match="increase"):
        refine(np.array([0.0, 0.0]), np.array([0.0, 1.0]))


def test_feed_through_does_not_use_up_a_threshold() -> None:
    """Millivolts of the other polarity after each pulse count as no trial of RESET."""
    device, v = knag2014(), 3.4
    tau = float(1 / device.set.rate(np.array(v)))
    law = device.set.with_values(1e-7, 0.15)
    resetting = replace(device, reset=replace(law, reference_voltage=1.2))
    cycle = [(-1.5, 1e-9), (v, 3 * tau), (-0.006, 1e-6), (1.0, 1e-6)]
    trace = resetting.simulate(*pulses(cycle * 5), np.full(9, 0.5), np.full(20, 1e9))
    assert trace.state == 1
    assert trace.used_reset == 4  # one a cycle, from the second on
