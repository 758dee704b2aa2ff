"""Chains of normal scores and what is seen of them, for the tests of dependence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import signal, special

from characterization.fit.dependence.scores import (
    ScoreSequences,
    score_sequences,
)

INF = np.inf


def chains(
    random: np.random.Generator, devices: int, rows: int, rho: float, between: float = 0.0
) -> np.ndarray:
    """Scores (devices, rows): AR(1) of variance 1 - between, device means of variance between."""
    noise = random.standard_normal((devices, rows))
    noise[:, 1:] *= np.sqrt(1 - rho * rho)
    z = signal.lfilter([1.0], [1.0, -rho], noise)
    return np.asarray(
        np.sqrt(1 - between) * z + np.sqrt(between) * random.standard_normal((devices, 1))
    )


def index(devices: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat(np.arange(devices), rows), np.tile(np.arange(rows), devices)


def as_waits(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return z, z


def as_pending(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Waits cut off where 69 % have switched."""
    return np.minimum(z, 0.5), np.where(z < 0.5, z, INF)


def as_pulses(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One pulse a renewal, P = 0.3."""
    limit = special.ndtri(0.3)
    return np.where(z < limit, -INF, limit), np.where(z < limit, limit, INF)


def sequences(
    z: np.ndarray, seen: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
) -> ScoreSequences:
    low, high = seen(z)
    return score_sequences(*index(*z.shape), low.ravel(), high.ravel())
