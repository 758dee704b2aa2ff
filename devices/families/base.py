"""What a wait-time family is: the distribution F of the exposure at which a device switches.

The exposure u = integral of dt/tau(V) is dimensionless; a family has unit scale in u and at most
one shape parameter. Everything derives from the cumulative hazard H, F(u) = 1 - exp(-H(u)),
written once in sympy as a function of x = ln u and of s = ln(shape): the likelihood takes its
derivatives, the sampler its inverse, the netlist its threshold. A family whose H is no closed
expression overrides ``hazard_terms``, ``log_density_terms``, ``hazard`` and ``threshold``.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import sympy

from devices.expressions import compiled, derivative, filled

LN_U = sympy.Symbol("x", real=True)
LN_SHAPE = sympy.Symbol("s", real=True)
ENERGY = sympy.Symbol("E", positive=True)
LN_U_RANGE = (-700.0, 700.0)
TERMS = (("",), ("", "x", "s"), ("", "x", "s", "xx", "xs", "ss"))
"""Derivatives wanted at order 0, 1 and 2; "" is the function itself."""


@functools.cache
def _inverse(cumulative_hazard: sympy.Expr) -> sympy.Expr:
    """The exposure at which the cumulative hazard is ``ENERGY``."""
    solutions = sympy.solve(cumulative_hazard - ENERGY, LN_U)
    return sympy.simplify(sympy.exp(solutions[0]))


@functools.cache
def _log_density(cumulative_hazard: sympy.Expr) -> sympy.Expr:
    """ln dF/dx = ln H_x - H."""
    slope = sympy.simplify(sympy.diff(cumulative_hazard, LN_U))
    return sympy.expand_log(sympy.log(slope), force=True) - cumulative_hazard


@dataclass(frozen=True)
class Family:
    """A family of switching distributions of the exposure.

    Subclasses set ``name``, ``has_shape``, ``shape_meaning``, ``source`` and the sympy expression
    ``cumulative_hazard`` of ``LN_U`` and ``LN_SHAPE``.
    """

    name: ClassVar[str]
    has_shape: ClassVar[bool]
    shape_meaning: ClassVar[str] = ""
    source: ClassVar[str]
    cumulative_hazard: ClassVar[sympy.Expr]

    def threshold_expression(self) -> sympy.Expr | None:
        """Y = F^-1(1 - exp(-E)) of ``ENERGY`` and ``LN_SHAPE``; None if no closed form is."""
        return _inverse(self.cumulative_hazard)

    def hazard_terms(
        self, ln_u: np.ndarray, ln_shape: float, order: int = 2
    ) -> dict[str, np.ndarray]:
        """H and its derivatives by x = ln u and s = ln shape up to ``order``, at each ``ln_u``.

        Keys "" (H itself), "x", "s", "xx", "xs", "ss".
        """
        return _terms(self.cumulative_hazard, ln_u, ln_shape, order)

    def log_density_terms(
        self, ln_u: np.ndarray, ln_shape: float, order: int = 2
    ) -> dict[str, np.ndarray]:
        """The same of ln dF/dx, the logarithm of the density of x = ln u."""
        return _terms(_log_density(self.cumulative_hazard), ln_u, ln_shape, order)

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
        expression = self.threshold_expression()
        assert expression is not None, f"{self.name} overrides threshold"
        function = compiled(expression, (ENERGY, LN_SHAPE))
        return np.asarray(
            np.broadcast_to(function(np.asarray(energy, float), np.log(shape)), np.shape(energy))
        )

    def quantile(self, probability: np.ndarray, shape: float = 1.0) -> np.ndarray:
        """F^-1(p), the exposure that gives the probability p (0 <= p < 1)."""
        return self.threshold(-np.log1p(-np.asarray(probability, float)), shape)


@functools.cache
def _compiled_terms(expression: sympy.Expr, order: int) -> Any:
    """One function of (x, s) that gives all derivatives, sharing their common parts."""
    rows = []
    for key in TERMS[order]:
        symbols = [LN_U if letter == "x" else LN_SHAPE for letter in key]
        rows.append(derivative(expression, *symbols) if key else expression)
    return compiled(sympy.Tuple(*rows), (LN_U, LN_SHAPE))


def _terms(
    expression: sympy.Expr, ln_u: np.ndarray, ln_shape: float, order: int
) -> dict[str, np.ndarray]:
    x = np.clip(ln_u, *LN_U_RANGE)
    values = _compiled_terms(expression, order)(x, ln_shape)
    shape = np.shape(x)
    return {key: filled(value, shape) for key, value in zip(TERMS[order], values, strict=True)}
