"""The Weibull family: P = 1 - exp(-u^k), k < 1 stretched, k > 1 compressed."""

import sympy

from devices.families.base import LN_SHAPE, LN_U, Family


class Weibull(Family):
    """Weakest-link switching statistics (Weibull, J. Appl. Mech. 18, 293, 1951)."""

    name = "weibull"
    has_shape = True
    shape_meaning = "exponent k: below 1 stretched, above 1 compressed"
    source = "Weibull, J. Appl. Mech. 18, 293 (1951): P = 1 - exp(-(t/tau)^k)"
    cumulative_hazard = sympy.exp(sympy.exp(LN_SHAPE) * LN_U)
