"""Every product priced at the length and on the MAC that it was trained with, by hand."""

from __future__ import annotations

import math

import pytest
import xarray as xr

from formats.cells import Cells
from system.budget.compare import with_floating_point
from tests.system_report.changes import (
    BIT,
    COLUMNS,
    ROWS,
    bill,
    busiest,
    lengths,
    of,
    set_kind,
    sng_bit,
    trained,
)


def test_each_product_is_priced_at_its_own_length(cells: Cells) -> None:
    """Halving one product's streams takes half of its bits, of every kind, and of its time."""
    before = bill(cells, trained(cells))
    after = bill(cells, trained(cells, lengths(fc1__forward=[128] * 3)))
    product = next(p for p in before.workload.forward if p.layer == "fc1")
    saved = 128 * (400 * sng_bit(0.2) + 48_000 * sng_bit(0.1))
    sngs = [
        math.fsum(line.energy_inference for line in found.lines if line.group == "SNGs")
        for found in (before, after)
    ]
    assert sngs[0] - sngs[1] == pytest.approx(saved, rel=1e-9)
    macs = of(before, "MACs"), of(after, "MACs")
    assert macs[0].events_inference - macs[1].events_inference == 128 * product.macs
    assert macs[0].count == macs[1].count
    # Accumulators: 17 + 1 bits become 16 + 1, and half of the clocks are gone; the layer's bits are
    # those of its weight gradient.
    registers = of(before, "Accumulator registers"), of(after, "Accumulator registers")
    assert registers[0].events_inference - registers[1].events_inference == 120 * (
        18 * 256 - 17 * 128
    )
    assert registers[0].count == registers[1].count
    for name in ("inference", "training_step"):
        gone = getattr(before.timing, name) - getattr(after.timing, name)
        assert gone == pytest.approx(128 * BIT)


def test_a_schedule_trains_at_its_mean_and_infers_at_its_last(cells: Cells) -> None:
    every = {f"{layer}__{product}": [64, 128, 256] for layer in ROWS for product in COLUMNS}
    for place in ("conv1__input_gradient", *(f"{layer}__update" for layer in ROWS)):
        del every[place]
    full = bill(cells, trained(cells))
    short, mean = bill(cells, trained(cells, lengths(**every))), (64 + 128 + 256) / 3
    for item in ("SNGs of", "MACs", "Accumulator registers"):
        ours, theirs = of(short, item), of(full, item)
        assert ours.energy_inference == theirs.energy_inference
        assert ours.events_training == pytest.approx(theirs.events_training * mean / 256)
        assert ours.energy_training == pytest.approx(theirs.energy_training * mean / 256)
    assert short.area == full.area  # widths are those of the longest stream
    assert short.timing.inference == full.timing.inference
    shorter = full.timing.training_step - short.timing.training_step
    assert shorter == pytest.approx(14 * (256 - mean) * BIT)
    # The same in the other order: short streams at inference, the same widths.
    every = {place: bits[::-1] for place, bits in every.items()}
    last = bill(cells, trained(cells, lengths(**every)))
    assert last.area == full.area
    assert last.energy_training == pytest.approx(short.energy_training, rel=1e-12)
    assert of(last, "MACs").energy_inference == pytest.approx(of(full, "MACs").energy_inference / 4)
    assert busiest(cells, last.workload, True)[1] == pytest.approx(0.2 * 64)
    assert any("mean over the epochs" in text for text in last.assumptions)
    for found, said in ((last, True), (full, False)):
        totals = found.totals()
        steps = [v.meaning for k, v in totals.items() if "training_step" in k]
        others = [v.meaning for k, v in totals.items() if "per_inference" in k or k == "latency_s"]
        assert (len(steps), len(others)) == (3, 3)
        assert all(("mean over the epochs" in text) == said for text in steps)
        assert all(("last epoch's stream lengths" in text) == said for text in others)


def test_kept_streams_are_built_for_the_epoch_with_the_most(cells: Cells) -> None:
    change = lengths(fc1__forward=[64, 256, 128], fc1__input_gradient=[256, 64, 128])
    found = bill(cells, trained(cells, change, stream_life="batch"))
    rest = 256 * (150 + 2 * (2_400 + 10_080 + 840))
    memory = of(found, "Weight stream memory")
    assert memory.count == 320 * 48_000 + rest
    assert memory.events_training == pytest.approx((320 + 320 + 256) / 3 * 48_000 + rest)
    assert memory.events_inference == 128 * 48_000 + 256 * (150 + 2_400 + 10_080 + 840)


def test_a_layer_owns_the_macs_of_every_kind_its_products_name(cells: Cells) -> None:
    """conv2's forward and fc3's gradients on a MUX, the rest on counters."""
    mux = ("bipolar_mux", "bipolar", "mux")

    def change(data: xr.Dataset) -> None:
        set_kind(data, "conv2", "forward", mux)
        set_kind(data, "fc3", "weight_gradient", mux)
        set_kind(data, "fc3", "input_gradient", mux)

    found = bill(cells, trained(cells, change))
    counters, muxes = of(found, "MACs, sign magnitude counter"), of(found, "MACs, bipolar mux")
    assert muxes.count == 240_000 + 840
    assert counters.count == 416_520  # conv2's gradients and fc3's forward still take theirs
    assert muxes.events_inference == 240_000 * 256
    assert muxes.events_training == (240_000 + 2 * 840) * 256
    assert counters.events_training == (3 * 416_520 - 117_600 - 240_000 - 2 * 840) * 256
    at = 1e-15 + 20e-15 * (0.02 - 0.02**2)  # bilinear on a grid of 0.1: 0.2 x 0.1 is a node
    assert muxes.energy_inference == pytest.approx(240_000 * 256 * at)
    # A MUX hands on one stream: conv2's 1,600 forward counts take 10 bits; its 2,400 gradients 16.
    before = bill(cells, trained(cells))
    clocks = [of(b, "Accumulator registers").events_inference for b in (before, found)]
    assert clocks[0] - clocks[1] == 1_600 * 256 * (17 - 10)
    assert any("Select" in text for text in found.not_modelled)
    names = [row.quantity for row in with_floating_point(found)]
    assert "energy of one product in the bipolar_mux alone (256 bits)" in names
    assert "energy of one product in the sign_magnitude_counter alone (256 bits)" in names
