"""Writes the bill of materials: units of cells.nc times counts and events of training.nc."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from formats.cells import Cells
from formats.training import Training
from system.architecture import Architecture
from system.budget.coordinates import check_coordinates
from system.budget.limits import assumptions, not_modelled
from system.budget.lines import Budget, Line
from system.budget.pair import check_pair
from system.budget.schedule import schedule
from system.budget.sng import SngTable, conditions, energy_per_bit, sng_table
from system.budget.support import dac_lines, memory_lines, update_lines
from system.budget.units import Unit, gate_unit, mac_energy, register_unit, source
from system.budget.update import update_rule
from system.budget.workload import TABLES, Product, Workload, workload


@dataclass(frozen=True)
class BudgetOptions:
    """What the user may choose about the bill.

    ``frame_rate`` is in training steps (images) per second. ``dac_area`` (m2) and ``dac_energy``
    (J per conversion) count a write-voltage DAC at every SNG; None leaves it out, and says so.
    """

    frame_rate: float = 1.0
    accept_edited_cells: bool = False
    dac_area: float | None = None
    dac_energy: float | None = None


def budget(
    cells: Cells, training: Training, architecture: Architecture, options: BudgetOptions
) -> Budget:
    """The bill of materials of one architecture.

    Raises :class:`InputError` for a pair that does not belong together, a table that lacks a
    number, or an option out of range.
    """
    check_coordinates(cells, training)
    edited = check_pair(cells, training, options.accept_edited_cells)
    work = workload(training)
    table = sng_table(cells)
    rule = update_rule(training)
    mac_name = str(training.attributes["mac"])
    timing = schedule(
        cells, work, float(cells.mac(mac_name)["delay"]), architecture, options.frame_rate
    )
    adder = gate_unit(cells, "full_adder", table)
    register = register_unit(cells, "dff", table)
    bits, bit_clocks = accumulator_bits(work, str(training.attributes["adder"]))
    accumulated: Any = {"work": work, "bits": bits, "bit_clocks": bit_clocks}
    lines = [
        *(_sng_line(cells, work, table, kind) for kind in ("parameter", "activation", "error")),
        _mac_line(cells, work, mac_name),
        _accumulator_line("Accumulator adders", adder, "full_adder", **accumulated),
        _accumulator_line("Accumulator registers", register, "dff", **accumulated),
        *memory_lines(work, rule, architecture),
        *update_lines(work, rule, architecture, adder),
        *dac_lines(work, options.dac_area, options.dac_energy),
    ]
    warnings = [edited] if edited else []
    if timing.rate < timing.requested_rate:
        warnings.append(
            f"{timing.requested_rate:g} training steps per second were asked for; the schedule "
            f"allows {timing.rate:.3g}, and the power is that at {timing.rate:.3g} per second."
        )
    warnings += _out_of_range(work, table)
    return Budget(
        lines=tuple(lines),
        timing=timing,
        workload=work,
        assumptions=assumptions(
            cells, training, architecture, work=work, table=table, rule=rule, timing=timing
        ),
        not_modelled=not_modelled(cells, training, work, options.dac_area is not None),
        warnings=tuple(warnings),
    )


def accumulator_width(stream_length: int, fan_in: float, adder: str) -> int:
    """Bits of a counter that cannot overflow, with a sign; a MUX adder hands on one stream."""
    largest = stream_length * (1.0 if adder == "mux" else max(1.0, fan_in))
    return math.ceil(largest).bit_length() + 1


def accumulator_bits(
    work: Workload, adder: str
) -> tuple[float, Callable[[tuple[Product, ...]], float]]:
    """Accumulator bits built (each layer's largest product), and bit-clocks of given products."""

    def bits(product: Product) -> float:
        return product.outputs * accumulator_width(work.stream_length, product.fan_in, adder)

    built = math.fsum(
        max(bits(product) for product in work.products if product.layer == layer)
        for layer in work.layers
    )
    return built, lambda products: math.fsum(
        bits(p) * work.stream_length * p.turns for p in products
    )


def _sng_line(cells: Cells, work: Workload, table: SngTable, kind: str) -> Line:
    def cost(products: tuple[Product, ...]) -> tuple[float, float]:
        parts = [
            (operand.streams * work.stream_length, energy_per_bit(table, operand.probability))
            for product in products
            for operand in product.operands
            if operand.kind == kind
        ]
        return (
            math.fsum(bits * each.total for bits, each in parts),
            math.fsum(bits * each.stderr for bits, each in parts),
        )

    inference, training = cost(work.forward), cost(work.products)
    plural = {"parameter": "parameters", "activation": "activations", "error": "errors"}[kind]
    return Line(
        item=f"SNGs of {plural}",
        group="SNGs",
        cell="sng",
        count=math.fsum(work.generators(kind).values()),
        unit_area=float(cells.sng["area"]),
        unit_leakage=float(cells.sng.isel(conditions(cells))["leakage_power"]),
        events_inference=work.streams(kind, work.forward) * work.stream_length,
        events_training=work.streams(kind, work.products) * work.stream_length,
        energy_inference=inference[0],
        energy_training=training[0],
        stderr_inference=inference[1],
        stderr_training=training[1],
        count_source=TABLES,
        area_source=source(cells, "sng", "area"),
        energy_source=f"{source(cells, 'sng', 'energy')}, at the mean bit probability of each "
        "(layer, product) of training.nc",
        leakage_source=source(cells, "sng", "leakage_power"),
    )


def _mac_line(cells: Cells, work: Workload, name: str) -> Line:
    mac = cells.mac(name)

    def cost(products: tuple[Product, ...]) -> tuple[float, float]:
        parts = [
            (p.macs * work.stream_length, *mac_energy(mac, p.a.probability, p.b.probability))
            for p in products
        ]
        return (
            math.fsum(bits * energy for bits, energy, _ in parts),
            math.fsum(bits * stderr for bits, _, stderr in parts),
        )

    inference, training = cost(work.forward), cost(work.products)
    return Line(
        item=f"MACs, {name.replace('_', ' ')}",
        group="MACs",
        cell=name,
        count=work.macs(),
        unit_area=float(mac["area"]),
        unit_leakage=float(mac["leakage_power"]),
        events_inference=math.fsum(p.macs for p in work.forward) * work.stream_length,
        events_training=math.fsum(p.macs for p in work.products) * work.stream_length,
        energy_inference=inference[0],
        energy_training=training[0],
        stderr_inference=inference[1],
        stderr_training=training[1],
        count_source=TABLES,
        area_source=source(cells, name, "area"),
        energy_source=f"{source(cells, name, 'energy')}, at the mean operand probabilities of "
        "each (layer, product) of training.nc",
        leakage_source=source(cells, name, "leakage_power"),
    )


def _accumulator_line(
    item: str,
    unit: Unit,
    cell: str,
    *,
    work: Workload,
    bits: float,
    bit_clocks: Callable[[tuple[Product, ...]], float],
) -> Line:
    inference, training = bit_clocks(work.forward), bit_clocks(work.products)
    return Line(
        item=item,
        group="Accumulators",
        cell=cell,
        count=bits,
        unit_area=unit.area,
        unit_leakage=unit.leakage,
        events_inference=inference,
        events_training=training,
        energy_inference=inference * unit.energy,
        energy_training=training * unit.energy,
        stderr_inference=inference * unit.stderr,
        stderr_training=training * unit.stderr,
        count_source=f"{TABLES}; bits = log2(stream length x fan-in) rounded up, + 1",
        area_source=unit.area_source,
        energy_source=unit.energy_source,
        leakage_source=unit.leakage_source,
    )


def _out_of_range(work: Workload, table: SngTable) -> list[str]:
    highest = float(table.pi.max())
    beyond = [
        f"{product.layer}/{product.name} {operand.kind} p = {operand.probability:.3g}"
        for product in work.products
        for operand in product.operands
        if operand.probability > highest + 0.01
    ]
    if not beyond:
        return []
    return [
        f"The SNG's highest tabulated probability is {highest:.3g}; its highest voltage was costed "
        f"for {', '.join(beyond)}."
    ]
