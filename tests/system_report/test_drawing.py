"""Static drawings: what stands where, read back from the SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from system.report.chart import Axis, Chart, Panel, Series, drawing
from system.report.chart.scale import Scale, fitted, ticks
from system.report.quantity import prefixed


def drawn(*panels: Panel, legend: str = "") -> ElementTree.Element:
    return ElementTree.fromstring(drawing(Chart("t", "a <chart>", "", panels, legend=legend)))


def numbers(svg: ElementTree.Element, tag: str, name: str) -> np.ndarray:
    return np.array([float(one.attrib[name]) for one in svg.iter(tag)])


def words(svg: ElementTree.Element) -> dict[str, tuple[float, float]]:
    """Places of all texts of one line."""
    found = [one for one in svg.iter("text") if one.text]
    return {str(t.text): (float(t.attrib["x"]), float(t.attrib["y"])) for t in found}


X, Y = np.array([1.0, 10.0, 1000.0]), np.array([0.1, 0.3, 0.2])


@pytest.mark.parametrize("log", [False, True])
def test_points_stand_where_the_numbers_of_the_axes_say(log: bool) -> None:
    points = Series("s", X, Y, "points")
    svg = drawn(Panel((points,), Axis("x", log=log), Axis("y", limits=(0.0, 0.4))))
    named = words(svg)
    low, high = ("10⁰", "10³") if log else ("200", "800")
    values = {"10⁰": 1.0, "10³": 1000.0, "200": 200.0, "800": 800.0}
    at = np.log10 if log else np.asarray
    ends, places = [at(values[name]) for name in (low, high)], [named[n][0] for n in (low, high)]
    slope = (places[1] - places[0]) / (ends[1] - ends[0])
    wanted = places[0] + slope * (at(X) - ends[0])
    assert numbers(svg, "circle", "cx") == pytest.approx(wanted, abs=0.02)
    foot, top = named["0.10"][1], named["0.30"][1]
    assert numbers(svg, "circle", "cy") == pytest.approx(
        foot + (Y - 0.1) / 0.2 * (top - foot), abs=0.02
    )


def test_a_gap_interrupts_a_line_and_a_band() -> None:
    x, y = np.arange(5.0), np.array([1.0, 2.0, np.nan, 2.0, 1.0])
    line, band = Series("l", x, y), Series("b", x, y, "band", 1, y - 1, y + 1)
    paths = {
        one.attrib["style"]: one.attrib["d"] for one in drawn(Panel((line, band))).iter("path")
    }
    assert paths["stroke:var(--c0)"].count("M") == 2
    areas = list(drawn(Panel((band,))).iter("path"))
    assert len(areas) == 2 and all(one.attrib["d"].endswith("Z") for one in areas)


def test_what_a_logarithm_lacks_is_a_gap_and_an_edge_at_its_foot() -> None:
    x, y = np.arange(3.0), np.array([1.0, 0.0, 100.0])
    points = Series("s", x, y, "joined", low=np.array([0.0, 0.0, 50.0]), high=2 * y)
    svg = drawn(Panel((points,), Axis(), Axis(log=True)))
    assert len(numbers(svg, "circle", "cx")) == 2
    (frame,) = svg.iter("clipPath")
    foot = float(frame[0].attrib["y"]) + float(frame[0].attrib["height"])
    bars = next(svg.iter("path")).attrib["d"]
    assert re.findall(r"M\S+ (\S+?)L", bars)[0] == f"{foot:.2f}".rstrip("0").rstrip(".")


def test_bars_reach_from_their_start_to_their_end() -> None:
    bars = Series(
        "s", np.array([3.0, 1.0]), np.arange(2.0), "bars", low=np.full(2, 2.0), texts=("p", "q")
    )
    names = Axis(categories=("first", "second"))
    svg = drawn(Panel((bars,), Axis("x", limits=(0.0, 4.0)), names, marks=((2.0, "here"),)))
    at = {name: place for name, (place, _) in words(svg).items()}
    unit = at["3.0"] - at["2.0"]
    rectangles = [one for one in svg.iter("rect") if "style" in one.attrib]
    lefts = [float(one.attrib["x"]) for one in rectangles]
    widths = [float(one.attrib["width"]) for one in rectangles]
    assert lefts == pytest.approx([at["2.0"], at["1.0"]], abs=0.02)
    assert widths == pytest.approx([unit, unit], abs=0.02)
    assert (
        at["p"] > at["3.0"]
        and at["q"] < at["1.0"]
        and at["here"] == pytest.approx(at["2.0"] + 2, abs=0.02)
    )
    middle = [float(r.attrib["y"]) + float(r.attrib["height"]) / 2 for r in rectangles]
    assert middle == pytest.approx([words(svg)[n][1] for n in ("first", "second")], abs=0.02)


def test_panels_share_their_axis_and_names_stay_apart() -> None:
    one, two = Series("a & b", X, Y), Series("<c>", X + 1000, Y, colour=1)
    svg = drawn(Panel((one, two), title="up"), Panel((two,), Axis("x"), title="down"), legend="of")
    assert svg.attrib["aria-label"] == "a <chart>"
    assert {"a & b", "<c>", "up", "down", "of", "x"} <= set(words(svg))
    clips = [clip.attrib["id"] for clip in svg.iter("clipPath")]
    assert clips == ["clip-t-0", "clip-t-1"]
    texts = [text.text for text in svg.iter("text")]
    assert texts.count("500") == 1 and texts.count("2000") == 1  # below the last panel only
    ends = [path.attrib["d"].rsplit("L", 1)[1].split()[0] for path in svg.iter("path")]
    assert ends[1] == ends[2]
    width, height = map(float, svg.attrib["viewBox"].split()[2:])
    for text in svg.iter("text"):
        assert 0 <= float(text.attrib["x"]) <= width and 0 <= float(text.attrib["y"]) <= height


@pytest.mark.parametrize(
    ("axis", "low", "high", "named"),
    [
        (Axis(), 0.0, 1.0, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (Axis(), -1.0, 1.0, ["−1.0", "−0.5", "0", "0.5", "1.0"]),
        (Axis(), 0.0, 1.25, ["0", "0.25", "0.50", "0.75", "1.00", "1.25"]),
        (Axis(), 0.0, 1e12, ["0", "2×10¹¹", "4×10¹¹", "6×10¹¹", "8×10¹¹", "10¹²"]),
        (Axis(percent=True), 0.97, 0.99, ["97.0%", "97.5%", "98.0%", "98.5%", "99.0%"]),
        (Axis(whole=True), 0.5, 3.5, ["1", "2", "3"]),
        (Axis(unit="W"), 0.0, 0.05, ["0", "10m", "20m", "30m", "40m", "50m"]),
    ],
)
def test_numbers_at_an_axis_are_round(
    axis: Axis, low: float, high: float, named: list[str]
) -> None:
    assert [tick.text for tick in ticks(axis, Scale(low, high), 5)] == named


def test_decades_are_named_as_far_as_there_is_place() -> None:
    def texts(low: float, high: float, most: int) -> list[str]:
        return [t.text for t in ticks(Axis(log=True), Scale(low, high, True), most) if t.text]

    assert texts(0.5, 2000, 9) == ["10⁰", "10¹", "10²", "10³"]
    assert texts(1e-12, 1.0, 5) == ["10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "10⁰"]
    assert texts(1.5, 8.0, 9) == ["2", "5"]
    small = [t.value for t in ticks(Axis(log=True), Scale(0.5, 20, True), 9) if not t.text]
    assert small == pytest.approx([*np.arange(0.5, 0.95, 0.1), *range(2, 10), 20])


def test_a_scale_holds_all_numbers_with_a_margin_but_where_bars_begin() -> None:
    assert fitted(Axis(), [np.array([1.0, np.nan, 3.0])]) == Scale(0.9, 3.1)
    assert fitted(Axis(), [np.array([0.0, 2.0])], base=0.0) == Scale(0.0, 2.1)
    log = fitted(Axis(log=True), [np.array([-1.0, 0.0, 1.0, 100.0])])
    assert (log.low, log.high) == pytest.approx((10**-0.1, 10**2.1))
    for nothing in (np.array([]), np.array([np.nan]), np.array([5.0]), np.zeros(3)):
        for axis in (Axis(), Axis(log=True)):
            scale = fitted(axis, [nothing])
            assert scale.low < scale.high and ticks(axis, scale, 5)


def test_metric_prefixes() -> None:
    shown = {0.0: "0", 0.0135: "13.5m", 1e3: "1k", -2e-6: "−2µ", 999.0: "999"}
    assert {value: prefixed(value) for value in shown} == shown
