"""The exponential family: a constant hazard per unit exposure, P = 1 - exp(-u)."""

import sympy

from devices.families.base import LN_U, Family


class Exponential(Family):
    """First passage with a constant rate at constant voltage (Jo et al. 2009)."""

    name = "exponential"
    has_shape = False
    source = "Jo, Kim, Lu, Nano Lett. 9, 496 (2009): P(t) = 1 - exp(-t/tau)"
    cumulative_hazard = sympy.exp(LN_U)
