"""Cells batched into one netlist switch as each would alone, and as Python says they must."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from circuits.array import ArrayCell, array_deck, outcomes, write_cells
from circuits.simulator import Simulator
from devices.families import FAMILIES
from devices.parameter import Parameter
from devices.presets import knag2014
from devices.subcircuit import subcircuit
from formats.seeds import generator

DEVICE, CELL = knag2014(), ArrayCell()


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(cache="off") as simulator:
        yield simulator


def thresholds(count: int) -> np.ndarray:
    return DEVICE.set.sample_thresholds(generator(0, "test", "array"), count)


def cell_voltage(r_hrs: float) -> float:
    """V across the device in HRS, from the level-1 equations solved here once more."""

    def excess(vds: float) -> float:
        beta = CELL.kp * CELL.gate_width / CELL.gate_length
        gate = CELL.gate_voltage - CELL.vto
        current = beta * (gate * vds - vds**2 / 2) * (1 + CELL.channel_modulation * vds)
        return current - (CELL.write_voltage - vds) / r_hrs

    return CELL.write_voltage - float(brentq(excess, 0.0, 1.0))


def test_a_batch_switches_as_python_says(simulator: Simulator) -> None:
    """Same cells, times within 0.02 % of the pulse."""
    drawn = thresholds(60)
    found = write_cells(simulator, DEVICE, CELL, drawn)
    voltage = cell_voltage(DEVICE.conduction.r_hrs.value)
    time = np.cumsum([0.0, CELL.edge, CELL.pulse_width, CELL.edge])
    for index, threshold in enumerate(drawn):
        trace = DEVICE.simulate(
            time, np.array([0.0, voltage, voltage, 0.0]), np.array([threshold]), np.ones(1)
        )
        assert found.switched[index] == (trace.state == 1)
        if trace.state:
            assert found.times[index] == pytest.approx(
                trace.switch_times[0], abs=2e-4 * CELL.pulse_width
            )
    assert 10 < found.switched.sum() < 50
    assert np.array_equal(np.isnan(found.times), ~found.switched)


def test_the_outcome_depends_on_neither_batch_nor_jobs_nor_step(simulator: Simulator) -> None:
    drawn = thresholds(24)
    reference = write_cells(simulator, DEVICE, CELL, drawn)
    with Simulator(2, cache="off") as two:
        same = write_cells(two, DEVICE, CELL, drawn)
    assert np.array_equal(same.times, reference.times, equal_nan=True)
    others = [
        write_cells(simulator, DEVICE, CELL, drawn, cells_per_netlist=5),
        *(
            outcomes(simulator.run(array_deck(DEVICE, CELL, drawn, largest_step=step)), CELL, drawn)
            for step in (20e-9, 2e-6)
        ),
    ]
    for other in others:
        assert np.array_equal(other.switched, reference.switched)
        assert other.times[other.switched] == pytest.approx(
            reference.times[reference.switched], abs=1e-9
        )


def test_the_switching_states_of_the_full_subcircuit_agree(simulator: Simulator) -> None:
    """Read off the state at a small step with the error control on, as a user would."""
    drawn = thresholds(12)
    deck = array_deck(DEVICE, CELL, drawn, largest_step=10e-9).replace(".options trtol=1000\n", "")
    deck = deck.replace(subcircuit(DEVICE, near=False), subcircuit(DEVICE))
    assert "bnear" in deck
    waveforms = simulator.run(deck)
    found = write_cells(simulator, DEVICE, CELL, drawn)
    for index in range(12):
        state = waveforms[f"v(x{index}.s)"] > 0.5
        assert state.any() == found.switched[index]
        if state.any():
            assert waveforms.time[state.argmax()] - CELL.delay == pytest.approx(
                found.times[index], abs=11e-9
            )


def test_cells_have_their_own_parameters(simulator: Simulator) -> None:
    """Half the time constant, half the time; and a lower HRS loses voltage to the transistor."""
    tau = DEVICE.set.tau_ref.value
    drawn = np.full(3, 0.2)
    own = {"tau_set": np.array([tau, tau / 2, tau]), "r_hrs": np.array([1e7, 1e7, 1e5])}
    times = write_cells(simulator, DEVICE, CELL, drawn, own).times
    gained = CELL.edge * 0.04  # exposure of the rising edge: V0/V of it, in time
    assert (times[1] - CELL.edge + gained) * 2 == pytest.approx(
        times[0] - CELL.edge + gained, rel=1e-3
    )
    slower = np.exp((cell_voltage(1e7) - cell_voltage(1e5)) / DEVICE.set.v0.value)
    assert (times[2] - CELL.edge) / (times[0] - CELL.edge) == pytest.approx(slower, rel=2e-3)
    assert slower > 1.05


def test_the_share_of_switched_cells_is_the_law_s(simulator: Simulator) -> None:
    """A Weibull device, 800 cells; 4.9 standard deviations, false alarm 1e-6."""
    device = replace(
        DEVICE,
        set=replace(DEVICE.set, family=FAMILIES["weibull"], shape=Parameter(0.7, "1", "assumed")),
    )
    drawn = device.set.sample_thresholds(generator(1, "test", "array"), 800)
    found = write_cells(simulator, device, CELL, drawn, cells_per_netlist=100)
    exposure = CELL.pulse_width * device.set.rate(np.array([cell_voltage(1e7)]))
    p = float(device.set.probability_of_exposure(exposure)[0])
    assert abs(found.switched.mean() - p) < 4.9 * np.sqrt(p * (1 - p) / 800)
