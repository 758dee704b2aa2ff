"""Writes the bill of materials: units of cells.nc times counts and events of training.nc."""

from __future__ import annotations

from dataclasses import dataclass

from formats.cells import Cells
from formats.training import Training
from system.architecture import Architecture
from system.budget.calibration import trim_bits
from system.budget.coordinates import check_coordinates
from system.budget.datapath import (
    accumulator_lines,
    mac_lines,
    operand_register_lines,
    sng_lines,
)
from system.budget.limits import assumptions, not_modelled
from system.budget.lines import Budget, Line
from system.budget.pair import check_pair
from system.budget.plain import plain_lines
from system.budget.ports import port_lines, scale_lines
from system.budget.progressive import progressive
from system.budget.reading import workload
from system.budget.schedule import schedule
from system.budget.sng import SngTable, sng_table
from system.budget.support import dac_lines, memory_lines
from system.budget.units import gate_unit, register_unit
from system.budget.updating import update_lines
from system.budget.workload import Workload


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
    work, table = workload(training), sng_table(cells)
    timing = schedule(cells, work, architecture, options.frame_rate)
    trim = trim_bits(training)

    def lines(of: Workload) -> list[Line]:
        return _lines(cells, of, table, architecture, options, trim)

    warnings = [edited] if edited else []
    if timing.rate < timing.requested_rate:
        warnings.append(
            f"{timing.requested_rate:g} training steps per second were asked for; the schedule "
            f"allows {timing.rate:.3g}, and the power is that at {timing.rate:.3g} per second."
        )
    warnings += _out_of_range(work, table)
    early = progressive(
        training, work, lines, lambda of: schedule(cells, of, architecture, 1.0).inference
    )
    return Budget(
        lines=tuple(lines(work)),
        timing=timing,
        workload=work,
        progressive=early,
        assumptions=assumptions(
            cells, training, architecture, work=work, table=table, timing=timing, early=early
        ),
        not_modelled=not_modelled(cells, work, options.dac_area is not None),
        warnings=tuple(warnings),
    )


def _lines(
    cells: Cells,
    work: Workload,
    table: SngTable,
    architecture: Architecture,
    options: BudgetOptions,
    trim: int,
) -> list[Line]:
    adder, multiplexer, xor = (
        gate_unit(cells, name, table) for name in ("full_adder", "mux2", "xor2")
    )
    register = register_unit(cells, "dff", table)
    return [
        *sng_lines(cells, work, table),
        *operand_register_lines(work, register, trim),
        *mac_lines(cells, work),
        *accumulator_lines(work, adder, register),
        *port_lines(work, multiplexer, adder),
        *scale_lines(work, architecture, adder, register),
        *plain_lines(work, adder),
        *memory_lines(work),
        *update_lines(work, architecture, adder, register, xor),
        *dac_lines(work, options.dac_area, options.dac_energy),
    ]


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
