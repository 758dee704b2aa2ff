"""The exponential law with a log-normally spread tau, as a family: its shape is sigma of ln tau.

What single outcomes show where devices or cycles differ. Whether it is D2D, C2C or a stretched
family they do not tell: in device.json it is the exponential family with sigma as C2C spread.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import sympy

from devices.families import FAMILIES, Family
from devices.mixture import mixed_hazard_terms, mixed_log_density_terms, mixed_probability

_EXPONENTIAL = FAMILIES["exponential"]
_NAMES = {"": "", "x": "x", "t": "s", "xx": "xx", "xt": "xs", "tt": "ss"}
"""The mixture's derivatives by ln sigma (t) are those by the shape (s) here."""


class SpreadExponential(Family):
    """E_z[1 - exp(-u exp(-sigma z))], z standard normal."""

    name = "exponential + spread"
    has_shape = True
    shape_meaning = "standard deviation of ln tau from outcome to outcome"
    source = "Jo, Kim, Lu, Nano Lett. 9, 496 (2009), mixed over a log-normal tau"
    cumulative_hazard: ClassVar[sympy.Expr] = None

    def threshold_expression(self) -> None:
        """None: thresholds are drawn from the law it stands for."""
        return

    def hazard_terms(
        self, ln_u: np.ndarray, ln_shape: float, order: int = 2
    ) -> dict[str, np.ndarray]:
        """H of the mixture and its derivatives."""
        return _renamed(mixed_hazard_terms(_EXPONENTIAL, ln_u, 0.0, ln_shape, order))

    def log_density_terms(
        self, ln_u: np.ndarray, ln_shape: float, order: int = 2
    ) -> dict[str, np.ndarray]:
        """ln dF/dx of the mixture and its derivatives."""
        return _renamed(mixed_log_density_terms(_EXPONENTIAL, ln_u, 0.0, ln_shape, order))

    def hazard(self, exposure: Any, shape: float = 1.0, backend: str = "numpy") -> Any:
        """Cumulative hazard of the mixture (numpy)."""
        return -np.log1p(-mixed_probability(_EXPONENTIAL, exposure, 1.0, shape, backend))

    def threshold(self, energy: np.ndarray, shape: float = 1.0) -> np.ndarray:
        """The exposure whose H is ``energy``, by bisection."""
        energy = np.asarray(energy, float)
        reach = 50.0 + 9 * shape
        low, high = np.full(energy.shape, -reach), np.full(energy.shape, reach)
        for _ in range(60):
            half = (low + high) / 2
            above = self.hazard_terms(half, float(np.log(shape)), 0)[""] > energy
            low, high = np.where(above, low, half), np.where(above, half, high)
        return np.asarray(np.exp((low + high) / 2))


def _renamed(terms: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: terms[key] for key, name in _NAMES.items() if key in terms}


SPREAD_EXPONENTIAL = SpreadExponential()
