"""Which points no other one dominates, and how sure that is where accuracies are uncertain.

A point dominates another one if it is nowhere worse and somewhere better; equal points do not
dominate each other.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from system.budget.lines import NORMAL_95

_FARTHEST, _STEPS = 9.0, 4_001


def dominators(amounts: np.ndarray) -> np.ndarray:
    """Whether point j dominates point i, (i, j); ``amounts`` (points, objectives) are minimised."""
    amounts = np.asarray(amounts, float)
    left, right = amounts[:, None, :], amounts[None, :, :]
    return np.asarray(np.all(right <= left, axis=-1) & np.any(right < left, axis=-1))


def no_dearer(costs: np.ndarray) -> np.ndarray:
    """Whether point j costs no more than point i in anything, (i, j); of (points, costs)."""
    costs = np.asarray(costs, float)
    return np.asarray(np.all(costs[None, :, :] <= costs[:, None, :], axis=-1))


def front_probability(
    costs: np.ndarray, accuracy: np.ndarray, stderr: np.ndarray, training: np.ndarray
) -> np.ndarray:
    """Probability that no other point dominates a point, (points,).

    ``costs`` (points, costs) are exact. The accuracies of the trainings are taken as independent
    and normal with ``accuracy`` and ``stderr`` (points,; above 0); points of one ``training``
    (points,; whole numbers) share theirs. A point is dominated where a training that makes one no
    dearer is better: P = integral of phi(z) prod_s Phi((m - m_s + e z) / e_s) over those s, by the
    trapezoidal rule, which converges geometrically here (assumed: derived here).
    """
    cheap, beaten = no_dearer(costs), dominators(costs)
    z = np.linspace(-_FARTHEST, _FARTHEST, _STEPS)
    weights = np.exp(-(z**2) / 2)
    weights /= weights.sum()
    found = np.zeros(len(accuracy))
    for i in range(len(accuracy)):
        same = training == training[i]
        if np.any(beaten[i] & same):
            continue
        _, rivals = np.unique(np.where(cheap[i] & ~same, training, -1), return_index=True)
        rivals = rivals[(cheap[i] & ~same)[rivals]]
        at = accuracy[i] + stderr[i] * z[:, None] - accuracy[rivals]
        found[i] = np.sum(weights * np.prod(ndtr(at / stderr[rivals]), axis=1))
    return np.clip(found, 0.0, 1.0)


def not_distinguishable(accuracy: np.ndarray, stderr: np.ndarray) -> np.ndarray:
    """Whether the accuracies of points i and j differ by less than 95 % of such pairs would."""
    apart = np.abs(np.subtract.outer(accuracy, accuracy))
    return np.asarray(apart <= NORMAL_95 * np.hypot.outer(stderr, stderr))
