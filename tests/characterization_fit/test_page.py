"""The report of a fit: everything that was said, escaped, the same every time."""

from __future__ import annotations

import html
import re

import numpy as np
import pandas as pd
import pytest

from characterization.fit.account.amounts import amount, interval, number
from characterization.fit.account.page import page, split_verdict
from characterization.fit.account.plot import panels_of, single, svg
from characterization.fit.account.section import Section
from characterization.fit.account.tables import residual_grid
from characterization.fit.analysis import FitResult, analyse, fit_table
from characterization.fit.choices import Choices
from characterization.fit.inference.candidate import MEASUREMENT
from characterization.fit.make_device import device_of, parameters_of
from characterization.fit.table.readers import table_of_frame
from characterization.page.frame import Grid
from tests.characterization_fit.drawn_tables import pulses


@pytest.fixture(scope="module")
def small() -> FitResult:
    """One direction, one panel."""
    return fit_table(pulses((1e-4,), (1.8, 2.0, 2.2)))


@pytest.fixture(scope="module")
def both() -> FitResult:
    """SET and RESET pulses of one table."""
    one = pulses((1e-5, 1e-4), (1.6, 1.8, 2.0, 2.2))
    other = pulses((1e-4, 1e-3), (1.4, 1.6, 1.8, 2.0))
    other["voltage_V"] *= -1
    return fit_table(pd.concat([one, other], ignore_index=True))


def text_of(content: str) -> str:
    """What a reader sees of a page, blanks as one space each."""
    bare = re.sub(r"<style>.*?</style>|<svg.*?</svg>", " ", content, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", bare)))


def test_the_page_holds_every_verdict_sentence_and_every_parameter(both: FitResult) -> None:
    device = device_of(both, "twin", "twin.csv")
    shown = text_of(page(both, "twin.csv", device))
    assert len(both.verdict) > 5
    for sentence in both.verdict:
        bare = sentence.removeprefix("SET: ").removeprefix("RESET: ")
        assert re.sub(r"\s+", " ", bare)[1:] in shown, sentence
    for name, parameter in parameters_of(device):
        value = amount(parameter.value, parameter.unit).replace("\u202f", " ")
        assert re.search(rf"{re.escape(name)}( at [\d.]+ V)? +{re.escape(value)}", shown), name
    for fit in both.laws:
        for candidate in fit.candidates:
            assert f"{candidate.bic:.2f}" in shown
        for test in fit.tests:
            assert test.name in shown
        assert fit.chosen.family.source in shown
        assert fit.chosen.acceleration.source in shown
    for word in ("fitted", "derived", "assumed"):
        assert word in shown
    own, common = split_verdict(both)
    assert sum(map(len, own.values())) + len(common) == len(both.verdict)
    assert all(own[direction] for direction in ("set", "reset"))


def test_what_a_user_wrote_is_shown_and_never_run() -> None:
    evil = "<script>alert('x')</script>"
    frame = pulses((1e-4,), (1.8, 2.0, 2.2))
    table = table_of_frame(frame.assign(gate_voltage_V=[1.0, 2.0, 3.0]))
    table = type(table)(table.where, table.frame, table.lines, (f"made by {evil} & sons",))
    result = analyse(table, Choices(where="gate_voltage_V<2.5", family="exponential"))
    extra = Section(evil, (f"a & {evil}",), Grid((evil, "b"), ((evil, "1 < 2"),), evil))
    record = {"inputs": {"data": "ab" * 32}, "options": {"where": evil}, "seed": 0}
    content = page(result, f"{evil}.csv", device_of(result, evil, evil), (extra,), record)
    assert "<script" not in content
    assert content.count("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;") >= 10
    assert "made by &lt;script&gt;" in content
    assert "ab" * 32 in content
    for item in result.excluded:
        assert html.escape(item["reason"]) in content
    assert not re.search(r'(src|href)="(?!#)', content)


def test_the_same_fit_gives_the_same_bytes(small: FitResult) -> None:
    device = device_of(small, "twin", "twin.csv")
    assert svg(small, "twin.csv") == svg(small, "twin.csv")
    assert page(small, "twin.csv", device) == page(small, "twin.csv", device)


def test_names_in_the_drawings_of_a_page_are_unique(both: FitResult) -> None:
    content = page(both, "twin.csv", device_of(both, "twin", "twin.csv"))
    names = re.findall(r'\bid="([^"]+)"', content)
    assert len(names) == len(set(names))
    for target in re.findall(r'(?:href="#|url\(#)([^")]+)', content):
        assert target in names


def test_a_file_name_is_no_formula_and_may_hold_any_letter(
    small: FitResult, recwarn: pytest.WarningsRecorder
) -> None:
    text = svg(small, "a$x^2$ <b> 阻变.csv")
    assert "a$x^2$ &lt;b&gt;" in text
    assert not [w for w in recwarn if "Glyph" in str(w.message)]


def test_extra_sections_stand_on_the_page_with_their_picture(small: FitResult) -> None:
    picture = single(panels_of(small.laws[0].chosen, "set")[0])
    grid = Grid(("device", "tau"), (("d1", "1 ms"),), "two numbers", kinds=("measured",))
    section = Section("Devices", ("they differ a lot",), grid, picture, "a picture")
    device = device_of(small, "twin", "twin.csv")
    plain, content = (page(small, "twin.csv", device, more) for more in ((), (section,)))
    assert content.count("<svg") == plain.count("<svg") + 1
    for text in ("Devices", "They differ a lot", "two numbers", "d1", "a picture", "measured"):
        assert text in text_of(content)
    with pytest.raises(ValueError, match="expected the text of an SVG"):
        page(small, "twin.csv", device, (Section("x", svg="no picture"),))


def test_the_residual_table_says_how_much_it_leaves_out(both: FitResult) -> None:
    few = residual_grid(both.laws[0])
    assert len(few.rows) == 8
    assert few.caption.startswith("Every condition")
    frame = pulses(np.geomspace(1e-5, 1e-3, 6), np.arange(1.6, 2.4, 0.2))
    many = residual_grid(fit_table(frame, family="exponential").laws[0])
    assert len(many.rows) == 15
    assert "9 more" in many.caption


def test_a_floor_is_shown_as_of_the_measurement() -> None:
    frame = pulses((1e-4,), (1.0, 1.8, 2.0, 2.2))
    frame["switched"] += ((frame["trials"] - frame["switched"]) * 0.05).round().astype(int)
    result = fit_table(frame, family="exponential", floor=True)
    assert MEASUREMENT[0] in result.chosen.names
    shown = text_of(page(result, "x.csv", device_of(result, "x", "x.csv")))
    assert "of the measurement: not in device.json" in shown


def test_numbers_read_well() -> None:
    assert [number(v) for v in (0.0, 0.15, 34000.0, 1.234e-5, -3.25)] == [
        "0", "0.15", "34\u202f000", "1.234×10⁻⁵", "−3.25",
    ]  # fmt: skip
    assert number(0.14, 3, pad=True) == "0.140"
    assert amount(4.7e-4, "s") == "470 µs"
    assert amount(2.5e5, "ohm") == "250 kΩ"
    assert interval((None, 0.0382), 0.0186, "V", 3) == "open to 0.0382 V"
    assert interval((1.2e-3, 2e-3), 1.5e-3, "s", 3) == "1.20 to 2.00 ms"
