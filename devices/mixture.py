"""A family mixed over the C2C spread: ln tau varies from renewal to renewal with sigma.

P(u) = E F(u exp(-sigma z)), z standard normal: one renewal's tau lies exp(sigma z) above its
device's. H = -ln(1 - P), the density and their derivatives follow for any family, as the family's
own do, with t = ln sigma beside x = ln u and s = ln shape. From single records only this mixture is
seen: sigma and the shape are told apart by the family alone (of a log-normal not at all).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from devices.families import Family
from devices.mixture_nodes import FamilyOfExposures, c2c_nodes, steepness

TERMS = (
    ("",),
    ("", "x", "s", "t"),
    ("", "x", "s", "t", "xx", "xs", "xt", "ss", "st", "tt"),
)
"""Derivatives at order 0, 1 and 2; "" is the function itself."""
_CHUNK = 400_000
"""Rows times nodes evaluated at once: 3 MB an array."""


def mixed_probability(
    family: Family, exposure: Any, shape: float, sigma: float, backend: str = "numpy"
) -> Any:
    """P(switched) after ``exposure`` (numpy or JAX array, any shape), to 1e-9 absolute.

    ``sigma`` >= 0 and ``shape`` are numbers, not traced: the nodes depend on them.
    """
    if sigma == 0:
        return family.probability(exposure, shape, backend)
    z, w = c2c_nodes(sigma, steepness(family, shape))
    total = 0.0
    for node, weight in zip(z, w, strict=True):
        shifted = exposure * float(np.exp(-sigma * node))
        total = total + float(weight) * family.probability(shifted, shape, backend)
    return total


def mixed_hazard_terms(
    family: FamilyOfExposures,
    ln_u: np.ndarray,
    ln_shape: float,
    ln_sigma: float,
    order: int = 2,
) -> dict[str, np.ndarray]:
    """H = -ln E exp(-H_family) and its derivatives up to ``order`` at each ``ln_u`` (any shape).

    Keys: those of ``TERMS[order]``, each of that shape. By t = ln sigma too, 0 where sigma
    vanishes.
    """

    def exponent(y: np.ndarray) -> dict[str, np.ndarray]:
        return {key: -value for key, value in family.hazard_terms(y, ln_shape, order).items()}

    mixed = _in_chunks(family, ln_u, ln_shape, ln_sigma, order, exponent)
    return {key: -value for key, value in mixed.items()}


def mixed_log_density_terms(
    family: FamilyOfExposures,
    ln_u: np.ndarray,
    ln_shape: float,
    ln_sigma: float,
    order: int = 2,
) -> dict[str, np.ndarray]:
    """The same of ln dP/dx, the logarithm of the density of x = ln u."""

    def exponent(y: np.ndarray) -> dict[str, np.ndarray]:
        return family.log_density_terms(y, ln_shape, order)

    return _in_chunks(family, ln_u, ln_shape, ln_sigma, order, exponent)


def _in_chunks(
    family: FamilyOfExposures,
    ln_u: np.ndarray,
    ln_shape: float,
    ln_sigma: float,
    order: int,
    exponent: Callable[[np.ndarray], dict[str, np.ndarray]],
) -> dict[str, np.ndarray]:
    sigma = float(np.exp(ln_sigma))
    z, w = c2c_nodes(sigma, steepness(family, float(np.exp(ln_shape))))
    x = np.ravel(np.asarray(ln_u, float))
    pieces = [
        _log_mean(part, sigma, z, w, order, exponent)
        for part in np.array_split(x, max(1, -(-x.size * z.size // _CHUNK)))
    ]
    shape = np.shape(ln_u)
    return {key: np.concatenate([p[key] for p in pieces]).reshape(shape) for key in TERMS[order]}


def _log_mean(
    x: np.ndarray,
    sigma: float,
    z: np.ndarray,
    w: np.ndarray,
    order: int,
    exponent: Callable[[np.ndarray], dict[str, np.ndarray]],
) -> dict[str, np.ndarray]:
    """l = ln sum w exp(L(x - sigma z)) and its derivatives, L the ``exponent``.

    With r the share of each node: l_a = E_r L_a, l_ab = E_r L_ab + Cov_r(L_a, L_b).
    """
    with np.errstate(all="ignore"):
        each = exponent(x[:, None] - sigma * z)
    value = np.where(np.isnan(each[""]), -np.inf, each[""])
    largest = np.max(value, axis=1, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0.0)
    share = w * np.exp(value - largest)
    total = share.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        mean = (largest + np.log(total))[:, 0]
    # Near P = 0 the survival rounds to 1: there the small differences from 1 are summed.
    close = np.all(value <= 0, axis=1) & (mean > -0.5)
    with np.errstate(all="ignore"):
        near = np.log1p(np.expm1(np.minimum(value, 0.0)) @ w)
    result = {"": np.where(close, near, mean)}
    if order == 0:
        return result
    share = share / np.maximum(total, 1e-300)
    at = {key: np.where(share > 0, part, 0.0) for key, part in each.items() if key}
    moved = -sigma * z
    first = {"x": at["x"], "s": at["s"], "t": moved * at["x"]}
    for key, part in first.items():
        result[key] = np.sum(share * part, axis=1)
    if order == 1:
        return result
    second = {
        "xx": at["xx"],
        "xs": at["xs"],
        "xt": moved * at["xx"],
        "ss": at["ss"],
        "st": moved * at["xs"],
        "tt": moved * at["x"] + moved**2 * at["xx"],
    }
    around = {key: part - result[key][:, None] for key, part in first.items()}
    for key, part in second.items():
        result[key] = np.sum(share * (part + around[key[0]] * around[key[1]]), axis=1)
    return result
