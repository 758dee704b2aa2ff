"""Cells written by one pulse through one driver: order statistics, Monte Carlo, ngspice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySpice.Spice.Netlist import Circuit
from scipy.stats import binom

from characterization.extract.column.access import access_curves
from characterization.extract.column.group_write import (
    birth_counts,
    forward_counts,
    group_write,
)
from characterization.extract.column.write import group_rates
from circuits.mac.column import column_design, write_voltage
from circuits.simulator import Simulator
from circuits.transistors import add_mosfet
from devices.cbram import NEVER
from devices.families import FAMILIES
from devices.law import SwitchingLaw
from devices.parameter import Parameter
from devices.presets import cbram_low_voltage, knag2014
from devices.subcircuit import subcircuit
from devices.technology import CMOS40LP


def law_of(family: str, shape: float | None, c2c: float = 0.0) -> SwitchingLaw:
    law = knag2014().set
    return replace(
        law,
        family=FAMILIES[family],
        shape=None if shape is None else Parameter(shape, "1", "assumed"),
        spread=replace(law.spread, sigma_ln_tau_c2c=Parameter(c2c, "1", "assumed")),
    )


def switched(thresholds: np.ndarray, rates: np.ndarray, width: float) -> np.ndarray:
    """Number of cells switched, from the thresholds of each group (rows)."""
    ordered = np.sort(thresholds, axis=1)
    times = np.cumsum(np.diff(ordered, axis=1, prepend=0.0) / rates, axis=1)
    return np.asarray(np.sum(times <= width, axis=1))


def test_a_stiff_driver_leaves_the_cells_independent() -> None:
    for family, shape in (("exponential", None), ("weibull", 2.0), ("lognormal", 0.8)):
        law = law_of(family, shape)
        result = group_write(law, np.full(6, 0.9), 1.0)
        p = float(law.probability_of_exposure(np.array(0.9)))
        assert result.counts == pytest.approx(binom.pmf(np.arange(7), 6, p), abs=5e-5)
        assert result.correlation == pytest.approx(0.0, abs=1e-3)


def test_exponential_group_is_the_hypoexponential_closed_form() -> None:
    """P(K >= k) = P(sum of exponentials of distinct rates <= T), by partial fractions."""
    rates = np.array([1.0, 0.6, 0.35, 0.3])
    speed = (4 - np.arange(4)) * rates
    counts = birth_counts(rates, 1.3)
    for k in range(1, 5):
        s = speed[:k]
        parts = [np.prod(np.delete(s, i) / (np.delete(s, i) - s[i])) for i in range(k)]
        at_least = 1.0 - float(np.sum(parts * np.exp(-s * 1.3)))
        assert counts[k:].sum() == pytest.approx(at_least, abs=1e-10)


@pytest.mark.parametrize(
    ("family", "shape", "c2c", "decay"),
    [
        ("weibull", 0.5, 0.0, -0.4),
        ("weibull", 0.5, 0.0, -3.0),
        ("weibull", 3.0, 0.0, -0.4),
        ("weibull", 3.0, 0.0, 0.3),
        ("lognormal", 1.0, 0.0, -3.0),
        ("lognormal", 1.0, 0.0, 0.3),
        ("exponential", None, 0.7, -0.4),
    ],
)
def test_any_family_agrees_with_drawn_thresholds(
    family: str, shape: float | None, c2c: float, decay: float
) -> None:
    """50,000 groups of 6: each P(K = k) within 4.9 standard errors (1e-6), and 1e-3."""
    law = law_of(family, shape, c2c)
    rates = 1.2 * np.exp(decay * np.arange(6) - max(decay, 0.0) * 4)
    result = group_write(law, rates, 1.0)
    drawn = law.sample_thresholds(np.random.default_rng(3), (50_000, 6))
    found = np.bincount(switched(drawn, rates, 1.0), minlength=7) / 50_000
    error = np.sqrt(result.counts * (1 - result.counts) / 50_000)
    assert np.all(np.abs(found - result.counts) < 4.9 * error + 1e-3)
    mean = float(found @ np.arange(7)) / 6
    assert result.marginal == pytest.approx(mean, abs=5e-3)
    assert np.sign(result.correlation) == np.sign(decay)


def test_recursion_and_closed_form_agree_for_the_exponential_family() -> None:
    rates = 1.5 * np.exp(-0.5 * np.arange(8))
    recursion = forward_counts(np.asarray, rates, 1.0)
    assert recursion == pytest.approx(birth_counts(rates, 1.0), abs=3e-5)


def test_rates_that_are_no_rates_are_refused() -> None:
    with pytest.raises(ValueError, match="finite rate"):
        group_write(knag2014().set, np.array([1.0, -1.0]), 1.0)


def test_ngspice_switches_the_same_number_of_cells_from_the_same_thresholds() -> None:
    """12 groups of 3 cells behind 1 kohm, thresholds drawn; counts and states one by one."""
    device = cbram_low_voltage()
    design = column_design(device, CMOS40LP, 3)
    groups, shared = 12, 1e3
    voltage = write_voltage(device, 0.5, design.write_time)
    thresholds = device.set.sample_thresholds(np.random.default_rng(11), (groups, 3))
    circuit = Circuit("group write")
    circuit.raw_spice = subcircuit(device) + CMOS40LP.models_text() + "\n"
    circuit.V("on", "on", circuit.gnd, design.compliance_gate)
    circuit.V("r", "yr", circuit.gnd, NEVER)
    pulse = f"PULSE(0 {voltage:.9g} 10n 1n 1n {design.write_time:g})"
    circuit.V("w", "w", circuit.gnd, pulse)
    for group in range(groups):
        circuit.R(f"s{group}", "w", f"b{group}", shared)
        for cell in range(3):
            name = f"{group}_{cell}"
            circuit.V(f"y{name}", f"y{name}", circuit.gnd, float(thresholds[group, cell]))
            circuit.X(f"c{name}", "cbram", f"b{group}", f"e{name}", f"y{name}", "yr")
            nodes = (f"e{name}", "on", "0", "0")
            add_mosfet(circuit, CMOS40LP, design.access_role, name, nodes, design.access_width)
    saved = " ".join(f"v(xc{g}_{c}.s)" for g in range(groups) for c in range(3))
    deck = (
        f"{circuit}\n.options method=gear gmin=1e-15\n.save {saved}\n"
        f".tran 1n {design.write_time + 20e-9:.6g} 0 10n uic\n.end\n"
    )
    with Simulator() as simulator:
        run = simulator.run(deck)
        access = access_curves(simulator, CMOS40LP, design, 1.0)
    rates = group_rates(device, access, 3, voltage, shared)
    states = [[run[f"v(xc{g}_{c}.s)"][-1] > 0.5 for c in range(3)] for g in range(groups)]
    found = np.sum(states, axis=1)
    expected = switched(thresholds, rates, design.write_time)
    assert np.array_equal(found, expected)
    assert np.unique(expected).size >= 3
    # Those with the lowest thresholds are the ones.
    for group in range(groups):
        lowest = np.argsort(thresholds[group])[: found[group]]
        assert all(states[group][cell] for cell in lowest)
