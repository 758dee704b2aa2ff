"""Drawings of the fit, and numbers as a reader wants them."""

from __future__ import annotations

from typing import Any

import pytest

from devices.presets import knag2014
from system.report.chart import drawing
from system.report.page.device import fit_pulses, fit_waits
from system.report.quantity import digits, quantity

COLUMNS = ("voltage_V", "width_s", "trials", "switched", "low", "high")


@pytest.mark.parametrize(
    "points",
    [
        {"voltage_V": [1, 2], "width_s": [1]},
        {"voltage_V": "x"},
        {name: [] for name in COLUMNS},
        {name: [None, None] for name in COLUMNS},
        {name: [0.0, 0.0] for name in COLUMNS},
    ],
)
def test_points_that_cannot_be_drawn_are_left_out(points: dict[str, Any]) -> None:
    law = knag2014().set
    assert fit_pulses(law, points) is None
    assert fit_waits(law, points) is None


def test_waiting_times_are_drawn_too() -> None:
    points = {
        "voltage_V": [3.0, 3.0, 3.2],
        "wait_time_s": [1e-3, 2e-3, 1e-4],
        "survival_observed": [0.5, 0.0, 0.0],
    }
    drawn = fit_waits(knag2014().set, points)
    assert drawn is not None and "still waiting" in drawing(drawn)


def test_quantities_have_three_digits_and_a_prefix() -> None:
    assert quantity(2.4689e-3, "J") == "2.47 mJ"
    assert quantity(9.996e-13, "J") == "1.00 pJ"
    assert quantity(4.12e-7, "m2") == "0.412 mm²"
    assert quantity(5e-12, "m2") == "5.00 µm²"
    assert quantity(0.0, "W") == "0 W"
    assert quantity(None, "J") == "unknown"
    assert quantity(99.96, "1") == "100"
    assert digits(61706) == "61\u202f700"
    assert digits(1.5e7) == "15\u202f000\u202f000"
    assert digits(3e12) == "3.00×10¹²"
