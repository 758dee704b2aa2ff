"""Every line of every bill says how well its figures are known, and moves with them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import xarray as xr

from formats.cells import Cells
from formats.training import Training
from system.architecture import UNROLLED, Architecture, Dac, architecture, presets
from system.budget import BudgetOptions, budget
from system.budget.uncertainty import uncertainty
from system.budget.uncertainty.figures import mixtures
from system.budget.uncertainty.spread import model_of
from tests.system_report.changes import bill, edited, ends, of, plain, pumped, trained

DAC = Dac(1e-10, 1e-12, "assumed: given by the user on the command line", leakage=1e-9)


def staged(data: xr.Dataset) -> None:
    """An inference in stages."""
    stages = {"length": [32, 256], "reached": [1000, 300], "images": [700, 300]}
    for name, values in {**stages, "correct": [690, 250]}.items():
        data[f"stage_{name}"] = (("stage",), values)


BILLS: list[tuple[Architecture, Callable[[xr.Dataset], None] | None, str | None]] = [
    *((replace(architecture(name), dac=DAC), None, None) for name in presets()),
    (replace(UNROLLED, write_supply="charge-pumps"), staged, "momentum"),
    (replace(UNROLLED, parallelism=1000, order="outputs"), None, "sgd"),
    (UNROLLED, lambda data: plain(data, "fc3", "forward"), None),
    (UNROLLED, None, "adam"),
]


@pytest.mark.parametrize(("layout", "change", "rule"), BILLS)
def test_every_line_has_an_uncertainty_of_its_own(
    cells: Cells,
    layout: Architecture,
    change: Callable[[xr.Dataset], None] | None,
    rule: str | None,
) -> None:
    """Nobody adds a line without saying how well its figures are known."""
    made = pumped(cells)
    streamed = rule if rule in ("sgd", "momentum") else None
    training = trained(made, change, streamed, **({"rule": rule} if rule else {}))
    found = budget(made, training, layout, BudgetOptions(accept_edited_cells=True))
    for key, amount in model_of(made, training, found).amounts.items():
        moved = {
            one.name for mixture in amount.mixtures for part in mixture for one, _ in part.moved
        }
        assert moved, key
        assert not any(name.startswith(("area: ", "energy: ", "leakage: ")) for name in moved), (
            f"{key} takes a figure whose uncertainty is not stated in uncertainty/stated.py"
        )
        for mixture in amount.mixtures:
            assert math.fsum(part.share for part in mixture) == pytest.approx(1.0, abs=1e-9)


def test_a_figure_from_elsewhere_is_named_and_taken_as_wide(pair: tuple[Cells, Training]) -> None:
    old = UNROLLED.figures.sram_bit_area
    figures = replace(UNROLLED.figures, sram_bit_area=replace(old, source="taken: our foundry"))
    found = budget(*pair, replace(UNROLLED, figures=figures), BudgetOptions())
    (mixture,) = mixtures(pair[0], of(found, "Weight memory"), "area")
    assert mixture[0].moved[0][0].name == "area: taken: our foundry"
    moved = uncertainty(*pair, found)
    memory = math.fsum(line.area for line in found.lines if line.group == "Memory")
    high = ends(moved, "area_mm2", "area: taken: our foundry")[1]
    assert high == pytest.approx((found.area + 0.5 * memory) * 1e6, rel=1e-9)


def test_overheads_move_with_the_lines_they_are_a_share_of(cells: Cells) -> None:
    made = pumped(cells)
    training = trained(made)
    layout = architecture("row-parallel")
    found = budget(made, training, layout, BudgetOptions(accept_edited_cells=True))
    moved = uncertainty(made, training, found)
    for total, name, change in (
        ("area_mm2", "SNG area", {("sng", "area"): 1.5}),
        ("area_mm2", "area of dff", {("dff", "area"): 1.15}),
        ("leakage_uW", "SNG leakage", {("sng", "leakage_power"): 3.0}),
    ):
        after = budget(
            edited(made, change), training, layout, BudgetOptions(accept_edited_cells=True)
        )
        wanted = after.totals()[total].value
        assert ends(moved, total, name)[1] == pytest.approx(wanted, rel=1e-9)


def test_an_inference_in_stages_has_the_uncertainty_of_its_lines(cells: Cells) -> None:
    training = trained(cells, staged)
    found = bill(cells, training)
    assert found.progressive is not None
    moved = uncertainty(cells, training, found)
    early = moved.totals["energy_per_progressive_inference_J"]
    whole_one = moved.totals["energy_per_inference_J"]
    assert early.value == pytest.approx(found.progressive.energy)
    assert [x / early.value for x in early.interval95] == pytest.approx(
        [x / whole_one.value for x in whole_one.interval95], rel=0.01
    )
    assert moved.totals["progressive_latency_s"].interval95 == (
        found.progressive.latency,
        found.progressive.latency,
    )
