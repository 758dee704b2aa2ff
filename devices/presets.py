"""Devices by name, with the source of their numbers."""

from __future__ import annotations

from devices.cbram import CBRAM
from devices.defaults import (
    assumed_conduction,
    assumed_endurance,
    assumed_ideal_reset_time,
    knag2014_law,
)

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
