"""What is shown says what it rests on: assumed parts, pooled pictures, too few outcomes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from characterization.fit import FitFiles, FitOptions, fit_table, run
from characterization.fit.account.plot import law_panels
from characterization.fit.account.screen import _counts
from characterization.fit.account.tables import derived_of, parameter_grid
from characterization.fit.make_device import device_of
from formats.errors import Remark

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_tau0_from_an_assumed_v0_is_called_assumed() -> None:
    frame = pd.DataFrame(
        {"voltage_V": 1.5, "pulse_width_s": [1e-6, 1e-5], "trials": 100, "switched": [20, 90]}
    )
    result = fit_table(frame, family="exponential")
    grid = parameter_grid(result, device_of(result, "x", "x"))
    kinds = dict(zip([row[0] for row in grid.rows], grid.kinds, strict=True))
    assert kinds["tau_ref at 1.5 V"] == "fitted"
    assert kinds["tau0 (at 0 V)"] == "assumed"


@pytest.mark.parametrize(
    ("option", "name", "expected"), [("power", "n", 2.0 / 0.1), ("inverse", "B", 4.0 / 0.1)]
)
def test_power_and_inverse_laws_show_their_own_parameter(
    option: str, name: str, expected: float
) -> None:
    """Drawn from n = 20 and B = 40 V: within 5 %."""
    random = np.random.default_rng(40)
    voltage = np.tile([1.6, 1.8, 2.0, 2.2, 2.4], 3)
    width = np.repeat([1e-6, 1e-5, 1e-4], 5)
    ln_tau = -20 * np.log(voltage / 2) if option == "power" else 40 / voltage - 20
    p = -np.expm1(-width / (1e-5 * np.exp(ln_tau)))
    frame = pd.DataFrame(
        {
            "voltage_V": voltage,
            "pulse_width_s": width,
            "trials": 4000,
            "switched": random.binomial(4000, p),
        }
    )
    result = fit_table(frame, family="exponential", acceleration=option)
    shown = dict(derived_of(device_of(result, "x", "x").set))
    assert shown[name].value == pytest.approx(expected, rel=0.05)
    assert shown[name].source == "derived"


def test_three_outcomes_are_too_few_for_a_shape() -> None:
    frame = pd.DataFrame(
        {"voltage_V": [1.0, 1.1, 1.2], "wait_time_s": [3e-3, 1e-3, 3e-4], "switched": [1, 1, 0]}
    )
    result = fit_table(frame)
    assert [c.family.name for c in result.candidates] == ["exponential"]
    assert "3 outcomes are too few for it" in "\n".join(result.verdict)


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> FitFiles:
    return run(FitOptions(EXAMPLES / "devices.csv", tmp_path_factory.mktemp("population")))


def test_pictures_of_a_population_say_that_they_pool(population: FitFiles) -> None:
    assert population.result.set is not None
    for panel in law_panels(population.result.set):
        assert "devices pooled" in panel.title
        assert "not that of device.json" in panel.caption
    assert "devices pooled" in population.page.read_text()


def test_a_rejected_law_names_what_was_not_tried() -> None:
    random = np.random.default_rng(41)
    voltage = np.tile([0.8, 1.2, 1.6, 2.0, 2.4], 3)
    width = np.repeat([1e-6, 1e-5, 1e-4], 5)
    p = -np.expm1(-width / (1e-5 * (voltage / 1.6) ** -6))
    frame = pd.DataFrame(
        {
            "voltage_V": voltage,
            "pulse_width_s": width,
            "trials": 2000,
            "switched": random.binomial(2000, p),
        }
    )
    words = "\n".join(fit_table(frame).verdict)
    assert "rejected" in words
    assert "--acceleration auto" in words
    assert "--acceleration auto" not in "\n".join(fit_table(frame, acceleration="auto").verdict)


@pytest.mark.parametrize(
    ("volts", "widths", "expected"),
    [
        ((1.2e-3, 1.3e-3, 1.4e-3), (1e-6, 1e-5), r"SET: V0 is .* is the voltage in V\?"),
        ((1.2, 1.3, 1.4), (100, 1000), r"are these us or ns\?"),
    ],
)
def test_a_likely_wrong_unit_is_warned_of_beside_the_verdict(
    volts: tuple[float, ...], widths: tuple[float, ...], expected: str
) -> None:
    frame = pd.DataFrame(
        [(v, w, 100, k) for v, ks in zip(volts, ((2, 18), (8, 55), (33, 98)), strict=True)
         for w, k in zip(widths, ks, strict=True)],
        columns=["voltage_V", "pulse_width_s", "trials", "switched"],
    )  # fmt: skip
    with pytest.warns(Remark, match=expected) as told:
        result = fit_table(frame, family="exponential")
    assert len(told) == 1
    assert str(told[0].message) in result.verdict


def test_a_table_without_set_is_told_whose_set_law_it_gets() -> None:
    frame = pd.DataFrame(
        [(-v, w, 50, k) for v, w, k in ((1.2, 1e-6, 8), (1.4, 1e-6, 24), (1.2, 1e-5, 33))],
        columns=["voltage_V", "pulse_width_s", "trials", "switched"],
    )
    with pytest.warns(Remark, match="the table holds no SET") as told:
        result = fit_table(frame, family="exponential")
    assert str(told[0].message) in result.verdict


def test_a_count_of_one_is_singular() -> None:
    console = Console(record=True, width=110, file=io.StringIO())
    _counts("pulses", {"rows_read": 1, "not_switched": 1, "widths": 2}, console)
    assert console.export_text() == "pulses: 1 row read, 1 not switched, 2 widths\n"
