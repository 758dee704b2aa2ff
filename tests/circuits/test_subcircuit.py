"""One physics: the ngspice subcircuit does what the Python device does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuits.simulator import Simulator, Waveforms
from circuits.sources import pwl
from devices.cbram import CBRAM
from devices.families import FAMILIES
from devices.parameter import Parameter
from devices.presets import knag2014
from devices.subcircuit import subcircuit

EDGE = 1e-8


def pulse_train(levels: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Waveform of (voltage, duration) pieces with 10-ns edges."""
    time, voltage = [0.0], [0.0]
    for level, duration in levels:
        time += [time[-1] + EDGE, time[-1] + EDGE + duration]
        voltage += [level, level]
    return np.array(time), np.array(voltage)


def simulated(
    device: CBRAM, time: np.ndarray, voltage: np.ndarray, threshold: float, step: float
) -> Waveforms:
    source = pwl(list(zip(time.tolist(), voltage.tolist(), strict=True)))
    deck = (
        f"* pulses\n{subcircuit(device)}\nvin te 0 {source}\nvy ys 0 {threshold:.12g}\n"
        f"vr yr 0 1\nxdev te 0 ys yr cbram\n.options method=gear\n"
        f".save v(xdev.s) v(xdev.us) i(vin)\n.tran {step:g} {time[-1]:.12g} 0 {step:g} uic\n.end\n"
    )
    with Simulator() as simulator:
        return simulator.run(deck)


@pytest.mark.parametrize("step", [2e-6, 1e-6, 5e-7])
def test_exposure_in_ngspice_is_the_integral_at_any_step(step: float) -> None:
    device = knag2014()
    time, voltage = pulse_train([(3.2, 1e-4), (0.0, 1e-5), (3.3, 5e-5), (-0.05, 1e-5)])
    waveforms = simulated(device, time, voltage, 1e9, step)
    from devices.cbram import refine

    expected = device.exposures(*refine(time, voltage))[0].sum()
    assert waveforms["v(xdev.us)"][-1] == pytest.approx(expected, rel=2e-4)


def test_opposite_polarity_clears_the_exposure() -> None:
    device = knag2014()
    time, voltage = pulse_train([(3.2, 1e-4), (-0.2, 1e-6), (0.0, 1e-6)])
    assert simulated(device, time, voltage, 1e9, 1e-6)["v(xdev.us)"][-1] < 1e-6


def test_states_and_times_agree_with_python_for_pulses_split_pulses_and_ramps() -> None:
    device = knag2014()
    stretched = replace(
        device,
        set=replace(device.set, family=FAMILIES["weibull"], shape=Parameter(0.5, "1", "assumed")),
    )
    waves = [
        pulse_train([(3.3, 2e-4)]),
        pulse_train([(3.3, 1e-4), (0.0, 1e-5), (3.3, 1e-4)]),
        pulse_train([(3.3, 1e-4), (-1.0, 1e-6), (3.3, 1e-4)]),
        (np.array([0.0, 1e-3, 2e-3]), np.array([0.0, 3.3, 0.0])),
    ]
    random = np.random.default_rng(5)
    for chosen in (device, stretched):
        for time, voltage in waves:
            thresholds = chosen.set.sample_thresholds(random, 3)
            # One threshold for the whole run in ngspice: the same for each renewal in Python.
            trace = chosen.simulate(time, voltage, np.full(4, thresholds[0]), np.ones(4))
            waveforms = simulated(chosen, time, voltage, float(thresholds[0]), 1e-6)
            state = waveforms["v(xdev.s)"]
            assert (state[-1] > 0.5) == (trace.state == 1)
            if trace.switch_times.size:
                first = waveforms.time[np.argmax(state > 0.5)]
                # Within 0.5 % of the pulse at a 1-us step: ngspice may latch a step early.
                assert first == pytest.approx(trace.switch_times[0], abs=1e-6)


def test_reset_takes_its_time_at_a_coarse_step() -> None:
    """The ideal RESET of 100 ns, found with a largest step of 1 us."""
    device = knag2014()
    time, voltage = pulse_train([(3.3, 1e-4), (0.0, 1e-6), (-1.5, 1e-6)])
    waveforms = simulated(device, time, voltage, 0.3, 1e-6)
    state = waveforms["v(xdev.s)"] > 0.5
    left = waveforms.time[1:][~state[1:] & state[:-1]]
    trace = device.simulate(time, voltage, np.full(3, 0.3), np.ones(3))
    assert trace.switch_states.tolist() == [1, 0]
    assert left == pytest.approx([trace.switch_times[1]], abs=5e-9)


def test_resistance_follows_the_state() -> None:
    device = knag2014()
    time, voltage = pulse_train([(3.6, 2e-4)])
    waveforms = simulated(device, time, voltage, 0.5, 1e-6)
    current = -waveforms["i(vin)"]
    assert current[-1] == pytest.approx(3.6 / device.conduction.r_lrs.value, rel=1e-3)
    early = np.interp(2e-6, waveforms.time, current)
    assert early == pytest.approx(3.6 / device.conduction.r_hrs.value, rel=1e-3)
