"""The density of measured pulses under a branch: that of the same step that sampling takes."""

from __future__ import annotations

import numpy as np
from scipy import stats

from devices.synapse.branch import Branch


def log_density(branch: Branch, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """ln density of the relative state ``after`` one pulse from ``before``, for each pair.

    States count in the branch's direction. A state exactly at an end has the probability of
    stopping there instead of a density.
    """
    mean, deviation = branch.mean(before), branch.deviation()
    inside = stats.norm.logpdf(after, mean, deviation)
    at_end = stats.norm.logsf(1.0, mean, deviation)
    at_start = stats.norm.logcdf(0.0, mean, deviation)
    return np.where(after >= 1.0, at_end, np.where(after <= 0.0, at_start, inside))
