"""The update on streams, in the bill: SNGs, MACs, time, wear and what stays binary, by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import xarray as xr

from formats.cells import Cells
from formats.errors import InputError
from formats.training import read_training
from system.architecture import UNROLLED
from system.bitstream import StreamRules
from system.budget.updating import ROUNDING_BITS
from system.report.content import report
from system.report.summary import sentences
from tests import synthetic_training as synthetic
from tests.system_report.changes import (
    BIT,
    CLOCK,
    WORD,
    bill,
    busiest,
    items,
    lengths,
    of,
    sng_bit,
    trained,
)


@pytest.mark.parametrize(("rule", "products"), [("sgd", 1), ("momentum", 2)])
def test_an_update_on_streams_by_hand(cells: Cells, rule: str, products: int) -> None:
    """SNGs of all parameters at p = 0.1, one for each constant and layer at 0.5, batches of 32."""
    before = bill(cells, trained(cells, rule=rule))
    after = bill(cells, trained(cells, streamed=rule))
    streams = products * 61_706 / 32
    name = "SNGs of parameters"
    assert of(after, name).count == 61_706  # biases have one too
    more = of(after, name).energy_training - of(before, name).energy_training
    assert more == pytest.approx(streams * 256 * sng_bit(0.1))
    constants = of(after, "SNGs of constants")
    assert constants.count == 5 * products
    assert constants.energy_inference == 0
    assert constants.energy_training == pytest.approx(5 * products / 32 * 256 * sng_bit(0.5))
    macs = of(before, "MACs"), of(after, "MACs")
    assert macs[1].events_training - macs[0].events_training == pytest.approx(streams * 256)
    # One MAC a parameter: fc1 to fc3 have one a weight, and now one for each bias.
    assert macs[1].count - macs[0].count == 120 + 84 + 10
    at = 1e-15 + 20e-15 * (0.05 - 0.05**2 + 0)  # bilinear: 0.1 and 0.5 are nodes
    assert macs[1].energy_training - macs[0].energy_training == pytest.approx(streams * 256 * at)
    # Accumulators of log2(256) + 1 bits; fc1 to fc3 gain those of their biases.
    registers = of(before, "Accumulator registers"), of(after, "Accumulator registers")
    assert registers[1].count - registers[0].count == 10 * (120 + 84 + 10)
    clocks = registers[1].events_training - registers[0].events_training
    assert clocks == pytest.approx(streams * 10 * 256)
    # The products follow one another, all layers at once; then a clock for each count.
    assert after.timing.update == pytest.approx(products * 256 * BIT / 32 + streams * CLOCK)
    assert before.timing.update == pytest.approx(61_706 / 32 * CLOCK)
    step = after.timing.training_step - before.timing.training_step
    assert step == pytest.approx(after.timing.update - before.timing.update)
    # Binary stay the sums and the rounding; the multipliers are gone.
    assert "Update unit multipliers (16 bit)" in items(before) - items(after)
    additions = {"sgd": 1, "momentum": 3}[rule]
    assert of(after, "Update unit adders").events_training == pytest.approx(
        61_706 / 32 * additions + 61_706
    )
    assert of(after, "Rounding adders").events_training == pytest.approx(2 * 61_706 / 32)
    assert of(after, "Rounding LFSR registers").count == 16
    # m is read for each product and for its sum, and written; a bare gradient is read once.
    if rule == "momentum":
        state = of(after, "Optimiser state memory")
        assert state.events_training == pytest.approx(4 * 61_706 / 32 * 16)
        assert of(before, "Optimiser state memory").events_training == pytest.approx(
            2 * 61_706 / 32 * 16
        )
    for item in ("Weight memory", "Gradient sum memory"):
        assert of(after, item).events_training == of(before, item).events_training
    assert of(after, "Operand registers").count == (
        of(before, "Operand registers").count + WORD * (236 + 5 * products)
    )
    assert any("The update runs on streams" in text for text in after.assumptions)
    assert any("is not in stochastic arithmetic" in text for text in before.assumptions)


def test_an_update_on_streams_wears_the_weights_devices(cells: Cells) -> None:
    """0.1 x 2 x 256 bits a batch of 32 on top of 0.1 x 512 an image; images at p = 0 wear none."""

    def quiet(data: xr.Dataset) -> None:
        for row, column in ((slice(None), 0), (slice(None), 2)):
            data["operand_a"][row, column] = 0

    found = bill(cells, trained(cells, quiet, streamed="momentum"))
    kind, events, bits = busiest(cells, found.workload)
    # The mean over the SNGs of fc1: those of its 120 biases only make the update's.
    assert kind == "parameter" and bits == pytest.approx(512 + 16)
    assert events == pytest.approx(0.1 * (512 * 48_000 / 48_120 + 2 * 256 / 32))
    constant = next(p.b for p in found.workload.updates)
    assert constant.each == 1 / 32  # each of the two meets one product a batch


def test_parameters_in_turns_take_turns_in_the_update_too(cells: Cells, tmp_path: Path) -> None:
    rules = StreamRules.parse("batch", "turns:4")
    path = synthetic.synthetic_training(tmp_path / "t.nc", cells, None, rules, "momentum")
    found = bill(cells, read_training(path))
    generators = sum(
        math.ceil(w / 4) + b for w, b in zip(synthetic.WEIGHTS, synthetic.BIASES, strict=True)
    )
    assert of(found, "SNGs of parameters").count == generators
    assert found.timing.update == pytest.approx(2 * 4 * 256 * BIT / 32 + 2 * 61_706 / 32 * CLOCK)
    made = (61_470 + 61_320) / 32 + 2 * 61_706 / 32
    assert of(found, "SNGs of parameters").events_training == pytest.approx(made * 256)


def test_with_an_sng_for_each_use_the_update_needs_those_of_the_biases(
    cells: Cells, tmp_path: Path
) -> None:
    rules = StreamRules.parse("image", "use")
    path = synthetic.synthetic_training(tmp_path / "t.nc", cells, None, rules, "sgd")
    assert of(bill(cells, read_training(path)), "SNGs of parameters").count == 416_520 + 236


def test_layers_update_at_once_as_long_as_the_slowest_of_them(cells: Cells) -> None:
    change = lengths(fc1__update=[64, 512, 64], conv1__update=[128, 128, 128])
    found = bill(cells, trained(cells, change, streamed="sgd"))
    # conv2, fc2 and fc3 take 256 bits throughout.
    slowest = (256 + 512 + 256) / 3
    assert found.timing.update == pytest.approx(slowest * BIT / 32 + 61_706 / 32 * CLOCK)


def test_an_update_that_is_no_rules_is_refused(cells: Cells) -> None:
    with pytest.raises(InputError, match="conv1/update runs on streams, which adam cannot"):
        bill(cells, trained(cells, streamed="sgd", rule="adam"))
    with pytest.raises(InputError, match=r"b_streams of conv1/update is 0\.03125, but"):
        bill(cells, trained(cells, streamed="sgd", rule="momentum"))


def test_adam_is_a_binary_unit_and_never_in_stochastic_arithmetic(cells: Cells) -> None:
    training = trained(cells, rule="adam", state_bits=32)
    found = bill(cells, training)
    assert of(found, "Optimiser state memory").count == 2 * 61_706 * 32
    assert of(found, "Update unit multipliers (32 bit)").count == 8
    assert of(found, "Rounding adders").events_training == pytest.approx(61_706 / 32)
    said = sentences(report(cells, training, found, {}), found, 3)
    assert "The update (adam) is not in stochastic arithmetic; a binary unit computes it." in said


def test_the_hardware_has_the_widths_that_the_training_has() -> None:
    from system.train import scaling, update

    assert update.ROUNDING_BITS == ROUNDING_BITS
    assert 2 ** (UNROLLED.exponent_bits - 1) == -scaling.LOWEST == scaling.HIGHEST + 1
