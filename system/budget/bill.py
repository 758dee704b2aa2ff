"""Writes the bill of materials: units of cells.nc times counts and events of training.nc."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

from formats.cells import Cells
from formats.device import parse_device
from formats.plural import plural
from formats.training import Training
from system.architecture import Architecture
from system.budget.calibration import trim_bits
from system.budget.column_lines import column_lines
from system.budget.columns import SPREAD, arranged, bank
from system.budget.coordinates import check_coordinates
from system.budget.datapath import (
    accumulator_lines,
    mac_lines,
    operand_register_lines,
    sng_lines,
)
from system.budget.layout import Layout
from system.budget.limits import assumptions, not_modelled
from system.budget.lines import Budget, Line
from system.budget.memory import memory_lines
from system.budget.pair import check_pair, check_trained
from system.budget.plain import plain_lines
from system.budget.ports import port_lines, scale_lines
from system.budget.progressive import progressive
from system.budget.reading import workload
from system.budget.schedule import schedule
from system.budget.sng import SngTable, sng_table
from system.budget.surroundings import dac_lines, overhead_lines, pump_lines
from system.budget.units import gate_unit, register_unit
from system.budget.updating import update_lines
from system.budget.wear.use import recorded_images
from system.budget.workload import Workload


@dataclass(frozen=True)
class BudgetOptions:
    """What the user may choose about the bill.

    ``frame_rate`` is in training steps (images) per second.
    """

    frame_rate: float = 1.0
    accept_edited_cells: bool = False


@dataclass(frozen=True)
class Pair:
    """A cells.nc and a training.nc that belong together, and what every bill of them reads.

    ``edited`` warns of cells that were edited after the training and accepted, ``trim`` are the
    bits of an SNG's calibration.
    """

    cells: Cells
    training: Training
    work: Workload
    table: SngTable
    trim: int
    edited: str | None


def budget(
    cells: Cells, training: Training, architecture: Architecture, options: BudgetOptions
) -> Budget:
    """The bill of materials of one architecture.

    Raises :class:`InputError` for a pair that does not belong together, a training that is not the
    one the architecture names, a table that lacks a number, or an option out of range.
    """
    return priced(
        checked(cells, training, options.accept_edited_cells), architecture, options.frame_rate
    )


def checked(cells: Cells, training: Training, accept_edited_cells: bool) -> Pair:
    """Read what bills need; raises :class:`InputError` for a pair that does not belong together,
    or a table that lacks a number."""
    check_coordinates(cells, training)
    edited = check_pair(cells, training, accept_edited_cells)
    work, table = workload(training), sng_table(cells)
    return Pair(cells, training, work, table, trim_bits(training), edited)


def priced(pair: Pair, architecture: Architecture, frame_rate: float) -> Budget:
    """The bill of one architecture at ``frame_rate`` training steps per second.

    Raises :class:`InputError` for a training that is not the one the architecture names, or an
    architecture that the cells cannot be.
    """
    cells, training, table = pair.cells, pair.training, pair.table
    check_trained(training, architecture)
    work = arranged(pair.work, architecture)
    layout = Layout(work, architecture, bank(cells, training, architecture))
    timing = schedule(cells, layout, frame_rate)

    def lines(of: Workload) -> list[Line]:
        return _lines(cells, replace(layout, work=of), table, pair.trim)

    warnings = [*cells.faults, *([pair.edited] if pair.edited else []), *_assumed(cells)]
    if timing.rate < timing.requested_rate:
        asked = timing.requested_rate
        warnings.append(
            f"{asked:g} training {plural(asked, 'step')} per second asked for; the schedule allows "
            f"{timing.rate:.3g}, and the power is that at {timing.rate:.3g} per second."
        )
    warnings += _out_of_range(work, table)
    if layout.bank is not None and layout.bank.spread > SPREAD:
        warnings.append(
            f"Written by {layout.bank.scheme!r}, the probability of a cell of a column spreads by "
            f"up to {layout.bank.spread:.2g} with the threshold of its transistor (cells.nc "
            "scheme_sigma_threshold); the training had none of it, so its accuracy does not hold."
        )
    early = progressive(
        training, work, lines, lambda of: schedule(cells, replace(layout, work=of), 1.0).inference
    )
    return Budget(
        lines=tuple(lines(work)),
        timing=timing,
        layout=layout,
        run=recorded_images(training),
        progressive=early,
        assumptions=assumptions(
            cells, training, layout=layout, table=table, timing=timing, early=early
        ),
        not_modelled=not_modelled(cells, layout),
        warnings=tuple(warnings),
    )


def _lines(cells: Cells, layout: Layout, table: SngTable, trim: int) -> list[Line]:
    work, architecture = layout.work, layout.architecture
    adder, multiplexer, xor = (
        gate_unit(cells, name, table) for name in ("full_adder", "mux2", "xor2")
    )
    register = register_unit(cells, "dff", table)
    lines = [
        *sng_lines(cells, layout, table),
        *operand_register_lines(layout, register, trim),
        *mac_lines(cells, layout),
        *column_lines(cells, layout, adder, register),
        *accumulator_lines(layout, adder, register),
        *port_lines(layout, multiplexer, adder),
        *scale_lines(work, architecture, adder, register),
        *plain_lines(work, adder),
        *memory_lines(layout),
        *update_lines(work, architecture, adder, register, xor),
        *dac_lines(layout, architecture.dac),
        *pump_lines(cells, layout, table),
    ]
    return [*lines, *overhead_lines(architecture.overheads, lines)]


def _assumed(cells: Cells) -> list[str]:
    """Whether the law behind every bit was fitted or taken, or has no measurement at all."""
    device_json = str(cells.attributes["device_json"])
    if _source(device_json, f"{cells.path}, attribute device_json") != "assumed":
        return []
    return [
        "The SET law is assumed, not measured on this device (another, published device's where "
        "the data held no SET): bit probabilities, energies and cycles are those of that law."
    ]


@functools.lru_cache(maxsize=16)
def _source(device_json: str, where: str) -> str:
    """Of the SET law; the same for all budgets of an exploration."""
    return str(parse_device(device_json, where)["set"]["parameters"]["tau_ref"]["source"])


def _out_of_range(work: Workload, table: SngTable) -> list[str]:
    highest = float(table.pi.max())
    beyond = [
        f"{product.layer}/{product.name} {operand.kind} p = {operand.probability:.3g}"
        for product in work.products
        for operand in product.encoded
        if operand.probability > highest + 0.01
    ]
    if not beyond:
        return []
    return [
        f"The SNG's highest tabulated probability is {highest:.3g}; its highest voltage was costed "
        f"for {', '.join(beyond)}."
    ]
