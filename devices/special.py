"""Special functions that sympy lacks, with their derivatives and their numpy and JAX forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from scipy import special


class LogNormalTail(sympy.Function):
    """ln Phi(z), Phi being the standard normal distribution function."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """phi(z)/Phi(z)."""
        return NormalRatio(self.args[0])


class NormalRatio(sympy.Function):
    """r(z) = phi(z)/Phi(z), with r' = -r (z + r)."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """-r (z + r)."""
        z = self.args[0]
        return -NormalRatio(z) * (z + NormalRatio(z))


def _normal_ratio(z: Any) -> Any:
    return np.sqrt(2 / np.pi) / special.erfcx(-np.asarray(z) / np.sqrt(2))


NUMPY_FORMS: dict[str, Any] = {"LogNormalTail": special.log_ndtr, "NormalRatio": _normal_ratio}


def jax_forms() -> dict[str, Any]:
    """The same for JAX arrays (imported only when asked for)."""
    import jax.numpy as jnp
    from jax.scipy.special import log_ndtr

    return {
        "LogNormalTail": log_ndtr,
        "NormalRatio": lambda z: jnp.exp(-z * z / 2 - 0.5 * np.log(2 * np.pi) - log_ndtr(z)),
    }
