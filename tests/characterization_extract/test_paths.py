"""Energies by path: means over the chain of stored states and over the time of switching."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from characterization.extract.conditions import Conditions
from characterization.extract.sng.paths import (
    FRACTIONS,
    PathEnergies,
    by_outcome,
    switched_mean,
)
from characterization.extract.sng.reset import lag_one, stored_probability
from characterization.extract.sng.stored import cycle_energies
from devices.families import FAMILIES
from devices.law import SwitchingLaw
from devices.parameter import Parameter
from devices.presets import knag2014

LAW = knag2014().set
SET_EXPOSURE, RESET_EXPOSURE = 0.9, 1.7


def weibull(shape: float) -> SwitchingLaw:
    return replace(LAW, family=FAMILIES["weibull"], shape=Parameter(shape, "1", "assumed"))


def course(fraction: np.ndarray, start: float, slope: float) -> np.ndarray:
    return start + slope * fraction + 0.1 * fraction**2


def paths(reset_law: SwitchingLaw) -> PathEnergies:
    """Made-up energies, quadratic in the switched fraction."""
    of_reset, of_write = course(FRACTIONS, 2.0, 3.0), course(FRACTIONS, 40.0, -30.0)
    return PathEnergies(
        reset_hrs=np.array([0.3]),
        reset_failed=np.array([9.0]),
        reset_switched=of_reset[None],
        write_held=np.array([5.0]),
        write_lrs=np.array([50.0]),
        write_switched=of_write[None],
        read=np.array([[0.1, 0.7]]),
        mean_reset_switched=switched_mean(
            reset_law, np.array([RESET_EXPOSURE]), FRACTIONS, of_reset[None]
        ),
        mean_write_switched=switched_mean(LAW, np.array([SET_EXPOSURE]), FRACTIONS, of_write[None]),
        error_reset=np.zeros(1),
        error_write=np.zeros(1),
    )


def dataset(p: PathEnergies) -> xr.Dataset:
    """The same as a group of cells.nc over two write voltages."""
    twice = {
        name: (("write_voltage",), np.repeat(getattr(p, key), 2))
        for name, key in (
            ("reset_energy_hrs", "reset_hrs"),
            ("reset_energy_failed", "reset_failed"),
            ("write_energy_held", "write_held"),
            ("write_energy_lrs", "write_lrs"),
        )
    }
    for name, values, more in (
        ("reset_energy_switched", p.reset_switched, "switch_fraction"),
        ("write_energy_switched", p.write_switched, "switch_fraction"),
        ("read_energy", p.read, "stored"),
    ):
        twice[name] = (("write_voltage", more), np.repeat(values, 2, axis=0))
    return xr.Dataset(twice, {"write_voltage": [1.0, 2.0], "switch_fraction": FRACTIONS})


def test_mean_energies_by_bit_are_those_of_a_simulated_chain() -> None:
    """400,000 cycles with failing RESETs, cycle by cycle; within 5 standard errors."""
    cycles, random = 400_000, np.random.default_rng(3)
    reset_law = weibull(2.0)
    y_set = LAW.sample_thresholds(random, cycles) / SET_EXPOSURE
    y_reset = reset_law.sample_thresholds(random, cycles) / RESET_EXPOSURE
    state, started = 0, np.empty(cycles, int)
    for k in range(cycles):
        started[k] = state
        if state == 1 and y_reset[k] < 1:
            state = 0
        if state == 0 and y_set[k] < 1:
            state = 1
    energy = cycle_energies(dataset(paths(reset_law)), 1.5, started, y_reset, y_set)
    ps = np.array([float(LAW.probability_of_exposure(np.array(SET_EXPOSURE)))])
    pr = float(reset_law.probability_of_exposure(np.array(RESET_EXPOSURE)))
    assert 0.8 < pr < 0.97
    pi = stored_probability(ps, pr)
    table = by_outcome(paths(reset_law), ps, pr)[0]
    expected = (1 - pi) * table[:, 0] + pi * table[:, 1]
    # Means of blocks are independent enough whatever the correlation from cycle to cycle.
    blocks = energy.reshape(400, -1, 3).mean(axis=1)
    error = blocks.std(axis=0) / np.sqrt(len(blocks))
    assert np.all(np.abs(energy.mean(axis=0) - expected) < 5 * error)
    ones = np.append(started[1:], state)
    assert ones.mean() == pytest.approx(float(pi[0]), abs=5e-3)
    found = np.corrcoef(ones[1:], ones[:-1])[0, 1]
    assert found == pytest.approx(float(lag_one(ps, pr)[0]), abs=5 / np.sqrt(cycles))


@pytest.mark.parametrize("shape", [0.5, 1.0, 3.0])
def test_the_mean_over_the_time_of_switching_is_that_of_drawn_thresholds(shape: float) -> None:
    law, exposure = weibull(shape), 0.7
    drawn = law.sample_thresholds(np.random.default_rng(1), 400_000) / exposure
    energies = course(drawn[drawn < 1], 40.0, -30.0)
    mean = switched_mean(law, np.array([exposure]), FRACTIONS, course(FRACTIONS, 40.0, -30.0)[None])
    error = energies.std() / np.sqrt(energies.size)
    assert mean[0] == pytest.approx(energies.mean(), abs=5 * error)


def test_conditions_put_each_value_where_the_coordinates_say() -> None:
    conditions = Conditions((1e-4, 1e-5), (250.0, 310.0, 360.0), ("ss", "tt"))
    named = [f"{width:g} {kelvin:g} {corner}" for width, kelvin, corner in conditions]
    stacked = conditions.stack([np.array([k, k]) for k in range(len(named))])
    assert stacked.shape == (2, 3, 2, 2)
    for w, width in enumerate(conditions.widths):
        for t, kelvin in enumerate(conditions.temperatures):
            for c, corner in enumerate(conditions.corners):
                place = int(stacked[w, t, c, 0])
                assert named[place] == f"{width:g} {kelvin:g} {corner}"
    assert named[conditions.nominal] == "0.0001 310 tt"
    assert conditions.environments[conditions.nominal_environment] == (310.0, "tt")
