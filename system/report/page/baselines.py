"""Baselines: the published system, floating point, other arrays, and the orders of magnitude."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from system.report.chart import Axis, Chart, Panel, Series
from system.report.page.section import Given, Section, present
from system.report.table import Column, Table, from_records, in_words

CLAIM = 5.0
"""Orders of magnitude by which the published system's MAC is said to be smaller."""
RATIOS = {
    "area": "area",
    "area_time_at_equal_precision": "area x time per product at equal precision",
    "energy_at_equal_precision": "energy per product at equal precision",
}
"""What the five-orders table is drawn for."""


def section(given: Given) -> Section:
    """What ``baselines`` holds is left out where report.json has none."""
    found = given.report.get("baselines") or {}
    return Section(
        "baselines",
        "Baselines",
        present(*charts(given.report)),
        tuple(tables(given.report)),
        {"found": found, "gap": given.report["gap"]},
    )


def orders(name: str, title: str, rows: Sequence[tuple[str, Sequence[float]]]) -> Chart | None:
    """Orders of magnitude, from the smallest to the largest baseline; None where there are none.

    ``rows`` are names with the ends of their ranges, ``title`` says what is over what.
    """
    if not rows:
        return None
    names = tuple(row[0] for row in rows)
    bounds = np.array([row[1] for row in rows], dtype=float)
    texts = tuple(f"{low:.1f} … {high:.1f}" for low, high in bounds.tolist())
    said = "; ".join(f"{name}: {text}" for name, text in zip(names, texts, strict=True))
    low, high = min(0.0, float(bounds.min())), max(CLAIM, float(bounds.max()))
    bars = Series(
        "orders",
        bounds[:, 1],
        np.arange(float(len(rows))),
        "bars",
        0,
        low=bounds[:, 0],
        texts=texts,
        listed=False,
    )
    return Chart(
        name,
        f"Orders of magnitude, {title}. {said}",
        f"Derived: decimal logarithm of {title}; left of 0 this hardware takes more.",
        (
            Panel(
                (bars,),
                Axis("orders of magnitude", limits=(low - 0.6, high + 1.6)),
                Axis(categories=names),
                marks=((0.0, "equal"), (CLAIM, "five orders")),
            ),
        ),
        size=1.0 + 0.42 * len(rows),
    )


def charts(report: Mapping[str, Any]) -> Iterator[Chart | None]:
    """The orders of the five-orders table for its first baseline, and those over FP32."""
    rows = (report.get("baselines") or {}).get("orders", ())
    for key, what in RATIOS.items():
        first = [row for row in rows if row["baseline"] == rows[0]["baseline"] and row.get(key)]
        found = [(f"{in_words(row['mac'])}, {row['form']}", row[key]["orders"]) for row in first]
        baseline = first[0]["baseline"] if first else ""
        yield orders(f"orders-{key.replace('_', '-')}", f"{what}, {baseline} over ours", found)
    floating = report["comparison"]["floating_point"]
    yield orders(
        "orders",
        "energy of a product, a published FP32 multiplier and adder (least and most) over ours",
        [(str(row["quantity"]), row["orders_of_magnitude"]) for row in floating],
    )


def published(rows: list[Mapping[str, Any]]) -> Table | None:
    """The published system beside the candidate reading; None where they are not compared."""
    if not rows:
        return None
    return Table(
        "published",
        "A published system and this candidate reading of it. The publication states the totals "
        "only; layout, network and stream length are assumptions of this project.",
        (
            Column("quantity"),
            Column("published", "amount"),
            Column("this reading", "amount"),
            Column("ratio", "number"),
            Column("source of the published figure", "source", wide=True),
        ),
        tuple(
            (
                row["quantity"],
                (row["published"], row["unit"]),
                (row["this_reading"], row["unit"]),
                row["ratio"],
                row["source"],
            )
            for row in rows
        ),
    )


def floating_point(rows: list[Mapping[str, Any]]) -> Table:
    """A floating-point multiplier and adder over this hardware."""
    return Table(
        "floating-point",
        "Energy of a product in a 32-bit floating-point multiplier and adder over that in this "
        "hardware, mean over all products of a training step. The ratios of the MAC cell alone "
        "leave out the generators, accumulators and memories it cannot work without; the row of "
        "the whole system counts them.",
        (
            Column("quantity"),
            Column("FP32", "amount"),
            Column("this hardware", "amount"),
            Column("FP32 / this", "range"),
            Column("orders of magnitude", "range"),
            Column("source of the FP32 figures", "source", wide=True),
        ),
        tuple(
            (
                row["quantity"],
                (tuple(row["fp32"]), row["unit"]),
                (row["this_reading"], row["unit"]),
                tuple(row["ratio"]),
                tuple(row["orders_of_magnitude"]),
                row["source"],
            )
            for row in rows
        ),
    )


def tables(report: Mapping[str, Any]) -> list[Table]:
    """All tables of the section, in its order."""
    compared, found = report["comparison"], report.get("baselines") or {}
    return list(
        present(
            published(compared["published_system"]),
            *_gap(report.get("gap") or {}),
            floating_point(compared["floating_point"]),
            *_tables(found),
        )
    )


def _gap(found: Mapping[str, Any]) -> list[Table | None]:
    """Which layouts come near the published totals, and each line beside these."""
    return [
        from_records(
            "candidates-of-the-gap",
            "Layouts of this training at full speed, an assumption more each, over the published "
            "system",
            found.get("candidates", ()),
            "derived",
            ("largest",),
        ),
        from_records(
            "lines-of-the-gap",
            "Every line of this report, as a share of the published totals",
            found.get("lines", ()),
            "derived",
        ),
    ]


def _tables(found: Mapping[str, Any]) -> list[Table | None]:
    cmos, synthesised = found.get("stochastic_cmos") or {}, found.get("synthesised") or {}
    both = [
        {"generators": name, **cmos[key]}
        for key, name in (("memristive", "memristive (this hardware)"), ("lfsr", "LFSR"))
        if key in cmos
    ]
    return [
        from_records(
            "five-orders",
            "By how many orders the MAC is smaller, for each kind of MAC and each baseline",
            found.get("orders", ()),
        ),
        from_records("arrays", "The same work on arrays of binary MACs", found.get("arrays", ())),
        from_records("units", "The binary MACs of these arrays", found.get("units", ())),
        from_records("cmos", "The same computer with generators in CMOS", both, "derived"),
        from_records(
            "cmos-lines", "Lines of the computer in CMOS that differ", cmos.get("changed_lines", ())
        ),
        from_records(
            "synthesised",
            "MACs synthesised onto the cells' own Liberty file",
            synthesised.get("designs", ()),
        ),
    ]
