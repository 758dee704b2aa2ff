"""Hopping with and against the field: tau = tau0 / sinh(V/V0), linear in V below V0."""

import sympy

from devices.accelerations.base import LN_V0, VOLTAGE, Acceleration

_RATIO = VOLTAGE * sympy.exp(-LN_V0)


class SinhVoltage(Acceleration):
    """1/tau proportional to sinh(V/V0); V0 is the volts for a factor e far above V0."""

    name = "1/sinh(V/V0)"
    option = "sinh"
    source = (
        "Yu, Wong, IEEE TED (2011), 10.1109/TED.2011.2116120: dh/dt = v_h exp(-Ea/kT) "
        "sinh(alpha q V/2kT) (quoted by a second source)"
    )
    field_assisted = True
    # ln sinh(a) without overflow.
    voltage_term = -_RATIO - sympy.log(1 - sympy.exp(-2 * _RATIO)) + sympy.log(2)
