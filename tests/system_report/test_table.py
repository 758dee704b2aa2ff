"""Tables: what is shown and what the CSV holds are the same numbers."""

from __future__ import annotations

import base64
import csv
import io
import math

from system.report.quantity import quantity
from system.report.table import Column, Table, from_records, in_words

COLUMNS = (
    Column("item"),
    Column("area", "number", "m2"),
    Column("count", "whole"),
    Column("share", "percent"),
    Column("95 %", "range", "J"),
    Column("chance", "percents"),
    Column("value", "amount"),
    Column("source", "source"),
)
ROWS = (
    ("a, \"b\"", 1.23456789e-12, 61706, 0.125, (1e-12, 2e-12), (0.1, 0.2), (2.5e-3, "V"),
     "assumed: x"),
    ("none", None, None, None, None, None, None, None),
    ("ends", math.nan, 0, 0.0, (1.0, math.inf), (0.0, 1.0), ((None, 3.0), "s"), "derived"),
)  # fmt: skip


def rows(table: Table) -> list[list[str]]:
    return list(csv.reader(io.StringIO(table.csv())))


def test_csv_holds_full_numbers_in_si_units() -> None:
    header, first, empty, ends = rows(Table("t", "", COLUMNS, ROWS))
    assert header == [
        *("item", "area (m2)", "count", "share"),
        *("95 % (J) low", "95 % (J) high", "chance low", "chance high"),
        *("value low", "value high", "value unit", "source"),
    ]
    assert first[0] == 'a, "b"' and float(first[1]) == 1.23456789e-12 and first[2] == "61706"
    assert [float(text) for text in first[3:10]] == [0.125, 1e-12, 2e-12, 0.1, 0.2, 2.5e-3, 2.5e-3]
    assert first[10:] == ["V", "assumed: x"]
    assert empty[1:] == [""] * 11
    assert ends[1:6] == ["", "0", "0", "1", ""] and ends[8:] == ["", "3", "s", "derived"]


def test_cells_show_three_digits_with_prefixes() -> None:
    table = Table("t", "", COLUMNS, ROWS)
    shown = [
        [column.shown(value) for column, value in zip(COLUMNS, row, strict=True)]
        for row in table.rows
    ]
    assert shown[0] == [
        'a, "b"',
        "1.23 µm²",
        "61\u202f706",
        "12.50 %",
        "1.00 pJ … 2.00 pJ",
        "10.00 % … 20.00 %",
        "2.50 mV",
        "assumed: x",
    ]
    assert shown[1][1:] == ["–"] * 7
    assert shown[2][1] == "unknown µm²" and shown[2][6] == "unbounded … 3.00 s"


def test_the_link_holds_the_csv() -> None:
    table = Table("t", "", COLUMNS, ROWS)
    head, body = table.link().split(",")
    assert head == "data:text/csv;charset=utf-8;base64"
    assert base64.b64decode(body).decode() == table.csv()


def test_a_markdown_table_keeps_its_bars() -> None:
    table = Table("t", "", (Column("P(1 | 0)"), Column("n", "number")), (("a|b", 2.0),))
    assert table.markdown() == "| P(1 \\| 0) | n |\n| --- | --: |\n| a\\|b | 2.00 |"


def test_keys_give_titles_and_units() -> None:
    table = from_records(
        "t",
        "",
        [
            {"source": "derived: x", "area_mm2": 2.0, "energy_J": 1e-12, "interval95_J": [1, 2]},
            {"area_mm2": None, "energy_J": 2e-12, "own": True, "parts": {"macs": 3, "name": "n"}},
        ],
    )
    assert table is not None
    titles = [column.title for column in table.columns]
    assert titles == [
        "area",
        "energy",
        "95 % interval",
        "own",
        "parts macs",
        "parts name",
        "source",
    ]
    assert table.rows[0][:3] == (2e-6, 1e-12, (1.0, 2.0)) and table.columns[2].unit == "J"
    assert table.columns[0].shown(table.rows[0][0]) == quantity(2e-6, "m2") == "2.00 mm²"
    assert table.rows[1][3:6] == ("yes", 3.0, "n") and table.rows[1][0] is None
    assert from_records("t", "", []) is None


def test_counts_of_records_are_shown_in_full() -> None:
    table = from_records(
        "t", "", [{"passes": 1, "mean": 1.0, "bits": [64, 64, 1024]}, {"passes": 2000}]
    )
    assert table is not None
    shown = [c.shown(v) for c, v in zip(table.columns, table.rows[0], strict=True)]
    assert shown == ["1", "1.00", "64, 64, 1\u202f024"]
    assert table.columns[0].shown(table.rows[1][0]) == "2\u202f000"
    assert in_words("fp32_mac_area_um2") == "FP32 MAC area"


def test_a_long_source_is_told_once_on_the_page_and_always_in_the_csv() -> None:
    long = "derived: " + "poly pitches " * 8
    rows = (
        ("inv", f"{long}; cells.nc inv/area"),
        ("nand2", f"{long}; cells.nc nand2/area"),
        ("sng", "assumed: short; cells.nc sng/area"),
        ("dff", "assumed: short; cells.nc dff/area"),
    )
    table = Table("t", "", (Column("cell"), Column("source", "source")), rows)
    assert [table.shown(row, 1) for row in range(4)] == [
        rows[0][1],
        "derived: as above; cells.nc nand2/area",
        rows[2][1],
        rows[3][1],
    ]
    assert table.csv().count(long) == 2
