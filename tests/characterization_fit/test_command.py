"""The command: files, determinism, the measured sweep, and files in other clothes."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

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


CIRCUMSTANCES = """
import sys
from characterization.fit.cli import main as fit
from characterization.synapse.cli import main as fit_synapse
data, pulses, output = sys.argv[1:]
sys.exit(fit([data, "-o", output, "--quiet"]) or fit_synapse([pulses, "-o", output, "--quiet"]))
"""


def test_runs_give_the_same_bytes_under_any_circumstances(tmp_path: Path) -> None:
    """Other hash seed, locale and time zone; relative paths here, absolute ones there."""
    tables = tmp_path / "elsewhere"
    tables.mkdir()
    (tables / "data.csv").write_bytes((EXAMPLES / "knag2014_pulses.csv").read_bytes())
    levels = [min(k % 60 + 1, 59 - k % 60) + 0.1 * (k % 7) for k in range(240)]
    rows = [f"{1e6 / (1 + g)},{1 if k % 60 < 30 else -1}" for k, g in enumerate(levels)]
    (tables / "pulses.csv").write_text("\n".join(["r_after_ohm,voltage_V", *rows]))
    for number, folder in enumerate((tables, tmp_path)):
        prefix = "" if folder is tables else f"{tables}/"
        words = [f"{prefix}data.csv", f"{prefix}pulses.csv", str(tmp_path / f"out{number}")]
        changed = {
            "PYTHONHASHSEED": str(number),
            "LC_ALL": ("C", "C.UTF-8")[number],
            "TZ": ("UTC", "Asia/Tokyo")[number],
            "PYTHONPATH": str(ROOT),
        }
        subprocess.run(
            [sys.executable, "-c", CIRCUMSTANCES, *words],
            cwd=folder,
            env={**os.environ, **changed},
            check=True,
        )
    for name in (*FILES, "synapse.json"):
        one, two = (tmp_path / output / name for output in ("out0", "out1"))
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
