"""Which outcomes were measured alike: settings of the instrument, told apart despite rounding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characterization.fit.observations.base import Observations

_SAME = 1e-7
"""Relative difference below which two settings of the instrument are the same number."""


@dataclass(frozen=True)
class Settings:
    """The setting of each segment (``index``) and the settings' values, sorted by column."""

    index: np.ndarray
    columns: dict[str, np.ndarray]

    @property
    def count(self) -> int:
        """How many settings there are."""
        return int(next(iter(self.columns.values())).size)


def settings_of(data: Observations) -> Settings:
    """What was set for each history of one segment, its end left out.

    Waits: voltage_V; smooth ramps: rate_V_per_s and start_voltage_V; pulses: voltage_V and
    width_s; each with temperature_K where temperatures are known.
    """
    columns: dict[str, np.ndarray]
    if data.kind == "ramps":
        rate = (data.voltage - data.start) / data.duration
        columns = {"rate_V_per_s": rate, "start_voltage_V": data.start}
    elif data.kind == "waits":
        columns = {"voltage_V": data.voltage}
    else:
        columns = {"voltage_V": data.voltage, "width_s": data.duration}
    if data.temperature is not None:
        columns["temperature_K"] = data.temperature
    return grouped(columns)


def grouped(columns: dict[str, np.ndarray]) -> Settings:
    """Group rows whose columns are equal up to rounding; groups in the order of the columns."""
    parts = [_clusters(values) for values in columns.values()]
    code = np.zeros(parts[0][0].size, int)
    for rank, centres in parts:
        code = code * centres.size + rank
    _, first, index = np.unique(code, return_index=True, return_inverse=True)
    values = {
        name: centres[rank[first]] for name, (rank, centres) in zip(columns, parts, strict=True)
    }
    return Settings(index, values)


def snapped(values: np.ndarray) -> np.ndarray:
    """The values with those equal up to rounding made equal."""
    rank, centres = _clusters(values)
    return np.asarray(centres[rank])


def _clusters(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rank of each value among the distinct ones, and these without the noise of divisions."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    new = np.concatenate([[True], np.diff(ordered) > _SAME * np.abs(ordered[1:])])
    rank = np.empty(values.size, int)
    rank[order] = np.cumsum(new) - 1
    return rank, np.array([float(f"{value:.12g}") for value in ordered[new].tolist()])
