"""Reading: the same numbers from every container, exact lines, and speed at a million rows."""

from __future__ import annotations

import gzip
import time
from pathlib import Path
from typing import Any

import fastparquet
import numpy as np
import pandas as pd
import pytest

from characterization.fit.table.base import Table
from characterization.fit.table.readers import read_table
from characterization.fit.table.validation import numbers, texts
from formats.errors import InputError

ROWS = [(1.2, 1e-6, 0), (1.25, 2.5e-6, 1), (1.3, 1e-5, 1)]
CSV = "voltage_V,pulse_width_s,switched\n" + "".join(f"{v},{t},{s}\n" for v, t, s in ROWS)
COLUMNS = ("voltage_V", "pulse_width_s", "switched")


def read(folder: Path, content: str | bytes, name: str = "data.csv", **options: Any) -> Table:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, **options)


def refusal(folder: Path, content: str | bytes, name: str = "data.csv", **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, content, name, **options)
    assert name in str(caught.value) or caught.value.where.startswith("--")
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", CSV.encode()),
        ("tabs.txt", CSV.replace(",", "\t").encode()),
        ("semicolons.csv", CSV.replace(",", ";").encode()),
        ("crlf_bom.csv", ("\ufeff" + CSV.replace("\n", "\r\n")).encode()),
        ("old_mac.csv", CSV.replace("\n", "\r").encode()),
        ("packed.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("packed_without_suffix.csv", gzip.compress(CSV.encode(), mtime=0)),
        ("no_last_newline.csv", CSV.rstrip("\n").encode()),
        ("comments.csv", ("# of 3 March\n\n" + CSV.replace("1.3,", "# later\n  \n1.3,")).encode()),
        ("padded.csv", CSV.replace(",", " , ").encode()),
        ("quoted.csv", CSV.replace("1.2,", '"1.2",').encode()),
        ("excel.csv", ("sep=;\n" + CSV.replace(",", ";")).encode()),
        ("excel_commas.csv", CSV.replace(",", ";").replace(".", ",").encode()),
        ("trailing.csv", CSV.replace("\n", ",,\n").encode()),
        ("unused_rows.csv", (CSV + ",,\n,,\n").encode()),
    ],
)
def test_every_container_gives_the_same_numbers(tmp_path: Path, name: str, content: bytes) -> None:
    table = read(tmp_path, content, name)
    assert tuple(table.frame.columns) == COLUMNS
    for column, expected in zip(COLUMNS, zip(*ROWS, strict=True), strict=True):
        np.testing.assert_array_equal(numbers(table, column), expected)


def test_parquet_gives_the_same_numbers_and_labels(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    frame = pd.DataFrame(ROWS, columns=["voltage (mV)", "pulse_width_s", "switched"])
    frame["voltage (mV)"] *= 1000
    frame["device"] = ["007", "7", "a"]
    fastparquet.write(str(path), frame)
    table = read_table(path)
    np.testing.assert_array_equal(numbers(table, "voltage_V"), [1.2, 1.25, 1.3])
    assert list(texts(table, "device")) == ["007", "7", "a"]
    assert list(table.lines) == [1, 2, 3]
    frame.loc[1, "pulse_width_s"] = np.nan
    fastparquet.write(str(path), frame)
    with pytest.raises(InputError, match=r"row 2, column pulse_width_s: found 'nan'"):
        numbers(read_table(path), "pulse_width_s")
    frame["switched"] = pd.to_datetime("2024-01-01")
    fastparquet.write(str(path), frame)
    with pytest.raises(InputError, match="holds dates"):
        read_table(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_table(path)


def test_labels_keep_their_zeros(tmp_path: Path) -> None:
    table = read(tmp_path, "device,voltage_V,wait_time_s,switched\n007,1,1,1\n7,1,2,1\n")
    assert list(texts(table, "device")) == ["007", "7"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (CSV.encode().replace(b"pulse", b"\xb5s pulse"), "row 1: is not UTF-8 text (byte 10, 'µ'"),
        (CSV.encode() + b"\n1,\xb1,1\n", "row 6: is not UTF-8"),
        (CSV.encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04" + bytes(40), "Excel workbook"),
        (bytes(40), "zero bytes"),
        (CSV + "1,1\n", "row 5: has 2 fields, expected 3"),
        ("# a\n\n" + CSV + "#b\n1,2,3,4\n", "row 8: has 4 fields, expected 3"),
        (CSV.replace(",", " "), "row 1: holds one column"),
        ("V,us,\n" * 2, "row 2: holds units, not values"),
        ('a,b\n"1,2\n', "row 2: opens a quote and does not close it"),
        ("# voltage_V,wait_time_s\n1,2\n", "remove the '#' of row 1"),
        ("a;b\n1,5;2\n1,5,2;3;4\n", "row 3: has 3 fields"),
    ],
)
def test_what_is_no_table_is_refused_by_line(
    tmp_path: Path, content: str | bytes, expected: str
) -> None:
    assert expected in refusal(tmp_path, content)


def test_a_wrong_cell_keeps_its_line_below_comments_and_blanks(tmp_path: Path) -> None:
    table = read(tmp_path, "# c\r\n\r\n" + CSV.replace("1.3,", "\r\n# d\r\nhigh,"))
    with pytest.raises(InputError, match=r"row 8, column voltage_V: found 'high'"):
        numbers(table, "voltage_V")
    assert table.comments == ("c", "d")


def test_rows_without_any_value_are_counted(tmp_path: Path) -> None:
    assert "2 rows without any value skipped" in read(tmp_path, CSV + ",,\n\n,,\n").notes


def test_a_sheet_error_is_a_wrong_cell_and_no_comment(tmp_path: Path) -> None:
    table = read(tmp_path, CSV + "#DIV/0!,1e-6,1\n")
    with pytest.raises(InputError, match=r"row 5, column voltage_V: found '#DIV/0!', an error"):
        numbers(table, "voltage_V")


def test_decimal_commas_are_read_and_said_so(tmp_path: Path) -> None:
    table = read(tmp_path, "voltage_V;wait_time_s;switched\n1,5;2E-6;1\n-0,25;1,5e-3;0\n3;4;1\n")
    np.testing.assert_array_equal(numbers(table, "voltage_V"), [1.5, -0.25, 3.0])
    np.testing.assert_array_equal(numbers(table, "wait_time_s"), [2e-6, 1.5e-3, 4.0])
    assert table.notes == ("decimal commas read as points in 'voltage_V', 'wait_time_s'",)


def test_decimal_commas_beside_points_or_text_are_refused_at_the_right_row(tmp_path: Path) -> None:
    mixed = read(tmp_path, "voltage_V;switched\n1.5;1\n1,25;0\n")
    with pytest.raises(InputError, match=r"row 3, column voltage_V: found the decimal comma '1,25"):
        numbers(mixed, "voltage_V")
    text = read(tmp_path, "voltage_V;switched\n1,5;1\n1,25;0\nhigh;1\n")
    with pytest.raises(InputError, match=r"row 4, column voltage_V: found 'high'"):
        numbers(text, "voltage_V")


def test_a_comma_that_may_separate_thousands_is_not_guessed(tmp_path: Path) -> None:
    table = read(tmp_path, "voltage_V;wait_time_s\n1;1,000\n2;2,000\n")
    with pytest.raises(InputError, match=r"row 2, .* '1,000', with a thousands separator"):
        numbers(table, "wait_time_s")
    shown = read(tmp_path, "voltage_V;wait_time_s\n1,5;1,000\n2,5;2,000\n")
    np.testing.assert_array_equal(numbers(shown, "wait_time_s"), [1.0, 2.0])


def test_units_after_decimal_commas_and_text_cells_convert_cell_by_cell(tmp_path: Path) -> None:
    table = read(tmp_path, "voltage (mV);wait_time_us\n1400,5;2\nn/a;3\n1,5;4\n")
    kept = table.keep(np.array([True, False, True]))
    np.testing.assert_array_equal(numbers(kept, "voltage_V"), [1.4005, 0.0015])
    with pytest.raises(InputError, match=r"row 3, column voltage_V \('voltage \(mV\)' in the file"):
        numbers(table, "voltage_V")


def test_a_data_frame_index_column_stays_out_of_the_way(tmp_path: Path) -> None:
    table = read(tmp_path, ",voltage_V,wait_time_s,switched\n0,1,1,1\n1,2,2,0\n")
    assert tuple(table.frame.columns) == (
        "column 1 (no name)",
        "voltage_V",
        "wait_time_s",
        "switched",
    )


def test_measured_sweeps_are_read_with_options_alone(data_folder: Path) -> None:
    for name, voltage in (("set_sweep", "voltage_V"), ("reset_sweep", "voltage_V")):
        table = read_table(
            data_folder / "nirram_tsmc40" / f"{name}.tsv.gz",
            header=False,
            columns=(
                *("address", "pulse_width_s", "gate_voltage_mV", voltage),
                *("r_before_kohm", "r_after(ohm)"),
            ),
        )
        assert len(table.frame) == 32768
        assert len(np.unique(numbers(table, "pulse_width_s"))) == 7
        assert numbers(table, "gate_voltage_V").max() == pytest.approx(3.4e-3)
        assert np.median(numbers(table, "r_before_ohm", above=0.0)) > 1e6
        assert "address" in table.frame
    cycles = read_table(
        data_folder / "nirram_tsmc40" / "100cyc.tsv.gz",
        header=False,
        columns=("address", "r_lrs_ohm", "r_hrs_ohm", "cycle"),
    )
    assert set(numbers(cycles, "cycle", integer=True)) == {25, 50}


def test_a_million_rows_are_read_about_as_fast_as_pandas_reads_them(tmp_path: Path) -> None:
    """Processor time, which a busy machine does not stretch: below 6 times that of pandas alone
    (about 2 on a quiet machine, where it is half a second; benchmarks/fit.py prints it)."""
    size = 1_000_000
    rng = np.random.default_rng(1)
    wait = rng.exponential(1e-3, size)
    voltage = rng.choice([1.0, 1.1, 1.2], size)
    path = tmp_path / "large.csv"
    frame = pd.DataFrame({"voltage_V": voltage, "wait_time_s": wait, "switched": 1})
    frame.to_csv(path, index=False)
    start = time.process_time()
    pd.read_csv(path)
    alone = time.process_time() - start
    start = time.process_time()
    table = read_table(path)
    found = [numbers(table, column) for column in ("voltage_V", "wait_time_s", "switched")]
    assert time.process_time() - start < 6 * alone
    np.testing.assert_allclose(found[1], wait, rtol=1e-12)
    assert table.lines[-1] == size + 1
