"""A device from a fitted law; what the data cannot give comes from the default table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from characterization.fit.analysis import FitResult
from devices.cbram import CBRAM
from devices.defaults import (
    assumed_endurance,
    assumed_ideal_reset_time,
    assumed_spread,
)
from devices.law import Spread
from devices.parameter import Parameter

ASSUMED_TEMPERATURE = 300.0
"""K; where the table has no temperature."""


def device_of(result: FitResult, name: str, source: str) -> CBRAM:
    """The CBRAM of device.json; ``source`` names the data file in each fitted parameter."""
    data, told = result.data, result.circumstances
    temperature = told.temperature if told.temperature is not None else ASSUMED_TEMPERATURE
    law = result.chosen.law(
        f"fitted to {source}",
        _spread(result),
        (
            (float(data.voltage.min()), float(data.voltage.max())),
            (float(data.duration.min()), float(data.duration.max())),
            (temperature, temperature),
        ),
    )
    if result.bracket is not None:
        law = replace(law, v0=_bracketed(law.v0, result.bracket.below))
    return CBRAM(
        name=name,
        voltage_reference=told.voltage_reference,
        set=law,
        reset=None,
        ideal_reset_time=assumed_ideal_reset_time(),
        conduction=told.conduction,
        endurance=assumed_endurance(),
    )


def parameters_of(device: CBRAM) -> Iterator[tuple[str, Parameter]]:
    """Every parameter of a device with the name it is shown under."""
    law = device.set
    yield "tau_ref", law.tau_ref
    yield "V0", law.v0
    if law.shape is not None:
        yield "shape", law.shape
    for owner in (law.spread, device.conduction):
        for field in owner.__dataclass_fields__:
            yield field, getattr(owner, field)
    yield "ideal_reset_time", device.ideal_reset_time
    yield "endurance", device.endurance


def _spread(result: FitResult) -> Spread:
    """The assumed spread; none where the law is already the marginal over devices."""
    spread = assumed_spread()
    devices = result.circumstances.devices
    if devices is None or devices[0] == 1:
        return spread
    inside = Parameter(
        0.0,
        "1",
        "assumed",
        "the fitted law is the marginal over devices, so their spread is inside it",
    )
    return replace(spread, sigma_ln_tau_d2d=inside)


def _bracketed(v0: Parameter, below: float) -> Parameter:
    """V0 with the interval that one informative voltage supports, open below."""
    high = v0.ci95[1] if v0.ci95 is not None else None
    return replace(
        v0,
        stderr=None,
        ci95=(None, below if high is None else max(below, high)),
        note=f"{v0.note}; only bracketed: one informative voltage",
    )
