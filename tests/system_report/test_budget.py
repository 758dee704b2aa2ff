"""The budget: sums, hand-computed units, what a change in cells.nc moves, and refused pairs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from devices.defaults import assumed_set_law
from formats.cells import Cells, read_cells, write_cells
from formats.errors import InputError
from formats.training import Training, read_training
from system.architecture import UNROLLED, Dac
from system.budget import Budget, BudgetOptions, Line, budget
from system.budget.layout import accumulator_width
from system.budget.sng import energy_per_bit, sng_table
from system.budget.units import mac_energy, mac_table
from tests import synthetic_training as synthetic

EDITED = BudgetOptions(accept_edited_cells=True)


def edited(cells: Cells, group: str, change: Callable[[xr.Dataset], xr.Dataset]) -> Cells:
    """The same cells with one group changed (and another hash), as an edited file would read."""
    groups = {**cells.groups, group: change(cells.groups[group].copy(deep=True))}
    return replace(cells, groups=groups, sha256="0" * 64)


def scaled(names: tuple[str, ...], factor: float = 2.0) -> Callable[[xr.Dataset], xr.Dataset]:
    """Multiply variables of a group, keeping their attributes."""

    def change(data: xr.Dataset) -> xr.Dataset:
        for name in names:
            data[name] = data[name].copy(data=data[name].to_numpy() * factor)
        return data

    return change


def of(bill: Budget, item: str) -> Line:
    """The line whose name begins with ``item``."""
    return next(line for line in bill.lines if line.item.startswith(item))


def test_totals_are_the_sums_of_their_lines(pair: tuple[Cells, Training]) -> None:
    bill = budget(*pair, UNROLLED, BudgetOptions())
    totals = bill.totals()
    lines = bill.lines
    area = math.fsum(line.area * 1e6 for line in lines)
    assert totals["area_mm2"].value == pytest.approx(area, rel=1e-15)
    assert totals["leakage_uW"].value == 1e6 * math.fsum(line.leakage for line in lines)
    energy = math.fsum(line.energy_training for line in lines)
    assert totals["energy_per_training_step_J"].value == energy
    assert totals["power_uW"].value == pytest.approx(
        1e6 * (energy * 1.0 + math.fsum(line.leakage for line in lines)), rel=1e-15
    )


def test_a_training_run_is_all_its_steps(pair: tuple[Cells, Training]) -> None:
    """Three epochs of the whole batches of the images, with the leakage meanwhile."""
    found = budget(*pair, UNROLLED, BudgetOptions())
    totals, steps = found.totals(), 3 * (int(pair[1].attributes["train_images"]) // 32) * 32
    step = totals["energy_per_training_step_with_leakage_J"].value
    assert totals["energy_of_training_run_J"].value == pytest.approx(steps * step)
    assert totals["time_of_training_run_s"].value == pytest.approx(
        steps * found.timing.training_step
    )


def test_counts_are_those_of_lenet5(pair: tuple[Cells, Training]) -> None:
    bill = budget(*pair, UNROLLED, BudgetOptions())
    assert of(bill, "MACs").count == 416_520
    assert of(bill, "SNGs of parameters").count == 61_470
    assert of(bill, "SNGs of activations").count == 784 + 1176 + 400 + 120 + 84
    assert of(bill, "SNGs of errors").count == 4704 + 1600 + 120 + 84 + 10
    assert of(bill, "MACs").events_inference == 416_520 * 256
    assert of(bill, "MACs").events_training == (3 * 416_520 - 117_600) * 256
    # conv1: 4704 outputs, 0 to 256 * 25 -> 13 + 1 bits; fc1: 48,000 gradients, 0 to 256 -> 9 + 1.
    bits = 4704 * 14 + 1600 * 17 + 48_000 * 10 + 10_080 * 10 + 840 * 10
    # conv2's input gradient: 1176 units of log2(256 * 400) -> 17 + 1, and its 2400 weights of
    # log2(256 * 100) -> 15 + 1 bits, which is the largest of the three.
    bits += 2400 * 16 - 1600 * 17
    assert of(bill, "Accumulator registers").count == bits


REGISTERS = (
    "Operand registers",
    "Accumulator registers",
    "Scale registers",
    "Scale counter registers",
    "Rounding LFSR registers",
)
ADDERS = ("Accumulator adders", "Bias adders", "Scale counter adders")
DOUBLED = [
    ("sng", ("energy",), "energy_training", ("SNGs",)),
    ("sng", ("area",), "area", ("SNGs",)),
    ("sng", ("leakage_power",), "leakage", ("SNGs",)),
    ("sign_magnitude_counter", ("energy",), "energy_training", ("MACs",)),
    ("sign_magnitude_counter", ("area",), "area", ("MACs",)),
    ("sign_magnitude_counter", ("leakage_power",), "leakage", ("MACs",)),
    ("dff", ("energy_hold", "energy_toggle"), "energy_training", REGISTERS),
    ("dff", ("area",), "area", REGISTERS),
    ("dff", ("leakage_power",), "leakage", REGISTERS),
    ("full_adder", ("transition_energy",), "energy_training", ADDERS),
    ("full_adder", ("area",), "area", ADDERS),
    ("full_adder", ("leakage_power",), "leakage", (*ADDERS, "Update unit", "Rounding adders")),
    ("mux2", ("transition_energy",), "energy_training", ("Port shifters",)),
    ("mux2", ("area",), "area", ("Port shifters",)),
    ("mux2", ("leakage_power",), "leakage", ("Port shifters",)),
    ("xor2", ("area",), "area", ("Rounding LFSR feedback",)),
]


@pytest.mark.parametrize(("group", "names", "quantity", "items"), DOUBLED)
def test_doubling_a_unit_moves_the_total_by_the_share_of_its_lines(
    pair: tuple[Cells, Training],
    group: str,
    names: tuple[str, ...],
    quantity: str,
    items: tuple[str, ...],
) -> None:
    cells, training = pair
    before = budget(cells, training, UNROLLED, BudgetOptions())
    after = budget(edited(cells, group, scaled(names)), training, UNROLLED, EDITED)
    share = math.fsum(
        getattr(line, quantity) for line in before.lines if line.item.startswith(items)
    )
    assert share > 0
    total = {"energy_training": "energy_training", "area": "area", "leakage": "leakage"}[quantity]
    moved = getattr(after, total) - getattr(before, total)
    assert moved == pytest.approx(share, rel=1e-9)
    for other in {"energy_training", "energy_inference", "area", "leakage"} - {quantity}:
        if {quantity, other} != {"energy_training", "energy_inference"}:
            assert getattr(after, other) == getattr(before, other)


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_energy_per_bit_is_the_hand_formula(
    pair: tuple[Cells, Training], probability: float
) -> None:
    bit = energy_per_bit(sng_table(pair[0]), probability)
    p = probability
    assert bit.reset == pytest.approx(p * 2e-12 + (1 - p) * 1e-15)
    assert bit.read == pytest.approx(p * 3e-14 + (1 - p) * 1e-15)
    held = 0.0 if p == 0 else 1e-13  # no write pulse at p = 0
    assert bit.write == pytest.approx(p * 1e-9 + (1 - p) * held)
    assert bit.stderr == pytest.approx(0, abs=1e-20) or 0 < p < 1


def test_energy_is_read_at_the_voltage_that_gives_the_probability(
    pair: tuple[Cells, Training],
) -> None:
    """With E(switched) = V x 1 nJ, the write energy of a bit shows which voltage was chosen."""

    def proportional(data: xr.Dataset) -> xr.Dataset:
        energy = np.zeros(data["energy"].shape)
        energy[..., 1, 1] = 1e-9 * data["write_voltage"].to_numpy()[:, None, None, None]
        data["energy"] = data["energy"].copy(data=energy)
        return data

    cells = edited(pair[0], "sng", proportional)
    ps = cells.sng["Ps"].to_numpy().ravel()
    for index in (0, 5, 12, 20):
        bit = energy_per_bit(sng_table(cells), float(ps[index]))
        voltage = float(cells.sng["write_voltage"][index])
        assert bit.write / ps[index] == pytest.approx(1e-9 * voltage)


def test_read_errors_are_taken_back_before_the_state_is_priced(
    pair: tuple[Cells, Training],
) -> None:
    def erring(data: xr.Dataset) -> xr.Dataset:
        data["e01"] = data["e01"] + 0.1
        data["e10"] = data["e10"] + 0.2
        return data

    cells = edited(pair[0], "sng", erring)
    # P(1) = 0.45 = pi 0.8 + (1 - pi) 0.1 has pi = 0.5
    bit = energy_per_bit(sng_table(cells), 0.45)
    assert bit.read == pytest.approx(0.5 * 3e-14 + 0.5 * 1e-15)


def test_mac_energy_is_bilinear_and_ignores_unknown_errors_elsewhere() -> None:
    grid = np.array([0.0, 1.0])
    mac = xr.Dataset(
        {
            "energy": (("a_probability", "b_probability"), [[0.0, 1.0], [2.0, 5.0]]),
            "energy_stderr": (("a_probability", "b_probability"), [[0.0, 0.0], [0.0, np.nan]]),
        },
        {"a_probability": grid, "b_probability": grid},
    )
    assert mac_energy(mac_table(mac), 0.25, 0.5)[0] == pytest.approx(0.75 * 0.5 + 0.25 * 3.5)
    assert mac_energy(mac_table(mac), 0.25, 0.0)[1] == 0.0
    assert math.isnan(mac_energy(mac_table(mac), 0.25, 0.5)[1])


def test_accumulators_never_overflow() -> None:
    for length in (4, 100, 256):
        for fan_in in (1, 25, 150, 400):
            width = accumulator_width(length, fan_in, "exact-counter")
            assert 2 ** (width - 1) - 1 >= length * fan_in
            assert 2 ** (width - 2) - 1 < length * fan_in
    assert accumulator_width(256, 400, "mux") == 10


def test_frame_rate_beyond_the_schedule_is_capped_and_said(pair: tuple[Cells, Training]) -> None:
    bill = budget(*pair, UNROLLED, BudgetOptions(frame_rate=1000.0))
    assert bill.timing.rate == pytest.approx(1 / bill.timing.training_step)
    assert any("1000" in warning for warning in bill.warnings)
    assert bill.power == pytest.approx(bill.energy_training * bill.timing.rate + bill.leakage)
    for wrong in (0.0, -1.0, math.nan):
        with pytest.raises(InputError, match="frame-rate"):
            budget(*pair, UNROLLED, BudgetOptions(frame_rate=wrong))


def test_a_set_law_without_a_measurement_is_warned_of(pair: tuple[Cells, Training]) -> None:
    cells, training = pair
    assert not any("SET law" in said for said in budget(*pair, UNROLLED, BudgetOptions()).warnings)
    device = json.loads(cells.attributes["device_json"])
    device["set"] = assumed_set_law().to_dict()
    attributes = {**cells.attributes, "device_json": json.dumps(device)}
    told = budget(replace(cells, attributes=attributes), training, UNROLLED, BudgetOptions())
    assert any(said.startswith("The SET law is assumed") for said in told.warnings)


def test_dacs_are_listed_as_missing_or_counted(pair: tuple[Cells, Training]) -> None:
    without = budget(*pair, UNROLLED, BudgetOptions())
    assert any("DAC" in text for text in without.not_modelled)
    dac = Dac(10e-12, 1e-12, "assumed: test")
    with_dacs = budget(*pair, replace(UNROLLED, dac=dac), BudgetOptions())
    assert not any("DAC" in text for text in with_dacs.not_modelled)
    generators = sum(line.count for line in without.lines if line.group == "SNGs")
    assert with_dacs.area - without.area == pytest.approx(generators * 10e-12)
    shared = budget(*pair, replace(UNROLLED, dac=replace(dac, sngs=4)), BudgetOptions())
    assert shared.area - without.area == pytest.approx(math.ceil(generators / 4) * 10e-12)


def test_other_cells_are_refused_unless_accepted(pair: tuple[Cells, Training]) -> None:
    cells, training = pair
    other = replace(cells, sha256="0" * 64)
    with pytest.raises(InputError, match="another cells"):
        budget(other, training, UNROLLED, BudgetOptions())
    bill = budget(other, training, UNROLLED, EDITED)
    assert bill.warnings[0].startswith("EDITED CELLS")


def test_arithmetic_trained_must_be_the_hardware_costed(pair: tuple[Cells, Training]) -> None:
    """Of every product: one wrong word in one of them is found."""
    cells, training = pair
    wrong = replace(training, attributes={**training.attributes, "signalling": "other"})
    with pytest.raises(InputError, match="signalling 'other'"):
        budget(cells, wrong, UNROLLED, EDITED)
    for key in ("encoding", "adder"):
        data = training.data.copy(deep=True)
        data[key] = data[key].astype(object)
        data[key][2, 1] = "other"
        with pytest.raises(InputError, match=f"fc1/input_gradient was trained with {key} 'other'"):
            budget(cells, replace(training, data=data), UNROLLED, EDITED)


def test_mux_training_is_refused_with_the_counters_entry(cells_path: Path, tmp_path: Path) -> None:
    path = synthetic.synthetic_training(tmp_path / "mux.nc", cells_path, "bipolar_mux")
    cells, training = read_cells(cells_path), read_training(path)
    bill = budget(cells, training, UNROLLED, BudgetOptions())
    assert of(bill, "MACs").unit_area == pytest.approx(3.5e-12)
    assert any("Select" in text for text in bill.not_modelled)
    data = training.data.copy(deep=True)
    data["mac"] = xr.where(data["mac"] == "bipolar_mux", "sign_magnitude_counter", data["mac"])
    counter = replace(training, data=data.transpose("epoch", "layer", "product", ...))
    with pytest.raises(InputError, match="arithmetic trained must be"):
        budget(cells, counter, UNROLLED, EDITED)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("mac", "nothing", "lacks"),
        ("rule", "lbfgs", "knows"),
        ("operand_bits", 0, "whole number"),
        ("operand_bits", "many", "whole number"),
        ("batch_size", -3, "whole number"),
        ("parameters", 5, "61470 weights, more than the 5 parameters"),
        ("conditions", '{"calibration": {}}', "expected an object with gain_step"),
        ("conditions", '{"calibration": {"gain_step": 1, "trim_bits": 0.5}}', "no whole number"),
    ],
)
def test_what_the_budget_does_not_know_is_refused(
    pair: tuple[Cells, Training], key: str, value: Any, words: str
) -> None:
    cells, training = pair
    wrong = replace(training, attributes={**training.attributes, key: value})
    with pytest.raises(InputError, match=words):
        budget(cells, wrong, UNROLLED, BudgetOptions())


def test_missing_operand_statistics_are_refused(pair: tuple[Cells, Training]) -> None:
    cells, training = pair
    data = training.data.copy(deep=True)
    data["operand_a"][:] = np.nan
    with pytest.raises(InputError, match="conv1/forward"):
        budget(cells, replace(training, data=data), UNROLLED, BudgetOptions())


def test_a_doubled_energy_in_the_file_doubles_the_line(
    pair: tuple[Cells, Training], tmp_path: Path
) -> None:
    """The same through the file: write, read, and the total follows."""
    cells, training = pair
    groups = {**cells.groups, "sng": scaled(("energy",))(cells.sng.copy(deep=True))}
    attributes = {
        key: cells.attributes[key]
        for key in ("device_json", "fit_json", "technology", "default_mac", "provenance")
    }
    write_cells(tmp_path / "edited.nc", attributes, groups)
    before = budget(cells, training, UNROLLED, BudgetOptions())
    after = budget(read_cells(tmp_path / "edited.nc"), training, UNROLLED, EDITED)
    for line, doubled in zip(before.lines, after.lines, strict=True):
        factor = 2 if line.group == "SNGs" else 1
        assert doubled.energy_training == pytest.approx(factor * line.energy_training, rel=1e-12)
    assert json.loads(attributes["device_json"])["name"] == "knag2014"
