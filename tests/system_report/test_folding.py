"""Fewer MACs than products: passes, shared hardware, and streams that are kept, by hand."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from formats.cells import Cells
from formats.training import Training
from system.architecture import UNROLLED
from system.budget import Budget, BudgetOptions, budget
from system.budget.layout import Layout
from system.budget.reading import workload
from system.budget.workload import Operand, Product, Workload
from tests.system_report.changes import BIT, of

Pair = tuple[Cells, Training]
N = 256


def bill(pair: Pair, **choices: Any) -> Budget:
    """The bill of LeNet-5 on an architecture."""
    return budget(*pair, replace(UNROLLED, **choices), BudgetOptions())


def test_one_layer_at_a_time_needs_the_largest_layer_and_no_more_time(pair: Pair) -> None:
    plain, found = bill(pair), bill(pair, parallelism="layer")
    assert of(found, "MACs").count == 240_000
    assert of(found, "SNGs of parameters").count == 48_000
    assert of(found, "SNGs of activations").count == 1_176
    # conv1's weight gradient: 150 sums over 784 places; fc1's: 48,000 sums of one product.
    assert of(found, "Accumulator registers").count == max(
        48_000 * ((256).bit_length() + 1), 4_704 * ((256 * 25).bit_length() + 1)
    )
    assert found.timing.inference == plain.timing.inference
    for before, after in zip(plain.lines, found.lines, strict=True):
        # The one port is as wide as the widest layer's, so narrower counts pass more of it.
        if before.group != "Scales and ports":
            assert after.energy_training == before.energy_training
            assert after.energy_inference == before.energy_inference
    assert "Stream buffer" not in {line.item for line in found.lines}


def test_as_many_macs_as_the_largest_product_is_one_layer_at_a_time(pair: Pair) -> None:
    layer, counted = bill(pair, parallelism="layer"), bill(pair, parallelism=240_000)
    assert counted.area == pytest.approx(layer.area, rel=1e-12)
    assert counted.timing == layer.timing


def test_fewer_macs_take_passes_and_make_no_stream_twice(pair: Pair) -> None:
    plain, found = bill(pair), bill(pair, parallelism=1_000)
    forward = [118, 240, 48, 11, 1]  # 117,600 products on 1,000 MACs, ...
    port = plain.timing.inference - 5 * N * BIT
    assert found.timing.inference == pytest.approx(sum(forward) * N * BIT + port)
    for group in ("SNGs", "MACs"):
        events = [
            math.fsum(x.events_training for x in one.lines if x.group == group)
            for one in (plain, found)
        ]
        assert events[1] == events[0] > 0
    assert of(found, "SNGs of parameters").count == 1_000, "fc1: 48,000 in 48 passes"
    assert of(found, "MACs").count == 1_000


def test_a_row_is_the_products_of_one_input(pair: Pair) -> None:
    """conv2's input gradient: an error meets 150 weights; fc1's: 400; its forward: 120."""
    layout = Layout(workload(pair[1]), replace(UNROLLED, parallelism="row"))
    fan_outs = {(p.layer, p.name): p.macs / p.a.met for p in layout.work.products}
    assert layout.limit == max(fan_outs.values())
    assert fan_outs["fc1", "forward"] == 120
    assert layout.macs() == layout.limit


Place = tuple[int, int, int]
"""Streams a and b of a product, and the output that counts it."""


def dense(inputs: int, outputs: int) -> list[Place]:
    """Activation x weight of a dense layer, input by input."""
    return [(i, i * outputs + j, j) for i in range(inputs) for j in range(outputs)]


def convolution(side: int, kernel: int, channels: int) -> list[Place]:
    """Activation x weight of a convolution without padding, input by input."""
    size = side - kernel + 1
    places = [
        ((y + v) * side + x + u, (c * kernel + v) * kernel + u, (c * size + y) * size + x)
        for c in range(channels)
        for y in range(size)
        for x in range(size)
        for v in range(kernel)
        for u in range(kernel)
    ]
    return sorted(places)


def outer(inputs: int, outputs: int) -> list[Place]:
    """Activation x error of a dense layer's weight gradient, input by input."""
    return [(i, j, i * outputs + j) for i in range(inputs) for j in range(outputs)]


CASES = {
    "dense": dense(12, 6),
    "outer product": outer(12, 6),
    "convolution": convolution(6, 3, 2),
}


def as_product(places: list[Place]) -> Product:
    """The places as the product that training.nc would hold, with streams of 8 bits."""
    a, b, outputs = (len({place[k] for place in places}) for k in range(3))
    count = len(places)
    first, second = Operand("activation", a, 0.5, a), Operand("parameter", b, 0.5, b)
    return Product(
        "one", "forward", "m", "exact-counter", count, count / outputs, outputs, first, second,
        (8.0,), 8.0,
    )  # fmt: skip


def passes_of(places: list[Place], macs: int) -> Iterator[list[Place]]:
    """The places, so many at a time, in their order."""
    for start in range(0, len(places), macs):
        yield places[start : start + macs]


def layout_of(pair: Pair, places: list[Place], macs: int, order: str) -> tuple[Layout, Product]:
    product = as_product(places)
    work: Workload = replace(workload(pair[1]), products=(product,))
    return Layout(work, replace(UNROLLED, parallelism=macs, order=order)), product


@pytest.mark.parametrize("macs", [3, 6, 12, 24])
@pytest.mark.parametrize("order", ["rows", "outputs"])
@pytest.mark.parametrize("case", CASES)
def test_the_buffer_holds_what_an_explicit_schedule_needs(
    pair: Pair, case: str, order: str, macs: int
) -> None:
    """Places are taken so many at a time; a stream met in two passes must have been kept."""
    places = CASES[case]
    layout, product = layout_of(pair, places, macs, order)
    kept = {one.operand.kind: one for one in layout.kept(product)}
    rows = max(range(2), key=lambda k: len({place[k] for place in places}))
    if case == "dense":
        rows = 0  # a weight has one product
    ordered = sorted(places, key=lambda place: place[2 if order == "outputs" else rows])
    steps = list(passes_of(ordered, macs))
    assert layout.passes(product) == len(steps)
    for side, kind in enumerate(("activation", "parameter")):
        seen = Counter(stream for step in steps for stream in {place[side] for place in step})
        again = {stream for stream, passes in seen.items() if passes > 1}
        alive = max(
            sum(1 for stream in again if _spans(stream, side, steps, now))
            for now in range(len(steps))
        )
        if kind in kept:
            assert kept[kind].reads * len(seen) >= sum(seen.values())
            assert kept[kind].streams >= alive - (0 if order == "outputs" else 1)
        else:
            # In rows, a row that does not end with a pass is made again: at most one at a time.
            assert alive <= (0 if order == "outputs" else 1)
    counts = [{place[2] for place in step} for step in steps]
    standing = max(
        sum(1 for output in range(int(product.outputs)) if _open(output, counts, now))
        for now in range(len(steps))
    )
    assert layout.standing(product) >= min(standing - 1, product.outputs)


def _spans(stream: int, side: int, steps: list[list[Place]], now: int) -> bool:
    """Whether a stream was met by pass ``now`` and is needed after it."""
    met = [stream in {place[side] for place in step} for step in steps]
    return any(met[: now + 1]) and any(met[now + 1 :])


def _open(output: int, counts: list[set[int]], now: int) -> bool:
    """Whether an output is counted in pass ``now``, or before and after it."""
    met = [output in step for step in counts]
    return any(met[: now + 1]) and any(met[now:])
