"""The one table of what switching data cannot give: every value here is assumed and says so."""

from __future__ import annotations

import math

from devices.accelerations import ACCELERATIONS
from devices.cbram import Conduction
from devices.families import FAMILIES
from devices.law import Spread, SwitchingLaw
from devices.parameter import Parameter

ASSUMED_TEMPERATURE = 300.0
"""K; where a table has no temperature."""
KNAG2014_TAU0 = 2.85e5
"""s; used in Knag, Lu, Zhang, IEEE T-NANO 13, 283 (2014) (quoted from memory, to be checked)."""
KNAG2014_V0 = 0.156
"""V; same source. Also what V0 is assumed to be where a table has one voltage."""
_KNAG = "Knag, Lu, Zhang, IEEE T-NANO 13, 283 (2014), recalled"
_NOT_IN_DATA = "assumed: the data do not tell"


def assumed_spread() -> Spread:
    """Spread of a law fitted to data that hold one population without device labels."""
    return Spread(
        sigma_ln_tau_d2d=Parameter(
            0.2, "1", "assumed", f"{_NOT_IN_DATA}; a moderate device-to-device spread of tau"
        ),
        sigma_ln_v0_d2d=Parameter(0.0, "1", "assumed", f"{_NOT_IN_DATA}; taken as none"),
        correlation_d2d=Parameter(0.0, "1", "assumed", f"{_NOT_IN_DATA}; taken as none"),
        sigma_ln_tau_c2c=Parameter(0.0, "1", "assumed", f"{_NOT_IN_DATA}; taken as none"),
        memory=Parameter(0.0, "1", "assumed", f"{_NOT_IN_DATA}; cycles taken as independent"),
    )


def assumed_conduction() -> Conduction:
    """Resistances of a device whose data hold voltages and times only."""
    return Conduction(
        r_lrs=Parameter(100e3, "ohm", "assumed", f"{_NOT_IN_DATA}; a low-current filament"),
        r_hrs=Parameter(10e6, "ohm", "assumed", f"{_NOT_IN_DATA}; ON/OFF ratio 100"),
        sigma_ln_r_lrs=Parameter(0.1, "1", "assumed", _NOT_IN_DATA),
        sigma_ln_r_hrs=Parameter(0.3, "1", "assumed", _NOT_IN_DATA),
        correlation=Parameter(0.0, "1", "assumed", f"{_NOT_IN_DATA}; taken as none"),
    )


def assumed_set_law() -> SwitchingLaw:
    """The published law, assumed of a device whose data hold no SET."""
    note = f"{_NOT_IN_DATA} of SET; tau = {KNAG2014_TAU0:g} s exp(-V/{KNAG2014_V0:g} V), {_KNAG}"
    return knag2014_law("assumed", note)


def knag2014_law(source: str, note: str, reference_voltage: float = 3.2) -> SwitchingLaw:
    """tau = 2.85e5 s exp(-V/0.156 V); ``source`` says in what role it is used."""
    tau_ref = KNAG2014_TAU0 * math.exp(-reference_voltage / KNAG2014_V0)
    return SwitchingLaw(
        family=FAMILIES["exponential"],
        acceleration=ACCELERATIONS["exp(-V/V0)"],
        reference_voltage=reference_voltage,
        tau_ref=Parameter(tau_ref, "s", source, note),
        v0=Parameter(KNAG2014_V0, "V", source, note),
        shape=None,
        spread=assumed_spread(),
        valid_voltage=(2.6, 3.6),
        valid_width=(1e-6, 1e-1),
        valid_temperature=(ASSUMED_TEMPERATURE, ASSUMED_TEMPERATURE),
    )


def assumed_ideal_reset_time() -> Parameter:
    """How long an ideal RESET takes; sets the RESET current's energy."""
    return Parameter(100e-9, "s", "assumed", "ideal RESET: always succeeds after this time")


def assumed_endurance() -> Parameter:
    """Switching cycles of a device."""
    return Parameter(
        1e6,
        "cycles",
        "assumed",
        "between the 1e4 writes of the Adesto RM24C64C CBRAM memory data sheet and the better "
        "figures of device papers",
    )
