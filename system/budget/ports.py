"""The lines of scales and ports: what a finished count passes on its way to a stored word.

A scale is a power of two, so a count is scaled by shifting it. The scales follow past batches: two
counters per tensor see how many of its numbers exceed the scale, and how many exceed half of it.
"""

from __future__ import annotations

import math

from system.architecture import Architecture
from system.budget.layout import Layout
from system.budget.lines import Line, unit_line
from system.budget.units import Unit
from system.budget.workload import TABLES, Product, Workload

GROUP = "Scales and ports"
COUNTERS = 2
"""Per tensor: numbers above the scale, and above half of it."""


def port_lines(layout: Layout, multiplexer: Unit, adder: Unit) -> list[Line]:
    """Barrel shifters and bias adders at the ports."""
    work = layout.work
    if not work.layers:
        return []
    widths = {layer: layout.width(layer) for layer in work.layers}
    cells_of = {layer: width * stages(width) for layer, width in widths.items()}
    biased = work.biases > 0
    where = "for all" if layout.architecture.shared else "a layer"

    def shifts(products: tuple[Product, ...]) -> float:
        return math.fsum(
            p.outputs * cells_of[p.layer] * (2 if biased and p.name == "forward" else 1)
            for p in products
        )

    lines = [
        unit_line(
            "Port shifters",
            GROUP,
            "mux2",
            multiplexer,
            math.fsum(width * stages(width) for width in layout.ports) * (2 if biased else 1),
            (shifts(work.forward), shifts(work.products)),
            f"{TABLES}; {'two shifters' if biased else 'a shifter'} {where}: widest accumulator x "
            "log2 of its width; every count passes one, a forward output's bias the other",
        )
    ]
    if biased:
        added = math.fsum(p.outputs * widths[p.layer] for p in work.forward)
        lines.append(
            unit_line(
                "Bias adders",
                GROUP,
                "full_adder",
                adder,
                float(sum(layout.ports)),
                (added, added),
                f"{TABLES}; one {where}, as wide as its widest accumulator",
            )
        )
    return lines


def scale_lines(
    work: Workload, architecture: Architecture, adder: Unit, register: Unit
) -> list[Line]:
    """Registers of the exponents, and counters with comparators that move them between batches.

    Inference keeps the scales, so nothing switches there.
    """
    tensors, width = len(work.scaled), work.widths.scale_counter
    if not tensors:
        return []
    numbers = math.fsum([*work.numbers("activation").values(), *work.numbers("error").values()])
    # Once a batch each parameter is written, and so is its memory where that has a scale.
    written = work.parameters * (2 if {"m", "bias_m"} & set(work.scaled) else 1)
    passing = numbers + written / work.batch_size
    counted = passing * COUNTERS * width
    compared = tensors * width / work.batch_size
    said = f"{TABLES}; {tensors} tensors with a scale"
    return [
        unit_line(
            "Scale registers",
            GROUP,
            "dff",
            register,
            float(tensors * architecture.exponent_bits),
            (0.0, tensors * architecture.exponent_bits / work.batch_size),
            f"{said}, {architecture.exponent_bits} bits each (assumed), clocked once a batch",
        ),
        unit_line(
            "Scale counter registers",
            GROUP,
            "dff",
            register,
            float(tensors * COUNTERS * width),
            (0.0, counted),
            f"{said}, {COUNTERS} counters of {width} bits each, clocked by every number",
        ),
        unit_line(
            "Scale counter adders and comparators",
            GROUP,
            "full_adder",
            adder,
            float(tensors * (COUNTERS + 1) * width),
            (0.0, counted + compared),
            f"{said}; a full adder a bit in each counter and in one comparator (assumed)",
        ),
    ]


def stages(width: int) -> int:
    """Stages of a barrel shifter that can shift a word of ``width`` bits to any place in it."""
    return max(1, math.ceil(math.log2(width)))
