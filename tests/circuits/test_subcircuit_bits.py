"""Same thresholds, same bits: numpy, ngspice and, where it is installed, VACASK.

The full comparison of 104,000 cycles is benchmarks/bits.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from circuits import vacask
from circuits.direct_drive import (
    Runner,
    Thresholds,
    in_ngspice,
    in_numpy,
    in_vacask,
    mismatches,
    ngspice_deck,
)
from circuits.drives import Drive, Trapezoid, cycle, matched, pulse, reference_cases
from circuits.simulator import EngineMissing, Simulator
from devices.accelerations import ACCELERATIONS
from devices.cbram import CBRAM
from devices.families import FAMILIES
from devices.parameter import Parameter
from devices.presets import knag2014

SIMULATORS = ("numpy", "ngspice", "vacask")
CASES = {drive.name: (device, drive) for device, drive in reference_cases()}


@pytest.fixture(scope="module")
def ngspice() -> Iterator[Simulator]:
    with Simulator() as engine:
        yield engine


def runner(name: str, ngspice: Simulator) -> Runner:
    """A simulator by name; skips the test where VACASK is absent."""
    if name == "vacask":
        try:
            vacask.executables()
        except EngineMissing as missing:
            pytest.skip(str(missing))
        return in_vacask
    return in_numpy if name == "numpy" else in_ngspice(ngspice)


@pytest.mark.parametrize("simulator", SIMULATORS[1:])
@pytest.mark.parametrize(
    ("case", "cycles"), [("pulses", 40), ("split pulses", 40), ("ramps", 25), ("triangles", 10)]
)
def test_a_simulator_differs_from_numpy_only_within_1e_3_of_a_threshold(
    case: str, cycles: int, simulator: str, ngspice: Simulator
) -> None:
    device, drive = CASES[case]
    thresholds = Thresholds.drawn(device, drive, 4, cycles, 1)
    expected = in_numpy(device, drive, thresholds)
    found = runner(simulator, ngspice)(device, drive, thresholds)
    differing, _ = mismatches(device, drive, thresholds, found, expected)
    assert all(mismatch.distance < 1e-3 for mismatch in differing)
    assert 0.35 < expected[..., -1].mean() < 0.85


def test_mismatches_are_found_and_inherited_ones_told_apart() -> None:
    device, drive = CASES["triangles"]
    thresholds = Thresholds.drawn(device, drive, 2, 3, 1)
    states = in_numpy(device, drive, thresholds)
    wrong = states.copy()
    wrong[1, 1, 1] ^= 1  # a SET decided otherwise
    wrong[1, 2, 0] ^= 1  # and the RESET after it
    found, inherited = mismatches(device, drive, thresholds, wrong, states)
    exposure = drive.exposures(device)[0][0]
    assert [(m.device, m.cycle, m.read) for m in found] == [(1, 1, 1)]
    assert found[0].distance == pytest.approx(abs(exposure / thresholds.set[1, 1, 0] - 1))
    assert inherited == 1


# --- a Weibull device, k = 0.5, P = 0.5 over one pulse ----------------------------------------


def halves(renewed: bool) -> tuple[CBRAM, Drive]:
    """Two halves of a pulse; between them rest, or an opposite excursion of 0.2 V.

    The RESET pulse is ideal and takes 2 us in all, which the excursion does not reach.
    """
    device = knag2014()
    law = replace(device.set, family=FAMILIES["weibull"], shape=Parameter(0.5, "1", "assumed"))
    device = replace(device, set=law, ideal_reset_time=replace(device.ideal_reset_time, value=2e-6))
    whole = cycle("whole", [pulse(-1.5, 4e-6), pulse(3.3, 40e-6)], 5e-6)
    device = matched(device, whole)
    drive = cycle("halves", [pulse(-1.5, 4e-6), pulse(3.3, 20e-6), pulse(3.3, 20e-6)], 5e-6)
    if not renewed:
        return device, drive
    first = drive.trapezoids[1].corners[3]
    between = Trapezoid(first + 0.2e-6, 1e-8, 1e-6, 1e-8, -0.2)
    return device, replace(
        drive,
        trapezoids=(*drive.trapezoids, between),
        set_changes=(*drive.set_changes, float(np.mean(between.corners))),
    )


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize(("renewed", "expected"), [(False, 0.5), (True, 0.625)])
def test_splitting_keeps_the_probability_and_renewal_changes_it(
    renewed: bool, expected: float, simulator: str, ngspice: Simulator
) -> None:
    """Weibull k = 0.5: P = 1/2 in two halves, 1 - 2^-sqrt(2) = 0.625 with renewed halves.

    Thresholds at 128 evenly spread quantiles, those of the second half in van der Corput's order:
    so the share is P to within about 1/128, without chance.
    """
    device, drive = halves(renewed)
    n, slots = 128, len(drive.set_changes)
    reversed_bits = np.array([int(f"{i:07b}"[::-1], 2) for i in range(n)])
    ranks = np.stack([np.arange(n), reversed_bits], axis=-1)[:, :slots]
    quantiles = device.set.family.quantile((ranks + 0.5) / n, 0.5)
    thresholds = Thresholds(quantiles.reshape(4, n // 4, slots), np.ones((4, n // 4)))
    states = runner(simulator, ngspice)(device, drive, thresholds)
    assert np.all(states[..., 0] == 0)  # each RESET succeeds
    assert 1 - 2 ** -np.sqrt(2) == pytest.approx(0.625, abs=1e-3)
    assert states[..., -1].mean() == pytest.approx(expected, abs=0.012)


@pytest.mark.parametrize("simulator", SIMULATORS[1:])
@pytest.mark.parametrize("acceleration", sorted(ACCELERATIONS))
def test_every_acceleration_says_the_same_in_each_simulator(
    acceleration: str, simulator: str, ngspice: Simulator
) -> None:
    device = knag2014()
    device = replace(device, set=replace(device.set, acceleration=ACCELERATIONS[acceleration]))
    drive = cycle("pulses", [pulse(-1.5, 1e-6), pulse(3.0, 5e-6), pulse(3.4, 5e-6)], 1e-6)
    device = matched(device, drive)
    exposure = drive.exposures(device)[0][0]
    # Thresholds on both sides of the exposure: a sharper question than drawn ones.
    near = exposure * np.array([0.5, 0.998, 1.002, 2.0])
    thresholds = Thresholds(near.reshape(1, 4, 1), np.ones((1, 4)))
    states = runner(simulator, ngspice)(device, drive, thresholds)
    assert states[0, :, -1].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("simulator", SIMULATORS[1:])
def test_temperature_reaches_the_simulators(simulator: str, ngspice: Simulator) -> None:
    """At 330 K, given per instance by the law's new default: exposure as in Python."""
    device = knag2014()
    warm = replace(device.set, activation=Parameter(0.5, "eV", "assumed"))
    drive = cycle("pulses", [pulse(-1.5, 1e-6), pulse(3.3, 10e-6)], 1e-6)
    device = matched(replace(device, set=warm), drive)
    voltage = np.array([3.3])
    ratio = float((warm.rate(voltage, 330.0) / warm.rate(voltage))[0])
    assert abs(np.log(ratio)) > 0.1
    exposure = drive.exposures(device)[0][0] * ratio
    near = exposure * np.array([0.9, 1.1])
    thresholds = Thresholds(near.reshape(1, 2, 1), np.ones((1, 2)))
    if simulator == "ngspice":
        deck = ngspice_deck(device, drive, thresholds).replace(
            "x0 d0 0 ys0 yr0 cbram", "x0 d0 0 ys0 yr0 cbram t_kelvin=330"
        )
        waves = ngspice.run(deck)
        state = waves["v(x0.s)"]
    else:
        runner("vacask", ngspice)
        from circuits.direct_drive import vacask_netlist
        from devices.veriloga import veriloga

        netlist = vacask_netlist(device, drive, thresholds).replace(
            ") cbram", ") cbram t_kelvin=330"
        )
        waves = vacask.run(netlist, {"cbram": veriloga(device)})
        state = waves["s0"]
    times = np.arange(2) * drive.period + drive.reads[-1]
    index = np.searchsorted(waves.time, times)
    assert (state[index] > 0.5).tolist() == [True, False]


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_each_law_is_at_its_own_reference_temperature_unless_told(
    simulator: str, ngspice: Simulator
) -> None:
    """SET fitted at 300 K, RESET at 340 K, 0.8 eV each: mistaken for each other, 38-fold."""
    law = replace(knag2014().set, activation=Parameter(0.8, "eV", "assumed"))
    reset = replace(law.with_values(1e-6, 0.1), reference_voltage=1.2, reference_temperature=340.0)
    drive = cycle("pulses", [pulse(-1.25, 5e-6), pulse(3.3, 10e-6)], 0.5e-6)
    device = matched(replace(knag2014(), set=law, reset=reset), drive)
    set_exposure, reset_exposure = (float(gained[0]) for gained in drive.exposures(device))
    # The device is set in the first cycle; then RESET and SET thresholds near what is gained.
    thresholds = Thresholds(
        set_exposure * np.array([0.5, 0.98, 1.02, 0.98]).reshape(1, 4, 1),
        reset_exposure * np.array([[0.5, 0.98, 0.98, 1.02]]),
    )
    states = runner(simulator, ngspice)(device, drive, thresholds)
    assert states[0].tolist() == [[0, 1], [0, 1], [0, 0], [0, 1]]
    # One cycle more: the last RESET threshold counts only for a device in LRS.
    thresholds = Thresholds(
        set_exposure * np.full((1, 2, 1), 0.98), reset_exposure * np.array([[0.98, 1.02]])
    )
    states = runner(simulator, ngspice)(device, drive, thresholds)
    assert states[0].tolist() == [[0, 1], [1, 1]]
