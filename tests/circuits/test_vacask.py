"""VACASK as a process: the Verilog-A module compiles, runs, and keeps the device's rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from circuits import vacask
from circuits.simulator import EngineMissing, SimulationError, Waveforms
from devices.accelerations import ACCELERATIONS
from devices.cbram import CBRAM, refine
from devices.families import FAMILIES
from devices.parameter import Parameter
from devices.presets import knag2014
from devices.veriloga import veriloga

EDGE = 1e-8


@pytest.fixture(autouse=True)
def _installed() -> None:
    try:
        vacask.executables()
    except EngineMissing as missing:
        pytest.skip(str(missing))


def pulse_train(levels: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Waveform of (voltage, duration) pieces with 10-ns edges."""
    time, voltage = [0.0], [0.0]
    for level, duration in levels:
        time += [time[-1] + EDGE, time[-1] + EDGE + duration]
        voltage += [level, level]
    return np.array(time), np.array(voltage)


def run(
    device: CBRAM,
    time: np.ndarray,
    voltage: np.ndarray,
    thresholds: tuple[float, float] = (1e9, 1.0),
    step: float = 1e-6,
    instance: str = "",
) -> Waveforms:
    """One device across a piecewise linear source, thresholds constant."""
    points = list(zip(time.tolist(), voltage.tolist(), strict=True))
    netlist = f"""one device
load "cbram.osdi"
model vsource vsource
model cbram cbram
vin (te 0) vsource {vacask.pwl(points)}
vs (ys 0) vsource dc={thresholds[0]:.12g}
vr (yr 0) vsource dc={thresholds[1]:.12g}
x1 (te 0 ys yr s) cbram {instance}
control
options nr_conviter=2
analysis tran1 tran step={step:g} stop={time[-1]:.12g} maxstep={step:g}
endc
"""
    return vacask.run(netlist, {"cbram": veriloga(device)})


def with_reset() -> CBRAM:
    law = knag2014().set.with_values(1e-6, 0.1)
    reset = replace(
        law,
        reference_voltage=1.2,
        family=FAMILIES["weibull"],
        shape=Parameter(2.0, "1", "assumed"),
    )
    return replace(knag2014(), reset=reset)


@pytest.mark.parametrize("acceleration", sorted(ACCELERATIONS))
@pytest.mark.parametrize("step", [2e-6, 5e-7])
def test_exposure_is_the_integral_at_any_step(acceleration: str, step: float) -> None:
    device = knag2014()
    device = replace(device, set=replace(device.set, acceleration=ACCELERATIONS[acceleration]))
    time, voltage = pulse_train([(3.2, 1e-4), (0.0, 1e-5), (3.3, 5e-5), (-0.05, 1e-5)])
    expected = device.exposures(*refine(time, voltage))[0].sum()
    assert run(device, time, voltage, step=step)["x1:us"][-1] == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize(("fall", "accuracy"), [(1e-8, 3e-4), (1e-4, 1.5e-3)])
def test_exposure_of_a_ramp_with_a_step_of_a_twentieth_of_an_e_fold(
    fall: float, accuracy: float
) -> None:
    """The rule told to users: with the largest step V0/slope/20, 2e-4 on a ramp, 1e-3 at a peak."""
    device = knag2014()
    time, voltage = np.array([0.0, 1e-4, 1e-4 + fall]), np.array([0.0, 3.4, 0.0])
    expected = device.exposures(*refine(time, voltage, largest_step=0.01))[0].sum()
    slope = 3.4 / 1e-4
    found = run(device, time, voltage, step=device.set.v0.value / slope / 20)
    assert found["x1:us"][-1] == pytest.approx(expected, rel=accuracy)


@pytest.mark.parametrize(("level", "cleared"), [(-0.2, True), (-0.09, False)])
def test_opposite_polarity_clears_the_exposure_beyond_a_tenth_of_a_volt(
    level: float, cleared: bool
) -> None:
    time, voltage = pulse_train([(3.2, 1e-4), (level, 1e-6), (0.0, 1e-6)])
    left = run(knag2014(), time, voltage)["x1:us"][-1]
    assert left < 1e-6 if cleared else left > 0.2


def test_switching_times_of_both_directions_are_those_of_python() -> None:
    device, thresholds = with_reset(), (0.4, 0.7)
    time, voltage = pulse_train([(3.3, 1e-4), (0.0, 1e-6), (-1.25, 2e-6), (0.0, 1e-6), (3.3, 1e-4)])
    waves = run(device, time, voltage, thresholds)
    state = waves["s"] > 0.5
    found = waves.time[1:][state[1:] != state[:-1]]
    trace = device.simulate(time, voltage, np.full(3, thresholds[0]), np.full(3, thresholds[1]))
    assert trace.switch_states.tolist() == [1, 0, 1]
    # Within 1e-4 of a threshold (74 us) and the nanoseconds the latch takes.
    assert found == pytest.approx(trace.switch_times, abs=1.5e-8)


def test_parameters_are_those_of_the_instance() -> None:
    time, voltage = pulse_train([(0.5, 1e-6), (0.5, 1e-6)])
    nominal = run(knag2014(), time, voltage)
    assert -nominal["vin:flow(br)"][-1] == pytest.approx(0.5 / 10e6, rel=1e-6)
    other = run(knag2014(), time, voltage, instance="state0=1 r_lrs=2e5")
    assert -other["vin:flow(br)"][-1] == pytest.approx(0.5 / 2e5, rel=1e-6)
    assert other["s"][0] == pytest.approx(1.0)


def test_a_wrong_module_a_wrong_netlist_and_a_long_run_are_errors() -> None:
    with pytest.raises(SimulationError, match="openvaf-r failed"):
        vacask.compiled("module broken(a); endmodule nonsense")
    with pytest.raises(SimulationError, match=r"vacask failed|wrote no"):
        vacask.run("title\nx1 (a 0) nosuchmodel\ncontrol\nanalysis tran1 tran\nendc\n")
    time, voltage = pulse_train([(3.2, 1.0)])
    with pytest.raises(SimulationError, match="longer than"):
        points = list(zip(time.tolist(), voltage.tolist(), strict=True))
        vacask.run(
            f"slow\nmodel vsource vsource\nv (a 0) vsource {vacask.pwl(points)}\ncontrol\n"
            f"analysis {vacask.ANALYSIS} tran step=1n stop=1 maxstep=1n\nendc\n",
            timeout=0.3,
        )


def test_other_raw_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ac.raw"
    path.write_bytes(
        b"Title: x\nFlags: complex\nNo. Variables: 1\nVariables:\n\t0\tf\tHz\nBinary:\n" + bytes(16)
    )
    with pytest.raises(SimulationError, match="complex"):
        vacask.read_raw(path)
    path.write_text("Title: x\n")
    with pytest.raises(SimulationError, match="no binary data"):
        vacask.read_raw(path)
