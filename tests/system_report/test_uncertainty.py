"""Uncertainty through the bill: closed forms, inputs turned by hand, and lines none is missing of.

Sampling: 2,000 strata per input; tolerances of quantiles are beyond what other seeds gave.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.stats
import xarray as xr

from formats.cells import Cells
from formats.json_file import check
from formats.training import Training
from system.architecture import UNROLLED
from system.budget import Budget, BudgetOptions, budget
from system.budget.uncertainty import Input, Model, Uncertainty, spread, uncertainty
from system.budget.uncertainty.figures import Part
from system.budget.uncertainty.inputs import Curve, LogUniform, factor, within
from system.budget.uncertainty.model import Amount
from system.budget.uncertainty.spread import draw
from system.report.content import report
from tests.system_report.changes import bill, edited, ends, of

Z95 = 1.959963984540054


def lines_of(*amounts: Amount, inputs: tuple[Input, ...]) -> Model:
    """A model whose inference energy is the sum of these amounts."""
    rows = {(f"line {place}", "energy_inference"): one for place, one in enumerate(amounts)}
    times = {name: Amount(1.0) for name in ("inference", "training_step")}
    return Model(rows, times, 1.0, 1, inputs)


def whole(value: float, one: Input) -> Amount:
    """An amount proportional to one input."""
    assert one.effect is not None
    return Amount(value, ((Part(1.0, ((one, one.effect),)),),))


def inference(of_model: Model, **options: Any) -> tuple[float, float, float]:
    """2.5, 50 and 97.5 % of the inference energy."""
    found = spread(of_model, **options).totals["energy_per_inference_J"]
    return found.interval95[0], found.median, found.interval95[1]


# sampling


def test_one_input_gives_the_log_normal_quantiles() -> None:
    one = factor("a", 2.0, "assumed: test")
    low, median, high = inference(lines_of(whole(3.0, one), inputs=(one,)))
    law = scipy.stats.lognorm(math.log(2) / Z95, scale=3.0)
    assert [low, median, high] == pytest.approx(law.ppf([0.025, 0.5, 0.975]), rel=3e-3)


def test_lines_with_one_figure_move_together_and_others_do_not() -> None:
    one, other = (factor(name, 1.5, "assumed: test") for name in "ab")
    sigma = math.log(1.5) / Z95
    same = lines_of(whole(1.0, one), whole(2.0, one), inputs=(one,))
    assert inference(same)[2] == pytest.approx(3.0 * 1.5, rel=3e-3)
    apart = lines_of(whole(1.0, one), whole(1.0, other), inputs=(one, other))
    drawn = apart.totals(draw(apart.inputs, 20_000, 1))["energy_per_inference_J"]
    law = scipy.stats.lognorm(sigma)
    assert np.mean(drawn) == pytest.approx(2 * law.mean(), rel=1e-3)
    assert np.std(drawn) == pytest.approx(math.sqrt(2) * law.std(), rel=0.03)


def test_a_doubled_sigma_doubles_the_width_in_logarithms() -> None:
    widths = []
    for sigma in (0.1, 0.2):
        one = factor("a", math.exp(sigma * Z95), "assumed: test")
        low, _, high = inference(lines_of(whole(1.0, one), inputs=(one,)))
        widths.append(math.log(high / low))
    assert widths[1] == pytest.approx(2 * widths[0], rel=1e-6)


def test_a_range_is_uniform_in_its_logarithm() -> None:
    one = within("a", 0.5, 2.0, "taken: test")
    assert isinstance(one.effect, LogUniform)
    low, median, high = inference(lines_of(whole(1.0, one), inputs=(one,)))
    wanted = np.exp(scipy.stats.uniform(-math.log(2), 2 * math.log(2)).ppf([0.025, 0.5, 0.975]))
    assert [low, median, high] == pytest.approx(wanted, rel=5e-3)


def test_seeds_reproduce_and_an_input_never_moves_anothers_draws() -> None:
    one, other = (factor(name, 1.5, "assumed: test") for name in "ab")
    found = lines_of(whole(1.0, one), whole(1.0, other), inputs=(one, other))
    assert inference(found, seed=3) == inference(found, seed=3) != inference(found, seed=4)
    np.testing.assert_array_equal(draw((one,), 50, 0)["a"], draw((other, one), 50, 0)["a"])
    z = draw((one,), 1000, 0)["a"]
    counts = np.histogram(scipy.stats.norm.cdf(z), np.linspace(0, 1, 1001))[0]
    assert np.all(counts == 1)  # one draw in each stratum


def test_a_curve_goes_through_its_points_and_on() -> None:
    bend = Curve((-1.0, 0.0, 2.0), (-0.5, 0.0, 0.2))
    assert bend(np.array([-3.0, -1.0, 0.0, 1.0, 2.0, 4.0])) == pytest.approx(
        [-1.5, -0.5, 0.0, 0.1, 0.2, 0.4]
    )


# the bill


@pytest.fixture(scope="module")
def priced(pair: tuple[Cells, Training]) -> tuple[Budget, Uncertainty]:
    found = bill(*pair)
    return found, uncertainty(*pair, found)


def test_the_model_of_nothing_moved_is_the_bill(
    pair: tuple[Cells, Training], priced: tuple[Budget, Uncertainty]
) -> None:
    for name, total in priced[0].totals().items():
        found = priced[1].totals[name]
        assert found.value == pytest.approx(total.value, rel=1e-12)
        assert found.interval95[0] <= total.value <= found.interval95[1]
        exact = found.interval95[0] == found.interval95[1]
        assert exact == (total.unit == "s")
        assert exact == found.reason.startswith("exact")


BY_HAND: list[tuple[str, str, dict[tuple[str, str], int], float]] = [
    ("area of mux2", "area_mm2", {("mux2", "area"): 1}, 1.15),
    ("area of dff", "area_mm2", {("dff", "area"): 1}, 1.15),
    ("SNG area", "area_mm2", {("sng", "area"): 1}, 1.5),
    ("SNG leakage", "leakage_uW", {("sng", "leakage_power"): 1}, 3.0),
    (
        "transistor leakage",
        "power_uW",
        {
            (group, "leakage_power"): 1
            for group in ("full_adder", "dff", "mux2", "xor2", "sign_magnitude_counter")
        },
        2.0,
    ),
    (
        "switching energy of logic, all",
        "energy_per_training_step_J",
        {
            ("full_adder", "transition_energy"): 1,
            ("mux2", "transition_energy"): 1,
            ("xor2", "transition_energy"): 1,
            ("dff", "energy_hold"): 1,
            ("dff", "energy_toggle"): 1,
            ("sign_magnitude_counter", "energy"): 1,
        },
        1.2,
    ),
]


@pytest.mark.parametrize(("name", "total", "changes", "times"), BY_HAND)
def test_bars_are_the_totals_of_changed_cells(
    pair: tuple[Cells, Training],
    priced: tuple[Budget, Uncertainty],
    name: str,
    total: str,
    changes: dict[tuple[str, str], int],
    times: float,
) -> None:
    cells, training = pair
    low, high = ends(priced[1], total, name)
    moved = bill(edited(cells, dict.fromkeys(changes, times)), training).totals()[total].value
    assert high == pytest.approx(moved, rel=1e-9)
    value = priced[0].totals()[total].value
    assert (value - low) / (high - value) == pytest.approx(1 / times, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "figure", "total", "times"),
    [
        ("SRAM bit area", "sram_bit_area", "area_mm2", 1.1),
        ("SRAM bit leakage", "sram_bit_leakage", "leakage_uW", 3.0),
        ("SRAM access energy", "sram_bit_energy", "energy_per_inference_J", 3.0),
        ("8-bit adder energy", "adder8_energy", "energy_per_training_step_J", 52.5 / 30),
    ],
)
def test_bars_are_the_totals_of_changed_figures(
    pair: tuple[Cells, Training],
    priced: tuple[Budget, Uncertainty],
    name: str,
    figure: str,
    total: str,
    times: float,
) -> None:
    old = getattr(UNROLLED.figures, figure)
    figures = replace(UNROLLED.figures, **{figure: replace(old, value=old.value * times)})
    moved = budget(*pair, replace(UNROLLED, figures=figures), BudgetOptions())
    assert ends(priced[1], total, name)[1] == pytest.approx(moved.totals()[total].value, rel=1e-9)


def test_an_area_made_of_gates_moves_with_each_by_its_share(
    pair: tuple[Cells, Training],
) -> None:
    cells, training = pair
    mac = cells.groups["sign_magnitude_counter"].copy()
    mac.attrs = {**mac.attrs, "fan_in": 1}  # now its area is the sum of its gates
    made = replace(cells, groups={**cells.groups, "sign_magnitude_counter": mac})
    found = bill(made, training)
    moved = uncertainty(made, training, found)
    for name, area in (("full_adder", 4e-12), ("and2", 1e-12)):
        high = ends(moved, "area_mm2", f"area of {name}")[1]
        share = of(found, "MACs").area * area / 6.5e-12
        if name == "full_adder":
            share += math.fsum(
                line.area for line in found.lines if "full_adder/area" in line.area_source
            )
        assert high - found.area * 1e6 == pytest.approx(0.15 * share * 1e6, rel=1e-9)


def test_standard_errors_of_cells_move_a_cell_as_a_whole(pair: tuple[Cells, Training]) -> None:
    cells, training = pair
    mac = cells.groups["sign_magnitude_counter"].copy()
    mac["energy_stderr"] = mac["energy_stderr"].copy(data=0.1 * mac["energy"].to_numpy())
    made = replace(cells, groups={**cells.groups, "sign_magnitude_counter": mac})
    found = bill(made, training)
    moved = uncertainty(made, training, found)
    line, name = of(found, "MACs"), "simulated energy of sign_magnitude_counter"
    high = ends(moved, "energy_per_training_step_J", name)[1]
    shift = line.energy_training * (math.exp(0.1 * Z95) - 1)
    assert high - found.energy_training == pytest.approx(shift, rel=1e-9)
    assert next(one for one in moved.inputs if one.name == name).kind == "simulated"
    # The SNG's errors are 0 here: no input at all.
    assert not any(one.name == "simulated energy of sng" for one in moved.inputs)


def corners(cells: Cells, delay: Mapping[str, float] | None = None) -> Cells:
    """The cells with slow and fast corners of half and twice the leakage, and other energies."""
    groups = {}
    for name, data in cells.groups.items():
        parts = []
        for corner, leak, energy in (("ss", 0.5, 0.9), ("tt", 1.0, 1.0), ("ff", 2.0, 1.3)):
            part = data.copy()
            part["leakage_power"] = part["leakage_power"] * leak
            for key in ("energy", "transition_energy", "energy_hold", "energy_toggle"):
                if key in part:
                    part[key] = part[key] * energy
            if delay and "delay" in part and data.attrs["role"] == "mac":
                part["delay"] = part["delay"] * 0 + delay[corner]
            parts.append(part.assign_coords(corner=[corner]))
        with xr.set_options(keep_attrs=True):
            varying = [key for key in data.data_vars if "corner" in data[key].dims]
            joined = xr.concat(
                [part[varying] for part in parts], "corner", combine_attrs="override"
            )
        groups[name] = joined.assign(
            {key: data[key] for key in data.data_vars if key not in varying}
        ).assign_attrs(data.attrs)
        for key in data.data_vars:
            groups[name][key].attrs = data[key].attrs
    return replace(cells, groups=groups)


def test_corners_of_the_cells_are_three_sigma(pair: tuple[Cells, Training]) -> None:
    made = corners(pair[0])
    found = bill(made, pair[1])
    moved = uncertainty(made, pair[1], found)
    assert found.totals()["power_uW"].value == bill(*pair).totals()["power_uW"].value
    sram = math.fsum(line.leakage for line in found.lines if line.group == "Memory")
    for end, sign in zip(ends(moved, "leakage_uW", "process corner"), (-1, 1), strict=True):
        wanted = sram + (found.leakage - sram) * 2 ** (sign * Z95 / 3)
        assert end == pytest.approx(wanted * 1e6, rel=1e-9)
    # No input of cells.nc's one corner stands beside them.
    assert [one.kind for one in moved.inputs if one.name == "process corner"] == ["simulated"]


def test_a_slow_mac_makes_latencies_uncertain(pair: tuple[Cells, Training]) -> None:
    made = corners(pair[0], {"ss": 4e-3, "tt": 2e-3, "ff": 1e-3})
    found = bill(made, pair[1])
    moved = uncertainty(made, pair[1], found)
    low, high = moved.totals["latency_s"].interval95
    assert low < found.timing.inference < high
    assert low == pytest.approx(found.timing.inference * 2 ** (-Z95 / 3), rel=0.01)
    # The frame rate falls below the one asked for in the slow corner only.
    assert found.timing.rate < 1


def test_report_holds_intervals_inputs_and_tornado(pair: tuple[Cells, Training]) -> None:
    found = bill(*pair)
    content = report(*pair, found, {})
    check(content, "report", "report.json")
    behind = content["uncertainty"]
    assert set(behind["totals"]) == set(content["totals"]) - {"endurance_used_by_training"}
    for name, total in behind["totals"].items():
        assert content["totals"][name]["interval95"] == total["interval95"]
        widths = [
            max(bar["low"], bar["high"], total["value"])
            - min(bar["low"], bar["high"], total["value"])
            for bar in behind["tornado"][name]
        ]
        assert widths == sorted(widths, reverse=True)
        movers = {one["input"] for one in behind["inputs"] if name in one["moves"]}
        assert movers == {bar["input"] for bar in behind["tornado"][name]}
    fit = next(one for one in behind["inputs"] if one["input"] == "device fit")
    assert (fit["moves"], fit["sigma"], fit["kind"]) == ([], None, "taken")
    assert json.loads(json.dumps(behind)) == behind
