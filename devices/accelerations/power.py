"""tau falls as a power of the voltage: tau = tau_ref (V/V_ref)^(-n), n = V_ref/V0."""

import math

import sympy

from devices.accelerations.base import LN_V0, REFERENCE, VOLTAGE, Acceleration


class PowerVoltage(Acceleration):
    """Power law in V; V0 = V_ref/n is the volts for a factor e at the reference voltage."""

    name = "(V/Vref)^-n"
    option = "power"
    source = "Wu et al., IEEE TED 49, 2244 (2002), on oxide breakdown (recalled)"
    field_assisted = False
    voltage_term = -REFERENCE * sympy.exp(-LN_V0) * sympy.log(VOLTAGE)

    def own_parameter(self, v0: float, reference: float) -> tuple[str, float, str]:
        """The exponent n = V_ref/V0."""
        return "n", reference / v0, "1"

    def moved(self, ln_v0: float, reference: float, new: float) -> float:
        """n stays, so V0 = V_ref/n moves with the reference voltage."""
        return ln_v0 + math.log(new / reference)
