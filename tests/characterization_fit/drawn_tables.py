"""Tables drawn from a known law, for the tests of what a reader is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from characterization.fit.inference.candidate import Candidate, fit_candidate
from characterization.fit.observations.base import pooled
from characterization.fit.observations.kinds import observe
from characterization.fit.table.readers import table_of_frame
from devices.accelerations import ACCELERATIONS
from devices.families import FAMILIES

TAU, V0 = 1e-4, 0.15
"""tau at 2 V and V0 of the simulated devices."""


def tau(voltage: Any) -> Any:
    return TAU * np.exp(-(np.asarray(voltage) - 2.0) / V0)


def fitted(kind: str, frame: pd.DataFrame, family: str = "exponential", **more: Any) -> Candidate:
    data = pooled(observe(table_of_frame(frame), kind))
    acceleration = ACCELERATIONS["exp(-V/V0)"]
    return fit_candidate(data, FAMILIES[family], acceleration, where="simulated", **more)


def pulses(
    widths: Any, voltages: Any, trials: int = 200, warm: tuple[float, ...] = ()
) -> pd.DataFrame:
    random = np.random.default_rng(1)
    rows = [
        {
            "voltage_V": v,
            "pulse_width_s": w,
            "trials": trials,
            "switched": random.binomial(trials, -np.expm1(-w / tau(v) * heat / 300.0)),
            **({"temperature_K": heat} if warm else {}),
        }
        for heat in (warm or (300.0,))
        for w in widths
        for v in voltages
    ]
    return pd.DataFrame(rows)


def waits(voltages: Any, count: int, limit: float = np.inf, shape: float = 1.0) -> pd.DataFrame:
    random = np.random.default_rng(2)
    voltage = np.repeat(voltages, count)
    time = tau(voltage) * random.standard_exponential(voltage.size) ** (1 / shape)
    return pd.DataFrame(
        {
            "voltage_V": voltage,
            "wait_time_s": np.minimum(time, limit),
            "switched": (time <= limit).astype(int),
        }
    )


def ramps(rates: Any, count: int, step: float | None = None) -> pd.DataFrame:
    random = np.random.default_rng(3)
    rate = np.repeat(rates, count)
    energy = random.standard_exponential(rate.size)
    voltage = V0 * np.log1p(energy * rate / V0 * tau(0.0))
    frame = pd.DataFrame({"ramp_rate_V_per_s": rate, "set_voltage_V": voltage, "switched": 1})
    if step is None:
        return frame
    levels = np.round(np.ceil(voltage / step) * step, 9)
    return frame.assign(set_voltage_V=levels, voltage_step_V=step)
