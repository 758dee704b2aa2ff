"""When things happen: bit time, latencies, and the frame rate that can be kept."""

from __future__ import annotations

import math

from formats.cells import PHASES, Cells
from formats.errors import InputError
from system.budget.layout import Layout
from system.budget.lines import Timing
from system.budget.workload import BinaryProduct, Product, Workload


def schedule(cells: Cells, layout: Layout, rate: float) -> Timing:
    """Times (s) of the unpipelined schedule and the training steps per second that it keeps.

    One bit is a RESET, a write and a read phase (or a MAC's delay, were that longer). A clock of
    a stream takes one bit time, or one for each weight that takes turns on a generator; a product
    of a layer takes a stream length for each of its passes and the clocks in which its counts leave
    through the port, one product after the other; a plain product takes a clock for each of its
    multiplications. A clock of memory columns takes a RESET, loading the words of the weights, a
    write and a read for each position and sign.

    The update follows, spread over the images of a batch: its stream products one after the other
    and all layers at once (one after the other where they share MACs), then a clock for each word
    (or, in binary arithmetic, each parameter) that the update unit writes. Where lengths follow a
    schedule, the step is the mean over epochs.
    """
    work, architecture = layout.work, layout.architecture
    if not (math.isfinite(rate) and rate > 0):
        raise InputError("--frame-rate", f"is {rate:g}, expected images per second above 0")
    bit = bit_time(cells, work)
    clock = architecture.binary_clock
    written = (
        work.streamed_parameters * work.rule.stream_products + work.binary_parameters
    ) / work.batch_size
    update = _update(layout, bit) + written / (architecture.update_units * clock)
    inference = _one_by_one(layout, work.forward, work.binary_forward, bit)
    step = _one_by_one(layout, work.matrix, work.binary, bit) + update
    return Timing(bit, inference, step, update, rate, min(rate, 1.0 / step))


def bit_time(cells: Cells, work: Workload) -> float:
    """Seconds in which an SNG makes a bit and a MAC counts it."""
    times = cells.sng["phase_time"]
    names = [str(name) for name in cells.sng["phase"].to_numpy()]
    phases = math.fsum(float(times[names.index(name)]) for name in PHASES)
    bit = max([phases, *(float(cells.mac(name)["delay"]) for name in work.macs_used)])
    if bit <= 0:
        raise InputError(cells.path, "sng/phase_time is 0 for every phase")
    return bit


def _one_by_one(
    layout: Layout, products: tuple[Product, ...], plain: tuple[BinaryProduct, ...], bit: float
) -> float:
    """Seconds of products that follow one another."""
    clock = layout.architecture.binary_clock
    streams = math.fsum(
        p.length * _clock(layout, p, bit) * layout.passes(p) + p.outputs / clock for p in products
    )
    return streams + math.fsum(p.macs / clock for p in plain)


def _clock(layout: Layout, product: Product, bit: float) -> float:
    """Seconds of a clock of a product: a bit time for each turn, or what its columns take."""
    if layout.bank is None or not product.in_columns:
        return product.turns * bit
    bank, clock = layout.bank, layout.architecture.binary_clock
    return max(bit, bank.clock(bank.stored(product), clock))


def _update(layout: Layout, bit: float) -> float:
    """Seconds of the update's streams, mean over the epochs: of the slowest layer, or of all."""
    updates = layout.work.updates
    if not updates:
        return 0.0
    together = math.fsum if layout.architecture.shared else max
    epochs = [
        together([p.lengths[epoch] * p.rounds * p.turns * layout.passes(p) for p in updates])
        for epoch in range(len(updates[0].lengths))
    ]
    return bit * math.fsum(epochs) / len(epochs)
