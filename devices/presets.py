"""Devices by name, with the source of their numbers."""

from __future__ import annotations

import math

from devices.accelerations import ACCELERATIONS
from devices.cbram import CBRAM
from devices.defaults import (
    KNAG2014_TAU0,
    KNAG2014_V0,
    assumed_conduction,
    assumed_endurance,
    assumed_ideal_reset_time,
    assumed_spread,
)
from devices.families import FAMILIES
from devices.law import SwitchingLaw
from devices.parameter import Parameter

_CITATION = "Knag, Lu, Zhang, IEEE T-NANO 13, 283 (2014), recalled, not re-read"


def knag2014(reference_voltage: float = 3.2) -> CBRAM:
    """The published law tau = 2.85e5 s exp(-V/0.156 V), everything else from the default table."""
    tau_ref = KNAG2014_TAU0 * math.exp(-reference_voltage / KNAG2014_V0)
    law = SwitchingLaw(
        family=FAMILIES["exponential"],
        acceleration=ACCELERATIONS["exp(-V/V0)"],
        reference_voltage=reference_voltage,
        tau_ref=Parameter(tau_ref, "s", "taken", _CITATION),
        v0=Parameter(KNAG2014_V0, "V", "taken", _CITATION),
        shape=None,
        spread=assumed_spread(),
        valid_voltage=(2.6, 3.6),
        valid_width=(1e-6, 1e-1),
        valid_temperature=(300.0, 300.0),
    )
    return CBRAM(
        name="knag2014",
        voltage_reference="cell",
        set=law,
        reset=None,
        ideal_reset_time=assumed_ideal_reset_time(),
        conduction=assumed_conduction(),
        endurance=assumed_endurance(),
    )
