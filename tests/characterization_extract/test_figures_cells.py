"""The pictures of the cells: they show the numbers of cells.nc, legibly, the same every time."""

from __future__ import annotations

import itertools
import re

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from characterization.extract.check.intervals import clopper_pearson
from characterization.extract.figures.all import pictures
from characterization.extract.figures.budget import budget_picture
from characterization.extract.figures.energy import breakdown, cell_energies
from characterization.extract.figures.picture import Picture
from characterization.extract.figures.probability import (
    counted,
    fit_band,
    nominal_condition,
    probability_pictures,
)
from characterization.extract.figures.style import STYLE, between
from characterization.extract.figures.waveforms import events, stretched, waveform_picture
from formats.cells import Cells
from tests.characterization_extract.export_cells import CYCLES, rich_cells

SMALLEST = 7.0
"""Points; letters below are hard to read in print."""


@pytest.fixture(scope="module")
def cells() -> Cells:
    return rich_cells()


@pytest.fixture(scope="module")
def sng(cells: Cells) -> xr.Dataset:
    return cells.sng


@pytest.fixture(scope="module")
def every(cells: Cells) -> list[Picture]:
    return pictures(cells.groups)


@pytest.fixture(scope="module")
def figures(every: list[Picture]) -> dict[str, Figure]:
    return {picture.name: drawn(picture) for picture in every}


def drawn(picture: Picture) -> Figure:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(picture.width, picture.height), layout="constrained")
        FigureCanvasAgg(figure)
        picture.draw(figure)
        figure.canvas.draw()
    return figure


def test_all_kinds_are_there(every: list[Picture]) -> None:
    assert [picture.name for picture in every] == [
        "waveforms",
        "probability",
        "probability_pulse_width",
        "probability_temperature",
        "probability_corner",
        "error_budget",
        "energy_sng",
        "energy_cells",
    ]


def test_no_letters_overlap_or_leave_the_picture_or_are_tiny(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        named = [(text.get_text(), text.get_window_extent()) for text in shown(figure)]
        assert min(text.get_fontsize() for text in shown(figure)) >= SMALLEST, name
        inside = figure.bbox
        assert len(named) > 5
        for word, box in named:
            assert box.x0 > -1 and box.x1 < inside.width + 1, (name, word)
            assert box.y0 > -1 and box.y1 < inside.height + 1, (name, word)
        for (word, box), (other, second) in itertools.combinations(named, 2):
            touching = box.padded(-1.5)
            assert not touching.overlaps(second.padded(-1.5)), (name, word, other)


def shown(figure: Figure) -> list[Text]:
    """All letters; matplotlib also keeps tick labels beyond the limits, which are not drawn."""
    beyond = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not low <= tick.get_loc() <= high:
                    beyond |= {tick.label1, tick.label2}
    every = figure.findobj(Text)
    return [t for t in every if t not in beyond and t.get_visible() and t.get_text().strip()]


def test_axes_name_quantity_and_unit(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        labels = [axes.get_ylabel() for axes in figure.axes]
        assert any(labels) or name == "energy_cells", name
        words = " ".join([*labels, *(axes.get_xlabel() for axes in figure.axes)])
        assert re.search(r"\((V|1|J|nJ|pJ)\)|energy|probability", words), name


def test_svg_is_the_same_every_time_and_holds_no_date(every: list[Picture]) -> None:
    for picture in every[-1:]:
        text = picture.svg()
        assert text == picture.svg()
        assert "<dc:date>" not in text
        assert "<text" not in text  # outlines: a paper's printer needs no font
        assert "<text" in picture.svg(outlines=False)


def test_events_are_where_the_state_changes(sng: xr.Dataset) -> None:
    found = events(sng)
    cycle = float(sng["phase_time"].sum())
    write = float(sng["phase_time"][0] + sng["phase_time"][1] / 2)
    step = float(sng["waveform_time"][1])
    assert found.sets == pytest.approx([cycle + write], abs=2 * step)
    assert found.resets == pytest.approx([2 * cycle], abs=2 * step)
    assert found.bits.tolist() == [0, 1, 0]
    assert found.bits.size == CYCLES


def test_each_phase_has_the_same_width(sng: xr.Dataset) -> None:
    times = sng["phase_time"].to_numpy()
    edges = np.cumsum(times)
    assert stretched(sng, edges) == pytest.approx([1, 2, 3])
    assert stretched(sng, np.array([times[0] + times[1] / 4])) == pytest.approx([1.25])


def test_phases_are_drawn_in_their_order_in_time(sng: xr.Dataset) -> None:
    other = sng.assign_attrs(phase_order="write,read,reset")
    times = dict(zip(sng["phase"].to_numpy(), sng["phase_time"].to_numpy(), strict=True))
    assert stretched(other, np.array([times["write"] / 2])) == pytest.approx([0.5])
    picture = waveform_picture(other)
    assert picture is not None
    words = [text.get_text() for text in drawn(picture).axes[0].texts]
    assert words[:3] == ["write", "read", "RESET"]


def test_waveforms_show_bit_line_cell_and_the_threshold_reached(sng: xr.Dataset) -> None:
    picture = waveform_picture(sng)
    assert picture is not None
    top, _, exposure, state = drawn(picture).axes
    lines = {line.get_label(): line for line in top.lines}
    bl, be = (sng[f"waveform_{name}"].to_numpy() for name in ("bl", "be"))
    assert np.array_equal(lines["bit line"].get_ydata(), bl)
    assert np.array_equal(lines["$V_{cell}$"].get_ydata(), bl - be)
    assert len(lines["SET event"].get_xdata()) == len(lines["RESET event"].get_xdata()) == 1
    (reached,) = (line for line in exposure.lines if line.get_label() == "threshold reached")
    assert np.asarray(reached.get_ydata())[0] == pytest.approx(0.3, abs=0.01)
    assert [tick.get_text() for tick in state.get_yticklabels()] == ["HRS", "LRS"]


def test_thresholds_are_drawn_where_the_file_holds_them(sng: xr.Dataset) -> None:
    threshold = np.where(sng["waveform_time"] > 2e-4, 0.4, 1e12)
    picture = waveform_picture(sng.assign(waveform_threshold=("waveform_time", threshold)))
    assert picture is not None
    axes = drawn(picture).axes[2]
    (line,) = (line for line in axes.lines if line.get_label() == "threshold")
    values = np.asarray(line.get_ydata(), float)
    assert np.nanmax(values) == 0.4  # one that is never reached is not drawn
    assert axes.get_ylim()[1] < 1


def test_cells_without_waveforms_or_budget_have_no_such_picture(sng: xr.Dataset) -> None:
    bare = sng.drop_vars(
        [name for name in sng.data_vars if str(name).startswith(("waveform_", "code_error_"))]
    )
    assert waveform_picture(bare) is None
    assert budget_picture(bare) is None
    assert counted(sng.drop_vars("check_ones")) == []


def test_probability_shows_points_bands_and_the_monte_carlo(sng: xr.Dataset) -> None:
    picture = probability_pictures(sng)[0]
    axes = drawn(picture).axes[0]
    here = sng.isel(nominal_condition(sng))
    dots = next(line for line in axes.lines if line.get_marker() == "o")
    assert np.array_equal(dots.get_xdata(), here["write_voltage"])
    assert np.array_equal(dots.get_ydata(), here["Ps"])
    nominal, population = counted(sng)
    assert nominal.share.tolist() == [0.07, 0.24, 0.65]
    assert tuple(nominal.ends[:, 1]) == clopper_pearson(240, 1000, 0.999)
    for check, container in zip((nominal, population), axes.containers, strict=True):
        assert np.array_equal(container.lines[0].get_xdata(), check.voltage)
        assert np.array_equal(container.lines[0].get_ydata(), check.share)
    assert "3,000 bits of the nominal device" in picture.caption
    assert "500 bits of a new device and cell each" in picture.caption
    low, high = np.array([0.0, 0.1, 0.5, 0.2]), np.array([0.2, 0.3, 0.8, 0.4])
    given = sng.assign(check_low=("check", low), check_high=("check", high))
    assert np.array_equal(counted(given)[0].ends, [low[:3], high[:3]])
    band = axes.collections[0].get_paths()[0].vertices
    v, low, high = (
        here[name].to_numpy()
        for name in ("write_voltage", "Ps_population_p05", "Ps_population_p95")
    )
    middle = np.isclose(band[:, 0], v[10])
    assert sorted(band[middle, 1])[0] == pytest.approx(low[10], rel=1e-6)
    assert sorted(band[middle, 1])[-1] == pytest.approx(high[10], rel=1e-6)


def test_a_family_for_each_condition_that_varies(cells: Cells) -> None:
    sng = cells.sng
    families = {picture.name: picture for picture in probability_pictures(sng)}
    axes = drawn(families["probability_temperature"]).axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["300 K", "398.15 K"]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    for place, line in enumerate(dots):
        wanted = sng["pi"].isel(pulse_width=0, temperature=place, corner=0)
        assert np.array_equal(line.get_ydata(), wanted)
    one = sng.isel(temperature=[0], corner=[0], pulse_width=[0])
    assert len(probability_pictures(one)) == 1


def test_curves_between_points_are_monotone_and_meet_the_points() -> None:
    v = np.linspace(2.6, 3.6, 9)
    p = -np.expm1(-np.exp((v - 3.3) / 0.1))
    fine = between(v, p, np.linspace(2.6, 3.6, 500))
    assert np.all(np.diff(fine) >= 0)
    assert np.all((fine >= 0) & (fine <= 1))
    assert between(v, p, v) == pytest.approx(p, rel=1e-9)
    exact = -np.expm1(-np.exp((np.array([3.11, 3.37]) - 3.3) / 0.1))
    assert between(v, p, np.array([3.11, 3.37])) == pytest.approx(exact, rel=1e-3)


def test_the_interval_by_the_fit_is_that_of_a_small_error_and_stays_within_0_and_1() -> None:
    p = np.array([0.001, 0.3, 0.999])
    band = fit_band(p, 1e-4 * p * (1 - p))
    assert band is not None
    assert band[1] - band[0] == pytest.approx(2 * 1.96 * 1e-4 * p * (1 - p), rel=1e-3)
    wide = fit_band(p, np.array([0.5, 0.5, 0.5]))
    assert wide is not None
    assert np.all((wide >= 0) & (wide <= 1))
    assert fit_band(p, np.full(3, np.nan)) is None


def test_energy_shares_sum_to_the_mean_of_a_cycle(sng: xr.Dataset) -> None:
    """At a simulated voltage (1 - pi) E(0) + pi E(1); between two, between theirs."""
    here = sng.isel(nominal_condition(sng))
    place = 12
    p = float(here["pi"][place])
    energy = here["energy"].isel(write_voltage=place).sum("phase").to_numpy()
    found, parts = breakdown(sng, p)
    assert found == pytest.approx(p)
    assert parts.sum() == pytest.approx((1 - p) * energy[0] + p * energy[1], rel=1e-9)
    highest = float(here["pi"][-1])
    assert breakdown(sng, 0.9999999)[0] == highest  # beyond the reach of the write voltages


def test_every_cell_has_its_bar(cells: Cells, figures: dict[str, Figure]) -> None:
    found = {name: energy for name, _, energy, _ in cell_energies(cells.groups)}
    assert set(found) == set(cells.groups)
    here = cells.groups["xor2"].sel(corner="tt", temperature=300.0)
    assert found["xor2"] == pytest.approx(float(here["transition_energy"].mean()))
    axes = figures["energy_cells"].axes[0]
    assert {tick.get_text() for tick in axes.get_yticklabels()} == set(cells.groups)


def test_the_budget_shows_each_error_at_each_code(sng: xr.Dataset) -> None:
    picture = budget_picture(sng)
    assert picture is not None
    lines = {line.get_label(): line for line in drawn(picture).axes[0].lines}
    for label, name in (("DAC, half a step", "dac"), ("supply noise, rms", "supply")):
        wanted = sng[f"code_error_{name}"].to_numpy()[1:]
        assert np.array_equal(lines[label].get_ydata(), wanted)
    assert "supply noise 10 mV rms" in picture.caption
    silent = sng.assign(code_error_supply=0.0 * sng["code_error_supply"])
    picture = budget_picture(silent)
    assert picture is not None
    assert "None or unknown: supply noise, rms." in picture.caption
