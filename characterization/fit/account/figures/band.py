"""The fitted law along chosen histories, with the 95 % band of its parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from characterization.fit.inference.candidate import MEASUREMENT, Candidate
from characterization.fit.observations.base import Observations

_Z = 1.959964
_MATTERS = 1e-6
"""Slope of ln H by a parameter (per unit of theta) below which it does not matter here."""


@dataclass(frozen=True)
class Band:
    """P(switched by the end of each segment) and its ends; NaN where the data leave it open."""

    p: np.ndarray
    low: np.ndarray
    high: np.ndarray


def histories(
    kind: str,
    voltage: np.ndarray | float,
    duration: np.ndarray | float,
    temperature: float | None,
    start: np.ndarray | float | None = None,
) -> Observations:
    """Histories of one segment without outcomes, in the order given; the arguments broadcast.

    ``voltage`` (V) is the last one, ``start`` the first (None: the same), ``duration`` in s,
    ``temperature`` (K) None for laws without.
    """
    v, t, first = (
        np.array(a, float)
        for a in np.broadcast_arrays(voltage, duration, voltage if start is None else start)
    )
    none = np.zeros(v.size)
    return Observations(
        kind,
        voltage=v,
        start=first,
        duration=t,
        within=none,
        exact=none,
        waiting=none,
        parent=np.full(v.size, -1),
        temperature=None if temperature is None else np.full(v.size, float(temperature)),
        device=np.zeros(v.size, int),
    )


def band(candidate: Candidate, where: Observations) -> Band:
    """The law at the end of each segment, counted from its fresh start.

    Delta method on ln H, H = -ln(1 - P): the band stays inside 0 and 1. A parameter held at an
    assumed value counts as known, a floor driven to 0 as none; where the law depends on another
    one without covariance (only bracketed), the band is NaN.
    """
    n = where.voltage.size
    none, ones = np.zeros(n), np.ones(n)
    law = candidate.likelihood.on(replace(where, within=none, exact=none, waiting=ones, rows=None))
    value, first, _ = law.contributions(candidate.theta, 1)
    # A waiting outcome's share of log L is ln(1 - P) = -H.
    with np.errstate(all="ignore"):
        slope = np.where(value < 0, first / value, 0.0)
    known = np.isfinite(np.diag(candidate.covariance))
    c = np.where(known[:, None] & known[None, :], candidate.covariance, 0.0)
    spread = _Z * np.sqrt(np.maximum(np.einsum("in,ij,jn->n", slope, c, slope), 0.0))
    for i in range(known.size):
        if _unknown(candidate, i):
            spread = np.where(np.abs(slope[i]) > _MATTERS, np.nan, spread)
    ends = [-np.expm1(value * np.exp(shift)) for shift in (np.zeros(n), -spread, spread)]
    return Band(*ends)


def band_text(candidate: Candidate) -> str:
    """What a caption says of the lines and their band."""
    if candidate.bracketed:
        return (
            "Lines: the fitted law, without a band where it leans on V0, which is only bracketed."
        )
    open_ = [name for i, name in enumerate(candidate.names) if _unknown(candidate, i)]
    if open_:
        return f"Lines: the fitted law, without a band where it leans on {', '.join(open_)}."
    return "Lines: the fitted law with its 95 % band."


def _unknown(candidate: Candidate, i: int) -> bool:
    """Whether a parameter has no variance, without being given."""
    name = candidate.names[i]
    given = name in candidate.fixed or (name in MEASUREMENT and not candidate.free[i])
    return not given and not np.isfinite(candidate.covariance[i, i])
