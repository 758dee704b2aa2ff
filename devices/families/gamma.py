"""The gamma family: several exponential steps in a row (shape their number), or fewer than one."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from devices.families.base import LN_U_RANGE, Family

_STEP = 2e-3
"""Step in s = ln(shape) of the five-point differences: error 1e-11 (first), 1e-8 (second)."""
_ASYMPTOTIC = 500.0
"""Exposure beyond which the upper tail is taken from its asymptotic series."""


class Gamma(Family):
    """F(u) = P(shape, u), the regularised lower incomplete gamma function."""

    name = "gamma"
    has_shape = True
    shape_meaning = "number of exponential steps in a row"
    source = "Johnson, Kotz, Continuous Univariate Distributions (1970), ch. 17 (recalled)"

    def threshold_expression(self) -> None:
        """None: the inverse of the incomplete gamma function is no closed expression."""
        return

    def log_density_terms(
        self, ln_u: np.ndarray, ln_shape: float, order: int = 2
    ) -> dict[str, np.ndarray]:
        """k x - e^x - ln Gamma(k) and its derivatives."""
        x, k = np.clip(ln_u, *LN_U_RANGE), float(np.exp(ln_shape))
        u = np.exp(x)
        terms = {"": k * x - u - special.gammaln(k)}
        if order >= 1:
            score = special.digamma(k)
            terms |= {"x": k - u, "s": k * (x - score)}
        if order == 2:
            curve = special.polygamma(1, k)
            terms |= {
                "xx": -u,
                "xs": np.full(np.shape(x), k),
                "ss": k * (x - score) - k * k * curve,
            }
        return terms

    def hazard_terms(
        self, ln_u: np.ndarray, ln_shape: float, order: int = 2
    ) -> dict[str, np.ndarray]:
        """-ln Q(k, u); by ln u exactly, by ln k from five-point differences."""
        x = np.clip(ln_u, *LN_U_RANGE)
        u = np.exp(x)
        density = self.log_density_terms(x, ln_shape, order)
        value = _hazard(u, float(np.exp(ln_shape)))
        terms = {"": value}
        if order >= 1:
            slope = np.exp(np.minimum(density[""] + value, 700.0))
            around = [_hazard(u, float(np.exp(ln_shape + j * _STEP))) for j in (-2, -1, 1, 2)]
            by_shape = (around[0] - 8 * around[1] + 8 * around[2] - around[3]) / (12 * _STEP)
            terms |= {"x": slope, "s": by_shape}
        if order == 2:
            terms |= {
                "xx": slope * (density["x"] + slope),
                "xs": slope * (density["s"] + by_shape),
                "ss": (-around[0] + 16 * around[1] - 30 * value + 16 * around[2] - around[3])
                / (12 * _STEP**2),
            }
        return terms

    def hazard(self, exposure: Any, shape: float = 1.0, backend: str = "numpy") -> Any:
        """Cumulative hazard H(u) of an exposure (numpy or JAX array), 0 at u = 0."""
        if backend == "numpy":
            return _hazard(np.asarray(exposure, float), shape)
        import jax.numpy as jnp
        from jax.scipy.special import gammainc, gammaincc

        low = -jnp.log1p(-jnp.minimum(gammainc(shape, exposure), 0.5))
        high = -jnp.log(jnp.maximum(gammaincc(shape, exposure), 1e-30))
        return jnp.where(high > jnp.log(2.0), high, low)

    def threshold(self, energy: np.ndarray, shape: float = 1.0) -> np.ndarray:
        """The exposure whose upper tail is exp(-E)."""
        energy = np.asarray(energy, float)
        low = special.gammaincinv(shape, -np.expm1(-energy))
        high = special.gammainccinv(shape, np.exp(-energy))
        return np.asarray(np.where(energy < np.log(2.0), low, high))


def _hazard(u: np.ndarray, k: float) -> np.ndarray:
    """-ln Q(k, u), accurate in both tails."""
    with np.errstate(all="ignore"):
        low = -np.log1p(-special.gammainc(k, np.minimum(u, _ASYMPTOTIC)))
        value = np.where(low < 0.5, low, -np.log(special.gammaincc(k, np.minimum(u, _ASYMPTOTIC))))
        if np.any(u > _ASYMPTOTIC):
            far = np.maximum(u, _ASYMPTOTIC)
            total = term = np.ones_like(far)
            for j in range(1, 12):
                term = term * (k - j) / far
                total = total + term
            tail = far - (k - 1) * np.log(far) + special.gammaln(k) - np.log(total)
            value = np.where(u > _ASYMPTOTIC, tail, value)
    return np.asarray(value)
