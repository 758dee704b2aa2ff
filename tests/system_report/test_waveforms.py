"""What the page draws of a waveform lies on it, and has its steps."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from devices.cbram import NEVER
from formats.cells import read_cells, variable
from system.report.page.waveforms import TOLERANCE, corners, waveforms
from tests.system_report.pages import cells_with_a_waveform


def step(time: np.ndarray) -> np.ndarray:
    """A device that switches between two samples of a fine grid."""
    return np.where(time < 0.6183, 0.0, 1.0)


def pulses(time: np.ndarray) -> np.ndarray:
    """Glitches of one sample on a slow wave."""
    return np.sin(3 * time) + np.isin(np.arange(time.size), (700, 1301, 1302))


@pytest.mark.parametrize("signal", [step, pulses, np.exp, np.zeros_like])
def test_lines_between_the_kept_samples_are_the_waveform(signal: np.ufunc) -> None:
    time = np.cumsum(np.random.default_rng(1).exponential(size=2_000))
    time /= time[-1]
    values = signal(time)
    kept = corners(time, values)
    drawn = np.interp(time, time[kept], values[kept])
    assert np.abs(drawn - values).max() <= TOLERANCE * np.ptp(values)
    assert kept.size < 60


def test_a_step_is_drawn_between_its_two_samples() -> None:
    time = np.linspace(0, 1, 4_000)
    kept = corners(time, step(time))
    assert kept.size == 4 and np.diff(kept)[1] == 1


def test_a_threshold_that_is_never_met_is_not_drawn(tmp_path: Path) -> None:
    cells = read_cells(cells_with_a_waveform(tmp_path / "cells.nc"))
    time = cells.sng["waveform_time"].to_numpy()
    early = (time > 0.3 * time[-1]) & (time < 0.6 * time[-1])
    rising = np.where(np.arange(time.size) == np.flatnonzero(early)[-1] + 1, 0.3, 1.0)  # an edge
    sng = cells.sng.assign(
        waveform_threshold=variable(
            ("waveform_time",), np.where(early, 0.25, NEVER) * rising, "1", "simulated: test"
        )
    )
    chart = waveforms(dataclasses.replace(cells, groups={**cells.groups, "sng": sng}))
    assert chart is not None
    (drawn,) = chart.panels[-1].series
    inside = (drawn.x > 1e6 * time[early][0] * 0.999) & (drawn.x < 1e6 * time[early][-1] * 1.001)
    assert (drawn.y[inside] == 0.25).all() and np.isnan(drawn.y[~inside]).all()
    assert inside.sum() >= 2
