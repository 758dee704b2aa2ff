"""Each kind of table, through the command: what it identifies and what it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from characterization.fit import FitOptions, run
from characterization.fit.cli import main
from formats.device import read_device

ROOT = Path(__file__).resolve().parents[2]


EXAMPLES = ROOT / "examples"


PULSES = "voltage_V,pulse_width_s,trials,switched\n"


SINGLE = "voltage_V,pulse_width_s,switched\n"


def fitted(tmp_path: Path, text: str, *options: str) -> tuple[dict[str, Any], str]:
    """device.json and the verdict of a small table."""
    (tmp_path / "data.csv").write_text(text)
    assert main([str(tmp_path / "data.csv"), "-o", str(tmp_path / "out"), *options]) == 0
    verdict = json.loads((tmp_path / "out" / "fit.json").read_text())["verdict"]
    return read_device(tmp_path / "out" / "device.json"), "\n".join(verdict)


def test_one_voltage_gives_tau_and_refuses_v0(tmp_path: Path) -> None:
    text = PULSES + "1.5,1e-6,100,20\n1.5,1e-5,100,90\n"
    device, verdict = fitted(tmp_path, text, "--family", "exponential")
    assert "one voltage only (1.5 V): tau there is fitted, V0 is refused" in verdict
    law = device["set"]
    assert law["parameters"]["V0"]["source"] == "assumed"
    assert law["parameters"]["tau_ref"]["source"] == "fitted"
    assert law["covariance"]["order"] == ["tau_ref"]
    assert law["valid_range"]["voltage_V"] == [1.5, 1.5]


def test_set_and_reset_rows_of_one_table_give_both_laws(tmp_path: Path) -> None:
    rows = ["transition," + PULSES.strip()]
    for sign, word in ((1, "set"), (-1, "reset")):
        for v, switched in ((1.0, 20), (1.2, 60), (1.4, 95)):
            rows += [f"{word},{sign * v},1e-6,100,{switched}"]
            rows += [f"{word},{sign * v},1e-7,100,{switched // 6}"]
    device, verdict = fitted(tmp_path, "\n".join(rows) + "\n")
    assert device["reset"]["parameters"] == {
        name: {**value, "note": value["note"]}
        for name, value in device["set"]["parameters"].items()
    }
    assert "SET: " in verdict
    assert "RESET: " in verdict


def test_reset_alone_can_complete_a_device(tmp_path: Path) -> None:
    rows = PULSES + "-1.0,1e-6,100,20\n-1.2,1e-6,100,70\n-1.2,1e-7,100,9\n"
    alone, _ = fitted(tmp_path, rows)
    assert alone["set"]["parameters"]["V0"]["source"] == "assumed"
    files = run(FitOptions(EXAMPLES / "knag2014_pulses.csv", tmp_path / "set"))
    both, _ = fitted(tmp_path, rows, "--into", str(files.device))
    assert both["set"] == read_device(files.device)["set"]
    assert both["reset"] == alone["reset"]


def test_cycling_records_give_both_laws_but_no_shape(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    e = random.exponential(size=(2, 200))
    v_set = 0.15 * np.log1p(e[0] * 1.0 / 0.15 * 1e5)
    v_reset = -0.1 * np.log1p(e[1] * 1.0 / 0.1 * 1e4)
    rows = [f"{i},{a:.6f},{b:.6f}" for i, (a, b) in enumerate(zip(v_set, v_reset, strict=True))]
    text = "cycle,v_set_V,v_reset_V\n" + "\n".join(rows) + "\n"
    device, verdict = fitted(tmp_path, text, "--ramp-rate", "1")
    for direction, v0 in (("set", 0.15), ("reset", 0.1)):
        low, high = device[direction]["parameters"]["V0"]["ci95"]
        assert low < v0 < high
    assert "one ramp rate only (1 V/s): a shape and V0 are not separable" in verdict


def test_temperatures_give_an_activation_energy(tmp_path: Path) -> None:
    """tau0 Arrhenius with 0.6 eV, V0 proportional to T; the interval holds the truth."""
    random = np.random.default_rng(6)
    rows = ["temperature_K," + PULSES.strip()]
    for t in (280.0, 300.0, 330.0):
        v0 = 0.15 * t / 300
        tau0 = 1e-3 * np.exp(3.0 / 0.15) * np.exp(0.6 / 8.617333262e-5 * (1 / t - 1 / 300))
        for v in (2.6, 2.8, 3.0, 3.2):
            for width in (1e-3, 1e-2):
                p = -np.expm1(-width / (tau0 * np.exp(-v / v0)))
                rows.append(f"{t},{v},{width},2000,{random.binomial(2000, p)}")
    device, verdict = fitted(tmp_path, "\n".join(rows) + "\n")
    energy = device["set"]["parameters"]["Ea"]
    assert energy["unit"] == "eV"
    assert energy["ci95"][0] < 0.6 < energy["ci95"][1]
    assert device["set"]["v0_temperature"] == "proportional"
    assert device["set"]["valid_range"]["temperature_K"] == [280.0, 330.0]
    assert "V0 proportional to T describes the temperatures better" in verdict


def test_trains_add_up_and_rows_after_the_switch_are_counted_out(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    rows = ["device,cycle," + SINGLE.strip()]
    for cycle in range(150):
        v = (1.0, 1.1, 1.2)[cycle % 3]
        left = random.exponential() * 1e-5 * np.exp(-(v - 1.1) / 0.1)
        for pulse in range(12):
            rows.append(f"a,{cycle},{v},2e-6,{int(left <= 2e-6 * (pulse + 1))}")
    device, verdict = fitted(tmp_path, "\n".join(rows) + "\n", "--family", "exponential")
    low, high = device["set"]["parameters"]["V0"]["ci95"]
    assert low < 0.1 < high
    assert "their exposures add up" in verdict
    report = json.loads((tmp_path / "out" / "fit.json").read_text())
    assert report["excluded"][0]["reason"].startswith("the device had switched earlier")
    used = report["counts"]["rows_used"]
    assert used + report["excluded"][0]["rows"] == 1800
