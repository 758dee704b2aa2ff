"""What the page and the screen show of a report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from characterization.extract.screen import read_error
from devices.presets import knag2014
from formats.cells import at_nominal, read_cells
from formats.json_file import read_json
from formats.training import write_training
from system.bitstream import StreamRules
from system.report.chart import drawing, figure
from system.report.cli import main
from system.report.page.cells import sng
from system.report.page.device import fit_pulses
from system.report.quantity import percent, quantity
from tests import synthetic_training as synthetic
from tests.system_report.pages import fit_json
from tests.system_report.runs import Page, rewrite, run


def test_page_is_whole_and_fetches_nothing(
    cells_file: Path, training_file: Path, tmp_path: Path
) -> None:
    rewrite(cells_file, fit_json=fit_json())
    assert run(cells_file, training_file, tmp_path, "--accept-edited-cells") == 0
    text = (tmp_path / "report.html").read_text("utf-8")
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


def test_what_ngspice_could_not_do_is_said_in_every_file_and_on_the_screen(
    cells_file: Path, training_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gap = {"cell": "sng", "pulse_width_s": 1e-4, "temperature_K": 350.0, "corner": "ss"}
    rewrite(
        cells_file,
        missing=json.dumps([{**gap, "reason": "killed by signal 9", "deck": "/kept/sng.cir"}]),
        rescued=json.dumps({"gate nand2": "ended with cshunt <1e-15>"}),
    )
    lines = (
        "missing: sng at ss, 350 K, 0.0001 s: killed by signal 9 (deck /kept/sng.cir)",
        "result of a changed circuit: gate nand2: ended with cshunt <1e-15>",
    )
    words = [str(cells_file), str(training_file), "-o", str(tmp_path), "--accept-edited-cells"]
    assert main(words) == 0
    assert read_json(tmp_path / "report.json", "report")["warnings"][:2] == list(lines)
    page = "".join(Page((tmp_path / "report.html").read_text("utf-8")).words)
    text = (tmp_path / "report.md").read_text("utf-8")
    said = capsys.readouterr().out
    for line in lines:
        assert line in page and f"**{line}**" in text and f"warning: {line}" in said


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


@pytest.mark.parametrize("error, shown", [(7e-75, "0 … 1.00×10⁻¹²"), (2e-9, "2.00×10⁻⁹")])
def test_a_read_error_far_in_the_tail_is_shown_as_below_a_limit(
    cells_file: Path, error: float, shown: str
) -> None:
    cells = read_cells(cells_file)
    cells.sng["e10"][...] = error
    table = sng(cells)
    assert table.shown(len(table.rows) - 1, 1) == shown
    assert ("below 1e-12 (assumed)" in table.rows[-1][2]) == (error < 1e-12)
    told = read_error(at_nominal(cells.sng)["e10"], 1)
    assert told == ("< 1e-12" if error < 1e-12 else "2e-09")
