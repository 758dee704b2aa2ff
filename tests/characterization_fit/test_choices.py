"""Options do what they say everywhere, or are refused by name."""

from __future__ import annotations

from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_ndtr

from characterization.fit import FitOptions, fit_table, run
from characterization.fit.choices import Choices
from characterization.fit.cli import fit
from characterization.fit.inference.limits import parse_limits
from characterization.fit.make_device import device_of
from formats.device import read_device
from formats.errors import InputError

V0 = 0.1


def pulses(seed: int = 30, reset: bool = False, **extra: Any) -> pd.DataFrame:
    """Groups of pulses of an exponential law."""
    random = np.random.default_rng(seed)
    voltage, width = np.tile([1.0, 1.1, 1.2, 1.3], 2), np.repeat([1e-6, 1e-5], 4)
    p = -np.expm1(-width / (1e-5 * np.exp(-(voltage - 1.1) / V0)))
    frame = {
        "voltage_V": -voltage if reset else voltage,
        "pulse_width_s": width,
        "trials": 400,
        "switched": random.binomial(400, p),
    }
    return pd.DataFrame({**frame, **extra})


CYCLES = pd.DataFrame(
    {"cycle": [1, 2, 3], "v_set_V": [1.0, 1.1, 1.2], "v_reset_V": [-1.0, -1.1, -0.9]}
)
REFUSED: dict[str, tuple[pd.DataFrame, dict[str, Any], str]] = {
    "start of absent RESET": (pulses(), {"start_below": 1e4}, "--start-below"),
    "start of absent SET": (pulses(reset=True), {"start_above": 1e4}, "--start-above"),
    "thresholds of nothing": (pulses(), {"thresholds": (1e4,)}, "--thresholds"),
    "transistor of cycles": (
        CYCLES,
        {"ramp_rate": 1.0, "transistor": "kp=1e-5,vth=0.5"},
        "--transistor",
    ),
    "state of cycles": (CYCLES, {"ramp_rate": 1.0, "start_above": 1e4}, "--start-above"),
    "magnitudes of cycles": (
        CYCLES.assign(v_reset_V=[1.0, 1.1, 0.9]),
        {"ramp_rate": 1.0},
        "--reset-polarity magnitude",
    ),
    "spread beside a shape": (pulses(), {"family": "weibull", "c2c": True}, "--c2c"),
    "spread at one width": (
        pulses().iloc[:4],
        {"family": "exponential", "c2c": True},
        "--c2c",
    ),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_an_option_without_use_is_refused_by_name(case: str) -> None:
    frame, options, expected = REFUSED[case]
    with pytest.raises(InputError, match=expected):
        fit_table(frame, **options)


def test_a_1t1r_table_does_not_go_into_a_cell_device(tmp_path: Path) -> None:
    pulses().to_csv(tmp_path / "cell.csv", index=False)
    pulses(reset=True, gate_voltage_V=2.0).to_csv(tmp_path / "reset.csv", index=False)
    cell = run(FitOptions(tmp_path / "cell.csv", tmp_path / "cell")).device
    with pytest.raises(InputError, match="--into"):
        run(FitOptions(tmp_path / "reset.csv", tmp_path / "both", into=cell))
    options = FitOptions(
        tmp_path / "reset.csv", tmp_path / "both", into=cell, voltage_reference="cell"
    )
    assert read_device(run(options).device)["reset"] is not None


def test_what_a_user_fixes_holds_in_every_refit() -> None:
    """V0 held at twice its value: neither a floor nor lapses may buy back what that costs."""
    result = fit_table(pulses(), family="exponential", limits=parse_limits(["V0=0.2"]))
    free = fit_table(pulses(), family="exponential")
    for test in result.tests:
        if "floor" in test.name or "lapse" in test.name:
            assert test.statistic < free.chosen.loglik - result.chosen.loglik
    note = device_of(result, "x", "x").set.v0.note
    assert note == "fixed by the user"


def test_limits_hold_for_the_population_as_well() -> None:
    frame = pd.concat([pulses(seed, device=f"d{seed}") for seed in range(8)])
    result = fit_table(frame, family="exponential", limits=parse_limits(["V0=0.12:0.3"]))
    assert result.set is not None and result.set.population is not None
    assert device_of(result, "x", "x").set.v0.value == pytest.approx(0.12)


def test_one_voltage_at_several_temperatures_gives_an_apparent_energy() -> None:
    """0.8 eV - with V0 fixed - whatever V0 is: the assumed 0.156 V must not enter."""
    random = np.random.default_rng(31)
    rows = []
    for t in (300.0, 330.0, 360.0):
        tau = 1e-4 * np.exp(0.8 / 8.617333262e-5 * (1 / t - 1 / 330.0))
        rows += [
            {
                "temperature_K": t,
                "voltage_V": 2.0,
                "pulse_width_s": w,
                "trials": 3000,
                "switched": random.binomial(3000, -np.expm1(-w / tau)),
            }
            for w in (1e-5, 1e-4, 1e-3)
        ]
    result = fit_table(pd.DataFrame(rows), family="exponential")
    low, high = result.chosen.parameter("Ea", "").ci95 or (None, None)
    assert low is not None and high is not None and low < 0.8 < high
    assert "apparent activation energy" in "\n".join(result.verdict)


def test_dependent_outcomes_widen_errors_at_one_voltage_too() -> None:
    random = np.random.default_rng(32)
    score = np.empty(1500)
    score[0] = 0.0
    for k in range(1, score.size):
        score[k] = 0.8 * score[k - 1] + 0.6 * random.standard_normal()
    frame = pd.DataFrame(
        {
            "cycle": np.arange(score.size),
            "voltage_V": 1.0,
            "wait_time_s": 1e-3 * -log_ndtr(-score),
            "switched": 1,
        }
    )
    result = fit_table(frame, family="exponential")
    naive = 1 / np.sqrt(score.size)
    stderr = result.chosen.parameter("tau_ref", "").stderr
    assert stderr is not None
    assert stderr / result.chosen.value("tau_ref") > 2 * naive
    assert result.chosen in result.candidates


def test_a_c2c_spread_leaves_no_memory_beside_it() -> None:
    """The scores' correlation is that of the mixture; writing both would count it twice."""
    random = np.random.default_rng(33)
    rows = 1200
    voltage = np.resize([1.0, 1.1, 1.2], rows)
    wait = np.exp(-(voltage - 1.1) / V0 + random.standard_normal(rows))
    frame = pd.DataFrame(
        {
            "cycle": np.arange(rows),
            "voltage_V": voltage,
            "wait_time_s": wait * random.exponential(size=rows),
            "switched": 1,
        }
    )
    spread = device_of(fit_table(frame, family="exponential", c2c=True), "x", "x").set.spread
    assert spread.sigma_ln_tau_c2c.source == "fitted"
    assert (spread.memory.value, spread.sigma_ln_tau_d2d.value) == (0.0, 0.0)


def test_all_switched_intervals_do_not_bracket_v0() -> None:
    random = np.random.default_rng(34)
    voltage = np.repeat([1.0, 1.1, 1.2], 200)
    wait = 1e-3 * np.exp(-(voltage - 1.1) / V0) * random.exponential(size=600)
    looks = np.concatenate([[0.0], np.geomspace(1e-6, 1.0, 25)])
    place = np.searchsorted(looks, wait)
    frame = pd.DataFrame(
        {
            "voltage_V": voltage,
            "wait_time_low_s": looks[place - 1],
            "wait_time_high_s": looks[place],
        }
    )
    result = fit_table(frame)
    assert "only bracketed" not in "\n".join(result.verdict)
    law = device_of(result, "x", "x").set
    assert law.valid_width == (pytest.approx(looks[place].min()), pytest.approx(looks[place].max()))


def test_a_train_at_another_threshold_is_the_train_fitted_directly() -> None:
    """Rows after the first switch at one threshold count again at another."""
    random = np.random.default_rng(35)
    rows = []
    for cycle in range(250):
        level = 2e5
        for _ in range(10):
            level *= np.exp(-random.exponential() * 0.5)
            rows.append((cycle, (1.0, 1.1, 1.2)[cycle % 3], 1e-6, level))
    frame = pd.DataFrame(rows, columns=["cycle", "voltage_V", "pulse_width_s", "r_after_ohm"])
    frame["voltage_V"] += 0.0
    from_high = fit_table(frame, family="exponential", switched_below=1e5, thresholds=(3e4, 1e5))
    direct = fit_table(frame, family="exponential", switched_below=3e4)
    low = from_high.laws[0].thresholds[0]
    assert (low.switched, low.outcomes) == (direct.data.switched.sum(), direct.data.size)


SMALL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "three ramps": (
        {"ramp_rate_V_per_s": [0.1, 1, 10], "set_voltage_V": [1.2, 1.4, 1.7], "switched": 1},
        {},
    ),
    "three cycles": (
        {"cycle": [1, 2, 3], "v_set_V": [1.2, 1.3, 1.25], "v_reset_V": [-0.6, -0.7, -0.65]},
        {"ramp_rate": 1.0},
    ),
    "a staircase that passes voltages without a switch": (
        {
            "ramp_rate_V_per_s": [1.0] * 20 + [10.0] * 20,
            "set_voltage_V": [1.0, 1.1, 1.2, 1.1] * 5 + [1.1, 1.3, 1.2, 1.2] * 5,
            "voltage_step_V": 0.05,
            "switched": 1,
        },
        {},
    ),
    "equal resistances": (
        {
            "voltage_V": [1.0, 1.1, 1.2, 1.3] * 10,
            "pulse_width_s": [1e-6] * 20 + [1e-5] * 20,
            "r_before_ohm": 1e6,
            "r_after_ohm": [1e6, 1e6, 1e4, 1e4, 1e6, 1e4, 1e6, 1e4] * 5,
        },
        {"start_above": 1e5, "switched_below": 1e5},
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", sorted(SMALL))
def test_small_tables_are_fitted_without_a_murmur(case: str, tmp_path: Path) -> None:
    columns, options = SMALL[case]
    pd.DataFrame(columns).to_csv(tmp_path / "small.csv", index=False)
    run(FitOptions(tmp_path / "small.csv", tmp_path, **options))


def test_single_pulses_of_all_different_widths_are_fitted() -> None:
    """Jittered widths leave no two equal pulses; the outcomes overlap all the same."""
    random = np.random.default_rng(36)
    voltage = random.choice([1.0, 1.1, 1.2], 400)
    width = 1e-6 * 10 ** random.uniform(0, 2, 400)
    switched = random.exponential(size=400) < width / (1e-5 * np.exp(-(voltage - 1.1) / V0))
    frame = pd.DataFrame(
        {"voltage_V": voltage, "pulse_width_s": width, "switched": switched.astype(int)}
    )
    low, high = fit_table(frame, family="exponential").chosen.parameter("V0", "").ci95 or (0, 0)
    assert low is not None and high is not None and low < V0 < high


def test_a_default_is_the_same_wherever_it_stands() -> None:
    """The options of the command, of experiment.toml and of fit_table."""
    known = {field.name: field.default for field in fields(FitOptions)}
    shared = [field for field in fields(Choices) if field.name in known]
    assert len(shared) > 15
    for field in shared:
        assert field.default == known[field.name], field.name
    spelt = {"header": "no_header", "spread": "pool"}
    for parameter in signature(fit).parameters.values():
        name = next((k for k, v in spelt.items() if v == parameter.name), parameter.name)
        default = not parameter.default if name in spelt else parameter.default
        if name in known and name != "data":
            assert default == known[name] or (default is None and known[name] == ()), name
