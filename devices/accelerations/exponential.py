"""tau falls exponentially with the voltage: tau = tau0 exp(-V/V0)."""

import sympy

from devices.accelerations.base import LN_V0, VOLTAGE, Acceleration


class ExponentialVoltage(Acceleration):
    """tau(V) = tau_ref exp(-(V - V_ref)/V0), the E-model (Jo et al. 2009, Gaba et al. 2013)."""

    name = "exp(-V/V0)"
    option = "exp"
    source = "Jo, Kim, Lu, Nano Lett. 9, 496 (2009); Gaba et al., Nanoscale 5, 5872 (2013)"
    field_assisted = True
    voltage_term = -VOLTAGE * sympy.exp(-LN_V0)
