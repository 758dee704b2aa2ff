"""The lines of memory columns: cells with their readout, stored bits, and what adds the counts."""

from __future__ import annotations

import math

from formats.cells import Cells
from system.budget.columns import GROUP, SIGNS, Bank
from system.budget.layout import Layout
from system.budget.lines import Line, unit_line
from system.budget.units import Unit, mac_energy, mac_table, source
from system.budget.workload import TABLES, Product


def column_lines(cells: Cells, layout: Layout, adder: Unit, register: Unit) -> list[Line]:
    """All lines; none where there are no columns."""
    bank = layout.bank
    if bank is None:
        return []
    products = _stored(layout.work.forward), _stored(layout.work.products)
    said = f"{TABLES}; {SIGNS} cells a weight, columns of {bank.cells} for each sum and sign"
    return [
        _read_line(cells, layout, bank, said),
        _written_line(cells, layout, bank),
        _registers(layout, bank, register),
        _adders(layout, bank, adder, products),
    ]


def write_energy(layout: Layout, products: tuple[Product, ...]) -> float:
    """J of the writes of weight bits into columns in one image, without RESET."""
    bank = layout.bank
    if bank is None:
        return 0.0
    return math.fsum(p.bits(p.b) * bank.write_energy(p.b.probability) for p in _stored(products))


def _stored(products: tuple[Product, ...]) -> tuple[Product, ...]:
    return tuple(product for product in products if product.in_columns)


def _read_line(cells: Cells, layout: Layout, bank: Bank, said: str) -> Line:
    table = mac_table(bank.data)

    def cost(products: tuple[Product, ...]) -> tuple[float, float]:
        events, energies = [], []
        for product in _stored(products):
            stored = bank.stored(product)
            reads = stored.columns * bank.cells / SIGNS * stored.reads * product.length
            # The bits of one sign at a time are on the word lines.
            word = product.a.probability / SIGNS
            # Operand a of cells.nc is the stored bit, b the word line's.
            each = [mac_energy(table, p, word)[0] for p in (product.b.probability, 0.0)]
            events += [reads] * len(each)
            energies += [reads * energy for energy in each]
        return math.fsum(events), math.fsum(energies)

    inference, training = cost(layout.work.forward), cost(layout.work.products)
    return Line(
        item="In-memory columns",
        group="Memory columns",
        cell=GROUP,
        count=layout.columns() * bank.cells,
        unit_area=float(bank.data["area"]),
        unit_leakage=float(bank.data["leakage_power"]),
        events_inference=inference[0],
        events_training=training[0],
        energy_inference=inference[1],
        energy_training=training[1],
        stderr_inference=math.nan if inference[0] else 0.0,
        stderr_training=math.nan if training[0] else 0.0,
        count_source=said,
        area_source=source(cells, GROUP, "area"),
        energy_source=f"{source(cells, GROUP, 'energy')}, at the mean operand probabilities of "
        "each (layer, product) of training.nc",
        leakage_source=source(cells, GROUP, "leakage_power"),
    )


def _written_line(cells: Cells, layout: Layout, bank: Bank) -> Line:
    def cost(products: tuple[Product, ...]) -> tuple[float, float]:
        bits = math.fsum(p.bits(p.b) for p in _stored(products))
        return bits, write_energy(layout, products) + bits * bank.reset_energy

    (ahead, of_ahead), (step, of_step) = cost(layout.work.forward), cost(layout.work.products)
    return Line(
        item="Weight bits in columns, RESET and write",
        group="Memory columns",
        cell=GROUP,
        count=layout.columns() * bank.cells,
        unit_area=0.0,
        unit_leakage=0.0,
        events_inference=ahead,
        events_training=step,
        energy_inference=of_ahead,
        energy_training=of_step,
        stderr_inference=math.nan if ahead else 0.0,
        stderr_training=math.nan if step else 0.0,
        count_source=f"{TABLES}; one of the {SIGNS} cells of a weight is written",
        area_source="derived: in the area of the columns",
        energy_source=f"{source(cells, GROUP, 'scheme_energy')} ({bank.scheme}) and "
        f"reset_energy, at the mean bit probability of each (layer, product) of training.nc",
        leakage_source="derived: in the leakage of the columns",
        parts=tuple(f"SNGs of {kind}" for kind in ("activations", "errors")),
    )


def _registers(layout: Layout, bank: Bank, register: Unit) -> Line:
    word = layout.work.widths.word
    ahead, step = (
        word * math.fsum(bank.settings(p) for p in _stored(products))
        for products in (layout.work.forward, layout.work.products)
    )
    each = (
        "a pair of columns, whose cells take turns and are set for each bit"
        if bank.serial
        else "a weight, set once a stream"
    )
    return unit_line(
        "Column write registers",
        "SNG registers",
        "dff",
        register,
        layout.of_columns(bank.registers) * word,
        (ahead, step),
        f"{TABLES}; {word} bits for {each}",
    )


def _adders(
    layout: Layout,
    bank: Bank,
    adder: Unit,
    products: tuple[tuple[Product, ...], tuple[Product, ...]],
) -> Line:
    def bits(product: Product) -> float:
        width = math.ceil(product.fan_in).bit_length() + 1
        return bank.stored(product).columns * width

    ahead, step = (
        math.fsum(bits(p) * bank.stored(p).reads * p.length for p in of) for of in products
    )
    return unit_line(
        "Column count adders",
        "Accumulators",
        "full_adder",
        adder,
        layout.of_columns(bits),
        (ahead, step),
        f"{TABLES}; one adder a column, log2(fan-in) + 1 bits and a sign (an upper estimate: those "
        "that add first are narrower)",
    )
