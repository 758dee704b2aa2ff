"""Every mistake ends with one line that says where, what and what to do, and no output."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from characterization.fit import FitOptions, run
from characterization.fit.cli import main
from formats.device import read_device
from formats.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


EXAMPLES = ROOT / "examples"


PULSES = "voltage_V,pulse_width_s,trials,switched\n"


SINGLE = "voltage_V,pulse_width_s,switched\n"


WAITS = "voltage_V,wait_time_s,switched\n"


GOOD = "1.0,1e-6,100,20\n1.2,1e-6,100,70\n"


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
    "censored for switched": (
        "voltage_V,wait_time_s,Censored\n1,2,0\n1,3,1\n",
        [],
        "add switched = 1 - Censored (0 where a row was censored, else 1)",
    ),
    "foreign columns with a unit": (
        "Spannung (V),Breite,Ja\n1,2,0\n",
        [],
        'as in --map voltage_V="Spannung (V)"',
    ),
    "a foreign column without unit": (
        "A,wait_time_s,switched\n1,2,0\n",
        [],
        "as in --map voltage_V=A:V or another unit",
    ),
    "a wait's bound": (
        WAITS + "1,>1.0,1\n",
        [],
        "one that had not switched by then is 1.0 here and 0 in switched",
    ),
    "no for 0": (WAITS + "1,1,no\n", [], "column switched: found 'no', expected 0 or 1"),
    "millivolts": (WAITS + "2800,1,0\n", [], "for mV, name the unit in the header"),
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
