"""The waveforms of the SNG, one panel a signal."""

from __future__ import annotations

import numpy as np

from devices.cbram import NEVER
from formats.cells import Cells
from system.budget.units import source
from system.report.chart import Axis, Chart, Panel, Series

TOLERANCE = 0.003
"""Of the range of a waveform: less than a line is wide."""


def waveforms(cells: Cells) -> Chart | None:
    """The simulated waveforms of the SNG; None where cells.nc holds none."""
    group = cells.sng
    if "waveform_time" not in group.coords:
        return None
    names = [
        str(name)
        for name in group.data_vars
        if str(name).startswith("waveform_") and group[name].dims == ("waveform_time",)
    ]
    if not names:
        return None
    time = group["waveform_time"].to_numpy()
    scale, time_unit = (1e6, "µs") if time.max() < 1e-2 else (1e3, "ms")
    panels = []
    for number, name in enumerate(names):
        attributes = group[name].attrs
        label = str(attributes.get("long_name", name.removeprefix("waveform_")))
        unit = str(attributes.get("units", "1"))
        values = group[name].to_numpy()
        never = values > 1e-9 * NEVER  # a pulse without a threshold, and the edge on its way there
        shown = np.where(never, np.nan, values)
        kept = corners(time, np.where(never, np.nanmax(shown, initial=0.0), values))
        kept = np.unique([*kept, *_edges(never)])
        panels.append(
            Panel(
                (Series(label, scale * time[kept], shown[kept], "line", number, listed=False),),
                Axis(f"time ({time_unit})"),
                Axis(unit=unit),
                label if unit in ("", "1") else f"{label} ({unit})",
            )
        )
    return Chart(
        "waveforms",
        "Waveforms of the SNG cell over time",
        f"Waveforms of the SNG cell ({source(cells, 'sng', names[0])} and the like).",
        tuple(panels),
        size=0.7 + 0.95 * len(names),
    )


def corners(time: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Indices of the samples between which straight lines show a waveform to ``TOLERANCE``.

    Ramer's and Douglas and Peucker's way (1972, 1973), with distances along the axis of values.
    """
    bound = TOLERANCE * float(np.ptp(values))
    kept, waiting = [0, time.size - 1], [(0, time.size - 1)]
    while waiting:
        start, end = waiting.pop()
        if end - start < 2:
            continue
        line = np.interp(time[start : end + 1], time[[start, end]], values[[start, end]])
        distance = np.abs(values[start : end + 1] - line)
        farthest = start + int(np.argmax(distance))
        if distance[farthest - start] > bound:
            kept.append(farthest)
            waiting += [(start, farthest), (farthest, end)]
    return np.unique(kept)


def _edges(told: np.ndarray) -> np.ndarray:
    """Indices on both sides of every change."""
    changes = np.flatnonzero(told[1:] != told[:-1])
    return np.concatenate([changes, changes + 1])
