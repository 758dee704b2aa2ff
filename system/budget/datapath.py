"""The lines of what streams run through: SNGs with their registers, MACs, accumulators."""

from __future__ import annotations

import math

from formats.cells import Cells
from system.budget.layout import Layout, width_of
from system.budget.lines import Line, unit_line
from system.budget.sng import SngTable, conditions, energy_per_bit
from system.budget.units import Unit, mac_energy, mac_table, source
from system.budget.workload import KINDS, TABLES, Product

_PLURALS = {
    "parameter": "parameters",
    "activation": "activations",
    "error": "errors",
    "constant": "constants of the update",
}


def sng_lines(cells: Cells, layout: Layout, table: SngTable) -> list[Line]:
    """The SNGs, a line for each kind of operand that there is."""
    return [_sng_line(cells, layout, table, kind) for kind in KINDS if layout.generators(kind)]


def operand_register_lines(layout: Layout, register: Unit, trim_bits: int) -> list[Line]:
    """Flip-flops that hold what an SNG is set to, and its calibration."""
    work = layout.work
    generators, word = layout.all_generators(), work.widths.word
    settings = [
        word * math.fsum(work.settings(kind, products) for kind in KINDS)
        for products in (work.forward, work.products)
    ]
    lines = [
        unit_line(
            "Operand registers",
            "SNG registers",
            "dff",
            register,
            generators * word,
            (settings[0], settings[1]),
            f"{TABLES}; {word} bits an SNG (operand_bits and a sign), clocked when it is set",
        )
    ]
    if trim_bits:
        lines.append(
            unit_line(
                "Calibration trim registers",
                "SNG registers",
                "dff",
                register,
                generators * trim_bits,
                (0.0, 0.0),
                f"{TABLES}; {trim_bits} bits an SNG (training.nc conditions), written once",
            )
        )
    return lines


def mac_lines(cells: Cells, layout: Layout) -> list[Line]:
    """The MACs, a line for each kind."""
    return [_mac_line(cells, layout, name) for name in layout.work.macs_used]


def accumulator_lines(layout: Layout, adder: Unit, register: Unit) -> list[Line]:
    """Accumulators of the counts that stand at once."""
    clocks = [
        math.fsum(layout.counted(p) * width_of(p) * p.length * p.turns for p in products)
        for products in (layout.work.forward, layout.work.products)
    ]
    bits, events = layout.accumulator_bits(), (clocks[0], clocks[1])
    said = f"{TABLES}; bits = log2(longest stream x fan-in) rounded up, + 1"
    return [
        unit_line(item, "Accumulators", cell, unit, bits, events, said)
        for item, cell, unit in (
            ("Accumulator adders", "full_adder", adder),
            ("Accumulator registers", "dff", register),
        )
    ]


def _sng_line(cells: Cells, layout: Layout, table: SngTable, kind: str) -> Line:
    work = layout.work

    def cost(products: tuple[Product, ...]) -> tuple[float, float, float]:
        parts = [
            (product.bits(operand), energy_per_bit(table, operand.probability))
            for product in products
            for operand in product.operands
            if operand.kind == kind
        ]
        return (
            math.fsum(bits for bits, _ in parts),
            math.fsum(bits * each.total for bits, each in parts),
            math.fsum(bits * each.stderr for bits, each in parts),
        )

    inference, training = cost(work.forward), cost(work.products)
    return Line(
        item=f"SNGs of {_PLURALS[kind]}",
        group="SNGs",
        cell="sng",
        count=layout.generators(kind),
        unit_area=float(cells.sng["area"]),
        unit_leakage=float(
            cells.sng["leakage_power"].isel(conditions(cells), missing_dims="ignore")
        ),
        events_inference=inference[0],
        events_training=training[0],
        energy_inference=inference[1],
        energy_training=training[1],
        stderr_inference=inference[2],
        stderr_training=training[2],
        count_source=TABLES,
        area_source=source(cells, "sng", "area"),
        energy_source=f"{source(cells, 'sng', 'energy')}, at the mean bit probability of each "
        "(layer, product) of training.nc",
        leakage_source=source(cells, "sng", "leakage_power"),
    )


def _mac_line(cells: Cells, layout: Layout, name: str) -> Line:
    work, mac = layout.work, cells.mac(name)
    table = mac_table(mac)

    def cost(products: tuple[Product, ...]) -> tuple[float, float, float]:
        parts = [
            (p.macs * p.length, *mac_energy(table, p.a.probability, p.b.probability))
            for p in products
            if p.mac == name and not p.in_columns
        ]
        return (
            math.fsum(bits for bits, _, _ in parts),
            math.fsum(bits * energy for bits, energy, _ in parts),
            math.fsum(bits * stderr for bits, _, stderr in parts),
        )

    inference, training = cost(work.forward), cost(work.products)
    return Line(
        item=f"MACs, {name.replace('_', ' ')}",
        group="MACs",
        cell=name,
        count=layout.macs(name),
        unit_area=float(mac["area"]),
        unit_leakage=float(mac["leakage_power"]),
        events_inference=inference[0],
        events_training=training[0],
        energy_inference=inference[1],
        energy_training=training[1],
        stderr_inference=inference[2],
        stderr_training=training[2],
        count_source=TABLES,
        area_source=source(cells, name, "area"),
        energy_source=f"{source(cells, name, 'energy')}, at the mean operand probabilities of "
        "each (layer, product) of training.nc",
        leakage_source=source(cells, name, "leakage_power"),
    )
