"""Progressive precision, calibration and used endurance, in the bill."""

from __future__ import annotations

import json
import math

import pytest
import xarray as xr

from formats.cells import Cells
from formats.errors import InputError
from system.budget.calibration import readbacks, trim_bits
from system.budget.wear.spent import spent
from system.report.content import report
from system.report.summary import sentences
from tests.system_report.changes import (
    BIT,
    CLOCK,
    bill,
    of,
    sng_bit,
    trained,
)


def test_progressive_precision_pays_each_stage_for_the_images_that_reach_it(cells: Cells) -> None:
    stages = {"length": [32, 64, 160], "reached": [1000, 300, 90]}
    stages |= {"images": [700, 210, 90], "correct": [690, 200, 70]}

    def change(data: xr.Dataset) -> None:
        for name, values in stages.items():
            data[f"stage_{name}"] = (("stage",), values)

    training = trained(cells, change)
    found = bill(cells, training)
    early = found.progressive
    assert early is not None
    assert [stage.reached for stage in early.stages] == [1.0, 0.3, 0.09]
    bits = 32 + 0.3 * 64 + 0.09 * 160
    # Per bit: SNGs, MACs and accumulators; per stage: words read and written, registers loaded.
    per_bit = math.fsum(
        line.energy_inference
        for line in found.lines
        if line.group in ("SNGs", "MACs", "Accumulators")
    )
    rest = found.energy_inference - per_bit
    assert early.energy == pytest.approx(per_bit * bits / 256 + rest * 1.39, rel=1e-9)
    assert early.latency == pytest.approx(5 * bits * BIT + 1.39 * 6_518 * CLOCK)
    assert (early.correct, early.images) == (960, 1000)
    totals = found.totals()
    assert totals["energy_per_progressive_inference_J"].value == early.energy
    assert totals["progressive_latency_s"].value == early.latency
    content = report(cells, training, found, {})
    assert content["progressive"]["accuracy"] == 0.96
    assert any("progressive precision" in text for text in sentences(content, found, 3))
    # The last layer's counters hold 32 + 64 + 160 bits of 84 products: no wider than before. With
    # a stage of 400 bits those of fc1 and fc2 are a bit wider, and so are fc3's, which hold 496; in
    # conv1 and conv2 gradients have the widest.
    full = bill(cells, trained(cells))
    assert of(found, "Accumulator registers").count == of(full, "Accumulator registers").count
    stages["length"][2] = 400
    ports = [of(b, "Bias adders").count for b in (full, bill(cells, trained(cells, change)))]
    assert ports == [19 + 18 + 18 + 16 + 16, 19 + 18 + 19 + 17 + 17]
    stages["images"] = [700, 200, 90]
    with pytest.raises(InputError, match="not the images that stop"):
        bill(cells, trained(cells, change))


def test_trims_are_registers_and_their_calibration_is_said(cells: Cells) -> None:
    calibration = {
        "trim_bits": 5,
        "gain_step": None,
        "readbacks": 64,
        "rms_ln_tau": [0.5, 0.21],
        "rms_probability": [0.125, 0.0625],
    }
    found = bill(cells, trained(cells, conditions=json.dumps({"calibration": calibration})))
    line = of(found, "Calibration trim registers")
    assert line.count == 5 * (61_470 + 2_564 + 6_518)
    assert line.area == pytest.approx(line.count * 4.5e-12)
    assert line.energy_training == 0
    said = next(text for text in found.assumptions if text.startswith("Calibration reads 64 bits"))
    assert f"{70_552 * 64 * sng_bit(0.5):.3g} J" in said
    (found_errors,) = [text for text in found.assumptions if "rms error" in text]
    assert "from 0.125 to 0.062" in found_errors and "ln tau from 0.5 to 0.21" in found_errors
    calibration["rms_ln_tau"] = [0.5]
    with pytest.raises(InputError, match="rms_ln_tau of calibration"):
        bill(cells, trained(cells, conditions=json.dumps({"calibration": calibration})))


def test_trims_are_those_that_the_training_writes(cells: Cells) -> None:
    from system.arithmetic import Generators
    from system.arithmetic.calibration import Calibration
    from system.arithmetic.conditions import Conditions

    for spread in ({"d2d_ln_tau": 0.5}, {"d2d_ln_tau": 0.5, "d2d_ln_v0": 0.05}):
        conditions = Conditions(**spread)  # type: ignore[arg-type]
        plan = Calibration.plan(Generators.from_cells(cells, conditions=conditions))
        written = {**conditions.to_dict(), "calibration": plan.to_dict()}
        training = trained(cells, conditions=json.dumps(written))
        assert trim_bits(training) == plan.cost.trim_bits > 0
        assert readbacks(training) == plan.cost.readbacks > 0
        assert any('"d2d_ln_tau": 0.5' in text for text in bill(cells, training).assumptions)


def test_used_endurance_is_that_of_the_most_used_device(cells: Cells) -> None:
    def change(data: xr.Dataset) -> None:
        data["cycles_per_device"][3, 1] = [4e5, 9e5]

    def swapped(data: xr.Dataset) -> None:
        data["cycles_per_device"][0, 0] = [2, 1]

    training = trained(cells, change)
    taken = spent(training, (), 1e6)
    assert (taken.layer, taken.kind) == ("fc2", "parameter")
    assert (taken.fraction, taken.mean_fraction) == (0.9, 0.4)
    content = report(cells, training, bill(cells, training), {})
    endurance = content["endurance_used"]["endurance_cycles"]
    assert content["totals"]["endurance_used_by_training"]["value"] == 9e5 / endurance
    with pytest.raises(InputError, match="mean above its max"):
        spent(trained(cells, swapped), (), 1e6)
