"""The five-orders table: the ratios of published figures, and what a change of a unit moves."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from formats.cells import Cells
from formats.training import Training
from system.architecture import UNROLLED
from system.budget import BudgetOptions, budget
from system.budget.baselines import Baselines, baselines
from system.budget.baselines.figures import PUBLISHED, REGISTER_BIT_AREA, REGISTER_BIT_ENERGY
from system.budget.baselines.orders import Row, orders
from system.budget.baselines.stochastic import BARE, CELL, SYSTEM, WITH_SNGS, candidates
from tests.system_baselines.reference_cells import changed

EDITED = BudgetOptions(accept_edited_cells=True)
KIND = "sign_magnitude_counter"


def found_with(cells: Cells, training: Training) -> Baselines:
    edited = replace(cells, sha256="0" * 64)
    return baselines(edited, training, UNROLLED, EDITED, budget(edited, training, UNROLLED, EDITED))


def row(found: Baselines, form: str, baseline: str, mac: str = KIND) -> Row:
    return next(
        r
        for r in found.orders
        if (r.candidate.mac, r.candidate.form) == (mac, form)
        and r.baseline.name.startswith(baseline)
    )


def test_published_figures_give_the_published_ratios(pair: tuple[Cells, Training]) -> None:
    table = orders(candidates(pair[0], budget(*pair, UNROLLED, BudgetOptions()), ()), PUBLISHED[:1])
    by_name = {r.candidate.mac: r for r in table}
    gates = by_name["XNOR2 + MUX2 of NanGate 45 nm"].area
    assert (gates.low, gates.high) == pytest.approx((2.0e3, 3.9e3), rel=0.02)
    assert gates.orders == pytest.approx((3.3, 3.6), abs=0.02)
    bare = by_name["1T1R, core transistor"].area
    assert (bare.low, bare.high) == pytest.approx((0.9e5, 1.7e5), rel=0.03)
    macro = by_name["40-nm RRAM macro, per bit"].area
    assert macro.orders == pytest.approx((4.2, 4.5), abs=0.05)


def test_one_row_by_hand(pair: tuple[Cells, Training]) -> None:
    found = row(found_with(*pair), CELL, "FP32, Aladdin")
    area, bit = 1e-12 + 1.5e-12 + 4e-12, 1.04e-4
    assert found.area.low == pytest.approx(6953e-12 / area, rel=1e-12)
    time = found.area_time_trained
    assert time is not None
    assert time.high == pytest.approx(13328e-12 * 2e-9 / (area * bit * 256), rel=1e-12)
    # 5/36 over 2/3 of 4^-23/84
    assert found.bits == pytest.approx(5 / 36 / (2 / 3 * 4.0**-23 / 84), rel=1e-9)
    equal = found.area_time_equal
    assert equal is not None
    assert equal.high == pytest.approx(time.high * 256 / found.bits, rel=1e-12)


@pytest.mark.parametrize("form", [CELL, WITH_SNGS, SYSTEM])
def test_a_mac_twice_as_large_halves_its_ratio_by_its_share(
    pair: tuple[Cells, Training], form: str
) -> None:
    cells, training = pair
    before = row(found_with(cells, training), form, "int8, Aladdin")
    after = row(found_with(changed(cells, KIND, ("area",), 2.0), training), form, "int8, Aladdin")
    grown = before.candidate.area + 6.5e-12
    assert after.candidate.area == pytest.approx(grown, rel=1e-12)
    assert after.area.low == pytest.approx(before.area.low * before.candidate.area / grown)


def test_sng_energy_counts_where_sngs_do(pair: tuple[Cells, Training]) -> None:
    cells, training = pair
    twice = changed(cells, "sng", ("energy",), 2.0)
    found = [found_with(one, training) for one in (cells, twice)]
    energies = {
        form: [row(one, form, "FP32, Aladdin").candidate.energy or 0.0 for one in found]
        for form in (CELL, WITH_SNGS, SYSTEM)
    }
    alone = energies[CELL][0]
    assert energies[CELL][1] == alone
    for form in (WITH_SNGS, SYSTEM):
        first, second = energies[form]
        assert second - alone == pytest.approx(2 * (first - alone), rel=1e-12)
    shared = math.fsum(
        line.energy_training for line in found[0].ours.lines if line.group == "SNGs"
    ) / math.fsum(p.macs * p.length for p in found[0].ours.workload.products)
    assert energies[SYSTEM][0] - alone == pytest.approx(shared, rel=1e-12)


def test_arrays_do_the_same_products(pair: tuple[Cells, Training]) -> None:
    found = found_with(*pair)
    assert found.work.inference == 416_520
    # Momentum's two binary products for each of 61,706 parameters, once a batch of 32.
    training = 416_520 * 3 - 117_600 + 2 * 61_706 / 32
    assert found.work.training == pytest.approx(training, rel=1e-12)
    same, many = found.arrays[:2]
    energy = 31.7e-12 + 32 * REGISTER_BIT_ENERGY.value
    assert same.inference[0] == pytest.approx(416_520 * energy, rel=1e-12)
    assert same.area[1] == pytest.approx(
        same.units * (13328e-12 + 32 * REGISTER_BIT_AREA.value), rel=1e-12
    )
    assert same.latency <= found.ours.timing.inference
    assert same.step <= found.ours.timing.training_step
    assert many.units == 416_520
    assert many.latency == pytest.approx(5 * 2e-9)  # five layers, one after the other


def test_the_same_memories_stand_beside_an_array(pair: tuple[Cells, Training]) -> None:
    found = found_with(*pair)
    lines = [line for line in found.ours.lines if line.group == "Memory"]
    one = found.arrays[0]
    for of, pairs in (
        (lambda line: line.area, (one.area, one.area_with_memories)),
        (lambda line: line.energy_inference, (one.inference, one.inference_with_memories)),
        (lambda line: line.energy_training, (one.training, one.training_with_memories)),
    ):
        extra = math.fsum(of(line) for line in lines)
        for alone, both in zip(*pairs, strict=True):
            assert both == pytest.approx(alone + extra, rel=1e-12)


def test_arrays_are_as_fast_with_the_fewest_macs(pair: tuple[Cells, Training]) -> None:
    cells, training = pair
    fast = changed(cells, "sng", ("phase_time",), 1e-4)
    found = found_with(fast, training)
    for one in found.arrays[::2]:
        assert one.latency <= found.ours.timing.inference
        assert one.step <= found.ours.timing.training_step
    slowest = max(found.arrays[::2], key=lambda one: one.units)
    assert slowest.units > 1


def test_the_verdict_says_where_five_orders_hold(pair: tuple[Cells, Training]) -> None:
    said = found_with(*pair).verdict
    assert "1T1R, core transistor (bare cell) only" in said[0]
    tiny = changed(pair[0], KIND, ("area",), 1e-3)
    assert KIND in found_with(tiny, pair[1]).verdict[0]


def test_bare_cells_stand_for_themselves(pair: tuple[Cells, Training]) -> None:
    cells, training = pair
    data = cells.groups["bipolar_mux"].copy(deep=True)
    data["cell_area"] = data["area"] / 10
    with_cell = replace(cells, groups={**cells.groups, "bipolar_mux": data})
    found = row(found_with(with_cell, training), BARE, "FP32", "bipolar_mux")
    assert found.candidate.area == pytest.approx(float(data["area"]) / 10)
    assert row(found_with(cells, training), CELL, "FP32", "bipolar_mux").candidate.form == CELL
