"""The pictures of a fit: the numbers on them, and the band."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtri
from scipy.stats import beta

from characterization.fit.account.figures.band import band, band_text, histories
from characterization.fit.account.figures.empirical import interval_boxes
from characterization.fit.account.figures.ladders import ladders_of
from characterization.fit.account.figures.panel import Panel
from characterization.fit.account.figures.style import representatives
from characterization.fit.account.figures.whole import calibration
from characterization.fit.account.plot import panels_of
from characterization.fit.goodness.risk import merged
from tests.characterization_fit.drawn_tables import fitted, pulses, ramps, tau, waits


def drawn(panel: Panel) -> list[Axes]:
    figure = Figure(layout="constrained")
    panel.draw(figure)
    return list(figure.axes)


def dots(axes: Axes) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Markers by their label in the legend."""
    handles, labels = axes.get_legend_handles_labels()
    found = {}
    for handle, label in zip(handles, labels, strict=True):
        line = handle[0] if hasattr(handle, "errorbar") or isinstance(handle, tuple) else handle
        found[label] = (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
    return found


def laws(axes: Axes) -> list[tuple[np.ndarray, np.ndarray]]:
    """The curves without markers, in the order they were drawn."""
    return [
        (np.asarray(line.get_xdata()), np.asarray(line.get_ydata()))
        for line in axes.lines
        if line.get_marker() == "None" and len(line.get_xdata()) > 2
    ]


def weibull(p: Any) -> np.ndarray:
    return np.log(-np.log1p(-np.asarray(p)))


def test_pulses_show_the_observed_fractions_and_the_law() -> None:
    frame = pulses((1e-5, 1e-4), (1.6, 1.8, 2.0, 2.2))
    candidate = fitted("pulses", frame)
    (panel,) = panels_of(candidate, "set")
    upper, _ = drawn(panel)
    seen = dots(upper)
    assert list(seen) == ["10 µs", "100 µs"]
    for label, width in (("10 µs", 1e-5), ("100 µs", 1e-4)):
        here = frame[frame["pulse_width_s"] == width]
        np.testing.assert_allclose(seen[label][0], here["voltage_V"])
        np.testing.assert_allclose(seen[label][1], here["switched"] / here["trials"])
    for (voltage, p), width in zip(laws(upper), (1e-5, 1e-4), strict=True):
        t = candidate.value("tau_ref") * np.exp(
            -(voltage - candidate.likelihood.reference) / candidate.value("V0")
        )
        np.testing.assert_allclose(p, -np.expm1(-width / t), rtol=1e-9)


def test_error_bars_are_exact_binomial_intervals() -> None:
    frame = pulses((1e-4,), (1.8, 2.0, 2.2))
    upper, _ = drawn(panels_of(fitted("pulses", frame), "set")[0])
    (bars,) = upper.containers
    segments = np.array(bars[2][0].get_segments())[:, :, 1]
    n, s = frame["trials"].to_numpy(), frame["switched"].to_numpy()
    np.testing.assert_allclose(segments[:, 0], beta.ppf(0.025, s, n - s + 1))
    np.testing.assert_allclose(segments[:, 1], beta.ppf(0.975, s + 1, n - s))


def test_many_widths_are_thinned_to_eight_and_all_follow_on_one_line() -> None:
    frame = pulses(np.geomspace(1e-6, 1e-2, 20), np.arange(1.2, 2.8, 0.1), trials=40)
    candidate = fitted("pulses", frame)
    first, whole = panels_of(candidate, "set")
    assert len(dots(drawn(first)[0])) == 8
    assert "8 of 20 pulse widths shown" in first.caption
    assert whole.name == "whole"
    _, trials, switched = calibration(candidate)
    assert trials.sum() == frame["trials"].sum()
    assert switched.sum() == frame["switched"].sum()


def test_a_representative_is_the_heaviest_of_its_neighbours() -> None:
    weight = np.ones(16)
    weight[[1, 2, 15]] = 5
    np.testing.assert_array_equal(representatives(weight), [1, 2, 4, 6, 8, 10, 12, 15])


def test_one_voltage_is_shown_against_the_width() -> None:
    widths = np.geomspace(1e-5, 1e-3, 6)
    frame = pulses(widths, (2.0,))
    (panel,) = panels_of(fitted("pulses", frame, "weibull"), "set")
    upper, lower = drawn(panel)
    np.testing.assert_allclose(dots(upper)["2 V"][0], widths)
    assert lower.get_xscale() == "log"
    assert "(s)" in lower.get_xlabel()


def test_rows_with_a_voltage_of_their_own_are_pooled_without_losing_any() -> None:
    random = np.random.default_rng(5)
    voltage = random.uniform(1.6, 2.4, 500)
    switched = random.random(500) < -np.expm1(-1e-4 / tau(voltage))
    frame = pd.DataFrame(
        {"voltage_V": voltage, "pulse_width_s": 1e-4, "switched": switched.astype(int)}
    )
    (panel,) = panels_of(fitted("pulses", frame), "set")
    upper, _ = drawn(panel)
    x, y = dots(upper)["100 µs"]
    assert x.size == 40
    assert "neighbouring pulses pooled" in panel.caption.lower()
    assert np.mean(y) == pytest.approx(switched.mean(), abs=0.01)


def test_outcomes_scattered_over_many_settings_are_shown_on_one_line_only() -> None:
    random = np.random.default_rng(6)
    voltage, width = random.uniform(1.6, 2.4, 800), np.exp(random.uniform(-11, -7, 800))
    switched = random.random(800) < -np.expm1(-width / tau(voltage))
    frame = pd.DataFrame(
        {"voltage_V": voltage, "pulse_width_s": width, "switched": switched.astype(int)}
    )
    candidate = fitted("pulses", frame)
    (panel,) = panels_of(candidate, "set")
    assert panel.name == "whole"
    p, trials, _ = calibration(candidate)
    (axes,) = drawn(panel)
    np.testing.assert_allclose(axes.containers[0][0].get_xdata(), p)
    assert trials.sum() == 800


def test_an_outcome_the_law_hardly_allows_is_marked() -> None:
    frame = pulses((1e-4,), (1.6, 1.8, 2.0, 2.2, 3.5))
    frame.loc[frame["voltage_V"] == 3.5, "switched"] = 198
    (panel,) = panels_of(fitted("pulses", frame, floor=True), "set")
    assert "Triangles" in panel.caption
    _, lower = drawn(panel)
    marked = [line for line in lower.lines if line.get_marker() == "v" and len(line.get_xdata())]
    np.testing.assert_allclose(marked[0].get_xdata(), [3.5])


def test_each_temperature_has_its_panel_with_its_own_points() -> None:
    frame = pulses((1e-5, 1e-4), (1.6, 1.8, 2.0, 2.2), warm=(280.0, 300.0, 340.0))
    panels = panels_of(fitted("pulses", frame), "reset")
    assert [panel.name for panel in panels] == ["pulses-280K", "pulses-300K", "pulses-340K"]
    assert panels[0].title.startswith("RESET")
    for panel, heat in zip(panels, (280.0, 300.0, 340.0), strict=True):
        here = frame[(frame["temperature_K"] == heat) & (frame["pulse_width_s"] == 1e-5)]
        np.testing.assert_allclose(
            dots(drawn(panel)[0])["10 µs"][1], here["switched"] / here["trials"]
        )


def test_uncensored_waits_stand_at_the_middle_of_their_step() -> None:
    frame = waits((1.8, 2.2), 50)
    candidate = fitted("waits", frame, "weibull")
    (panel,) = panels_of(candidate, "set")
    (axes,) = drawn(panel)
    for label, voltage in (("1.8 V", 1.8), ("2.2 V", 2.2)):
        time, height = dots(axes)[label]
        here = np.sort(frame.loc[frame["voltage_V"] == voltage, "wait_time_s"])
        np.testing.assert_allclose(time, here)
        np.testing.assert_allclose(height, weibull((np.arange(50) + 0.5) / 50))
    for time, height in laws(axes):
        np.testing.assert_allclose(
            np.diff(height) / np.diff(np.log(time)), candidate.value("shape"), rtol=1e-6
        )


def test_censored_waits_are_respected() -> None:
    """Worked by hand: 1, 2+, 3, 4+ (+ censored) gives S = 3/4 after 1 and 3/8 after 3."""
    frame = pd.DataFrame(
        {
            "voltage_V": [2.0] * 4 + [2.2] * 3,
            "wait_time_s": [1.0, 2.0, 3.0, 4.0, 0.2, 0.3, 0.6],
            "switched": [1, 0, 1, 0, 1, 1, 1],
        }
    )
    (axes,) = drawn(panels_of(fitted("waits", frame), "set")[0])
    time, height = dots(axes)["2 V"]
    np.testing.assert_allclose(time, [1.0, 3.0])
    np.testing.assert_allclose(height, weibull([1 / 8, 1 - (3 / 4 + 3 / 8) / 2]))


def test_a_lognormal_law_is_a_straight_line_on_its_scale() -> None:
    random = np.random.default_rng(4)
    voltage = np.repeat((1.8, 2.0, 2.2), 60)
    time = tau(voltage) * np.exp(random.standard_normal(180))
    frame = pd.DataFrame({"voltage_V": voltage, "wait_time_s": time, "switched": 1})
    candidate = fitted("waits", frame, "lognormal")
    (axes,) = drawn(panels_of(candidate, "set")[0])
    for t, height in laws(axes):
        slope = np.diff(height) / np.diff(np.log(t))
        np.testing.assert_allclose(slope, 1 / candidate.value("shape"), rtol=1e-5)
    np.testing.assert_allclose(dots(axes)["2 V"][1], ndtri((np.arange(60) + 0.5) / 60))
    assert "log-normal" in axes.get_ylabel()


def test_a_voltage_without_any_switch_is_named() -> None:
    frame = waits((1.8, 2.0, 2.2), 20)
    quiet = pd.DataFrame({"voltage_V": [0.5] * 7, "wait_time_s": 1e-3, "switched": 0})
    (panel,) = panels_of(fitted("waits", pd.concat([frame, quiet])), "set")
    assert "0.5 V: none of 7 switched, not drawn" in panel.caption
    assert "0.5 V" not in dots(drawn(panel)[0])


def test_intervals_are_boxes_at_the_inspections() -> None:
    exact = waits((1.9, 2.1), 200)
    grid = np.array([0.0, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3])
    cell = np.searchsorted(grid, exact["wait_time_s"])
    seen = cell < grid.size
    high = np.where(seen, grid[np.minimum(cell, grid.size - 1)], np.inf)
    frame = pd.DataFrame(
        {
            "voltage_V": exact["voltage_V"],
            "wait_time_low_s": np.where(seen, grid[cell - 1], grid[-1]),
            "wait_time_high_s": [f"{h}" for h in high],
        }
    )
    (panel,) = panels_of(fitted("waits", frame), "set")
    (axes,) = drawn(panel)
    time, height = dots(axes)["1.9 V"]
    here = exact["voltage_V"] == 1.9
    share = [np.mean(exact.loc[here, "wait_time_s"] <= t) for t in time]
    np.testing.assert_allclose(time, [t for t in grid[1:] if t in time])
    np.testing.assert_allclose(height, weibull(share), rtol=1e-5)
    boxes = [p for p in axes.patches if p.get_width() > 0]
    inside = [b for b in boxes if np.isclose(b.get_x(), 3e-5)]
    assert all(np.isclose(b.get_width(), 7e-5) for b in inside)
    assert len(inside) == 2
    assert "Boxes" in panel.caption


def test_overlapping_intervals_keep_the_whole_share() -> None:
    """Two in (0, 2], one in (1, 3], one still waiting at 3: mass 3/4 by time 3 at the latest."""
    boxes = interval_boxes(
        np.array([0.0, 1.0, 0.0]), np.array([2.0, 3.0, 3.0]),
        np.array([2.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]),
    )  # fmt: skip
    assert boxes.p[-1] == pytest.approx(0.75, abs=1e-5)
    assert boxes.before is not None
    assert boxes.before[0] == 0.0


def test_many_different_intervals_are_drawn_in_good_time() -> None:
    random = np.random.default_rng(6)
    low = random.exponential(1.0, 1000)
    boxes = interval_boxes(low, low + random.exponential(1.0, 1000), np.ones(1000), np.zeros(1000))
    assert boxes.at.size <= 150
    assert boxes.p[-1] == pytest.approx(1.0)


def test_ramps_show_where_each_switched_per_rate() -> None:
    frame = ramps((0.1, 10.0), 40)
    candidate = fitted("ramps", frame)
    (panel,) = panels_of(candidate, "set")
    (axes,) = drawn(panel)
    assert list(dots(axes)) == ["0.1 V/s", "10 V/s"]
    for label, rate in (("0.1 V/s", 0.1), ("10 V/s", 10.0)):
        voltage, height = dots(axes)[label]
        here = np.sort(frame.loc[frame["ramp_rate_V_per_s"] == rate, "set_voltage_V"])
        np.testing.assert_allclose(voltage, here)
        np.testing.assert_allclose(height, weibull((np.arange(40) + 0.5) / 40))
    v0, reference = candidate.value("V0"), candidate.likelihood.reference
    tau0 = candidate.value("tau_ref") * np.exp(reference / v0)
    for (voltage, height), rate in zip(laws(axes), (0.1, 10.0), strict=True):
        up = voltage > 0.05
        exposure = v0 / (rate * tau0) * np.expm1(voltage[up] / v0)
        np.testing.assert_allclose(height[up], np.log(exposure), rtol=1e-5, atol=1e-5)


def test_staircases_show_the_share_switched_by_each_level() -> None:
    frame = ramps((0.1, 1.0, 10.0), 60, step=0.05)
    (panel,) = panels_of(fitted("ramps", frame), "set")
    (axes,) = drawn(panel)
    assert list(dots(axes)) == ["0.1 V/s", "1 V/s", "10 V/s"]
    level, height = dots(axes)["1 V/s"]
    here = frame.loc[frame["ramp_rate_V_per_s"] == 1.0, "set_voltage_V"].to_numpy()
    share = np.array([np.mean(here <= v + 1e-9) for v in level])
    np.testing.assert_allclose(height, weibull(share), rtol=1e-9)


def test_trains_show_the_share_of_those_still_at_risk() -> None:
    """Ten trains: 2 switch at the first pulse, 3 stop after it, 1 of 5 at the second, ..."""
    ends = [(1, 1)] * 2 + [(1, 0)] * 3 + [(2, 1)] + [(3, 1)] * 2 + [(3, 0)] * 2
    rows = [
        {"device": "a", "cycle": i, "voltage_V": v, "pulse_width_s": 1e-5, "switched": s}
        for v, first, trains in ((1.9, 0, ends), (2.2, 100, [(1, 1)] * 9 + [(2, 1)]))
        for i, (last, end) in enumerate(trains, first)
        for s in [0] * (last - 1) + [end]
    ]
    data_frame = pd.DataFrame(rows)
    candidate = fitted("pulses", data_frame)
    (panel,) = panels_of(candidate, "set")
    (axes,) = drawn(panel)
    number_, share = dots(axes)["1.9 V, 10 µs"]
    np.testing.assert_array_equal(number_, [1, 2, 3])
    np.testing.assert_allclose(share, [0.2, 1 - 0.8 * 4 / 5, 1 - 0.8 * 4 / 5 * 2 / 4])
    _, law = laws(axes)[0]
    t = np.exp(candidate.likelihood.ln_tau(candidate.theta, np.array([1.9]))[0])
    np.testing.assert_allclose(law, -np.expm1(-np.array([1, 2, 3]) * 1e-5 / t), rtol=1e-9)


def test_chains_that_fork_are_shown_on_one_line() -> None:
    random = np.random.default_rng(8)
    rows = []
    for cycle in range(120):
        left = random.standard_exponential()
        for _ in range(8):
            v = round(float(random.choice([1.8, 1.9, 2.0])), 2)
            left -= 3e-5 / tau(v)
            rows.append((0, cycle, v, 3e-5, int(left <= 0)))
            if left <= 0:
                break
    frame = pd.DataFrame(
        rows, columns=["device", "cycle", "voltage_V", "pulse_width_s", "switched"]
    )
    candidate = fitted("pulses", frame)
    panels = panels_of(candidate, "set")
    assert panels[-1].name == "whole"
    joined = merged(candidate.likelihood.data)
    shown = sum(one.segments.size for one in ladders_of(joined))
    assert shown < joined.voltage.size
    p, trials, switched = calibration(candidate)
    assert trials.sum() == len(frame)
    assert switched.sum() == frame["switched"].sum()
    assert np.sum(p * trials) == pytest.approx(switched.sum(), rel=0.05)


def test_the_band_of_an_exponential_law_has_its_closed_form() -> None:
    """One voltage, uncensored: ln tau has the variance 1/n."""
    frame = waits((2.0,), 400)
    candidate = fitted("waits", frame)
    time = np.geomspace(1e-6, 3e-4, 7)
    law = band(candidate, histories("waits", 2.0, time, None))
    u = time / frame["wait_time_s"].mean()
    np.testing.assert_allclose(law.p, -np.expm1(-u), rtol=1e-6)
    for end, sign in ((law.low, -1), (law.high, 1)):
        np.testing.assert_allclose(end, -np.expm1(-u * np.exp(sign * 1.96 / 20)), rtol=1e-4)


def test_ten_times_the_data_make_the_band_narrower_by_sqrt_ten() -> None:
    once = pulses((1e-5, 1e-4, 1e-3), (1.6, 1.8, 2.0, 2.2))
    more = once.assign(trials=10 * once["trials"], switched=10 * once["switched"])
    where = histories("pulses", np.linspace(1.5, 2.2, 8), 1e-4, None)
    for family in ("exponential", "weibull", "lognormal", "gamma"):
        narrow, wide = (band(fitted("pulses", f, family), where) for f in (more, once))
        ratio = [np.log(np.log1p(-b.high) / np.log1p(-b.low)) for b in (wide, narrow)]
        np.testing.assert_allclose(ratio[0] / ratio[1], np.sqrt(10), rtol=0.02)


@pytest.mark.parametrize("kind", ["ramps", "floor"])
def test_the_band_agrees_with_draws_from_the_covariance(kind: str) -> None:
    if kind == "ramps":
        candidate = fitted("ramps", ramps((0.1, 1.0, 10.0), 300), "weibull")
        where = histories("ramps", np.array([0.8, 1.0, 1.2]), np.array([0.8, 1.0, 1.2]), None, 0.0)
    else:
        frame = pulses((1e-4, 1e-3), (0.8, 1.0, 1.6, 1.8, 2.0, 2.2), trials=1000)
        frame["switched"] += ((frame["trials"] - frame["switched"]) * 0.03).round().astype(int)
        candidate = fitted("pulses", frame, floor=True)
        where = histories("pulses", np.array([1.0, 1.7, 2.0]), 1e-4, None)
    law = band(candidate, where)
    random = np.random.default_rng(7)
    copy = candidate.likelihood.on(where)
    draws = random.multivariate_normal(candidate.theta, candidate.covariance, 3000)
    p = np.array([copy.probability(theta) for theta in draws])
    expected = np.std(np.log(-np.log1p(-p)), axis=0)
    width = np.log(np.log1p(-law.high) / np.log1p(-law.low)) / (2 * 1.96)
    # 3,000 draws tell a standard deviation to 1.3 %; the delta method is a little off as well.
    np.testing.assert_allclose(width, expected, rtol=0.08)


def test_there_is_no_band_where_the_law_leans_on_a_bracketed_v0() -> None:
    frame = pd.DataFrame(
        {
            "voltage_V": [1.0, 2.0, 3.0] * 2,
            "pulse_width_s": [1e-5] * 3 + [1e-4] * 3,
            "trials": 1000,
            "switched": [0, 300, 1000, 0, 960, 1000],
        }
    )
    candidate = fitted("pulses", frame)
    assert candidate.bracketed == ("V0",)
    assert "bracketed" in band_text(candidate)
    at = candidate.likelihood.reference
    law = band(candidate, histories("pulses", np.array([at, at + 0.2]), 1e-5, None))
    assert law.low[0] < law.p[0] < law.high[0]
    assert np.isnan(law.low[1])
