"""The report of networks on arrays: totals by hand, lifetimes by hand, refusals, the page."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from devices.presets import knag2014
from formats.cells import Cells, read_cells
from formats.errors import InputError
from formats.json_file import check
from formats.synapse_training import read_synapse_training
from system.budget.accuracy import wilson
from system.budget.arrays import Converter, synapses_bill, units, use_of_training
from system.budget.wear.endurance import Endurance
from system.budget.wear.failure import first_failure
from system.report.arrays.case import BINARIZED, SYNAPSES, case
from system.report.cli import main
from tests.synthetic_cells import synthetic_cells
from tests.system_report.array_files import (
    CONDUCTANCE,
    DEVICES,
    EPOCHS,
    FIRST,
    IMAGES,
    MOST,
    POSITIONS,
    PULSES,
    binarized,
    synapses,
)
from tests.system_report.runs import Page

CELL, READ_V, READ_S = 0.6e-12, 0.5, 1e-6
"""Of the synthetic cells.nc: area of a 1T1R cell, read voltage, read phase."""
WRITE_V, WRITE_S = 3.6, 1e-4
DRIVEN = 10**-0.5
"""Of a read with all rows driven: between a tenth and all."""


@pytest.fixture(scope="module")
def cells_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = synthetic_cells(tmp_path_factory.mktemp("arrays") / "cells.nc")
    with h5py.File(path, "a") as file:
        file["sng"].attrs["read_voltage_V"] = READ_V
    return path


@pytest.fixture(scope="module")
def cells(cells_path: Path) -> Cells:
    return read_cells(cells_path)


@pytest.fixture(scope="module")
def synapses_path(cells_path: Path) -> Path:
    return synapses(cells_path.parent / "synapses.nc")


@pytest.fixture(scope="module")
def binarized_path(cells_path: Path, cells: Cells) -> Path:
    device = str(cells.attributes["device_json"])
    return binarized(cells_path.parent / "binarized.nc", device)


Made = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def made(cells_path: Path) -> Made:
    """Runs the command and reads its report.json."""

    def run(result: Path, *more: str) -> dict[str, Any]:
        output = cells_path.parent / f"out-{result.stem}-{len(more)}"
        assert main([str(cells_path), str(result), "-o", str(output), "-q", *more]) == 0
        content: dict[str, Any] = json.loads((output / "report.json").read_text("utf-8"))
        content["folder"] = output
        return content

    return run


@pytest.fixture(scope="module")
def trained(made: Made, synapses_path: Path) -> dict[str, Any]:
    return made(synapses_path)


@pytest.fixture(scope="module")
def mapped(made: Made, binarized_path: Path) -> dict[str, Any]:
    return made(binarized_path, "--adc-area-um2", "50", "--adc-energy-pJ", "2")


@pytest.mark.parametrize("kind", ["synapses", "binarized"])
def test_what_ngspice_could_not_do_is_a_warning(
    kind: str, cells: Cells, synapses_path: Path, binarized_path: Path
) -> None:
    found = {"synapses": (SYNAPSES, synapses_path), "binarized": (BINARIZED, binarized_path)}[kind]
    changed = {**cells.attributes, "rescued": json.dumps({"gate nand2": "ended with cshunt"})}
    without, told = (
        case(*found, each, None).bill.warnings
        for each in (cells, replace(cells, attributes=changed))
    )
    assert told == ("result of a changed circuit: gate nand2: ended with cshunt", *without)


def values(report: dict[str, Any]) -> dict[str, float]:
    return {name: total["value"] for name, total in report["totals"].items()}


def flip_flop(cells: Cells) -> tuple[float, float]:
    """Area, and energy of a clock: half hold, half toggle."""
    data = cells.groups["dff"]
    hold, toggle = (data[f"energy_{name}"].to_numpy().item() for name in ("hold", "toggle"))
    return float(data["area"]), (hold + toggle) / 2


def test_totals_of_a_training_are_those_counted_by_hand(
    trained: dict[str, Any], cells: Cells
) -> None:
    area, clock = flip_flop(cells)
    read = DRIVEN * READ_V**2 * CONDUCTANCE * READ_S
    pulse = WRITE_V**2 * CONDUCTANCE * WRITE_S
    inference = float(np.sum(DEVICES * POSITIONS * read)) + 8 * (4 * 9 + 2) * clock
    backward = 24 * read[2]  # errors pass the second layer's weights only
    learning = float(np.sum(DEVICES * PULSES / (IMAGES * EPOCHS) * pulse))
    found = values(trained)
    assert found["area_mm2"] == pytest.approx(1e6 * (236 * CELL + 8 * 6 * area), rel=1e-12)
    assert found["energy_per_inference_J"] == pytest.approx(inference, rel=1e-12)
    assert found["energy_per_training_image_J"] == pytest.approx(
        inference + backward + learning, rel=1e-12
    )
    assert found["programming_energy_J"] == pytest.approx(
        float(np.sum(DEVICES * FIRST * pulse)), rel=1e-12
    )
    assert found["latency_s"] == pytest.approx(10 * READ_S, rel=1e-12)


def test_totals_of_a_chip_are_those_counted_by_hand(mapped: dict[str, Any], cells: Cells) -> None:
    area, clock = flip_flop(cells)
    adder = cells.groups["full_adder"]
    step = float(np.mean(adder["transition_energy"].to_numpy()))
    r_on = knag2014().conduction.r_lrs.value
    # Mean conductances of log-normal resistances of these relative spreads.
    conductance = (math.sqrt(1.09) + math.sqrt(1.16) / 10) / (2 * r_on)
    reads = 1800 * DRIVEN * READ_V**2 * conductance * READ_S
    found, width = values(mapped), 6 + 8
    assert found["area_mm2"] == pytest.approx(
        1e6 * (200 * CELL + 8 * width * (area + float(adder["area"])) + 8 * 50e-12), rel=1e-12
    )
    assert found["energy_per_inference_J"] == pytest.approx(
        reads + 72 * width * (clock + step) + 72 * 2e-12, rel=1e-12
    )
    assert found["programming_energy_J"] == pytest.approx(
        200 * WRITE_V**2 * conductance * WRITE_S, rel=1e-12
    )
    assert found["latency_s"] == pytest.approx(9 * READ_S, rel=1e-12)
    assert "energy_per_training_image_J" not in found
    assert any("out" in text and "12 products" in text for text in mapped["not_modelled"])


@pytest.mark.parametrize("which", ["trained", "mapped"])
def test_lines_add_up_to_the_totals(which: str, request: pytest.FixtureRequest) -> None:
    report = request.getfixturevalue(which)
    for name, total in values(report).items():
        if name == "latency_s":
            continue
        key, factor = ("leakage_W", 1e6) if name == "leakage_uW" else (name, 1.0)
        assert sum(line[key] for line in report["lines"]) * factor == pytest.approx(
            total, rel=1e-12
        )


def test_twice_a_unit_doubles_its_lines_and_nothing_else(cells: Cells, synapses_path: Path) -> None:
    training = read_synapse_training(synapses_path)
    unit = units(cells, Converter(1e-12, 1e-12))
    doubled = replace(
        unit,
        cell_area=2 * unit.cell_area,
        write=replace(unit.write, time=2 * unit.write.time),
        converter=Converter(3e-12, 5e-12),
    )
    pairs = zip(
        synapses_bill(training, unit).lines, synapses_bill(training, doubled).lines, strict=True
    )
    for one, two in pairs:
        area = {"Devices": 2, "Converters": 3}.get(one.group, 1)
        energy = {"Programming": 2, "Converters": 5}.get(one.group, 1)
        assert two.area == pytest.approx(area * one.area, rel=1e-12)
        assert two.unit_energy == pytest.approx(energy * one.unit_energy, rel=1e-12)


def test_converters_count_what_the_note_without_them_says(
    made: Made, trained: dict[str, Any], synapses_path: Path
) -> None:
    counted = made(synapses_path, "--adc-area-um2", "1", "--adc-energy-pJ", "1")
    before, after = values(trained), values(counted)
    note = next(text for text in trained["not_modelled"] if text.startswith("Analogue"))
    said = re.search(r"add (\S+) mm2.* conversion (\S+) J per inference and (\S+) J", note)
    assert said is not None
    # 9 x 4 + 2 sums; the errors at the 6 inputs of the second layer on top.
    assert [float(text) for text in said.groups()] == pytest.approx([6e-6, 38e-12, 44e-12])
    for name, amount in zip(
        ("area_mm2", "energy_per_inference_J", "energy_per_training_image_J"),
        said.groups(),
        strict=True,
    ):
        assert after[name] - before[name] == pytest.approx(float(amount), rel=1e-6)
    assert not any(text.startswith("Analogue") for text in counted["not_modelled"])


def test_lifetimes_of_a_training_are_those_of_its_pulses(
    trained: dict[str, Any], synapses_path: Path
) -> None:
    wear, images = trained["wear"], IMAGES * EPOCHS
    most = (MOST - FIRST) / images
    rest = (DEVICES * PULSES / images - most) / (DEVICES - 1)
    rows = {row["endurance_cycles"]: row for row in wear["table"] if not row["own"]}
    for endurance in (1e4, 1e6, 1e9, 1e12):
        # Weibull, shape 2: hazards of independent devices add up, H = sum (r t / c)^2 = ln 2.
        images_to_first = endurance * math.sqrt(
            math.log(2) / float(np.sum(most**2 + (DEVICES - 1) * rest**2))
        )
        row = rows[endurance]
        assert row["units_to_first"] == pytest.approx(images_to_first, rel=1e-9)
        assert row["epochs_to_first"] == pytest.approx(images_to_first / IMAGES, rel=1e-9)

    assert wear["so_far"]["most_used"] == "conv.weight"
    assert wear["so_far"]["pulses"] == 50
    use = use_of_training(read_synapse_training(synapses_path))
    assert use.every.total == pytest.approx(float(np.sum(DEVICES * PULSES)) / images)
    assert first_failure(use.every, Endurance("weibull", 1e6, 2.0)) == pytest.approx(
        rows[1e6]["units_to_first"]
    )


def test_a_chip_is_programmed_once_and_reads_do_not_wear_it(mapped: dict[str, Any]) -> None:
    wear = mapped["wear"]
    assert wear["unit"] == "programming" and "Reads do not wear" in wear["meaning"]
    for row in wear["table"]:
        # 200 equal devices: 200 (n / c)^2 = ln 2; 1 % of them by -ln 0.99 = (n / c)^2.
        c = row["endurance_cycles"]
        assert row["units_to_first"] == pytest.approx(c * math.sqrt(math.log(2) / 200))
        assert row["units_to_percent"] == pytest.approx(c * math.sqrt(-math.log(0.99)))
        assert row["epochs_to_first"] is None


def test_accuracies_stand_beside_floating_point_with_wilson_intervals(
    trained: dict[str, Any], mapped: dict[str, Any]
) -> None:
    plain, own = trained["accuracy"]["networks"]
    assert (plain["value"], own["value"]) == (0.91, 0.85)
    assert own["interval95"] == pytest.approx(wilson(0.85, 500))
    lost = {row["network"]: row["relative_degradation"] for row in trained["accuracy"]["corrupted"]}
    assert lost["float"] == pytest.approx(1 - 364 / 455)
    assert lost["synapses"] == pytest.approx(1 - 364 / 425)
    rows = {
        (row["network"], row["treatment"], row["spread_on"]): row
        for row in mapped["accuracy"]["networks"]
    }
    assert rows["float", None, None]["value"] == 480 / 500
    assert rows["bnn", "calibrated", 0.3]["by_run"] == [0.88, 0.86]
    assert rows["bnn", "none", 0.6]["interval95"] == pytest.approx(wilson(0.62, 500))


@pytest.mark.parametrize("which", ["trained", "mapped"])
def test_every_uncertain_total_has_an_interval_and_knows_what_moves_it(
    which: str, request: pytest.FixtureRequest
) -> None:
    report = request.getfixturevalue(which)
    for name, total in report["totals"].items():
        low, high = total["interval95"]
        assert (low < high) == (name != "latency_s")
        assert low <= total["value"] <= high, name
        moved = {one["input"] for one in report["uncertainty"]["inputs"] if name in one["moves"]}
        assert bool(moved) == (name != "latency_s")
    inputs = {one["input"] for one in report["uncertainty"]["inputs"]}
    assert {"1T1R cell area", "drive of the rows", "programming pulse"} <= inputs
    assert ("converter area" in inputs) == (which == "mapped")


def test_an_unknown_key_is_refused(trained: dict[str, Any]) -> None:
    content = {key: value for key, value in trained.items() if key != "folder"}
    check(content, "array-report", "here")
    with pytest.raises(Exception, match="another"):
        check({**content, "another": 1}, "array-report", "here")


@pytest.mark.parametrize("which", ["trained", "mapped"])
def test_the_page_is_whole_and_asks_nothing_of_a_network(
    which: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(which)["folder"]
    text = (folder / "report.html").read_text("utf-8")
    Page(text)
    assert "default-src 'none'" in text
    assert not re.search(r"<(?:script|img|link|iframe)[^>]*(?:src|href)=.?https?:", text)
    charts = set(re.findall(r'data-chart="([^"]+)"', text))
    own = {"accuracy", "degradation-blur", "wear-training"} if which == "trained" else {"chips"}
    assert {"shares"} | own <= charts
    plain = (folder / "report.md").read_text("utf-8")
    for heading in ("## Accuracy", "## Budget", "## Lifetime", "## Not modelled", "## Provenance"):
        assert heading in plain


@pytest.mark.parametrize(
    ("option", "result", "said"),
    [
        (("--architecture", "row-parallel"), "synapses", "belongs to streams"),
        (("--frame-rate", "2"), "binarized", "is a binarized.nc"),
        (("--dac-area-um2", "2"), "binarized", "belongs to streams"),
        (("--accept-edited-cells",), "synapses", "leave it out"),
        (("--adc-area-um2", "2"), "synapses", "belong together"),
        (("--adc-area-um2", "-2", "--adc-energy-pJ", "1"), "synapses", "not negative"),
        (("--adc-energy-pJ", "1"), "cells", "belongs to arrays"),
        (("--endurance", "0.5"), "binarized", "expected 1 cycle or more"),
    ],
)
def test_an_option_that_cannot_matter_is_refused_in_one_line(
    option: tuple[str, ...],
    result: str,
    said: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    cells, file = (str(request.getfixturevalue(f"{name}_path")) for name in ("cells", result))
    assert main([cells, file, "-o", str(tmp_path), *option]) == 2
    error = capfd.readouterr().err.strip()
    assert said in error.replace("\n", " ") and len(error.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_cells_without_a_1t1r_cell_say_what_to_extract(cells: Cells) -> None:
    kept = {name: data for name, data in cells.groups.items() if name != "in_memory_column"}
    with pytest.raises(InputError, match="--cells in_memory_column"):
        units(replace(cells, groups=kept))


def test_a_count_that_is_none_is_refused_by_its_name(cells: Cells, synapses_path: Path) -> None:
    training = read_synapse_training(synapses_path)
    training.data["conductance"][0] = np.nan
    with pytest.raises(InputError, match="conductance"):
        synapses_bill(training, units(cells))


def test_chips_of_another_device_are_warned_of(
    made: Made, cells: Cells, cells_path: Path, mapped: dict[str, Any]
) -> None:
    assert mapped["warnings"] == []
    other = json.loads(str(cells.attributes["device_json"])) | {"name": "another"}
    report = made(binarized(cells_path.parent / "other.nc", json.dumps(other)))
    assert "'another'" in report["warnings"][0]
