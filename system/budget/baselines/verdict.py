"""Where five orders of magnitude hold and where not, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from system.budget.baselines.arrays import Array
from system.budget.baselines.orders import Pair, Ratio, Row
from system.budget.baselines.stochastic import BARE, SYSTEM, WITH_SNGS
from system.budget.lines import Budget

FIVE = 5.0
WITH = (SYSTEM, WITH_SNGS)
"""Forms whose energy has the SNGs in it."""


def verdict(
    rows: Sequence[Row], arrays: Sequence[Array], bill: Budget, cmos: Budget | None
) -> list[str]:
    """What the table, the arrays and the CMOS computer say."""
    wide = [row for row in rows if row.baseline.name.startswith("FP32")]
    shared = [row for row in wide if row.candidate.form in WITH]
    narrow = [row for row in rows if row.baseline.name.startswith("int8")]
    own = [
        row
        for row in wide
        if row.candidate.form == BARE
        and row.candidate.bit is not None
        and row.area.orders[0] < FIVE
    ]
    said = [
        _reached([row for row in wide if row.area.orders[1] >= FIVE]),
        _span("A bare cell that bears the write voltage", own, lambda row: row.area),
        _span("Gates alone", _gates(wide), lambda row: row.area),
        _span("Each MAC's share of this system", _of(wide, SYSTEM), lambda row: row.area),
        _span("Over all MACs and forms", narrow, lambda row: row.area),
        _span(
            "Area x time per finished product at the trained stream length",
            wide,
            lambda row: row.area_time_trained,
        ),
        _span(
            "Area x time per finished product at int8's precision",
            narrow,
            lambda row: row.area_time_equal,
        ),
        _span(
            "Energy per finished product with its SNGs' RESET, write and read, at the trained "
            "length",
            shared,
            lambda row: row.energy_trained,
        ),
        _span(
            "The same energy at int8's precision",
            [row for row in narrow if row.candidate.form in WITH],
            lambda row: row.energy_equal,
        ),
        _array(arrays, bill),
        _cmos(bill, cmos),
    ]
    return [sentence for sentence in said if sentence]


def _of(rows: Sequence[Row], form: str) -> list[Row]:
    return [row for row in rows if row.candidate.form == form]


def _gates(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.candidate.form == "MAC cell"]


def _reached(reach: Sequence[Row]) -> str:
    if not reach:
        return "Five orders of magnitude in area hold for no MAC here beside an FP32 MAC."
    cells = dict.fromkeys(f"{row.candidate.mac} ({row.candidate.form})" for row in reach)
    beside = ", ".join(
        f"{row.baseline.name}: {_orders(row.area.orders)}" for row in dict.fromkeys(reach)
    )
    return (
        f"Five orders of magnitude in area beside an FP32 MAC are reached by "
        f"{', '.join(cells)} only ({beside}); by no other MAC or form in this table."
    )


def _span(words: str, rows: Sequence[Row], pick: Callable[[Row], Ratio | None]) -> str:
    """The range of orders over rows: baseline over ours, so negative means that ours is worse."""
    found = [ratio for row in rows if (ratio := pick(row)) is not None]
    if not found:
        return ""
    low = min(ratio.orders[0] for ratio in found)
    high = max(ratio.orders[1] for ratio in found)
    beside = "FP32" if rows[0].baseline.name.startswith("FP32") else "int8"
    worse = " (ours is larger)" if high < 0 else ""
    return f"{words}, beside {beside}: {_orders((low, high))} orders{worse}."


def _orders(pair: Pair) -> str:
    low, high = (f"{value:+.1f}" for value in pair)
    return low if low == high else f"{low} to {high}"


def _array(arrays: Sequence[Array], bill: Budget) -> str:
    if not arrays:
        return ""
    one = arrays[0]
    return (
        f"{one.units} x {one.mac.name} with the same memories: an inference takes "
        f"{one.latency:.2g} s, {one.inference_with_memories[0]:.2g} to "
        f"{one.inference_with_memories[1]:.2g} J and {one.area_with_memories[0] * 1e6:.3g} to "
        f"{one.area_with_memories[1] * 1e6:.3g} mm2; this system takes "
        f"{bill.timing.inference:.2g} s, {bill.energy_inference:.2g} J and "
        f"{bill.area * 1e6:.3g} mm2."
    )


def _cmos(bill: Budget, cmos: Budget | None) -> str:
    if cmos is None:
        return ""
    return (
        f"With an LFSR for each memristive SNG the same computer takes {cmos.area * 1e6:.3g} mm2 "
        f"(ours {bill.area * 1e6:.3g}), {cmos.energy_inference:.2g} J an inference (ours "
        f"{bill.energy_inference:.2g}) and {cmos.timing.inference:.2g} s (ours "
        f"{bill.timing.inference:.2g})."
    )
