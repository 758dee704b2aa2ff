"""The lines of memories: words, and streams that are kept; events are bits accessed."""

from __future__ import annotations

import math

from system.architecture import Figures
from system.budget.layout import Layout
from system.budget.lines import Line, unit_line
from system.budget.units import Unit
from system.budget.workload import TABLES, BinaryProduct


def memory_lines(layout: Layout) -> list[Line]:
    """SRAM of weights, optimiser state, gradient sums, activations, errors, of weight streams that
    outlive an image, and of streams that wait for a later pass."""
    work, figures = layout.work, layout.architecture.figures
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
        words = work.settings(kind, streams) + _plain_reads(kind, plain)
        if kind == "parameter" and layout.bank is not None:
            words += math.fsum(layout.bank.settings(p) for p in streams if p.in_columns)
        return words

    def line(item: str, bits: float, inference: float, training: float) -> Line:
        return _memory(figures, item, bits, inference, training)

    lines = [
        line(
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
        lines.append(line("Optimiser state memory", bits, 0.0, accesses * widths.state))
    if batch > 1:
        # An image adds to the sum, but for the first, which writes it; the update reads it once.
        accesses = 2.0 * work.parameters
        if not rule.state_words:
            accesses += sources - streamed  # more often where it makes a stream bit by bit
        bits = float(work.parameters * widths.gradient)
        lines.append(line("Gradient sum memory", bits, 0.0, accesses * widths.gradient))
    lines += [
        line(
            "Activation memory",
            activations * word,
            (activations + read("activation", training=False)) * word,
            (activations + read("activation", training=True)) * word,
        ),
        line("Error memory", errors * word, 0.0, (errors + read("error", training=True)) * word),
    ]
    if work.stored:
        # Every weight stream of a step: the images follow one another, and each of them writes
        # (the first of a life) or reads (the others) every bit once.
        ahead, step = (work.stream_bits(p) for p in (work.forward, work.matrix))
        lines.append(line("Weight stream memory", work.most_stream_bits(), ahead, step))
    if layout.folded:
        ahead, step = (layout.buffer_accesses(p) for p in (work.forward, work.products))
        lines.append(line("Stream buffer", layout.buffer_bits(), ahead, step))
    return lines


def _plain_reads(kind: str, products: tuple[BinaryProduct, ...]) -> float:
    """A plain product reads both of its numbers, each time."""
    return math.fsum(product.macs for product in products if kind in product.numbers)


def _memory(figures: Figures, item: str, bits: float, inference: float, training: float) -> Line:
    area, access, leakage = (
        figures.sram_bit_area,
        figures.sram_bit_energy,
        figures.sram_bit_leakage,
    )
    unit = Unit(
        area=area.value,
        energy=access.value,
        stderr=math.nan,
        leakage=leakage.value,
        delay=0.0,
        area_source=area.source,
        energy_source=access.source,
        leakage_source=leakage.source,
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
