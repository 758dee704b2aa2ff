"""Memory columns: counts by hand and by enumeration, times, energies, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from devices.presets import knag2014
from formats.cells import Cells
from formats.errors import InputError
from formats.training import Training
from system.architecture import Architecture, Columns, architecture
from system.architecture.file import parse
from system.budget import Budget, BudgetOptions, budget
from system.budget.baselines.lfsr import lfsr_budget
from system.budget.columns import arranged, bank
from system.budget.layout import Layout
from system.budget.reading import workload
from system.budget.sng import sng_table
from system.budget.wear.shared import shared_groups
from tests.system_report.changes import items, of, plain, set_kind, trained

Pair = tuple[Cells, Training]
N = 256
RESET, WRITE, READ = 1e-6, 8e-4, 1.5e-8
"""s, of the tests' cells."""
COLUMNS = Architecture(
    parallelism="layer", columns=Columns(("forward", "input_gradient")), write_supply="external"
)
POSITIONS = {"conv1": 784, "conv2": 100, "fc1": 1, "fc2": 1, "fc3": 1}
WEIGHTS = {"conv1": 150, "conv2": 2_400, "fc1": 48_000, "fc2": 10_080, "fc3": 840}


def bill(pair: Pair, layout: Architecture = COLUMNS, **choices: Any) -> Budget:
    """The bill of LeNet-5."""
    return budget(*pair, replace(layout, **choices), BudgetOptions())


def forward(pair: Pair) -> dict[str, Any]:
    """The forward products by layer."""
    return {p.layer: p for p in workload(pair[1]).forward}


def test_signed_columns_find_the_count_of_sign_magnitude_gates_and_an_exact_counter() -> None:
    """Every weight in the column of its sign, positive and negative word-line bits read apart."""
    random = np.random.default_rng(1)
    weights, inputs = random.integers(-1, 2, (40, 21)), random.integers(-1, 2, 21)
    gates = np.sum(np.sign(weights) * np.sign(inputs) * (weights != 0) * (inputs != 0), axis=1)
    found = np.zeros(40, int)
    for column in (1, -1):
        for line in (1, -1):
            stored, word = weights == column, inputs == line
            for start in range(0, 21, 8):  # columns of 8 cells
                cells = slice(start, start + 8)
                found += column * line * np.sum(stored[:, cells] & word[cells], axis=1)
    assert np.array_equal(found, gates)


def test_fc1_asks_for_most_columns_and_all_layers_share_them(pair: Pair) -> None:
    found = bill(pair)
    # 120 sums of 400 weights, two signs; its input gradient: 400 sums of 120.
    assert found.layout.columns() == 2 * 120 * 50 == 2 * 400 * 15
    assert of(found, "In-memory columns").count == 2 * 48_000
    # A column pair is set for one of its cells after the other.
    assert of(found, "Column write registers").count == 120 * 50 * found.workload.widths.word
    width = max((400).bit_length(), (120).bit_length()) + 1
    assert of(found, "Column count adders").count == 12_000 * width


def test_a_fan_in_that_does_not_fill_its_last_column_leaves_cells_empty(pair: Pair) -> None:
    layout = bill(pair).layout
    assert layout.bank is not None
    stored = {p.layer: layout.bank.stored(p) for p in layout.work.forward}
    assert stored["conv1"].columns == 2 * 6 * 4, "25 weights a sum in four columns of 8"
    assert stored["fc3"].columns == 2 * 10 * 11, "84 weights in eleven"


def test_an_inference_writes_every_weight_bit_once_and_reads_it_at_every_position(
    pair: Pair,
) -> None:
    found, products = bill(pair), forward(pair)
    counts = [
        N * (RESET + WEIGHTS[name] / 1e8 + WRITE + 2 * POSITIONS[name] * READ)
        + product.outputs / 1e8
        for name, product in products.items()
    ]
    assert found.timing.inference == pytest.approx(sum(counts), rel=1e-12)
    written = of(found, "Weight bits in columns")
    assert written.events_inference == N * sum(WEIGHTS.values())
    # At the tests' cells a write costs 1 nJ x p, a RESET 20 pJ.
    energy = [N * WEIGHTS[k] * (1e-9 * p.b.probability + 2e-11) for k, p in products.items()]
    assert written.energy_inference == pytest.approx(math.fsum(energy), rel=1e-9)
    cells = {"conv1": 384, "conv2": 2 * 16 * 19 * 8, "fc1": 96_000, "fc2": 20_160, "fc3": 1_760}
    reads = [2 * POSITIONS[name] * N * cells[name] for name in cells]
    assert of(found, "In-memory columns").events_inference == sum(reads)


def test_a_read_costs_the_cells_of_the_other_sign_as_cells_in_hrs(pair: Pair) -> None:
    """fc1 alone: half of its cells at the weights' probability, half at 0, one sign's word bits."""
    product = forward(pair)["fc1"]
    training = replace(pair[1], data=pair[1].data.copy(deep=True))
    for layer in ("conv1", "conv2", "fc2", "fc3"):
        plain(training.data, layer, "forward")
    found = bill((pair[0], training))
    p, x = product.b.probability, product.a.probability / 2
    each = 1e-13 + 1e-14 * x + 2e-14 * (p / 2) * x
    wanted = 96_000 * N * 2 * each
    assert of(found, "In-memory columns").energy_inference == pytest.approx(wanted, rel=1e-9)


def test_columns_take_the_weights_sngs_and_macs_away_and_leave_the_rest(pair: Pair) -> None:
    shared, found = bill(pair, columns=None), bill(pair)
    assert "SNGs of parameters" not in items(found), "a binary update needs none"
    assert of(found, "SNGs of activations").energy_training == pytest.approx(
        of(shared, "SNGs of activations").energy_training, rel=1e-12
    )
    # conv1's and conv2's weight gradients take the MACs; fc1's forward needs as many as its own.
    assert found.layout.macs() == shared.layout.macs() == 240_000
    gradient = math.fsum(
        p.macs * p.length for p in found.workload.products if p.name == "weight_gradient"
    )
    assert of(found, "MACs").events_training == gradient
    assert of(found, "MACs").events_inference == 0


def test_pumps_and_dacs_serve_columns_too(pair: Pair, cells: Cells) -> None:
    layout = bill(pair).layout
    fc1 = next(p for p in layout.work.forward if p.layer == "fc1")
    assert layout.busiest() == 400 + 6_000, "SNGs of activations, and a cell of each column pair"
    assert layout.conversions((fc1,)) == 400 + 48_000 * N
    assert layout.voltages() == layout.all_generators() + 6_000


def test_a_cell_of_a_column_wears_with_every_product_that_it_holds(pair: Pair) -> None:
    found = bill(pair)
    groups = shared_groups(found.layout, found.workload.products, sng_table(pair[0]), 1.0)
    (column,) = (group for group in groups if group.kind == "column")
    assert column.switching.devices == 48_000
    ones = math.fsum(p.bits(p.b) * p.b.probability for p in found.workload.products if p.in_columns)
    assert column.switching.mean * 48_000 == pytest.approx(ones, rel=1e-6)
    assert column.pulses.most == 9 * N, "the first cells hold a weight of every product"


def test_reads_disturb_a_stored_bit_as_one_long_pulse_would(pair: Pair) -> None:
    """1,568 reads of 15 ns at 0.44 V, by the published law: tau = tau0 exp(-V/V0)."""
    found, law = bill(pair), knag2014().set
    assert found.layout.bank is not None
    tau = law.tau0 * math.exp(-0.44 / law.v0.value)
    disturbed = found.layout.bank.disturbed(knag2014(), 1568)
    assert disturbed is not None and disturbed == pytest.approx(1568 * READ / tau, rel=0.01)
    assert any(f"SET, with P = {disturbed:.2g}" in said for said in found.assumptions)


def test_the_preset_is_row_parallel_outside_its_columns(pair: Pair) -> None:
    preset = architecture("in-memory")
    rows = architecture("row-parallel")
    assert replace(preset, name=rows.name, description=rows.description, columns=None) == rows
    assert preset.columns == COLUMNS.columns


# refusals


def refused(pair: Pair, layout: Architecture = COLUMNS) -> str:
    with pytest.raises(InputError) as caught:
        bill(pair, layout)
    return str(caught.value)


def test_trainings_whose_streams_columns_do_not_make_are_refused(cells: Cells) -> None:
    turns = trained(cells, sng_sharing="turns:4")
    assert "streams are turns:4, image" in refused((cells, turns))
    lasting = refused((cells, trained(cells, stream_life="batch")))
    assert "expected --sng-sharing parameter and --stream-life image" in lasting

    def mux(data: Any) -> None:
        set_kind(data, "fc1", "forward", ("bipolar_mux", "bipolar", "mux"))

    assert "fc1/forward was trained on bipolar_mux (mux)" in refused((cells, trained(cells, mux)))
    trim = '{"calibration": {"readbacks": 64, "trim_bits": 5, "gain_step": null}}'
    calibrated = trained(cells, conditions=trim)
    with pytest.raises(InputError, match="no trim"):
        bank(cells, calibrated, COLUMNS)


def test_cells_without_columns_or_with_unborne_writes_are_refused(pair: Pair) -> None:
    cells, training = pair
    groups = {name: data for name, data in cells.groups.items() if name != "in_memory_column"}
    assert "--cells in_memory_column" in refused((replace(cells, groups=groups), training))
    follower = replace(COLUMNS, columns=Columns(("forward",), "word-line-follower"))
    assert "expected one of sequential" in refused(pair, follower)


def changed(pair: Pair, name: str, value: float) -> Pair:
    """With another number of the sequential scheme."""
    cells = pair[0]
    group = cells.groups["in_memory_column"].copy(deep=True)
    group[name][..., 0] = value
    return replace(cells, groups={**cells.groups, "in_memory_column": group}), pair[1]


def test_a_scheme_that_spoils_other_columns_is_refused(pair: Pair) -> None:
    assert "with P = 1 (cells.nc scheme_disturb_*)" in refused(
        changed(pair, "scheme_disturb_reset", 1.0)
    )


def test_a_scheme_whose_probabilities_spread_is_warned_of(pair: Pair) -> None:
    assert not any("spreads" in said for said in bill(pair).warnings)
    cells, training = pair
    group = cells.groups["in_memory_column"].copy(deep=True)
    group["scheme_sigma_threshold"][..., 0, 1] = 0.5
    spread = replace(cells, groups={**cells.groups, "in_memory_column": group}), training
    assert any("spreads by up to 0.5" in said for said in bill(spread).warnings)


def test_no_cmos_computer_stands_beside_columns(pair: Pair) -> None:
    """Its memristors cannot be taken out."""
    assert lfsr_budget(*pair, COLUMNS, BudgetOptions()) is None


def test_columns_of_an_unrolled_layout_are_refused(pair: Pair) -> None:
    assert "parallelism is 'unrolled'" in refused(pair, replace(COLUMNS, parallelism="unrolled"))
    text = (
        'schema = 1\nname = "x"\n[macs]\nparallelism = "unrolled"\n'
        '[columns]\nproducts = ["forward"]\n'
    )
    with pytest.raises(InputError, match="shared by all layers"):
        parse(text, "x.toml")
    with pytest.raises(InputError, match="update"):
        parse(text.replace("unrolled", "row").replace("forward", "update"), "x.toml")


def test_without_columns_no_product_is_in_one(pair: Pair) -> None:
    work = workload(pair[1])
    assert arranged(work, architecture("row-parallel")) is work
    assert Layout(work, architecture("row-parallel")).columns() == 0
