"""Sense errors: trip resistance, offset by sensitivities, read errors in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from characterization.extract.sng.sense import (
    SenseCharacter,
    input_noise,
    matched_sense,
    read_errors,
    sense_character,
    trip_resistance,
)
from circuits.simulator import Simulator
from circuits.sng.cell import sng_circuit, sng_deck
from circuits.sng.design import SngDesign
from devices.cbram import NEVER
from devices.conduction import Conduction
from devices.parameter import Parameter
from devices.presets import knag2014
from devices.technology import CMOS40LP

DEVICE = knag2014()
DESIGN = SngDesign(write_time=2e-6)


@pytest.fixture(scope="module")
def sense() -> SenseCharacter:
    with Simulator() as simulator:
        return sense_character(simulator, CMOS40LP, DESIGN, DEVICE.conduction)


def test_whole_cycles_flip_at_the_trip_resistance(sense: SenseCharacter) -> None:
    """A device of 0.97 times the trip resistance is read as 1 in a whole cycle, of 1.03 as 0."""
    bits = []
    with Simulator() as simulator:
        for factor in (0.97, 1.03):
            circuit = sng_circuit(
                DEVICE,
                CMOS40LP,
                DESIGN,
                [1.1] * 2,
                [NEVER] * 2,
                [NEVER] * 2,
                1,
                r_lrs=factor * sense.flip_resistance,
            )
            run = simulator.run(sng_deck(circuit, DESIGN, 2, ("v(q)",), 20))
            bits.append(int(np.interp(DESIGN.sample_time(1), run.time, run["v(q)"]) > 0.55))
    assert bits == [1, 0]


def test_sensitivities_predict_the_trip_of_drawn_amplifiers(sense: SenseCharacter) -> None:
    """Monte Carlo: 12 amplifiers with all thresholds drawn, each against its linear prediction.

    The error of the linear prediction is less than a tenth of the spread, and the predictions'
    spread is that of the independent sum.
    """
    random = np.random.default_rng(9)
    sigmas = DESIGN.vt_sigmas(CMOS40LP)
    predicted, found = [], []
    with Simulator() as simulator:
        for _ in range(12):
            shifts = {name: float(sigma * random.normal()) for name, sigma in sigmas.items()}
            predicted.append(sum(d * shifts[name] for name, d in sense.sensitivities.items()))
            near = sense.flip_resistance * np.exp(predicted[-1])
            trip = trip_resistance(simulator, CMOS40LP, DESIGN, shifts, near)
            found.append(float(np.log(trip / sense.flip_resistance)))
    error = np.array(found) - np.array(predicted)
    assert np.sqrt(np.mean(error**2)) < 0.1 * sense.sigma_trip
    # A standard deviation of 12: within a factor of 2 (false alarm below 0.1 %).
    assert 0.5 < np.std(found) / sense.sigma_trip < 2.0


def test_the_comparator_is_balanced_and_the_sink_sets_the_spread(sense: SenseCharacter) -> None:
    d = sense.sensitivities
    for first, second in (("ci1", "ci2"), ("cp1", "cp2"), ("cn1", "cn2")):
        assert d[first] == pytest.approx(-d[second], rel=0.1, abs=0.03)
    # A higher threshold of the sink lets less current through: more resistance is read as 1.
    assert d["sink"] > 5
    sigmas = DESIGN.vt_sigmas(CMOS40LP)
    own = abs(d["sink"] * sigmas["sink"])
    assert 0.9 * sense.sigma_trip < own < sense.sigma_trip
    # The offset of an input pair is at least that of its own two thresholds.
    pair = np.hypot(sigmas["ci1"], sigmas["ci2"])
    assert pair < sense.sigma_offset < 2 * pair


def test_noise_is_a_millivolt_and_grows_with_temperature(sense: SenseCharacter) -> None:
    with Simulator() as simulator:
        hot = input_noise(simulator, CMOS40LP.at(temperature=400.0), DESIGN)
    assert 0.5e-3 < sense.noise < 5e-3
    assert hot / sense.noise == pytest.approx(np.sqrt(400 / 300), rel=0.05)
    assert sense.sigma_noise < 0.1 * sense.sigma_trip


def test_errors_of_the_default_cell_are_those_of_its_margins(sense: SenseCharacter) -> None:
    conduction = DEVICE.conduction
    total = np.hypot(np.hypot(sense.sigma_trip, sense.sigma_noise), 0.3)
    margin = np.log(conduction.r_hrs.value / sense.flip_resistance)
    assert sense.e01 == pytest.approx(norm.cdf(-margin / total), rel=1e-9)
    assert sense.e10 < 1e-20
    assert conduction.r_lrs.value * 3 < sense.flip_resistance < conduction.r_hrs.value / 3


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_read_errors_are_those_of_drawn_devices_and_bits(share: float) -> None:
    """400,000 device-amplifier pairs, their own error rate exact; all within 5 standard errors."""
    margin, sigma_r, sigma_trip, sigma_noise = 0.35, 0.3, 0.15, 0.1
    found = read_errors(margin, sigma_r, sigma_trip, sigma_noise, share)
    random = np.random.default_rng(10)
    count = 400_000
    frozen = random.normal(size=count) * np.hypot(sigma_trip, sigma_r * np.sqrt(share))
    per_bit = np.hypot(sigma_noise, sigma_r * np.sqrt(1 - share))
    own = norm.cdf(-(margin + frozen) / per_bit)
    stuck = own > 0.5
    for value, drawn in ((found.mean, own), (found.stuck, stuck), (found.noisy, own[~stuck])):
        assert value == pytest.approx(drawn.mean(), abs=5 * drawn.std() / np.sqrt(drawn.size))
    total = np.sqrt(sigma_r**2 + sigma_trip**2 + sigma_noise**2)
    assert found.mean == pytest.approx(norm.cdf(-margin / total), rel=1e-12)


def test_without_noise_every_error_is_stuck_and_without_spread_every_one_is_noise() -> None:
    frozen = read_errors(0.5, 0.2, 0.3, 0.0)
    assert frozen.stuck == pytest.approx(frozen.mean, rel=1e-9)
    assert frozen.noisy < 1e-9
    noisy = read_errors(0.5, 0.0, 0.0, 0.3)
    assert noisy.stuck == 0.0
    assert noisy.noisy == pytest.approx(noisy.mean, rel=1e-6)


def test_sink_is_matched_to_a_device_of_other_resistances() -> None:
    """LRS 5 kohm, HRS 80 kohm: the trip comes to lie at the geometric mean, 20 kohm."""
    conduction: Conduction = replace(
        DEVICE.conduction,
        r_lrs=Parameter(5e3, "ohm", "assumed"),
        r_hrs=Parameter(80e3, "ohm", "assumed"),
    )
    with Simulator() as simulator:
        matched = matched_sense(simulator, CMOS40LP, DESIGN, conduction)
        assert trip_resistance(simulator, CMOS40LP, matched) == pytest.approx(20e3, rel=0.03)
    assert matched.sink_width > 10 * DESIGN.sink_width


def test_a_sense_stage_that_always_reads_1_says_so_by_the_end_of_the_range() -> None:
    """Without a sink nothing is read as 0."""
    with Simulator() as simulator:
        trip = trip_resistance(simulator, CMOS40LP, replace(DESIGN, sense_bias=0.0))
    assert trip > 5e9
