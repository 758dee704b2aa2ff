"""Exposure along chains of segments, in logarithms with derivatives."""

from __future__ import annotations

import numpy as np

from characterization.fit.observations.base import Observations

Terms = tuple[np.ndarray, np.ndarray, np.ndarray]
"""A value per segment (..., n), its gradient (p, ..., n) and Hessian (p, p, ..., n)."""


def accumulated(data: Observations, gain: Terms, order: int) -> tuple[Terms, Terms]:
    """Exposures after and before each segment of a chain, from the gains."""
    x, first, second = gain
    peak = np.full((*x.shape[:-1], data.root.size), -np.inf)
    np.maximum.at(peak, (Ellipsis, data.root), x)  # type: ignore[arg-type]
    peak = np.where(np.isfinite(peak[..., data.root]), peak[..., data.root], 0.0)
    u = np.exp(x - peak)
    columns = [u[None]]
    if order >= 1:
        columns.append(u * first)
    if order == 2:
        q = first.shape[0]
        curve = u * (second + first[:, None] * first[None, :])
        columns.append(curve.reshape(q * q, *x.shape))
    stacked = np.concatenate(columns)
    flat = stacked.reshape(-1, stacked.shape[-1])
    after = (data.history @ flat.T).T.reshape(stacked.shape)
    before = np.where(data.parent >= 0, after[..., data.parent], 0.0)
    # What is nothing beside the rest of its history counts as nothing, not as -inf.
    return tuple(_logarithm(total, peak, gain[1].shape[0], order) for total in (after, before))  # type: ignore[return-value]


def _logarithm(total: np.ndarray, peak: np.ndarray, q: int, order: int) -> Terms:
    """ln u and its derivatives from u, du and d2u in units of exp(peak)."""
    u = np.maximum(total[0], 1e-280)
    value = np.log(u) + peak
    empty = np.empty((0, *value.shape))
    first = total[1 : 1 + q] / u if order >= 1 else empty
    if order < 2:
        return value, first, empty
    curve = (total[1 + q :] / u).reshape(q, q, *value.shape)
    return value, first, curve - first[:, None] * first[None, :]
