"""Devices by name, with the source of their numbers."""

from __future__ import annotations

import math

from devices.accelerations import ACCELERATIONS
from devices.cbram import CBRAM
from devices.defaults import (
    ASSUMED_TEMPERATURE,
    assumed_conduction,
    assumed_endurance,
    assumed_ideal_reset_time,
    assumed_spread,
    knag2014_law,
)
from devices.families import FAMILIES
from devices.law import SwitchingLaw
from devices.parameter import Parameter

_CITATION = "Knag, Lu, Zhang, IEEE T-NANO 13, 283 (2014), recalled, not re-read"


def knag2014(reference_voltage: float = 3.2) -> CBRAM:
    """The published law tau = 2.85e5 s exp(-V/0.156 V), everything else from the default table."""
    return CBRAM(
        name="knag2014",
        voltage_reference="cell",
        set=knag2014_law("taken", _CITATION, reference_voltage),
        reset=None,
        ideal_reset_time=assumed_ideal_reset_time(),
        conduction=assumed_conduction(),
        endurance=assumed_endurance(),
    )


LOW_VOLTAGE = 0.55
"""V; SET voltage of P = 1/2 in 1 us of the low-voltage CBRAM, assumed."""
LOW_VOLTAGE_V0 = 0.03
"""V; its V0, assumed."""
_LOW = (
    "assumed, no paper's: CBRAM on a thin fast ion conductor (Ag or Cu in a chalcogenide) is "
    "recalled to SET quasi-statically at 0.2 to 0.4 V and within microseconds at 0.5 to 0.6 V, "
    "its wait time falling a factor e in 25 to 50 mV, near kT/q over a transfer coefficient, as "
    "where electron transfer limits it"
)


def cbram_low_voltage(reference_voltage: float = LOW_VOLTAGE) -> CBRAM:
    """A low-voltage CBRAM, every number assumed: core transistors of 1.1 V write and RESET it.

    tau = 1 us/ln 2 at 0.55 V and a factor e in 0.03 V, which gives 132 s at 0 V: 0.16 s at 0.35 V.
    Resistances, ideal RESET, spread and endurance are those of the default table, so that it
    differs from ``knag2014`` by its voltages only.
    """
    tau = 1e-6 / math.log(2) * math.exp((LOW_VOLTAGE - reference_voltage) / LOW_VOLTAGE_V0)
    law = SwitchingLaw(
        family=FAMILIES["exponential"],
        acceleration=ACCELERATIONS["exp(-V/V0)"],
        reference_voltage=reference_voltage,
        tau_ref=Parameter(tau, "s", "assumed", f"P = 1/2 in 1 us at {LOW_VOLTAGE:g} V; {_LOW}"),
        v0=Parameter(LOW_VOLTAGE_V0, "V", "assumed", _LOW),
        shape=None,
        spread=assumed_spread(),
        valid_voltage=(0.2, 0.7),
        valid_width=(1e-8, 1e-2),
        valid_temperature=(ASSUMED_TEMPERATURE, ASSUMED_TEMPERATURE),
    )
    return CBRAM(
        name="cbram-lv-assumed",
        voltage_reference="cell",
        set=law,
        reset=None,
        ideal_reset_time=assumed_ideal_reset_time(),
        conduction=assumed_conduction(),
        endurance=assumed_endurance(),
    )


PRESETS = {"knag2014": knag2014, "cbram-lv-assumed": cbram_low_voltage}
"""Devices by name, as functions that make them."""
