"""Bit line and source line as resistive ladders: what the sense end sees of the cells.

Both lines are driven from one end, so between two cells the current of the bit line comes back on
the source line: their difference obeys one ladder of twice the wire's resistance. The network is
linear, so by reciprocity (Tellegen) the conductance S at the sense end changes with that of a cell
by the square of the share of the line's voltage the cell gets: dS/dg_i = v_i^2.
"""

from __future__ import annotations

import numpy as np


def solve_ladder(
    conductances: np.ndarray, wire: float, ground: float
) -> tuple[np.ndarray, np.ndarray]:
    """Conductance S (S) at the sense end and the share v of its voltage on each cell.

    ``conductances`` (S) has shape (..., n), cell 0 nearest the sense end; ``wire`` (ohm) is the
    resistance of either line from cell to cell, ``ground`` (ohm) that of the source line's switch.
    Results have the shapes (...) and (..., n).
    """
    g = np.asarray(conductances, float)
    n = g.shape[-1]
    beyond = np.empty_like(g)  # admittance from cell i on, away from the sense end
    beyond[..., -1] = g[..., -1]
    for cell in range(n - 2, -1, -1):
        further = beyond[..., cell + 1]
        beyond[..., cell] = g[..., cell] + further / (1 + 2 * wire * further)
    seen = beyond[..., 0] / (1 + ground * beyond[..., 0])
    share = np.empty_like(g)
    share[..., 0] = 1 / (1 + ground * beyond[..., 0])
    for cell in range(1, n):
        share[..., cell] = share[..., cell - 1] / (1 + 2 * wire * beyond[..., cell])
    return seen, share
