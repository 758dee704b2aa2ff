"""One clear message a problem: cells, groups, repeated rows, suspicious sizes and polarity."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from characterization.fit.table.base import Table, table_of_frame
from characterization.fit.table.plausibility import repeated_rows, suspicions
from characterization.fit.table.polarity import polarity
from characterization.fit.table.selection import select
from characterization.fit.table.validation import numbers, texts
from formats.errors import InputError


def table(**columns: list[object]) -> Table:
    return table_of_frame(pd.DataFrame(columns), "data.csv")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("", "is empty; expected a number"),
        ("nan", "found 'nan', expected a number"),
        ("-", "found '-', expected a number"),
        ("1,5", "the decimal comma '1,5'; write '1.5'"),
        ("1,000", "found '1,000', with a thousands separator; write 1000 (or 1.000, if"),
        ("1,000,000", "with a thousands separator; write 1000000"),
        ("1,234.5", "write 1234.5"),
        ("1.234,5", "write 1234.5"),
        ("3.2 V", "a number with its unit, expected a number; write 3.2 and put the unit"),
        ("5kΩ", "a number with its unit"),
        ("10 us", "as in 'name (us)'"),
        ("3 apples", "found '3 apples', expected a number"),
        ("01.02.2024", "looks like a date"),
        ("2024-02-01 00:00:00", "looks like a date"),
        ("3/4", "looks like a date"),
        ("02-Jan", "looks like a date"),
        ("Feb 24", "looks like a date"),
        ("#DIV/0!", "an error of the spreadsheet"),
        ("9.91e37", "an instrument's overflow mark?"),
        ("1e9", "expected a size from 0 to 1000"),
    ],
)
def test_a_wrong_cell_is_refused_with_row_column_value_and_remedy(cell: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        numbers(table(voltage_V=["1.0", cell, "2"]), "voltage_V")
    assert caught.value.where == "data.csv, row 2, column voltage_V"
    assert expected in caught.value.problem


def test_an_empty_column_is_one_problem_not_one_row() -> None:
    with pytest.raises(InputError, match=r"column trials: is empty in every row"):
        numbers(table(trials=["", " ", ""]), "trials")


def test_an_overflow_mark_can_be_excluded() -> None:
    rows = table(r_after_ohm=[1e4, 9.9e37, 2e4])
    kept, excluded = select(rows, "r_after_ohm<1e12")
    assert list(numbers(kept, "r_after_ohm")) == [1e4, 2e4]
    assert excluded == [{"reason": "--where r_after_ohm<1e+12 does not hold", "rows": 1}]


def test_labels_are_text_whatever_they_look_like() -> None:
    assert list(texts(table(device=[1.0, 2.0, 1.0]), "device")) == ["1", "2", "1"]
    with pytest.raises(InputError, match="row 2, column device: is empty"):
        texts(table(device=["a", " "]), "device")


def test_empty_groups_are_excluded_and_counted() -> None:
    groups = table(voltage_V=[1, 2, 3], trials=[10, 0, 5], switched=[3, 0, 5])
    kept, excluded = select(groups, None)
    assert list(kept.lines) == [1, 3]
    assert excluded == [{"reason": "trials is 0 (an empty group)", "rows": 1}]
    with pytest.raises(InputError, match="row 2, column switched: found 1, more than the 0 trials"):
        select(table(trials=[1, 0], switched=[1, 1]), None)
    with pytest.raises(InputError, match="no rows left"):
        select(table(trials=[0], switched=[0]), None)


def test_repeated_rows_are_mentioned_and_refused_where_each_row_is_one_event() -> None:
    plain = table(voltage_V=[1, 1, 1, 2], wait_time_s=[2, 2, 2, 3], switched=[1, 1, 1, 0])
    assert repeated_rows([(plain, "waits")])[0].startswith("2 rows like an earlier one")
    (both,) = repeated_rows([(plain, "waits"), (plain, "waits")])  # SET and RESET of a table
    assert both.startswith("4 rows like an earlier one")
    labelled = table(
        device=["a", "b", "a", "b"], cycle=[1, 1, 2, 1], voltage_V=[1.0] * 4, wait_time_s=[2.0] * 4
    )
    with pytest.raises(InputError, match="row 4: repeats row 2 in every column, device b and cycl"):
        repeated_rows([(labelled, "waits")])
    unlike = labelled.keep(np.array([True, True, True, False]))
    assert repeated_rows([(unlike, "waits")]) == []


def test_a_train_of_equal_pulses_is_no_repetition_until_it_switches() -> None:
    train = table(
        device=["a"] * 4, cycle=[1] * 4, voltage_V=[1.0] * 4, pulse_width_s=[1e-6] * 4,
        switched=[0, 0, 0, 1],
    )  # fmt: skip
    assert "read as a train" in repeated_rows([(train, "pulses")])[0]
    twice = table_of_frame(pd.concat([train.frame, train.frame.tail(1)]), "data.csv")
    with pytest.raises(InputError, match="row 5: repeats row 4"):
        repeated_rows([(twice, "pulses")])


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("voltage_V", [-1200, 1300, 1400], "is 1300 V: are these mV?"),
        ("gate_voltage_V", [900, 900], "are these mV?"),
        ("pulse_width_s", [100, 200], "are these us or ns?"),
        ("r_after_ohm", [7, 8, 90], "are these kohm?"),
        ("temperature_K", [25, 85], "are these degrees Celsius?"),
    ],
)
def test_a_median_of_the_wrong_order_raises_a_question(
    column: str, values: list[object], expected: str
) -> None:
    (sentence,) = suspicions(table(**{column: values}))
    assert expected in sentence
    assert column in sentence


def test_usual_sizes_raise_none() -> None:
    usual = {
        "voltage_V": [0.5, -3.3],
        "pulse_width_s": [1e-9, 1.0],
        "wait_time_s": [1e-6, 4e4],
        "r_after_ohm": [5e3, 1e9],
        "temperature_K": [4.2, 300, 358],
        "unknown": [1e9, 1e9],
    }
    for column, values in usual.items():
        assert suspicions(table(**{column: list(values)})) == []


def test_signs_split_set_from_reset() -> None:
    found = polarity(table(voltage_V=[1.0, -2.0, 3.0]), "pulses")
    assert list(numbers(found["set"], "voltage_V")) == [1.0, 3.0]
    assert list(numbers(found["reset"], "voltage_V")) == [2.0]
    assert list(found["reset"].lines) == [2]
    assert found["set"].notes == ("1 of 3 rows are RESET, by their negative sign",)
    assert set(polarity(table(voltage_V=[1.0]), "waits")) == {"set"}


def test_words_split_set_from_reset_in_any_spelling() -> None:
    words = ["SET", "reset", "Program", "ERASE", "HRS->LRS", "turn"]
    voltages = [1.0, -1.0, 1.0, -1.0, 1.0, 1.0]
    found = polarity(table(voltage_V=voltages[:5], transition=words[:5]), "pulses")
    assert list(found["set"].lines) == [1, 3, 5]
    assert list(found["reset"].lines) == [2, 4]
    with pytest.raises(InputError, match="row 6, column transition: found 'turn', expected set or"):
        polarity(table(voltage_V=voltages, transition=words), "pulses")


def test_ramps_turn_around_together_with_their_start() -> None:
    falling = table(
        set_voltage_V=[-1.5], start_voltage_V=[0.1], voltage_step_V=[-0.01], ramp_rate_V_per_s=[1.0]
    )
    reset = polarity(falling, "ramps")["reset"].frame.iloc[0]
    assert dict(reset) == {
        "set_voltage_V": 1.5,
        "start_voltage_V": -0.1,
        "voltage_step_V": 0.01,
        "ramp_rate_V_per_s": 1.0,
    }


def test_positive_reset_voltages_need_the_option() -> None:
    mixed = table(voltage_V=[1.0, 2.0], transition=["set", "reset"])
    with pytest.raises(InputError, match=r"row 2, .* found 2\.0 in a RESET row.* magnitude"):
        polarity(mixed, "pulses")
    found = polarity(mixed, "pulses", "magnitude")
    assert list(numbers(found["reset"], "voltage_V")) == [2.0]
    assert "voltage_V of RESET rows read as a magnitude" in found["reset"].notes
    whole = polarity(table(voltage_V=[1.0, 2.0]), "pulses", "magnitude")
    assert set(whole) == {"reset"}
    assert "all rows" in whole["reset"].notes[0]
    with pytest.raises(InputError, match=r"row 1, .* found 1\.0 in a RESET row"):
        polarity(table(voltage_V=[1.0, 2.0]), "pulses", direction="reset")


@pytest.mark.parametrize(
    ("columns", "option", "expected"),
    [
        ({"voltage_V": [1.0, 0.0]}, "signed", "row 2, column voltage_V: found 0.0: a row at 0 V"),
        ({"voltage_V": [-1.0], "transition": ["set"]}, "signed", "row 1, .* in a SET row"),
        ({"voltage_V": [1.0, -1.0]}, "magnitude", "row 2, .* with --reset-polarity magnitude"),
        ({"voltage_V": [1.0]}, "positive", "--reset-polarity: 'positive' is not"),
    ],
)
def test_contradictions_of_sign_are_refused(
    columns: dict[str, list[object]], option: str, expected: str
) -> None:
    with pytest.raises(InputError, match=expected):
        polarity(table(**columns), "pulses", option)
