"""Wear where layers share devices: no cycle is lost, and few devices wear as much faster."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from formats.cells import Cells
from formats.training import Training
from system.architecture import UNROLLED
from system.budget import BudgetOptions, budget
from system.budget.layout import Layout
from system.budget.reading import workload
from system.budget.sng import sng_table
from system.budget.wear.shared import shared_groups
from system.budget.wear.spent import spent
from system.budget.wear.use import mean_switching, owned
from system.budget.workload import KINDS
from system.report.content import report

Pair = tuple[Cells, Training]


@pytest.mark.parametrize("parallelism", ["layer", "row", 1_000, 7])
def test_shared_devices_make_as_many_ones_as_their_own_would(
    pair: Pair, parallelism: str | int
) -> None:
    cells, training = pair
    work, table = workload(training), sng_table(cells)
    layout = Layout(work, replace(UNROLLED, parallelism=parallelism))
    groups = {g.kind: g for g in shared_groups(layout, work.products, table, 1.0)}
    for kind in KINDS:
        own = math.fsum(
            mean_switching(work.products, place, table, 1.0) * place[2]
            for place in owned(work)
            if place[1] == kind
        )
        if own:
            assert groups[kind].switching.total == pytest.approx(own, rel=1e-12)
            assert groups[kind].switching.devices == layout.generators(kind)


def test_the_first_devices_serve_every_product_by_hand(pair: Pair) -> None:
    """One layer at a time: fc3's 840 weights come from the first 840 of 48,000 SNGs, which make
    those of all other layers too; a weight is made forward and back (not in conv1) at p = 0.1."""
    cells, training = pair
    work, table = workload(training), sng_table(cells)
    layout = Layout(work, replace(UNROLLED, parallelism="layer"))
    group = next(
        g for g in shared_groups(layout, work.products, table, 1.0) if g.kind == "parameter"
    )
    assert group.switching.counts.tolist() == [150, 690, 1_560, 7_680, 37_920]
    streams = [9, 8, 6, 4, 2]
    assert group.pulses.per_image == pytest.approx([256 * n for n in streams])
    assert group.switching.per_image == pytest.approx([25.6 * n for n in streams])


def test_the_report_wears_out_few_devices_sooner(pair: Pair) -> None:
    cells, training = pair
    first = {}
    for parallelism in ("unrolled", "layer", 100):
        bill = budget(cells, training, replace(UNROLLED, parallelism=parallelism), BudgetOptions())
        content = report(cells, training, bill, {})
        row = next(row for row in content["wear"]["table"] if row["own"])
        first[parallelism] = row["images_to_first"], content["endurance_used"]["cycles"]
    assert first["unrolled"][0] > first["layer"][0] > first[100][0]
    assert first["unrolled"][1] < first[100][1]


def test_what_a_run_spent_follows_from_the_shared_use(pair: Pair) -> None:
    cells, training = pair
    work = workload(training)
    layout = Layout(work, replace(UNROLLED, parallelism=100))
    groups = shared_groups(layout, work.products, sng_table(cells), 1.0)
    found = spent(training, groups, 1e6)
    most = max(groups, key=lambda group: group.switching.most)
    images = 3 * (int(training.attributes["train_images"]) // 32) * 32
    assert (found.layer, found.kind) == ("all layers", most.kind)
    assert found.most == pytest.approx(most.switching.most * images)
