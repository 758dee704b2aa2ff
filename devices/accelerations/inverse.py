"""The 1/E model: tau = tau_inf exp(B/V), B = V_ref^2/V0."""

import math

import sympy

from devices.accelerations.base import LN_V0, REFERENCE, VOLTAGE, Acceleration


class InverseVoltage(Acceleration):
    """exp(B/V); V0 = V_ref^2/B is the volts for a factor e at the reference voltage."""

    name = "exp(B/V)"
    option = "inverse"
    source = "Chen, Holland, Hu, IEEE TED 32, 413 (1985), on oxide breakdown (recalled)"
    field_assisted = True
    voltage_term = REFERENCE**2 * sympy.exp(-LN_V0) / VOLTAGE

    def own_parameter(self, v0: float, reference: float) -> tuple[str, float, str]:
        """B = V_ref^2/V0."""
        return "B", reference**2 / v0, "V"

    def moved(self, ln_v0: float, reference: float, new: float) -> float:
        """B stays, so V0 = V_ref^2/B moves with the reference voltage."""
        return ln_v0 + 2 * math.log(new / reference)
