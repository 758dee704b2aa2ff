"""Tables of measurements: rows with their lines, or one line that says what is wrong where."""

from __future__ import annotations

import gzip
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from characterization.fit.choices import Choices
from characterization.fit.conduction.hrs_iv import fit_hrs_table
from characterization.fit.observations.directions import Part, parts_of
from characterization.fit.observations.kinds import check_columns, recognise_kind
from characterization.fit.table.parquet import read_parquet
from characterization.fit.table.plausibility import suspicions
from characterization.fit.table.readers import read_table
from characterization.fit.table.selection import select
from formats import child
from formats.errors import InputError
from tests.bad_input.damage import ENCODINGS, TEXTS, cases, damaged, judged
from tests.bad_input.nursery import nursed

WHOLE = {
    "pulses": "voltage_V,pulse_width_s,trials,switched\n3.2,1e-4,50,12\n3.4,1e-4,50,31\n",
    "waits": "# bench 3\nvoltage_V;wait_time_s;switched\n0,5;0,125;1\n0,6;1,5;0\n",
    "ramps": "ramp_rate_V_per_s\tset_voltage_V\tswitched\n1.0\t2.5\t1\n10\t2.75\t1\n",
    "cycling": (
        "cycle,v_set_V,v_reset_V,r_lrs_ohm,r_hrs_ohm\n1,0.5,-0.4,1e4,1e6\n2,0.6,-0.3,1e4,2e6\n"
    ),
    "trains": (
        "device,cycle,voltage (mV),pulse width (us),switched,temperature_K\n"
        'a,1,3200,10,0,300\na,1,3300,10,1,300\n"b, c",1,3200,10,1,310\n'
    ),
}
CELLS = st.one_of(
    st.sampled_from((*TEXTS, "1", "0", "-1", "0.5", "1,5", "1.000,5", "1e-3", "1e400", "-1e-400")),
    st.sampled_from(
        ("9" * 400, "0x10", "1_000", "TRUE", "NaN", "inf", "N/A", "#DIV/0!", '"', '"1"')
    ),
    st.sampled_from(
        ("1;2", "1\t2", "=1+1", "2026-01-01", "3 V", "±1", "¹", "٣", "1e", "--1", "'1")
    ),
    st.text(max_size=6),
)
NAMES = st.one_of(
    st.sampled_from(
        (
            *("voltage_V", "pulse_width_s", "trials", "switched", "wait_time_s", "device", "cycle"),
            *("set_voltage_V", "ramp_rate_V_per_s", "v_set_V", "v_reset_V", "temperature_K"),
            *("V (mV)", "pulse width [us]", "Voltage", "t", "r_before_ohm", "transition", "", " "),
            *(
                "wait_time_low_s",
                "wait_time_high_s",
                "gate_voltage_V",
                "voltage_V (V)",
                "current_A",
            ),
        )
    ),
    st.text(max_size=6),
)


def observed(path: Path) -> list[Part]:
    """The checked observations of a table: all that is done to it before a law is fitted."""
    table = read_table(path)
    kind = recognise_kind(table, None)
    check_columns(table, kind, derived=False)
    used, _ = select(table, None)
    parts, _ = parts_of(used, kind, Choices(ramp_rate=1.0 if kind == "cycling" else None))
    suspicions(used)
    return parts


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", WHOLE)
def test_whole_tables_are_read(folder: Path, name: str) -> None:
    assert observed(put(folder, "data.csv", WHOLE[name].encode()))
    assert observed(put(folder, "data.csv.gz", gzip.compress(WHOLE[name].encode())))


@pytest.mark.parametrize("name", WHOLE)
def test_damaged_tables_are_read_or_refused(folder: Path, name: str) -> None:
    @cases(60)
    @given(damaged(WHOLE[name].encode()))
    def each(content: bytes) -> None:
        judged(observed, put(folder, "data.csv", content))

    each()


@cases(150)
@given(
    st.lists(NAMES, min_size=1, max_size=5),
    st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=5),
    st.sampled_from((",", ";", "\t")),
    st.sampled_from(("\n", "\r\n", "\r")),
)
def test_tables_of_anything_are_read_or_refused(
    folder: Path, names: list[str], rows: list[list[str]], separator: str, end: str
) -> None:
    text = end.join(separator.join(row) for row in (names, *rows))
    judged(observed, put(folder, "data.csv", text.encode("utf-8", "surrogatepass")))


@pytest.mark.parametrize("name", WHOLE)
def test_cells_of_anything_are_read_or_refused(folder: Path, name: str) -> None:
    lines = WHOLE[name].splitlines()
    first = next(place for place, line in enumerate(lines) if not line.startswith("#"))
    separator = max(",;\t", key=lines[first].count)

    @cases(60)
    @given(st.integers(first, len(lines) - 1), st.integers(0, 9), CELLS)
    def each(row: int, column: int, cell: str) -> None:
        fields = lines[row].split(separator)
        fields[column % len(fields)] = cell
        changed = [*lines[:row], separator.join(fields), *lines[row + 1 :]]
        content = "\n".join(changed).encode("utf-8", "surrogatepass")
        judged(observed, put(folder, "data.csv", content))

    each()


def test_a_cycle_of_hundreds_of_digits_is_a_label(folder: Path) -> None:
    lines = WHOLE["trains"].splitlines()
    place = lines[0].split(",").index("cycle")
    fields = lines[1].split(",")
    fields[place] = "9" * 400
    text = "\n".join([lines[0], ",".join(fields), *lines[2:]])
    assert observed(put(folder, "data.csv", text.encode()))


@cases(100)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8))
def test_currents_of_anything_are_read_or_refused(
    folder: Path, rows: list[tuple[str, str]]
) -> None:
    good = "".join(f"{v},{v * 1e-6}\n" for v in (0.1, 0.2, 0.3, 0.4, 0.5))
    text = "voltage_V,current_A\n" + good + "\n".join(map(",".join, rows))
    path = put(folder, "iv.csv", text.encode("utf-8", "surrogatepass"))
    judged(_hrs, path)


def _hrs(path: Path) -> Any:
    try:
        return fit_hrs_table(read_table(path))
    except InputError as error:
        if error.where == "HRS current":  # said of the rows together
            return None
        raise


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_tables_in_other_encodings_are_read_or_refused(folder: Path, encoding: str) -> None:
    for text in WHOLE.values():
        found = judged(observed, put(folder, "data.csv", ENCODINGS[encoding](text)))
        assert bool(found) or encoding not in ("byte-order mark", "Windows", "old Macintosh")


@cases(150)
@given(damaged(gzip.compress(WHOLE["pulses"].encode() * 30, mtime=0)))
def test_damaged_gzip_files_are_read_or_refused(folder: Path, content: bytes) -> None:
    judged(observed, put(folder, "data.csv.gz", content))


def parquet(frame: pd.DataFrame) -> bytes:
    import fastparquet

    class Kept(io.BytesIO):
        def close(self) -> None:
            """The bytes are asked for afterwards."""

    kept = Kept()
    fastparquet.write("data", frame, open_with=lambda *_: kept)
    return kept.getvalue()


FRAME = pd.DataFrame(
    {
        "voltage_V": [3.2, 3.4],
        "pulse_width_s": [1e-4, 1e-4],
        "trials": [50, 50],
        "switched": [12, 31],
        "device": ["a", "b"],
    }
)


def test_whole_parquet_is_read_in_a_child_only(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged file that the decoder got through once crashed it the next time."""
    import fastparquet

    content = parquet(FRAME)
    monkeypatch.setattr(fastparquet, "ParquetFile", None)
    assert observed(put(folder, "data.parquet", content))


def test_parquet_keeps_numbers_truths_and_texts(folder: Path) -> None:
    frame = pd.DataFrame(
        {
            "a": [0.1, np.nan, 1e-300],
            "b": [1, 2, 2**53],
            "c": [True, False, True],
            "d": ["µ,\n", None, ""],
            "e": pd.array([True, None, False], "boolean"),
            "f": pd.array([1, None, 3], "Int64"),
            "g": pd.Categorical(["x", "y", "x"]),
            "h": pd.Categorical([1.5, 2.5, 1.5]),
        }
    )
    found = read_parquet(parquet(frame), "data.parquet")
    assert list(found.columns) == list("abcdefgh")
    np.testing.assert_array_equal(found["a"], frame["a"])
    np.testing.assert_array_equal(found["b"], frame["b"])
    assert found["c"].dtype == bool and list(found["c"]) == [True, False, True]
    assert list(found["d"]) == ["µ,\n", "", ""]
    np.testing.assert_array_equal(found["e"].astype(float), [1, np.nan, 0])
    np.testing.assert_array_equal(found["f"], [1, np.nan, 3])
    assert list(found["g"]) == ["x", "y", "x"]
    assert list(found["h"]) == [1.5, 2.5, 1.5]


def test_parquet_that_hangs_its_decoder_is_given_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fastparquet 2026.9 never comes back from this file, which lacks one byte."""
    monkeypatch.setattr(child, "MOST_SECONDS", 4.0)
    content = parquet(FRAME)
    place = len(content) - 1553
    start = time.monotonic()
    with pytest.raises(InputError, match=r"data.parquet: cannot be read as Parquet"):
        observed(put(folder, "data.parquet", content[:place] + content[place + 1 :]))
    assert time.monotonic() - start < 60


def test_damaged_parquet_is_read_or_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "MOST_SECONDS", 3.0)

    @cases(60)
    @given(damaged(parquet(FRAME)))
    @example(parquet(FRAME))
    def each(content: bytes) -> None:
        judged(observed, put(folder, "data.parquet", content))

    with nursed() as codes:
        each()
    assert {0, 3} <= set(codes)  # the whole one is read, some damaged ones are refused


@pytest.mark.parametrize("level", [1, 9])
def test_a_bomb_is_read_to_the_limit_only(
    folder: Path, level: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gzip file of 64 MiB of zeros takes 64 KiB; it is given up at the limit, which is told."""
    monkeypatch.setattr("characterization.fit.table.readers.LARGEST_TEXT", 2**22)
    bomb = gzip.compress(bytes(2**26), compresslevel=level)
    assert len(bomb) < 2**19
    with pytest.raises(InputError, match=r"data.csv.gz: holds more than 4 MiB of text"):
        observed(put(folder, "data.csv.gz", bomb))


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.mkdir(),
        lambda path: path.symlink_to(path),
        lambda path: path.symlink_to(path.parent / "absent"),
        lambda path: None,
    ],
)
def test_what_is_no_file_is_refused(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    make(tmp_path / "data.csv")
    with pytest.raises(InputError, match=r"data\.csv: cannot be read"):
        observed(tmp_path / "data.csv")


def test_numbers_of_a_read_table_are_finite(folder: Path) -> None:
    for cell in ("1e400", "-1e400", "inf", "nan", "9" * 400):
        text = f"voltage_V,pulse_width_s,trials,switched\n3.2,1e-4,50,12\n{cell},1e-4,50,31\n"
        with pytest.raises(InputError, match=r"row 3, column voltage_V"):
            observed(put(folder, "data.csv", text.encode()))
