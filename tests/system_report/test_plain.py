"""Products in plain arithmetic, and networks that were trained so."""

from __future__ import annotations

import pytest
import xarray as xr

from formats.cells import Cells
from system.report.content import report
from system.report.summary import sentences
from tests.system_report.changes import (
    BIT,
    CLOCK,
    ROWS,
    WORD,
    bill,
    items,
    of,
    plain,
    trained,
)


def test_a_plain_product_leaves_the_streams_for_a_floating_point_unit(cells: Cells) -> None:
    """fc1's gradients: 2 x 48,000 products in 10 ns each, instead of 2 x 256 bits."""

    def change(data: xr.Dataset) -> None:
        plain(data, "fc1", "input_gradient")
        plain(data, "fc1", "weight_gradient")

    before, after = bill(cells, trained(cells)), bill(cells, trained(cells, change))
    unit = of(after, "FP32")
    assert (unit.count, unit.events_inference, unit.events_training) == (1, 0, 96_000)
    assert unit.area == pytest.approx((6953e-12 + 13328e-12) / 2)
    assert unit.energy_training == pytest.approx(96_000 * (31.7e-12 + 51.7e-12) / 2)
    macs = of(before, "MACs").events_training - of(after, "MACs").events_training
    assert macs == 96_000 * 256
    assert of(before, "MACs").count == of(after, "MACs").count
    gone = 2 * 256 * BIT + (400 + 48_000) * CLOCK - 96_000 * CLOCK
    assert before.timing.training_step - after.timing.training_step == pytest.approx(gone)
    assert before.timing.inference == after.timing.inference
    # Each plain product reads both numbers: words of 11 bits, weights of 16.
    errors = of(after, "Error memory"), of(before, "Error memory")
    assert errors[0].count == errors[1].count
    more = errors[0].events_training - errors[1].events_training
    assert more == (96_000 - 2 * 120) * WORD
    weights = of(after, "Weight memory").events_training
    assert weights == of(before, "Weight memory").events_training
    # No SNG of an error is left in fc1.
    assert of(before, "SNGs of errors").count - of(after, "SNGs of errors").count == 120
    assert any("fc1/input_gradient, fc1/weight_gradient" in text for text in after.assumptions)


def test_plain_gradients_of_all_layers_leave_only_inference_to_streams(cells: Cells) -> None:
    """What a network trained in floating point and mapped afterwards looks like."""

    def change(data: xr.Dataset) -> None:
        for layer in ROWS:
            for product in ("input_gradient", "weight_gradient"):
                if (layer, product) != ("conv1", "input_gradient"):
                    plain(data, layer, product)

    training = trained(cells, change, mode="float")
    found = bill(cells, training)
    assert "SNGs of errors" not in items(found)
    assert of(found, "Activation memory").count == 2_564 * WORD
    assert of(found, "Error memory").count == 6_518 * WORD
    content = report(cells, training, found, {})
    said = " ".join(sentences(content, found, 3))
    assert "Mapped to stochastic arithmetic after training in floating point, the accuracy" in said
    assert content["accuracy"]["sc_trained_in"] == "float"
    assert any("mapped to streams afterwards" in text for text in found.assumptions)


def test_a_network_without_streams_has_no_generators(cells: Cells) -> None:
    def change(data: xr.Dataset) -> None:
        for layer in ROWS:
            for product in ("forward", "input_gradient", "weight_gradient"):
                if (layer, product) != ("conv1", "input_gradient"):
                    plain(data, layer, product)
        data["cycles_per_device"][:] = 0

    training = trained(cells, change)
    found = bill(cells, training)
    assert not {line.group for line in found.lines} & {"SNGs", "MACs"}
    assert found.timing.inference == pytest.approx(416_520 * CLOCK)
    content = report(cells, training, found, {})
    assert content["wear"]["table"] == [] and content["endurance_used"]["fraction"] == 0
    assert sentences(content, found, 3)
