"""The cells' temperature: laws are moved to it or refused; errors of P with an Ea."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from characterization.extract.cli import main
from characterization.extract.options import ExtractOptions, device_at
from characterization.extract.screen import show
from characterization.extract.stage import run
from characterization.extract.tables.errors import standard_error
from devices.cbram import CBRAM
from devices.conduction import HrsSinh
from devices.families import FAMILIES
from devices.law import SwitchingLaw
from devices.parameter import Parameter
from devices.presets import knag2014
from devices.technology import CMOS40LP
from formats.cells import read_cells
from formats.device import write_device
from formats.errors import InputError

SIGMA = np.array([0.05, 0.01, 0.02, 0.03])
RHO = np.array([[1, 0.3, -0.4, 0.2], [0.3, 1, 0.1, 0], [-0.4, 0.1, 1, 0], [0.2, 0, 0, 1]])


def with_activation(kelvin: float) -> CBRAM:
    """The published device, its law written at another temperature, 0.6 eV and covariance."""
    device = knag2014()
    law = replace(
        device.set,
        activation=Parameter(0.6, "eV", "fitted", stderr=0.02),
        covariance_order=("tau_ref", "V0", "Ea"),
        covariance=tuple(map(tuple, (RHO * np.outer(SIGMA, SIGMA))[:3, :3].tolist())),
        valid_temperature=(310.0, 360.0),
    )
    return replace(device, set=law.at_temperature(kelvin))


def weibull(law: SwitchingLaw) -> SwitchingLaw:
    return replace(
        law,
        family=FAMILIES["weibull"],
        shape=Parameter(0.7, "1", "fitted"),
        covariance_order=("tau_ref", "V0", "Ea", "shape"),
        covariance=tuple(map(tuple, (RHO * np.outer(SIGMA, SIGMA)).tolist())),
    )


def test_the_error_of_p_takes_a_law_with_activation_energy_and_shape() -> None:
    """Against 100,000 draws of the parameters with a hundredth of each error, to 2 %."""
    law = weibull(with_activation(300.0).set)
    v, width = np.array([3.2, 3.4]), 1e-4
    draws = np.random.default_rng(1).multivariate_normal(
        np.zeros(4), np.array(law.covariance) / 1e4, 100_000
    )
    p = []
    for k, place in enumerate(v):
        by_tau, by_v0 = law.ln_tau_gradient(v)[:, k]
        ln_u = np.log(law.rate(np.array([place])) * width) - draws[:, 0] * by_tau
        shape = law.shape_value * np.exp(draws[:, 3])
        p.append(-np.expm1(-np.exp(shape * (ln_u - draws[:, 1] * by_v0))))
    found = standard_error(law, law.rate(v) * width, width)
    assert found == pytest.approx(100 * np.std(p, axis=1), rel=0.02)


def test_a_law_of_another_temperature_is_moved_or_refused() -> None:
    device = with_activation(340.0)
    assert device.set.reference_temperature == 340.0
    moved = device_at(device, CMOS40LP.temperature, None, "device.json").set
    assert moved.reference_temperature == CMOS40LP.temperature
    v = np.array([2.8, 3.4])
    np.testing.assert_allclose(moved.ln_tau(v), knag2014().set.ln_tau(v), rtol=1e-9)
    for kelvin, taken in ((296.0, True), (304.9, True), (294.9, False), (350.0, False)):
        law = replace(knag2014().set, reference_temperature=kelvin)
        cold = replace(knag2014(), set=law)
        if taken:
            assert device_at(cold, 300.0, None, "device.json") == cold
            continue
        with pytest.raises(InputError, match=r"holds at .* K and has no activation energy"):
            device_at(cold, 300.0, None, "device.json")


def test_cells_of_a_moved_law_are_those_of_the_law_and_the_screen_says_so(
    tmp_path: Path, demo_device: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written at 340 K, with a conduction law that the cells leave aside."""
    monkeypatch.setattr("characterization.extract.stage._write_libraries", lambda *_: None)
    device = with_activation(340.0)
    hrs = HrsSinh(Parameter(1e-7, "A", "fitted"), Parameter(1.0, "V", "fitted"), (0.1, 1.0))
    device = replace(device, conduction=replace(device.conduction, hrs_sinh=hrs))
    path = tmp_path / "device.json"
    write_device(path, {**device.to_dict(), "provenance": demo_device["provenance"]})
    cells = read_cells(run(ExtractOptions(device=path, output=tmp_path, points=3, cells=())))
    sng = cells.sng.isel(pulse_width=0, temperature=0, corner=0)
    bare = knag2014().set.rate(sng["write_voltage"].to_numpy()) * 1e-4
    assert np.all((sng["exposure"] < bare) & (sng["exposure"] > 0.85 * bare))
    assert np.all(np.isfinite(sng["Ps_stderr"]))
    kept = json.loads(cells.attributes["device_json"])
    assert kept["set"]["reference_temperature_K"] == 300.0
    assert kept["provenance"] == demo_device["provenance"]
    with (console := Console(width=160)).capture() as seen:
        show(cells.path, console)
    moved = "moved from 340 K to 300 K by Ea = 0.6 eV (fitted), beyond the data's 310 to 360 K"
    assert moved in seen.get()
    assert "not used by the cells: hrs_sinh" in seen.get()


def test_the_command_refuses_a_law_of_another_temperature_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], demo_device: dict[str, Any]
) -> None:
    path = tmp_path / "device.json"
    law = {**demo_device["set"], "reference_temperature_K": 350.0}
    write_device(path, {**demo_device, "set": law})
    assert main([str(path), "-o", str(tmp_path / "out")]) == 2
    assert "cells are asked for at 300 K" in (error := capsys.readouterr().err)
    assert error.count("\n") == 1
