"""tau falls exponentially with the voltage: tau = tau0 exp(-V/V0)."""

import sympy

from devices.accelerations.base import LN_TAU_REF, LN_V0, REFERENCE, VOLTAGE, Acceleration


class ExponentialVoltage(Acceleration):
    """tau(V) = tau_ref exp(-(V - V_ref)/V0), as in Jo et al. 2009 and Gaba et al. 2013."""

    name = "exp(-V/V0)"
    source = "Jo, Kim, Lu, Nano Lett. 9, 496 (2009); Gaba et al., Nanoscale 5, 5872 (2013)"
    ln_tau = LN_TAU_REF - (VOLTAGE - REFERENCE) * sympy.exp(-LN_V0)
