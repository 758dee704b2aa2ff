"""What a wait-time family is: the distribution F of the exposure at which a device switches.

The exposure u = integral of dt/tau(V) is dimensionless; a family has unit scale in u and at most
one shape parameter. Everything derives from the cumulative hazard H, F(u) = 1 - exp(-H(u)),
written once in sympy as a function of x = ln u and of s = ln(shape): the likelihood takes its
derivatives, the sampler its inverse, the netlist its threshold.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import sympy

from devices.expressions import compiled, derivative

LN_U = sympy.Symbol("x", real=True)
LN_SHAPE = sympy.Symbol("s", real=True)
ENERGY = sympy.Symbol("E", positive=True)
_LN_U_RANGE = (-700.0, 700.0)


@functools.cache
def _inverse(cumulative_hazard: sympy.Expr) -> sympy.Expr:
    """The exposure at which the cumulative hazard is ``ENERGY``."""
    solutions = sympy.solve(cumulative_hazard - ENERGY, LN_U)
    return sympy.simplify(sympy.exp(solutions[0]))


@dataclass(frozen=True)
class Family:
    """A family of switching distributions of the exposure.

    Subclasses set ``name``, ``has_shape``, ``source`` and the sympy expression
    ``cumulative_hazard`` of ``LN_U`` and ``LN_SHAPE``.
    """

    name: ClassVar[str]
    has_shape: ClassVar[bool]
    source: ClassVar[str]
    cumulative_hazard: ClassVar[sympy.Expr]

    def threshold_expression(self) -> sympy.Expr:
        """Y = F^-1(1 - exp(-E)) as an expression of ``ENERGY`` and ``LN_SHAPE``."""
        return _inverse(self.cumulative_hazard)

    def hazard_terms(self, ln_u: np.ndarray, ln_shape: float) -> dict[str, np.ndarray]:
        """H and its derivatives with respect to x = ln u and s = ln shape, at each ``ln_u``.

        Keys "H", "x", "s", "xx", "xs", "ss" and for densities of ln u "xxx", "xxs", "xss".
        """
        x = np.clip(ln_u, *_LN_U_RANGE)
        terms = {}
        for key in ("", "x", "s", "xx", "xs", "ss", "xxx", "xxs", "xss"):
            symbols = [LN_U if letter == "x" else LN_SHAPE for letter in key]
            expression = (
                derivative(self.cumulative_hazard, *symbols) if key else self.cumulative_hazard
            )
            value = compiled(expression, (LN_U, LN_SHAPE))(x, ln_shape)
            terms[key or "H"] = np.broadcast_to(np.asarray(value, dtype=float), np.shape(x))
        return terms

    def hazard(self, exposure: Any, shape: float = 1.0, backend: str = "numpy") -> Any:
        """Cumulative hazard H(u) of an exposure (numpy or JAX array), 0 at u = 0."""
        if backend == "numpy":
            xp: Any = np
        else:
            import jax.numpy as xp
        tiny = 1e-300 if backend == "numpy" else 1e-30
        ln_u = xp.log(xp.maximum(exposure, tiny))
        value = compiled(self.cumulative_hazard, (LN_U, LN_SHAPE), backend)(ln_u, np.log(shape))
        return xp.where(exposure > tiny, value, 0.0)

    def probability(self, exposure: Any, shape: float = 1.0, backend: str = "numpy") -> Any:
        """F(u): the probability that a device has switched when its exposure is u."""
        if backend == "numpy":
            return -np.expm1(-self.hazard(np.asarray(exposure, dtype=float), shape))
        import jax.numpy as jnp

        return -jnp.expm1(-self.hazard(exposure, shape, "jax"))

    def threshold(self, energy: np.ndarray, shape: float = 1.0) -> np.ndarray:
        """Exposure Y at which a device with the Exp(1) variate ``energy`` switches."""
        function = compiled(self.threshold_expression(), (ENERGY, LN_SHAPE))
        return np.asarray(
            np.broadcast_to(function(np.asarray(energy, float), np.log(shape)), np.shape(energy))
        )

    def quantile(self, probability: np.ndarray, shape: float = 1.0) -> np.ndarray:
        """F^-1(p), the exposure that gives the probability p (0 <= p < 1)."""
        return self.threshold(-np.log1p(-np.asarray(probability, float)), shape)
