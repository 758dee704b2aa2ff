"""The lines of what streams run through: SNGs with their registers, MACs, accumulators."""

from __future__ import annotations

import math

from formats.cells import Cells
from system.budget.lines import Line, unit_line
from system.budget.sng import SngTable, conditions, energy_per_bit
from system.budget.units import Unit, mac_energy, source
from system.budget.workload import KINDS, TABLES, Product, Workload

_PLURALS = {
    "parameter": "parameters",
    "activation": "activations",
    "error": "errors",
    "constant": "constants of the update",
}


def accumulator_width(longest: float, fan_in: float, adder: str) -> int:
    """Bits of a counter that cannot overflow, with a sign; a MUX adder hands on one stream."""
    largest = longest * (1.0 if adder == "mux" else max(1.0, fan_in))
    return math.ceil(largest).bit_length() + 1


def width_of(product: Product) -> int:
    """Bits of a product's accumulators."""
    return accumulator_width(product.longest, product.fan_in, product.adder)


def built_bits(work: Workload) -> float:
    """Accumulator bits: each layer owns those of its most demanding product."""
    return math.fsum(
        max(p.sums * width_of(p) for p in work.products if p.layer == layer)
        for layer in work.layers
    )


def sng_lines(cells: Cells, work: Workload, table: SngTable) -> list[Line]:
    """The SNGs, a line for each kind of operand that there is."""
    return [_sng_line(cells, work, table, kind) for kind in KINDS if work.generators(kind)]


def operand_register_lines(work: Workload, register: Unit, trim_bits: int) -> list[Line]:
    """Flip-flops that hold what an SNG is set to, and its calibration."""
    generators, word = work.all_generators(), work.widths.word
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


def mac_lines(cells: Cells, work: Workload) -> list[Line]:
    """The MACs, a line for each kind."""
    return [_mac_line(cells, work, name) for name in work.macs_used]


def accumulator_lines(work: Workload, adder: Unit, register: Unit) -> list[Line]:
    """One accumulator per output unit: each layer's most demanding product sets their bits."""
    clocks = [
        math.fsum(p.outputs * width_of(p) * p.length * p.turns for p in products)
        for products in (work.forward, work.products)
    ]
    said = f"{TABLES}; bits = log2(longest stream x fan-in) rounded up, + 1"
    return [
        unit_line(item, "Accumulators", cell, unit, built_bits(work), (clocks[0], clocks[1]), said)
        for item, cell, unit in (
            ("Accumulator adders", "full_adder", adder),
            ("Accumulator registers", "dff", register),
        )
    ]


def _sng_line(cells: Cells, work: Workload, table: SngTable, kind: str) -> Line:
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
        count=math.fsum(work.generators(kind).values()),
        unit_area=float(cells.sng["area"]),
        unit_leakage=float(cells.sng.isel(conditions(cells))["leakage_power"]),
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


def _mac_line(cells: Cells, work: Workload, name: str) -> Line:
    mac = cells.mac(name)

    def cost(products: tuple[Product, ...]) -> tuple[float, float, float]:
        parts = [
            (p.macs * p.length, *mac_energy(mac, p.a.probability, p.b.probability))
            for p in products
            if p.mac == name
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
        count=work.macs(name),
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
