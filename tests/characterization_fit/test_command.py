"""The command: files, determinism, the measured sweep, and one clear line for each mistake."""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from characterization.fit import FitOptions, run, stage_provenance
from characterization.fit.cli import main
from characterization.fit.observations.kinds import observe
from characterization.fit.table.readers import read_table, table_of_frame
from characterization.fit.table.selection import parse_where
from devices.cbram import CBRAM
from formats.device import read_device
from formats.errors import InputError
from formats.json_file import read_json

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
FILES = ("device.json", "fit.json", "device.lib", "device.va", "fit.svg", "fit.html")
PULSES = "voltage_V,pulse_width_s,trials,switched\n"
SINGLE = "voltage_V,pulse_width_s,switched\n"
WAITS = "voltage_V,wait_time_s,switched\n"
GOOD = "1.0,1e-6,100,20\n1.2,1e-6,100,70\n"


@pytest.mark.parametrize(
    ("name", "kind"), [("knag2014_pulses", "pulses"), ("knag2014_waits", "waits")]
)
def test_example_gives_the_published_law_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, kind: str
) -> None:
    assert main([str(EXAMPLES / f"{name}.csv"), "-o", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "assumed" in shown
    assert "fitted" in shown
    content = read_device(tmp_path / "device.json")
    device = CBRAM.from_dict(content)
    v0 = device.set.v0
    assert v0.ci95 is not None
    low, high = v0.ci95
    assert low is not None
    assert high is not None
    assert low < 0.156 < high
    assert v0.source == "fitted"
    assert f"{name}.csv" in v0.note
    assert device.to_dict() == {k: v for k, v in content.items() if k != "provenance"}
    report = read_json(tmp_path / "fit.json", "fit")
    assert report["kind"] == kind
    law = report["laws"][0]
    assert (law["direction"], law["chosen"]) == ("set", "exponential")
    assert len({len(column) for column in law["points"].values()}) == 1
    assert ".subckt" in (tmp_path / "device.lib").read_text()


def test_examples_are_what_their_script_makes(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make", EXAMPLES / "make_examples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(tmp_path)
    for name in module.TABLES:
        assert (tmp_path / name).read_bytes() == (EXAMPLES / name).read_bytes()
        assert (tmp_path / name).read_text().startswith("# SYNTHETIC")


def test_two_runs_give_the_same_bytes_wherever_the_file_lies(tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "knag2014_pulses.csv"
    copy.parent.mkdir()
    copy.write_bytes((EXAMPLES / "knag2014_pulses.csv").read_bytes())
    for data, output in ((EXAMPLES / copy.name, "one"), (copy, "two")):
        run(FitOptions(data, tmp_path / output))
    for name in FILES:
        one, two = (tmp_path / o / name for o in ("one", "two"))
        assert one.read_bytes() == two.read_bytes(), name
        assert str(tmp_path) not in one.read_text()


def test_provenance_is_known_before_the_run_and_depends_on_options(tmp_path: Path) -> None:
    options = FitOptions(EXAMPLES / "knag2014_pulses.csv", tmp_path)
    record = stage_provenance(options)
    assert not list(tmp_path.iterdir())
    run(options)
    assert read_device(tmp_path / "device.json")["provenance"] == json.loads(json.dumps(record))
    assert stage_provenance(FitOptions(options.data, tmp_path / "b")) == record
    assert stage_provenance(FitOptions(options.data, tmp_path, floor=True)) != record


def sweep_options(data_folder: Path, output: Path, *more: str) -> list[str]:
    return [
        str(data_folder / "nirram_tsmc40" / "set_sweep.tsv.gz"),
        *("--kind", "pulses", "--no-header", "--columns"),
        "device,pulse_width_s,gate_voltage_V,voltage_V,r_before_ohm,r_after_ohm",
        *("--start-above", "50e3", "--switched-below", "50e3"),
        *("--where", "gate_voltage_V>=1.4", "-o", str(output), *more),
    ]


@pytest.mark.parametrize("floor", [False, True])
def test_measured_sweep_only_brackets_v0(data_folder: Path, tmp_path: Path, floor: bool) -> None:
    assert main(sweep_options(data_folder, tmp_path, *(["--floor"] if floor else []))) == 0
    report = read_json(tmp_path / "fit.json", "fit")
    verdict = "\n".join(report["verdict"])
    assert "one informative voltage, 1 V" in verdict
    assert "V0 is only bracketed" in verdict
    assert "not separable" in verdict
    assert "not that of the bare device" in verdict
    assert "rejected" in verdict
    assert ("try --floor" in verdict) is not floor
    assert report["counts"]["rows_read"] == 32768
    excluded = sum(item["rows"] for item in report["excluded"])
    assert report["counts"]["rows_used"] + excluded == 32768
    device = read_device(tmp_path / "device.json")
    assert device["voltage_reference"] == "1t1r"
    v0 = device["set"]["parameters"]["V0"]
    assert v0["stderr"] is None
    assert v0["ci95"][0] is None
    assert 0.01 < v0["value"] < v0["ci95"][1] < 0.1
    assert device["conduction"]["r_lrs"]["source"] == "fitted"


MISTAKES = {
    "empty field": (PULSES + GOOD + "1.3,,100,80\n", [], "row 4, column pulse_width_s: is empty"),
    "text": (PULSES + GOOD + "1.3,fast,100,80\n", [], "row 4, column pulse_width_s: found 'fast'"),
    "nan": (PULSES + "nan,1e-6,100,20\n" + GOOD, [], "row 2, column voltage_V: found 'nan'"),
    "infinite": (PULSES + GOOD + "1.3,inf,9,8\n", [], "row 4, column pulse_width_s: found 'inf'"),
    "zero time": (PULSES + GOOD + "1.3,0,100,80\n", [], "row 4, column pulse_width_s: found '0"),
    "negative wait": (WAITS + "1,2,1\n2,-1,1\n", [], "row 3, column wait_time_s: found '-1"),
    "too many": (
        PULSES + "# note\n" + GOOD + "1.3,1e-6,100,101\n",
        [],
        "row 5, column switched: found 101, more than the 100 trials",
    ),
    "half a count": (PULSES + GOOD + "1.3,1e-6,100,2.5\n", [], "row 4, column switched: found '2"),
    "no trials": (
        PULSES + GOOD + "1.3,1e-6,0,1\n",
        [],
        "row 4, column switched: found 1, more than the 0 trials",
    ),
    "not 0 or 1": (SINGLE + "1,1e-6,0\n1,1e-6,2\n", [], "row 3, column switched: found 2"),
    "missing column": ("voltage_V,pulse_width_s\n1,2\n", [], "lacks the column switched"),
    "misspelt column": (
        "voltage_V,pulse_width_s,switched,temprature_K\n1,2,1,3\n",
        [],
        "did you mean temperature_K?",
    ),
    "no kind": ("current,colour\n1,2\n", [], "expected"),
    "a ramp from above": (
        "ramp_rate_V_per_s,set_voltage_V,start_voltage_V,switched\n1,2,3,1\n",
        [],
        "row 2, column set_voltage_V: found 2",
    ),
    "off the staircase": (
        "ramp_rate_V_per_s,set_voltage_V,voltage_step_V,switched\n1,2,0.3,1\n",
        [],
        "no level of the staircase",
    ),
    "no ramp rate": ("cycle,v_set_V,v_reset_V\n1,1,-1\n", [], "--ramp-rate"),
    "rate of pulses": (PULSES + GOOD, ["--ramp-rate", "1"], "applies to cycling records only"),
    "turned interval": (
        "voltage_V,wait_time_low_s,wait_time_high_s\n1,2e-6,1e-6\n",
        [],
        "row 2, column wait_time_high_s: found 1e-06",
    ),
    "two waits of a cycle": (
        "device,cycle," + WAITS + "a,1,1,1,1\na,1,1,2,1\n",
        [],
        "row 3, column cycle",
    ),
    "bad kind": (PULSES + GOOD, ["--kind", "pulse"], "--kind: 'pulse' is not one of"),
    "no rows": (PULSES, [], "holds a header but no rows"),
    "nothing": ("", [], "holds no rows"),
    "no header": (GOOD, [], "row 1: holds numbers where the header is expected"),
    "no rows left": (PULSES + GOOD, ["--where", "voltage_V>5"], "no rows left"),
    "all switched": (SINGLE + "1,1e-6,1\n2,1e-6,1\n", [], "all 2 pulses switched"),
    "none switched": (WAITS + "1,1e-6,0\n2,1e-6,0\n", [], "none of the 2 outcomes switched"),
    "a step": (PULSES + "1,1e-6,9,0\n2,1e-6,9,9\n", [], "always or never"),
    "falling": (PULSES + "1,1e-6,9,8\n2,1e-6,9,2\n", [], "does not become faster"),
    "reset magnitude": (
        "transition," + SINGLE + "set,1,1e-6,1\nreset,1,1e-6,0\n",
        [],
        "say --reset-polarity magnitude",
    ),
    "a hot train": (
        "device,cycle,temperature_K," + SINGLE + "a,1,300,1,1e-6,0\na,1,310,1,1e-6,1\n",
        [],
        "row 3, column temperature_K: found 310",
    ),
    "bad acceleration": (PULSES + GOOD, ["--acceleration", "cubic"], "'cubic' is not one of"),
    "bad map": (PULSES + GOOD, ["--map", "voltage_V"], "--map"),
    "bad thresholds": (PULSES + GOOD, ["--thresholds", "1,x"], "--thresholds: found '1,x'"),
    "into nothing": (PULSES + GOOD, ["--into", "absent.json"], "absent.json"),
    "decimal commas": (
        SINGLE + '"1,2",1e-6,0\n"1,3",1e-6,1\n',
        [],
        "row 2, column voltage_V: found the decimal comma '1,2'",
    ),
    "more decimal commas": (SINGLE + "1,2,1e-6,0\n", [], "row 2: has 4 fields, expected 3"),
    "column twice": ("voltage_V,voltage_V,switched\n1,2,1\n", [], "named twice"),
    "code": (PULSES + GOOD, ["--where", "__import__('os')"], "--where: "),
    "where column": (PULSES + GOOD, ["--where", "volt>1"], "names the column 'volt'"),
    "where text": (PULSES + GOOD, ["--where", "voltage_V>high"], "expected a number"),
    "bad family": (PULSES + GOOD, ["--family", "normal"], "--family: 'normal' is not one of"),
    "weibull, one width": (
        PULSES + GOOD,
        ["--family", "weibull"],
        "cannot be found: one pulse width only",
    ),
    "floor of waits": (WAITS + "1,1,1\n2,1,1\n", ["--floor"], "--floor: applies to single pulses"),
    "no resistances": (SINGLE + "1,1,1\n2,1,0\n", ["--start-above", "5e4"], "needs the column"),
    "two answers": (PULSES + GOOD, ["--switched-below", "5e4"], "already says what switched"),
    "negative ohms": (PULSES + GOOD, ["--start-above", "-1"], "--start-above: found -1"),
    "bad reference": (PULSES + GOOD, ["--voltage-reference", "gate"], "is not cell or 1t1r"),
    "unknown option": (PULSES + GOOD, ["--colour"], "command line"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_ends_with_one_line_and_no_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mistake: str
) -> None:
    text, options, expected = MISTAKES[mistake]
    data, output = tmp_path / "data.csv", tmp_path / "out"
    data.write_text(text)
    assert main([str(data), "-o", str(output), *options]) == 2
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert expected in lines[0]
    if not lines[0].startswith(("error: --", "error: command line", "error: absent.json")):
        assert "data.csv" in lines[0]
    assert captured.out == ""
    assert not output.exists()


def test_unreadable_files_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torn = tmp_path / "torn.csv.gz"
    torn.write_bytes(gzip.compress((PULSES + GOOD).encode())[:-12])
    fake = tmp_path / "fake.csv.gz"
    fake.write_text(PULSES + GOOD)
    wide = tmp_path / "wide.csv"
    wide.write_text(PULSES + GOOD, encoding="utf-16")
    for path in (torn, fake, wide, tmp_path / "absent.csv", tmp_path):
        assert main([str(path), "-o", str(tmp_path / "out")]) == 2
        error = capsys.readouterr().err
        assert path.name in error
        assert len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_gzip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("characterization.fit.table.readers.LARGEST_TEXT", 2**20)
    bomb = tmp_path / "bomb.csv.gz"
    bomb.write_bytes(gzip.compress(b"0" * 2**23))
    with pytest.raises(InputError, match="split it"):
        run(FitOptions(bomb, tmp_path / "out"))


def test_files_in_other_clothes_read_the_same(tmp_path: Path) -> None:
    text = (EXAMPLES / "knag2014_pulses.csv").read_text()
    other = {
        "semicolons.csv": text.replace(",", ";").encode(),
        "tabs.tsv": text.replace(",", "\t").encode(),
        "windows.csv": ("\ufeff" + text.replace("\n", "\r\n")).encode(),
        "packed.csv.gz": gzip.compress(text.encode()),
        "quoted.csv": text.replace("voltage_V,", '"voltage_V" , ').encode(),
    }
    expected = observe(read_table(EXAMPLES / "knag2014_pulses.csv"), "pulses")
    for name, data in other.items():
        (tmp_path / name).write_bytes(data)
        table = read_table(tmp_path / name)
        found = observe(table, "pulses")
        assert len(table.comments) == 4, name
        np.testing.assert_array_equal(found.duration, expected.duration)
        np.testing.assert_array_equal(found.switched, expected.switched)


def test_conditions_are_parsed_not_run() -> None:
    first, second = parse_where("voltage_V >= 1.4 and device!=a7")
    assert (first.column, first.comparison, first.value) == ("voltage_V", ">=", 1.4)
    assert second.value == "a7"
    for text in ("1<voltage_V<2", "voltage_V=1", "a>1 or b>2", "voltage_V>nan", "", "x>(1)"):
        with pytest.raises(InputError, match="--where"):
            parse_where(text)


def test_a_condition_forgives_rounding() -> None:
    """The measured sweep holds a 2.3999999999999995 that means 2.4 V."""
    table = table_of_frame(pd.DataFrame({"gate_voltage_V": [2.3, 2.3999999999999995, 2.4]}))
    assert parse_where("gate_voltage_V>=2.4")[0].holds(table).tolist() == [False, True, True]
    assert parse_where("gate_voltage_V<2.4")[0].holds(table).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: d.update(colour="red"), "colour"),
        (lambda d: d.pop("endurance"), "endurance"),
        (lambda d: d["set"].update(family="normal"), "set.family"),
        (lambda d: d["set"]["parameters"]["V0"].update(value=-1), "V0"),
        (lambda d: d["set"]["parameters"]["V0"].update(source="guessed"), "V0"),
        (lambda d: d["set"]["covariance"].update(matrix=[[1.0]]), "set.covariance"),
        (lambda d: d["set"]["valid_range"].update(voltage_V=[2, 1]), "valid_range"),
        (lambda d: d["conduction"]["r_lrs"].update(value=None), "r_lrs"),
    ],
)
def test_a_wrong_device_is_refused_by_key(
    tmp_path: Path, change: Callable[[dict[str, Any]], Any], expected: str
) -> None:
    files = run(FitOptions(EXAMPLES / "knag2014_pulses.csv", tmp_path))
    content = json.loads(files.device.read_text())
    change(content)
    files.device.write_text(json.dumps(content))
    with pytest.raises(InputError, match=expected):
        read_device(files.device)


@pytest.mark.parametrize("value", ["1e300", "4" * 400, "1e6"])
def test_values_no_instrument_gives_are_refused_in_one_line(
    value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "data.csv"
    path.write_text(
        "voltage_V,pulse_width_s,trials,switched\n"
        f"2.8,1e-3,100,20\n3.0,1e-3,100,50\n3.0,1e-4,100,10\n{value},1e-3,100,90\n"
    )
    assert main([str(path), "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "column voltage_V" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_family_without_maximum_does_not_stop_auto(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Width = tau(V) at each voltage: shape and V0 trade off, the exponential law stands."""
    rows = ["voltage_V,pulse_width_s,trials,switched"]
    for voltage, width in ((2.8, 4.6e-3), (3.0, 1.27e-3), (3.2, 3.52e-4)):
        rows.append(f"{voltage},{width},60,38")
    path = tmp_path / "data.csv"
    path.write_text("\n".join(rows) + "\n")
    assert main([str(path), "-o", str(tmp_path / "out")]) == 0
    assert "exponential law" in capsys.readouterr().out


def test_the_files_own_words_reach_the_verdict(tmp_path: Path) -> None:
    assert main([str(EXAMPLES / "knag2014_pulses.csv"), "-o", str(tmp_path)]) == 0
    verdict = json.loads((tmp_path / "fit.json").read_text())["verdict"]
    assert any("SYNTHETIC" in line for line in verdict)


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
