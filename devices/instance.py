"""What the ngspice and the Verilog-A text of a device share: parameters and rates of an instance.

The rate is printed from the acceleration's own expression; here only the names are chosen.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy

from devices.accelerations.base import (
    ACTIVATION,
    BOLTZMANN_EV,
    LN_TAU_REF,
    LN_V0,
    REFERENCE,
    VOLTAGE,
    WARMTH,
)
from devices.cbram import CBRAM
from devices.law import SwitchingLaw

Printer = Callable[[sympy.Expr, dict[sympy.Symbol, str]], str]
"""``devices.expressions.spice`` or ``veriloga``."""
CLEARING_TIME = 10e-9
"""s; time constant with which an exposure is cleared."""
LATCH_TIME = 1e-9
"""s; time constant of the state's change once a threshold is reached."""
CAPACITANCE = 1e-6
"""F; numerical scale of the integrators, of no effect on the exposures."""
_SMALLEST_VOLTAGE = 1e-6
"""V; below it the rate is printed as that at it, which no simulator can tell from 0."""


def instance_parameters(device: CBRAM) -> dict[str, float]:
    """Parameters of an instance with their values of this device (SI), in the order written.

    ``t_kelvin``, the temperature, is among them where a law has an activation energy; 0, its
    value, stands for each law's own reference temperature, as None does in Python. A law without an
    activation energy is the same at any.
    """
    parameters = {
        **_law_parameters(device.set, "set"),
        "r_lrs": device.conduction.r_lrs.value,
        "r_hrs": device.conduction.r_hrs.value,
        "state0": 0.0,
    }
    if device.reset is None:
        parameters["t_reset"] = device.ideal_reset_time.value
    else:
        parameters |= _law_parameters(device.reset, "reset")
    laws = (device.set, device.reset)
    if any(law is not None and law.activation is not None for law in laws):
        parameters["t_kelvin"] = 0.0
    return parameters


def rate_text(law: SwitchingLaw, voltage: str, suffix: str, printer: Printer) -> str:
    """1/tau (1/s) at the voltage magnitude named, in the parameters ending in ``_suffix``.

    To be used where the magnitude is positive; the exponent is held below e^80.
    """
    names = {
        VOLTAGE: f"max({voltage},{_SMALLEST_VOLTAGE:g})",
        REFERENCE: f"vref_{suffix}",
        LN_TAU_REF: f"ln(tau_{suffix})",
        LN_V0: f"ln(v0_{suffix})",
    }
    if law.activation is None:
        ln_tau = law.acceleration.ln_tau
    else:
        ln_tau = law.acceleration.ln_tau_warm(law.v0_follows_temperature)
        kelvin = law.reference_temperature
        names[WARMTH] = f"((t_kelvin > 0) ? t_kelvin/{kelvin:.12g} : 1.0)"
        names[ACTIVATION] = f"(ea_{suffix}/{BOLTZMANN_EV * kelvin:.12g})"
    return f"exp(min(80.0,{printer(-ln_tau, names)}))"


def _law_parameters(law: SwitchingLaw, suffix: str) -> dict[str, float]:
    parameters = {
        f"tau_{suffix}": law.tau_ref.value,
        f"v0_{suffix}": law.v0.value,
        f"vref_{suffix}": law.reference_voltage,
    }
    if law.activation is not None:
        parameters[f"ea_{suffix}"] = law.activation.value
    return parameters
