"""The log-normal family: ln u is normal around 0 with standard deviation ``shape``."""

import numpy as np
import sympy
from scipy.special import ndtri_exp

from devices.families.base import LN_SHAPE, LN_U, Family
from devices.special import LogNormalTail


class LogNormal(Family):
    """Many multiplicative causes of similar size; tau is the median wait."""

    name = "lognormal"
    has_shape = True
    shape_meaning = "standard deviation of ln t"
    source = "Johnson, Kotz, Continuous Univariate Distributions (1970), ch. 14 (recalled)"
    cumulative_hazard = -LogNormalTail(-LN_U * sympy.exp(-LN_SHAPE))

    def threshold_expression(self) -> None:
        """None: the inverse of the normal distribution is no closed expression."""
        return

    def threshold(self, energy: np.ndarray, shape: float = 1.0) -> np.ndarray:
        """exp(shape z) with Phi(-z) = exp(-E)."""
        return np.asarray(np.exp(-shape * ndtri_exp(-np.asarray(energy, float))))
