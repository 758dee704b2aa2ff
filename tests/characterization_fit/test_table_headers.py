"""Headers and units: what is recognised, what is converted, and what is refused by name."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from characterization.fit.table.headers import Headers, parse_map, recognise_headers
from characterization.fit.table.names import CANONICAL, base_name, distance
from characterization.fit.table.units import SI, meanings, unit_for
from formats.errors import InputError


def read(*headers: str, maps: tuple[str, ...] = (), **options: Any) -> Headers:
    return recognise_headers(
        "data.csv",
        headers,
        mapping=[parse_map(text) for text in maps],
        **options,
    )


def factor(text: str, quantity: str) -> float:
    return float(unit_for(text, quantity, "", "").to_si(np.array([1.0]))[0])


@pytest.mark.parametrize(
    ("text", "quantity", "expected"),
    [
        ("V", "voltage", 1.0),
        ("mV", "voltage", 1e-3),
        ("µV", "voltage", 1e-6),
        ("us", "time", 1e-6),
        ("µs", "time", 1e-6),
        ("\u03bcs", "time", 1e-6),
        ("ns", "time", 1e-9),
        ("MS", "time", 1e-3),
        ("usec", "time", 1e-6),
        ("microseconds", "time", 1e-6),
        ("min", "time", 60.0),
        ("h", "time", 3600.0),
        ("Ω", "resistance", 1.0),
        ("\u2126", "resistance", 1.0),
        ("kΩ", "resistance", 1e3),
        ("kOhm", "resistance", 1e3),
        ("MOhm", "resistance", 1e6),
        ("Mohms", "resistance", 1e6),
        ("megohm", "resistance", 1e6),
        ("GΩ", "resistance", 1e9),
        ("V/s", "ramp rate", 1.0),
        ("mV/s", "ramp rate", 1e-3),
        ("V/us", "ramp rate", 1e6),
        ("mV_per_ms", "ramp rate", 1.0),
        ("V s⁻¹", "ramp rate", 1.0),
        ("V·s^-1", "ramp rate", 1.0),
        ("C", "temperature", 274.15),
        ("°C", "temperature", 274.15),
        ("deg C", "temperature", 274.15),
        ("K", "temperature", 1.0),
    ],
)
def test_units_are_those_of_the_si_brochure(text: str, quantity: str, expected: float) -> None:
    assert factor(text, quantity) == pytest.approx(expected, rel=1e-15)


def test_fahrenheit_meets_kelvin_at_its_fixed_points() -> None:
    unit = unit_for("F", "temperature", "", "")
    np.testing.assert_allclose(unit.to_si(np.array([32.0, 212.0])), [273.15, 373.15], rtol=1e-12)


def test_conversion_gives_the_number_that_would_have_been_typed() -> None:
    millivolts, nanoseconds = meanings("mV")["voltage"], meanings("ns")["time"]
    for value in range(1, 4000):
        assert millivolts.to_si(np.array([value]))[0] == float(f"{value}e-3")
        assert nanoseconds.to_si(np.array([value]))[0] == float(f"{value}e-9")


@pytest.mark.parametrize(
    ("text", "quantity", "expected"),
    [
        ("us", "voltage", "'us' is a unit of time; x needs a voltage (V, mV"),
        ("kohm", "time", "unit of resistance"),
        ("uS", "resistance", "unit of conductance"),
        ("mA", "voltage", "unit of current"),
        ("V/cm", "voltage", "unit of electric field"),
        ("furlong", "time", "not a unit known here"),
        ("V", "ramp rate", "unit of voltage; x needs a ramp rate (V/s"),
        ("s", "label", "has no unit"),
    ],
)
def test_a_unit_of_the_wrong_quantity_is_refused_by_name(
    text: str, quantity: str, expected: str
) -> None:
    with pytest.raises(InputError) as caught:
        unit_for(text, quantity, "data.csv", "x")
    assert expected in str(caught.value)


@pytest.mark.parametrize("column", CANONICAL)
def test_every_canonical_column_is_known_in_any_case_and_unit(column: str) -> None:
    assert read(column).names == (column,)
    assert read(column).notes == ()
    assert read(column.upper()).names == (column,)
    assert read(f" {column} ").names == (column,)
    quantity = CANONICAL[column]
    if quantity in SI:
        prefixed = {"V": "mV", "s": "us", "ohm": "kohm", "K": "C", "V_per_s": "mV/s"}[SI[quantity]]
        kind = {"set_voltage_V": "ramps", "v_set_V": "cycling", "v_reset_V": "cycling"}.get(column)
        for header in (f"{base_name(column)} ({prefixed})", f"{base_name(column)}_{prefixed}"):
            found = read(header, kind=kind)
            assert found.names == (column,)
            assert not found.units[column].is_si
            assert f"column {header!r} read as {column}, " in found.notes[0]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (("V_set [V]", "wait_time_ms", "switched"), ("voltage_V", "wait_time_s", "switched")),
        (("V_set [V]", "ramp rate (V/s)"), ("set_voltage_V", "ramp_rate_V_per_s")),
        (("V_set [V]", "V_reset [V]"), ("v_set_V", "v_reset_V")),
        (("V_set", "R_LRS (kΩ)", "R_HRS [MOhm]"), ("v_set_V", "r_lrs_ohm", "r_hrs_ohm")),
        (("Bias (mV)", "PulseWidth (ns)"), ("voltage_V", "pulse_width_s")),
        (("voltage / V", "time / us", "n_trials"), ("voltage_V", "pulse_width_s", "trials")),
        (("T (K)", "t (us)", "wait"), ("temperature_K", "t (us)", "wait_time_s")),
        (("pulse_width_us", "time", "t", "T"), ("pulse_width_s", "time", "t", "T")),
        (("switched (0/1)", "Cycle #", "Device ID"), ("switched", "cycle", "device")),
        (("voltage_min", "voltage_V", "I (A)"), ("voltage_min", "voltage_V", "I (A)")),
        (("voltage_V", "V_BL", "trial"), ("voltage_V", "V_BL", "trial")),
    ],
)
def test_common_headers_are_recognised_and_foreign_ones_left(
    headers: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert read(*headers).names == expected


def test_what_was_converted_or_assumed_is_said() -> None:
    notes = read("pulse width (us)", "V", "temperature (C)", "wl voltage").notes
    assert notes == (
        "column 'pulse width (us)' read as pulse_width_s, times 1e-06",
        "column 'V' read as voltage_V, which names no unit: taken in V",
        "column 'temperature (C)' read as temperature_K, plus 273.15",
        "column 'wl voltage' read as gate_voltage_V, which names no unit: taken in V",
    )


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (("V_set [V]", "switched"), "could be voltage_V or set_voltage_V or v_set_V"),
        (("voltage_V", "time_s"), "could be pulse_width_s or wait_time_s"),
        (("voltage_V", "Voltage (mV)"), "both read as voltage_V; say which with --map"),
        (("time", "duration", "trials"), "both read as pulse_width_s"),
        (("R_after (mOhm)",), "could be milliohm or megohm"),
        (("r_after_mohm",), "--map r_after_ohm=r_after_mohm:MOhm"),
        (("voltage (us)",), "'us' is a unit of time; voltage_V needs a voltage"),
        (("voltage_us",), "'us' is a unit of time"),
        (("voltage (peak)",), "'peak' is not a unit known here"),
        (("cycle (s)",), "cycle is a count, which has no unit"),
        (("voltge_V", "switched"), "did you mean voltage_V?"),
        (("voltage_V", "temprature (C)"), "did you mean temperature_K?"),
        (("voltage_V", "swithced"), "did you mean switched?"),
        (("a", "a"), "named twice"),
    ],
)
def test_an_unclear_header_is_refused_with_the_way_out(
    headers: tuple[str, ...], expected: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(*headers)
    assert expected in str(caught.value)
    assert "data.csv" in str(caught.value)


def test_the_kind_decides_what_the_header_leaves_open() -> None:
    assert read("voltage_V", "time_s", kind="waits").names == ("voltage_V", "wait_time_s")
    assert read("voltage_V", "time_s", kind="pulses").names == ("voltage_V", "pulse_width_s")


def test_map_names_foreign_columns_and_their_units() -> None:
    found = read("V_BL", "t (us)", "ok", maps=("voltage_V='V_BL':mV", "WAIT_TIME_S=t (us)"))
    assert found.names == ("voltage_V", "wait_time_s", "ok")
    assert found.units["voltage_V"].text == "mV"
    assert found.units["wait_time_s"].text == "us"
    assert "column 'V_BL' read as voltage_V, times 0.001" in found.notes
    # The mapped column wins over the one that bears the name, which stays beside it.
    other = read("voltage_V", "V_cell (mV)", maps=("voltage_V=V_cell",))
    assert other.names == ("voltage_V (file)", "voltage_V")
    assert other.units["voltage_V"].text == "mV"
    same = read("voltage_V", maps=("voltage_V=voltage_V:mV",))
    assert same.notes == ("column 'voltage_V' read in mV, times 0.001",)
    assert read("r_after_mohm", maps=("r_after_ohm=r_after_mohm:mohm",)).units["r_after_ohm"].to_si(
        np.array([5.0])
    )[0] == pytest.approx(5e-3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("voltage_V", "is not canonical=foreign"),
        ("voltage_V=", "is not canonical=foreign"),
        ("voltge_V=V_BL", "did you mean 'voltage_V'"),
        ("voltage_V=V_BL:us", "'us' is a unit of time"),
        ("device=cell:s", "has no unit"),
        ("voltage_V=V_BK", "did you mean 'V_BL'"),
        ("voltage_V=nothing like it", "data.csv has 'V_BL', 'x'"),
    ],
)
def test_a_wrong_map_is_refused(text: str, expected: str) -> None:
    with pytest.raises(InputError, match="--map") as caught:
        read("V_BL", "x", maps=(text,))
    assert expected in str(caught.value)
    with pytest.raises(InputError, match="twice"):
        read("V_BL", "x", maps=("voltage_V=x", "voltage_V=V_BL"))


def test_columns_take_units_and_leave_every_other_name_alone() -> None:
    found = read(
        *("address", "pulse_width_us", "v_set(mV)", "v_reset_V", "V", "time", "voltge_V"),
        named=True,
    )
    assert found.names == (
        *("address", "pulse_width_s", "v_set_V", "v_reset_V", "V", "time", "voltge_V"),
    )
    assert found.units["v_set_V"].text == "mV"


def test_distance_counts_edits() -> None:
    for one, other, expected in (
        ("", "abc", 3),
        ("voltage", "voltage", 0),
        ("voltge", "voltage", 1),
        ("wdith", "width", 1),
        ("kitten", "sitting", 3),
    ):
        assert distance(one, other) == distance(other, one) == expected
    assert math.isclose(distance("ca", "abc"), 3)  # the restricted distance, not Damerau's own
