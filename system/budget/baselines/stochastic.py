"""Our stochastic MACs as candidates of the orders table: what one is, takes and lasts per bit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from formats.cells import Cells
from system.architecture.figures import Figure
from system.budget.baselines.synthesised import Synthesised
from system.budget.columns import GROUP as COLUMNS
from system.budget.lines import Budget
from system.budget.schedule import bit_time
from system.budget.sng import energy_per_bit, sng_table
from system.budget.units import mac_energy, mac_table, source
from system.budget.workload import Product

BARE = "bare cell"
CELL = "MAC cell"
SENSED = "cell with its share of the sense stage"
WITH_SNGS = "MAC cell with two SNGs of its own"
SYSTEM = "share of the whole system"
HALF = 0.5
"""Operand probabilities of a kind of MAC that the training did not use (assumed)."""


@dataclass(frozen=True)
class Candidate:
    """One kind of stochastic MAC in one form, SI units, per multiply-accumulate.

    ``bit`` is the time and ``energy`` the energy of a product bit; None where the candidate is an
    area only. ``length`` is the trained stream length (bits); ``fan_in`` that of the sums.
    """

    mac: str
    form: str
    encoding: str
    adder: str
    fan_in: float
    area: float
    bit: float | None
    energy: float | None
    length: float
    area_source: str
    energy_source: str


PUBLISHED_CELLS = (
    (
        "XNOR2 + MUX2 of NanGate 45 nm",
        CELL,
        Figure(3.458e-12, "taken: NanGate 45-nm open cell library, XNOR2 1.596 + MUX2 1.862 um2"),
    ),
    (
        "1T1R, core transistor",
        BARE,
        Figure(
            0.0768e-12,
            "derived: 4F x 12F at 40 nm, 0.0768 um2, the rule as quoted by a second source; "
            "a core transistor does not bear the write voltage of the published law",
        ),
    ),
    (
        "40-nm RRAM macro, per bit",
        "with periphery",
        Figure(0.42e-12, "derived: 2.37 Mb/mm2 of a 40-nm RRAM macro (taken), so 0.42 um2 per bit"),
    ),
)
"""Cells of others, whose areas alone are known."""
_ENCODINGS = {
    "sc_counter8": ("sign-magnitude", "exact-counter"),
    "sc_unipolar8": ("unipolar", "exact-counter"),
    "sc_mux8": ("bipolar", "mux"),
}
"""What the mapped designs compute."""


def candidates(
    cells: Cells, bill: Budget, synthesised: Sequence[Synthesised]
) -> tuple[Candidate, ...]:
    """Every kind of MAC of cells.nc in each form, the mapped stochastic ones, published cells."""
    found = [one for name in cells.macs for one in _forms(cells, bill, name)]
    length, fan_in = _mean_length(bill, bill.workload.products), _fan_in(bill)
    found += [
        Candidate(
            f"{design.name}, synthesised",
            CELL,
            *_ENCODINGS[design.name],
            fan_in,
            design.area / design.products,
            max(bit_time(cells, bill.workload), design.delay),
            design.energy / design.products,
            length,
            f"{design.source}; over its {design.products} products",
            f"{design.source}; over its {design.products} products; without glitches and SNGs",
        )
        for design in synthesised
        if design.name in _ENCODINGS
    ]
    found += [
        Candidate(name, form, "unipolar", "", 1.0, area.value, None, None, length, area.source, "")
        for name, form, area in PUBLISHED_CELLS
    ]
    return tuple(found)


def _forms(cells: Cells, bill: Budget, name: str) -> list[Candidate]:
    mac, table = cells.mac(name), sng_table(cells)
    column = name == COLUMNS
    products = tuple(
        p
        for p in bill.workload.products
        if (p.in_columns if column else p.mac == name and not p.in_columns)
    )
    length = _mean_length(bill, products or bill.workload.products)
    fan_in = _fan_in(bill)
    bit = max(bit_time(cells, bill.workload), float(mac["delay"]))
    a, b = _mean_probabilities(products)
    where = "at the mean operand probabilities of training.nc"
    if not products:
        where = "at operand probabilities of 1/2 (assumed; the training did not use this kind)"
    # A column's operand a is the stored bit, that of the weight.
    stored, applied = (b, a) if column else (a, b)
    energy, _ = mac_energy(mac_table(mac), stored, applied)
    pair = math.fsum(energy_per_bit(table, p).total for p in (a, b))
    area, sng = float(mac["area"]), float(cells.sng["area"])
    area_source, energy_source = source(cells, name, "area"), source(cells, name, "energy")

    def form(words: str, size: float, joules: float, sized: str, spent: str) -> Candidate:
        return Candidate(
            name,
            words,
            str(mac.attrs["encoding"]),
            str(mac.attrs["adder"]),
            fan_in,
            size,
            bit,
            joules,
            length,
            sized,
            spent,
        )

    bare = "cell_area" in mac
    found = []
    if bare:
        found.append(
            form(
                BARE,
                float(mac["cell_area"]),
                energy,
                source(cells, name, "cell_area"),
                f"{energy_source}, {where}; read only",
            )
        )
    found.append(
        form(
            SENSED if bare else CELL,
            area,
            energy,
            area_source,
            f"{energy_source}, {where}; without the SNGs",
        )
    )
    found.append(
        form(
            WITH_SNGS,
            area + 2 * sng,
            energy + pair,
            f"derived: {area_source}; 2 x {source(cells, 'sng', 'area')}",
            f"derived: {energy_source} and RESET, write and read of two SNG bits "
            f"({source(cells, 'sng', 'energy')}), {where}",
        )
    )
    if bill.layout.macs() and bill.layout.bank is None:  # else most products are on no MAC
        found.append(
            form(
                SYSTEM,
                _system_area(bill, area),
                energy + _shared_energy(bill),
                "derived: area of the whole bill over its MACs"
                + ("" if products else ", its MACs replaced by this kind, all else as it is"),
                f"derived: {energy_source}, {where}, and energy of the SNGs and their write supply "
                "in a training step over its product bits, so with the fan-out of this system",
            )
        )
    return found


def _system_area(bill: Budget, area: float) -> float:
    macs = bill.layout.macs()
    others = math.fsum(line.area for line in bill.lines if line.group != "MACs")
    used = math.fsum(line.area for line in bill.lines if line.group == "MACs")
    trained = {line.unit_area for line in bill.lines if line.group == "MACs"}
    return (others + (used if trained == {area} else macs * area)) / macs


def _shared_energy(bill: Budget) -> float:
    """Energy (J) of SNGs and write supply per product bit, as the system shares streams."""
    spent = math.fsum(
        line.energy_training for line in bill.lines if line.group in ("SNGs", "Write supply")
    )
    bits = math.fsum(p.macs * p.length for p in bill.workload.products)
    return spent / bits if bits else 0.0


def _mean_length(bill: Budget, products: tuple[Product, ...]) -> float:
    macs = math.fsum(p.macs for p in products)
    return math.fsum(p.macs * p.length for p in products) / macs if macs else 0.0


def _fan_in(bill: Budget) -> float:
    """Mean products of a sum, over the products of an inference (1 where none is on streams)."""
    forward = bill.workload.forward
    outputs = math.fsum(p.outputs for p in forward)
    return math.fsum(p.macs for p in forward) / outputs if outputs else 1.0


def _mean_probabilities(products: tuple[Product, ...]) -> tuple[float, float]:
    macs = math.fsum(p.macs * p.length for p in products)
    if not macs:
        return HALF, HALF
    a, b = (
        math.fsum(p.macs * p.length * p.operands[side].probability for p in products) / macs
        for side in (0, 1)
    )
    return a, b
