"""What stands around the cells: write-voltage DACs, charge pumps, and named overheads."""

from __future__ import annotations

import math
from collections.abc import Sequence

from formats.cells import Cells
from formats.errors import InputError
from system.architecture import Dac, Overhead
from system.architecture.base import EVERYTHING
from system.budget.column_lines import write_energy
from system.budget.columns import GROUP as COLUMNS
from system.budget.layout import Layout
from system.budget.lines import Line, unit_line
from system.budget.sng import SngTable, energy_per_bit
from system.budget.units import Unit, source
from system.budget.workload import TABLES, Product

PUMP = ("charge_pump_area", "charge_pump_efficiency")


def dac_lines(layout: Layout, dac: Dac | None) -> list[Line]:
    """The write-voltage DACs, where there are figures of one."""
    if dac is None:
        return []
    work = layout.work
    inference, training = (
        layout.conversions(products) for products in (work.forward, work.products)
    )
    unit = Unit(
        area=dac.area,
        energy=dac.energy,
        stderr=math.nan,
        leakage=dac.leakage,
        delay=0.0,
        area_source=dac.source,
        energy_source=dac.source,
        leakage_source=dac.source,
    )
    each = "an SNG" if dac.sngs == 1 else f"{dac.sngs} SNGs"
    return [
        unit_line(
            "Write-voltage DACs",
            "DACs",
            "write-voltage DAC",
            unit,
            math.ceil(layout.voltages() / dac.sngs),
            (inference, training),
            f"{TABLES}; one DAC for {each}, one conversion a stream (a bit where weights take "
            "turns)",
        )
    ]


def pump_lines(cells: Cells, layout: Layout, table: SngTable) -> list[Line]:
    """Charge pumps for the write voltages: one for each SNG that writes at once, and their losses.

    None where they are not asked for. Raises :class:`InputError` where cells.nc has no pump, since
    its write voltages need none.
    """
    if layout.architecture.write_supply != "charge-pumps":
        return []
    if not has_pump(cells):
        raise InputError(
            f"architecture {layout.architecture.name}",
            f"write_supply is 'charge-pumps', but {cells.path} holds no {PUMP[0]}: its write "
            "voltages stay below the core supply; expected 'external'",
        )
    efficiency = float(cells.sng[PUMP[1]])
    if not 0 < efficiency <= 1:
        raise InputError(
            cells.path, f"sng/{PUMP[1]} is {efficiency:g}, expected above 0 and up to 1"
        )
    loss = 1 / efficiency - 1

    def lost(products: tuple[Product, ...]) -> tuple[float, float]:
        parts = [
            (product.bits(operand), energy_per_bit(table, operand.probability))
            for product in products
            for operand in product.encoded
        ]
        energy = math.fsum(bits * each.write for bits, each in parts)
        energy += write_energy(layout, products)
        # The write makes nearly all of a bit's energy, so its share of the error is that part.
        share = [each.write / each.total if each.total else 0.0 for _, each in parts]
        error = math.fsum(
            bits * each.stderr * part for (bits, each), part in zip(parts, share, strict=True)
        )
        return energy * loss, error * loss

    work = layout.work
    inference, training = lost(work.forward), lost(work.products)
    bits = [
        math.fsum(p.bits(o) for p in products for o in p.operands)
        for products in (work.forward, work.products)
    ]
    return [
        Line(
            item="Charge pumps",
            group="Write supply",
            cell="sng",
            count=layout.busiest(),
            unit_area=float(cells.sng[PUMP[0]]),
            unit_leakage=0.0,
            events_inference=bits[0],
            events_training=bits[1],
            energy_inference=inference[0],
            energy_training=training[0],
            stderr_inference=inference[1],
            stderr_training=training[1],
            count_source=f"{TABLES}; one for the mean write current of each SNG that writes at "
            "once (assumed)",
            area_source=source(cells, "sng", PUMP[0]),
            energy_source=f"{source(cells, 'sng', PUMP[1])}: {efficiency:.3g}, of the write energy "
            "of cells.nc sng/energy"
            + ("" if layout.bank is None else f" and cells.nc {COLUMNS}/scheme_energy"),
            leakage_source="assumed: none, a pump that does not run is cut off",
        )
    ]


def has_pump(cells: Cells) -> bool:
    """Whether the write voltages of cells.nc lie above the core supply, so that it has a pump."""
    return all(name in cells.sng for name in PUMP)


def overhead_lines(overheads: Sequence[Overhead], lines: Sequence[Line]) -> list[Line]:
    """Lines that cost a share of others, in the order of the file; none acts on another.

    Raises :class:`InputError` for a group that the bill never has, or a name that a line has.
    """
    taken = {line.item for line in lines}
    for overhead in overheads:
        if overhead.name in taken:
            raise InputError(
                f"architecture, overhead {overhead.name!r}",
                "is the name of another line of the bill; expected one of its own",
            )
        taken.add(overhead.name)
    return [_overhead(overhead, _of(overhead, lines)) for overhead in overheads]


def _of(overhead: Overhead, lines: Sequence[Line]) -> list[Line]:
    if overhead.groups == (EVERYTHING,):
        return list(lines)
    unknown = [group for group in overhead.groups if group not in GROUPS]
    if unknown:
        raise InputError(
            f"architecture, overhead {overhead.name!r}",
            f"on names {', '.join(map(repr, unknown))}; the groups of the bill are "
            f"{', '.join(GROUPS)}",
        )
    return [line for line in lines if line.group in overhead.groups]


def _overhead(overhead: Overhead, base: Sequence[Line]) -> Line:
    on = "all lines" if overhead.groups == (EVERYTHING,) else ", ".join(overhead.groups)

    def said(share: float, of: str) -> str:
        return f"{overhead.source} ({share:g} of the {of} of {on})"

    return Line(
        item=overhead.name,
        group="Overheads",
        cell=f"overhead {overhead.name}",
        count=1.0,
        unit_area=overhead.area * math.fsum(line.area for line in base),
        unit_leakage=overhead.leakage * math.fsum(line.leakage for line in base),
        events_inference=1.0 if overhead.energy else 0.0,
        events_training=1.0 if overhead.energy else 0.0,
        energy_inference=overhead.energy * math.fsum(line.energy_inference for line in base),
        energy_training=overhead.energy * math.fsum(line.energy_training for line in base),
        stderr_inference=math.nan if overhead.energy else 0.0,
        stderr_training=math.nan if overhead.energy else 0.0,
        count_source="derived: one line for the whole chip",
        area_source=said(overhead.area, "area"),
        energy_source=said(overhead.energy, "switching energy"),
        leakage_source=said(overhead.leakage, "leakage"),
        parts=tuple(line.item for line in base),
    )


GROUPS = (
    "SNGs",
    "SNG registers",
    "MACs",
    "Memory columns",
    "Accumulators",
    "Scales and ports",
    "Binary products",
    "Memory",
    "Update",
    "DACs",
    "Write supply",
)
"""Groups of the bill, in its order."""
