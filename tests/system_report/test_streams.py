"""Whose stream, in the bill: counts, energies, times and wear of every rule, by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from formats.cells import Cells, read_cells
from formats.errors import InputError
from formats.training import read_training, write_training
from system.architecture import UNROLLED, Dac
from system.bitstream import StreamRules
from system.budget import Budget, BudgetOptions, Line, budget
from tests import synthetic_training as synthetic
from tests.system_report.changes import busiest

N, BATCH, ACCESS, SRAM, WORD = 256, 32, 9e-15, 0.242e-12, 11
SNG_AREA, SNG_LEAKAGE = 5e-12 + WORD * 4.5e-12, 1e-10 + WORD * 3e-10
"""Of an SNG with its operand register."""
FORWARD, BACKWARD = 61_470, 61_320  # weight streams of the forward and input-gradient products
TODAY = {
    "area_mm2": 13.20746438,
    "power_uW": 4199.619924300328,
    "leakage_uW": 673.5889999999999,
    "energy_per_inference_J": 0.0017103704637014404,
    "energy_per_training_step_J": 0.003526030924300328,
    "latency_s": 0.13318518,
    "training_step_latency_s": 0.373452963125,
}
"""Totals of the tests' cells.nc with a binary update: life image, one SNG each."""
STREAMS = {
    "area": 9.696724536e-6,
    "leakage": 439.97508e-6,
    "energy_inference": 0.0017103599252294404,
    "energy_training": 0.0035259938391922654,
}
"""The same sums before operand registers, scales, ports and rounding had lines, with words of 10
bits instead of 11, biases not read, and one addition less in momentum."""


@pytest.fixture(scope="module")
def cells(cells_path: Path) -> Cells:
    return read_cells(cells_path)


Bill = Callable[[str, str], Budget]


@pytest.fixture(scope="module")
def bill(cells: Cells) -> Bill:
    """The bill of LeNet-5 with weight streams of a given life and sharing."""
    made: dict[tuple[str, str], Budget] = {}

    def of_rules(life: str, sharing: str) -> Budget:
        if (life, sharing) not in made:
            path = cells.path.parent / "training.nc"
            rules = StreamRules.parse(life, sharing)
            synthetic.synthetic_training(path, cells, rules=rules)
            training = read_training(path)
            made[life, sharing] = budget(cells, training, UNROLLED, BudgetOptions())
        return made[life, sharing]

    return of_rules


def of(bill: Budget, item: str) -> Line:
    return next(line for line in bill.lines if line.item.startswith(item))


def items(bill: Budget) -> set[str]:
    return {line.item for line in bill.lines}


def test_one_generator_a_parameter_for_one_image_costs_what_it_did(bill: Bill) -> None:
    totals = bill("image", "parameter").totals()
    for name, value in TODAY.items():
        assert totals[name].value == pytest.approx(value, rel=1e-14), name
    assert len(bill("image", "parameter").lines) == 22


def test_what_is_new_stands_in_its_own_lines(bill: Bill) -> None:
    """SNGs, MACs, accumulators and memories cost what they did; the rest is new or was widened."""
    found = bill("image", "parameter")
    new = ("Operand", "Port", "Bias", "Scale", "Rounding")
    for name, before in STREAMS.items():
        now = math.fsum(
            getattr(line, name) for line in found.lines if not line.item.startswith(new)
        )
        wider = 2_564 + 6_518  # activations and errors, by a bit
        passed = {"energy_inference": 2 * 2_564, "energy_training": 3 * 2_564 + 2 * 6_518 + 1_814}
        if name.startswith("energy"):
            more = passed[name] * ACCESS + 236 * 16 * ACCESS  # and a read of each bias
            more += (61_706 / 32 * 105e-15) * (name == "energy_training")  # m - l m + g
        elif name == "area":
            more = wider * SRAM + 69.5e-12 * 2
        else:
            more = wider * 1e-11 + 16 * 1e-10
        assert now == pytest.approx(before + more, rel=1e-12), name


@pytest.mark.parametrize(
    ("life", "sharing", "generators", "made"),
    [
        ("image", "parameter", 61_470, FORWARD + BACKWARD),
        ("batch", "parameter", 61_470, (FORWARD + BACKWARD) / 32),
        ("5", "parameter", 61_470, (FORWARD + BACKWARD) * 7 / 32),  # lives of 5 x 6 and 2 images
        ("image", "use", 416_520, 2 * 416_520 - 117_600),
        ("batch", "use", 416_520, (2 * 416_520 - 117_600) / 32),
        ("image", "turns:2", 30_735, FORWARD + BACKWARD),
        ("image", "turns:4", 38 + 600 + 12_000 + 2_520 + 210, FORWARD + BACKWARD),
        ("image", "turns:100000", 5, FORWARD + BACKWARD),
        ("16", "turns:4", 15_368, (FORWARD + BACKWARD) / 16),
    ],
)
def test_counts_of_lenet5_in_closed_form(
    bill: Bill, life: str, sharing: str, generators: int, made: float
) -> None:
    found = bill(life, sharing)
    assert of(found, "SNGs of parameters").count == generators
    assert of(found, "SNGs of parameters").events_training == pytest.approx(made * N)
    for kind, count in (("activations", 2_564), ("errors", 6_518)):
        assert of(found, f"SNGs of {kind}").count == count
        before = of(bill("image", "parameter"), f"SNGs of {kind}")
        assert of(found, f"SNGs of {kind}").energy_training == before.energy_training
    for name in ("area", "leakage", "energy_inference", "energy_training"):
        assert getattr(of(found, "MACs"), name) == getattr(
            of(bill("image", "parameter"), "MACs"), name
        )


def test_a_stream_for_a_batch_is_made_once_and_stored(cells: Cells, bill: Bill) -> None:
    before, after = bill("image", "parameter"), bill("batch", "parameter")
    met = FORWARD + BACKWARD
    store = of(after, "Weight stream memory")
    assert store.count == met * N
    assert store.area == pytest.approx(met * N * SRAM)
    assert store.energy_inference == pytest.approx(FORWARD * N * ACCESS)
    assert store.energy_training == pytest.approx(met * N * ACCESS)
    assert items(after) - items(before) == {"Weight stream memory"}
    saved = 31 / 32 * of(before, "SNGs of parameters").energy_training
    # Words that need not be fetched for an SNG, nor loaded into its operand register.
    read = 31 / 32 * met * (16 * ACCESS + WORD * 12e-15)
    assert before.energy_training - after.energy_training == pytest.approx(
        saved + read - store.energy_training
    )
    assert after.area - before.area == pytest.approx(store.area)
    assert after.leakage - before.leakage == pytest.approx(met * N * 1e-11)
    assert after.timing == before.timing
    # Now the activations wear first: 0.2 x 512 bits; a weight 0.1 x 512 / 32.
    parameters = replace(
        after.workload,
        products=tuple(
            replace(p, a=replace(p.a, probability=0.0)) for p in after.workload.products
        ),
    )
    assert busiest(cells, after.workload)[1] == pytest.approx(102.4)
    kind, events, _ = busiest(cells, parameters, True)
    assert (kind, events) == ("parameter", pytest.approx(0.1 * N / 32))
    assert any("first image of its life (batch; 0.03125" in text for text in after.assumptions)


def test_a_generator_for_each_use_pays_area_and_energy(bill: Bill) -> None:
    before, after = bill("image", "parameter"), bill("image", "use")
    more = 2 * 416_520 - 117_600 - FORWARD - BACKWARD
    line = of(before, "SNGs of parameters")  # every weight has the mean probability 0.1
    assert after.area - before.area == pytest.approx((416_520 - 61_470) * SNG_AREA)
    assert after.leakage - before.leakage == pytest.approx((416_520 - 61_470) * SNG_LEAKAGE)
    assert after.energy_training - before.energy_training == pytest.approx(
        more / (FORWARD + BACKWARD) * line.energy_training + more * (16 * ACCESS + WORD * 12e-15)
    )
    assert after.timing == before.timing
    assert items(after) == items(before)


def test_turns_save_generators_and_cost_time_and_wear(cells: Cells, bill: Bill) -> None:
    before, after = bill("image", "parameter"), bill("image", "turns:4")
    bit, update = 1.04e-4, 61_706 / (32 * 100e6)
    assert after.timing.inference == pytest.approx(5 * 4 * N * bit + 6_518e-8)
    read_out = (6_518 + 1_780 + 61_470) * 1e-8
    assert after.timing.training_step == pytest.approx((9 * 4 + 5) * N * bit + update + read_out)
    assert after.timing.rate == pytest.approx(1 / after.timing.training_step)
    assert after.timing.rate < before.timing.rate == 1.0
    assert any("the schedule allows" in text for text in after.warnings)
    name = "SNGs of parameters"
    assert of(after, name).energy_training == of(before, name).energy_training
    saved = 61_470 - 15_368
    assert before.area - after.area == pytest.approx(saved * SNG_AREA)
    assert before.leakage - after.leakage == pytest.approx(saved * SNG_LEAKAGE)
    assert items(after) == items(before)
    clocked = 0.0
    for item in ("Accumulator adders", "Accumulator registers"):
        assert of(after, item).energy_inference == 4 * of(before, item).energy_inference
        clocked += of(after, item).energy_training - of(before, item).energy_training
    # The weight is fetched and loaded for every bit instead of once a stream.
    clocked += (N - 1) * (FORWARD + BACKWARD) * (16 * ACCESS + WORD * 12e-15)
    assert after.energy_training - before.energy_training == pytest.approx(clocked, abs=1e-15)
    assert busiest(cells, before.workload)[0] == "activation"
    kind, events, _ = busiest(cells, after.workload)
    assert (kind, events) == ("parameter", pytest.approx(4 * 0.1 * 2 * N))


def test_no_more_turns_than_weights(bill: Bill) -> None:
    """One device a layer works through all the weights of its layer, and no longer."""
    assert [p.turns for p in bill("image", "turns:100000").workload.forward] == [
        150,
        2_400,
        48_000,
        10_080,
        840,
    ]


def test_turns_and_life_together_wear_by_their_ratio(cells: Cells, bill: Bill) -> None:
    """16 parameters on a device, each stream for 4 images: 4 times the wear of a device of one."""
    work = bill("4", "turns:16").workload
    assert busiest(cells, work)[1] == pytest.approx(4 * 0.1 * 2 * N)
    assert "Weight stream memory" in items(bill("4", "turns:16"))


def test_conversions_follow_the_streams_and_dacs_the_generators(cells: Cells) -> None:
    """One conversion a stream, but one a bit where weights take turns."""
    layout = replace(UNROLLED, dac=Dac(10e-12, 1e-12, "assumed: test"))
    path = cells.path.parent / "dacs.nc"
    rules = StreamRules.parse("batch", "turns:2")
    synthetic.synthetic_training(path, cells, rules=rules)
    line = of(budget(cells, read_training(path), layout, BudgetOptions()), "Write-voltage DACs")
    assert line.count == 30_735 + 2_564 + 6_518
    assert line.events_training == pytest.approx(
        N * (FORWARD + BACKWARD) / BATCH + 2 * 2_564 + 6_518 + 1_814
    )


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("stream_life", "epoch", "attribute stream_life: stream life 'epoch': expected image"),
        ("stream_life", "0", "attribute stream_life"),
        ("sng_sharing", "rows", "attribute sng_sharing: SNG sharing 'rows': expected parameter"),
        ("sng_sharing", "per parameter", "attribute sng_sharing"),
        ("sng_sharing", "turns:1", "attribute sng_sharing"),
        ("sng_sharing", "common:4", "switching is itself the random event; take turns:4"),
        ("sng_sharing", "use", "b_streams of conv1/forward is 150"),
    ],
)
def test_rules_that_cannot_be_built_are_refused_by_file_and_attribute(
    cells: Cells, tmp_path: Path, key: str, value: str, words: str
) -> None:
    path = synthetic.synthetic_training(tmp_path / "training.nc", cells)
    training = read_training(path)
    wrong = replace(training, attributes={**training.attributes, key: value})
    with pytest.raises(InputError, match=words) as caught:
        budget(cells, wrong, UNROLLED, BudgetOptions())
    assert str(path) in str(caught.value)


def test_a_mode_that_is_none_is_refused(cells: Cells, tmp_path: Path) -> None:
    attributes = synthetic.attributes_for(cells) | {"mode": "guess"}
    with pytest.raises(
        InputError, match="attribute mode: 'guess': expected moments or exact or float"
    ):
        write_training(tmp_path / "training.nc", attributes, synthetic.lenet5())


def test_totals_stay_the_sums_of_their_lines(bill: Bill) -> None:
    for rules in (("batch", "use"), ("8", "turns:3")):
        found = bill(*rules)
        area = math.fsum(line.area * 1e6 for line in found.lines)
        assert found.totals()["area_mm2"].value == area
