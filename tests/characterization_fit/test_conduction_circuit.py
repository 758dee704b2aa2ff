"""Read disturb and the 1T1R cell: closed forms, and ngspice's own level-1 transistor."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from characterization.fit.conduction.deembed import cell_voltage
from characterization.fit.conduction.read_disturb import (
    matched,
    read_disturb,
    slope_at_reference,
)
from characterization.fit.conduction.transistor import parse_transistor, transistor_of_table
from characterization.fit.table.base import table_of_frame
from devices.accelerations import ACCELERATIONS
from devices.conduction import HrsSinh
from devices.families import FAMILIES
from devices.law import SwitchingLaw
from devices.parameter import Parameter
from devices.presets import knag2014
from formats.errors import InputError

EXP, SINH = ACCELERATIONS["exp(-V/V0)"], ACCELERATIONS["1/sinh(V/V0)"]
TEXT = "kp=3e-4,vth=0.45,lambda=0.05,w=360e-9,l=120e-9,gamma=0.4,phi=0.7"


def law(v0: float = 1.0, reference: float = 2.0) -> SwitchingLaw:
    """A law whose V0 is large enough for exp and sinh to part at low voltage."""
    return replace(
        knag2014().set,
        reference_voltage=reference,
        tau_ref=Parameter(1e-3, "s", "fitted"),
        v0=Parameter(v0, "V", "fitted"),
        valid_voltage=(1.5, 2.5),
        valid_width=(1e-7, 1e-2),
    )


def test_both_laws_agree_at_the_reference_in_value_and_slope() -> None:
    given = law()
    other = matched(given, SINH)
    assert other is not None
    at = np.array([given.reference_voltage])
    assert other.ln_tau(at) == pytest.approx(given.ln_tau(at), abs=1e-12)
    assert slope_at_reference(given) == pytest.approx(-1.0, rel=1e-8)
    assert slope_at_reference(other) == pytest.approx(-1.0, rel=1e-8)
    # coth(x)/V0 = 1 with x = 2/V0, the closed form of the condition.
    v0 = other.v0.value
    assert 1 / np.tanh(2.0 / v0) / v0 == pytest.approx(1.0, rel=1e-8)
    back = matched(other, EXP)
    assert back is not None
    assert back.v0.value == pytest.approx(1.0, rel=1e-7)


def test_read_disturb_is_the_closed_form_of_each_law() -> None:
    voltage, time = 0.2, 1e-5
    found = read_disturb("SET", law(), voltage, time)
    by_exp, by_sinh = found.laws
    assert by_exp.probability == pytest.approx(1 - np.exp(-time / (1e-3 * np.exp(1.8))), rel=1e-9)
    tau = 1e-3 * np.sinh(2.0 / by_sinh.v0) / np.sinh(voltage / by_sinh.v0)
    assert by_sinh.probability == pytest.approx(1 - np.exp(-time / tau), rel=1e-9)
    assert by_sinh.probability < 0.5 * by_exp.probability
    assert by_exp.reads[1] == pytest.approx(np.log(2) * 1e-3 * np.exp(1.8) / time, rel=1e-9)
    assert found.extrapolated
    assert any(sentence.startswith("Extrapolated") for sentence in found.sentences)
    assert not read_disturb("SET", law(), 2.0, time).extrapolated


def test_reads_add_up_their_exposure_in_a_stretched_law() -> None:
    shape = Parameter(0.5, "1", "fitted")
    weibull = replace(law(), family=FAMILIES["weibull"], shape=shape)
    one = read_disturb("SET", weibull, 0.5, 1e-6).laws[0]
    many = weibull.probability(np.array([0.5]), 1e-6 * one.reads[1])
    assert many[0] == pytest.approx(0.5, rel=1e-6)
    # Reads that all were as risky as the first would take ln 2/P, far fewer.
    assert one.reads[1] > 20 * np.log(2) / one.probability


def test_a_read_cannot_switch_against_its_polarity() -> None:
    for direction, voltage in (("RESET", 0.2), ("SET", -0.2)):
        found = read_disturb(direction, law(), voltage, 1e-6)
        assert found.laws[0].probability == 0
        assert not found.extrapolated
    assert read_disturb("RESET", law(), -0.2, 1e-6).laws[0].probability > 0


def test_a_slope_no_sinh_can_have_is_said_and_left_out() -> None:
    flat = read_disturb("SET", law(v0=3.0), 0.2, 1e-6)
    assert flat.laws[0].possible
    assert not flat.laws[1].possible
    assert any("never flatter" in sentence for sentence in flat.sentences)


def test_interval_is_that_of_the_covariance() -> None:
    """ln P ~ ln(t/tau) is normal here: closed form within the error of 400 draws."""
    sigma_tau, sigma_v0, voltage = 0.1, 0.05, 1.0
    spread = replace(
        law(),
        covariance_order=("tau_ref", "V0"),
        covariance=((sigma_tau**2, 0.0), (0.0, sigma_v0**2)),
    )
    interval = read_disturb("SET", spread, voltage, 1e-9).laws[0].interval95
    assert interval is not None
    half = np.log(interval[1] / interval[0]) / 2
    assert half == pytest.approx(1.96 * np.hypot(sigma_tau, sigma_v0 * 1.0), rel=0.15)
    assert read_disturb("SET", law(), voltage, 1e-9).laws[0].interval95 is None


def test_wrong_reads_are_refused() -> None:
    for arguments in (("ERASE", 0.1, 1e-6), ("SET", 0.0, 1e-6), ("SET", 0.1, 0.0)):
        with pytest.raises(InputError):
            read_disturb(arguments[0], law(), arguments[1], arguments[2])


def test_kirchhoff_holds_in_both_directions() -> None:
    transistor = parse_transistor(TEXT)
    terminal = np.array([1.0, 3.0, -1.0, -3.0, 2.0])
    gate = np.array([1.4, 0.9, 2.4, 2.4, 0.3])
    cell = np.array([120e3, 20e3, 9e3, 9e3, 1e4])
    found = cell_voltage(terminal, gate, cell, transistor)
    size = np.abs(found.voltage)
    setting = terminal > 0
    drain = np.where(setting, np.abs(terminal) - size, np.abs(terminal))
    source = np.where(setting, 0.0, size)
    np.testing.assert_allclose(
        transistor.current(gate, drain, source), found.current, rtol=1e-6, atol=1e-15
    )
    np.testing.assert_allclose(size / cell, found.current, rtol=1e-12)
    assert found.voltage[4] == pytest.approx(0, abs=1e-12)  # the transistor is off
    # A source follower leaves the cell at most V_WL - V_th.
    assert np.all(-found.voltage[2:4] < 2.4 - 0.45)


def test_a_wide_transistor_gives_the_cell_everything_and_level_1_is_quadratic() -> None:
    wide = cell_voltage(np.array([1.0]), np.array([3.0]), 1e4, parse_transistor("kp=10,vth=0.4"))
    assert wide.voltage[0] == pytest.approx(1.0, abs=1e-4)
    # Saturated: I = kp/2 (V_gs - V_th)^2 whatever the cell.
    small = parse_transistor("kp=2e-5,vth=0.5")
    found = cell_voltage(np.array([3.0, 3.0]), np.array([1.5, 1.5]), np.array([1e4, 2e4]), small)
    np.testing.assert_allclose(found.current, 1e-5, rtol=1e-6)
    assert found.limited.all()


def test_ngspice_gives_the_same_cell_voltages(tmp_path: Path) -> None:
    if shutil.which("ngspice") is None:
        pytest.skip("ngspice is absent")
    rows = [(v, g, r) for v in (1.0, 3.0, -1.5, -3.0) for g in (0.9, 2.4) for r in (9e3, 120e3)]
    deck = ["1T1R", ".model n nmos level=1 kp=3e-4 vto=0.45 lambda=0.05 gamma=0.4 phi=0.7"]
    for k, (v, g, r) in enumerate(rows):
        deck += [
            f"vb{k} b{k} 0 {max(v, 0)}",
            f"vs{k} s{k} 0 {max(-v, 0)}",
            f"vg{k} g{k} 0 {g}",
            f"r{k} b{k} m{k} {r}",
            f"m{k} m{k} g{k} s{k} 0 n w=360n l=120n",
        ]
    prints = [f"print v(b{k})-v(m{k})" for k in range(len(rows))]
    deck += [".options gmin=1e-15 reltol=1e-6", ".control", "op", *prints, ".endc", ".end"]
    path = tmp_path / "cell.cir"
    path.write_text("\n".join(deck) + "\n")
    told = subprocess.run(
        ["ngspice", "-n", "-b", str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    expected = [float(x) for x in re.findall(r"^v\(b\d+\)-v\(m\d+\) = (\S+)", told.stdout, re.M)]
    assert len(expected) == len(rows), told.stdout + told.stderr
    v, g, r = np.array(rows).T
    found = cell_voltage(v, g, r, parse_transistor(TEXT))
    np.testing.assert_allclose(found.voltage, expected, rtol=2e-4, atol=2e-5)


def test_a_sinh_cell_takes_less_voltage_than_its_low_field_resistance() -> None:
    cell = HrsSinh(Parameter(1e-6, "A", "fitted"), Parameter(0.3, "V", "fitted"), (-2, 2))
    transistor = parse_transistor(TEXT)
    terminal, gate = np.array([2.0]), np.array([1.0])
    bent = cell_voltage(terminal, gate, cell, transistor)
    straight = cell_voltage(terminal, gate, 0.3 / 1e-6, transistor)
    assert bent.voltage[0] < straight.voltage[0]
    assert bent.current[0] == pytest.approx(1e-6 * np.sinh(bent.voltage[0] / 0.3))


def test_a_measured_transistor_serves_set_at_its_gate_voltage_only() -> None:
    parameters = parse_transistor(TEXT)
    across = np.linspace(0, 3, 601)
    current = parameters.current(np.full(601, 1.4), across, np.zeros(601))
    table = table_of_frame(pd.DataFrame({"voltage_V": across, "current_A": current}))
    measured = transistor_of_table(table, gate=1.4)
    terminal, gate, cell = np.array([1.0, 3.0]), np.array([1.4, 1.4]), np.array([5e4, 1e4])
    np.testing.assert_allclose(
        cell_voltage(terminal, gate, cell, measured).voltage,
        cell_voltage(terminal, gate, cell, parameters).voltage,
        atol=1e-4,
    )
    for wrong in ((np.array([1.0]), np.array([1.5])), (np.array([-1.0]), np.array([1.4]))):
        with pytest.raises(InputError, match="measured at V_gs"):
            cell_voltage(wrong[0], wrong[1], 1e4, measured)
    with pytest.raises(InputError, match="table ends"):
        cell_voltage(np.array([9.0]), np.array([1.4]), 1e6, measured)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("vth=0.4", "kp"),
        ("kp=1e-4,vth", "vth"),
        ("kp=1e-4,vth=0.4,w=1e-6", "w and l"),
        ("kp=-1,vth=0.4", "kp"),
        ("kp=1e-4,vth=0.4,size=3", "size"),
        ("kp=1e-4,vth=abc", "vth"),
    ],
)
def test_wrong_transistors_are_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(InputError, match=named):
        parse_transistor(text)
