"""The course of an energy over the switched fraction, through a few simulated points."""

from __future__ import annotations

import numpy as np


def course(nodes: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The polynomial through (``nodes``, ``values``) at ``at`` (any shape), by Lagrange.

    Summed term by term: a product of matrices may round differently from run to run, with the
    place of its arrays in memory.
    """
    at = np.asarray(at, float)
    total = np.zeros_like(at)
    for j, node in enumerate(nodes):
        basis = np.ones_like(at)
        for k, other in enumerate(nodes):
            if k != j:
                basis = basis * (at - other) / (node - other)
        total = total + float(values[j]) * basis
    return total
