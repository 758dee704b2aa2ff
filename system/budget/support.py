"""What stands around the cells: memories and write-voltage DACs."""

from __future__ import annotations

import math

from formats.errors import InputError
from system.budget import published
from system.budget.lines import Line, unit_line
from system.budget.units import Unit
from system.budget.workload import KINDS, TABLES, BinaryProduct, Workload

UNKNOWN = float("nan")


def memory_lines(work: Workload) -> list[Line]:
    """SRAM of weights, optimiser state, gradient sums, activations, errors, and weight streams that
    outlive an image; events are bits."""
    batch, rule, widths = work.batch_size, work.rule, work.widths
    updates = work.parameters / batch
    streamed, binary = work.streamed_parameters / batch, work.binary_parameters / batch
    word = widths.word
    sources = work.settings("parameter", work.updates)  # of the moments or gradients on streams
    activations, errors = (
        math.fsum(work.numbers(kind).values()) for kind in ("activation", "error")
    )

    def read(kind: str, *, training: bool) -> float:
        """Words of one kind that the products read."""
        streams = work.matrix if training else work.forward
        plain = work.binary if training else work.binary_forward
        return work.settings(kind, streams) + _plain_reads(kind, plain)

    lines = [
        _memory(
            "Weight memory",
            work.parameters * widths.weight,
            (read("parameter", training=False) + work.biases) * widths.weight,
            (read("parameter", training=True) + work.biases + 2 * updates) * widths.weight,
        )
    ]
    if rule.state_words:
        # On streams it is read for each product, and once more when the sum is written.
        accesses = 2 * (binary + streamed) * rule.state_words + sources
        bits = float(work.parameters * rule.state_words * widths.state)
        lines.append(_memory("Optimiser state memory", bits, 0.0, accesses * widths.state))
    if batch > 1:
        # An image adds to the sum, but for the first, which writes it; the update reads it once.
        accesses = 2.0 * work.parameters
        if not rule.state_words:
            accesses += sources - streamed  # more often where it makes a stream bit by bit
        bits = float(work.parameters * widths.gradient)
        lines.append(_memory("Gradient sum memory", bits, 0.0, accesses * widths.gradient))
    lines += [
        _memory(
            "Activation memory",
            activations * word,
            (activations + read("activation", training=False)) * word,
            (activations + read("activation", training=True)) * word,
        ),
        _memory("Error memory", errors * word, 0.0, (errors + read("error", training=True)) * word),
    ]
    if work.stored:
        # Every weight stream of a step: the images follow one another, and each of them writes
        # (the first of a life) or reads (the others) every bit once.
        ahead, step = (work.stream_bits(p) for p in (work.forward, work.matrix))
        lines.append(_memory("Weight stream memory", work.most_stream_bits(), ahead, step))
    return lines


def _plain_reads(kind: str, products: tuple[BinaryProduct, ...]) -> float:
    """A plain product reads both of its numbers, each time."""
    return math.fsum(product.macs for product in products if kind in product.numbers)


def _memory(item: str, bits: float, inference: float, training: float) -> Line:
    access = published.BIT_ACCESS_ENERGY
    unit = Unit(
        area=published.SRAM_BIT_AREA.value,
        energy=access.value,
        stderr=UNKNOWN,
        leakage=published.SRAM_BIT_LEAKAGE.value,
        delay=0.0,
        area_source=published.SRAM_BIT_AREA.source,
        energy_source=access.source,
        leakage_source=published.SRAM_BIT_LEAKAGE.source,
    )
    return unit_line(
        item,
        "Memory",
        "published access energy",
        unit,
        bits,
        (inference, training),
        f"{TABLES}; word widths of training.nc; events are bits accessed",
    )


def dac_lines(work: Workload, area: float | None, energy: float | None) -> list[Line]:
    """The write-voltage DACs, where the user gives their figures."""
    if area is None and energy is None:
        return []
    if area is None or energy is None:
        raise InputError("--dac-area-um2", "and --dac-energy-pJ belong together; give both")
    if not all(math.isfinite(value) and value >= 0 for value in (area, energy)):
        raise InputError("--dac-area-um2", "and --dac-energy-pJ must be finite and not negative")
    inference, training = (
        math.fsum(work.settings(kind, products) for kind in KINDS)
        for products in (work.forward, work.products)
    )
    unit = Unit(
        area=area,
        energy=energy,
        stderr=UNKNOWN,
        leakage=0.0,
        delay=0.0,
        area_source="assumed: given by the user with --dac-area-um2",
        energy_source="assumed: given by the user with --dac-energy-pJ",
        leakage_source="assumed: none counted",
    )
    return [
        unit_line(
            "Write-voltage DACs",
            "DACs",
            "DAC option",
            unit,
            work.all_generators(),
            (inference, training),
            f"{TABLES}; one DAC an SNG, one conversion a stream (a bit where weights take turns)",
        )
    ]
