"""Column currents of a resistive crossbar with wires, solved exactly.

Row i is driven at its left end by an ideal source, column j ends below in a virtual ground. A wire
segment of resistance r lies before each cell of a row and behind each cell of a column. The network
is linear, so the currents are

    I_j = sum_i V_i T_ij

with a transfer matrix T (S) that depends on the conductances and r alone: T = G where r = 0. T is
found by nodal analysis (Kirchhoff) of all 2 x rows x columns nodes, once for each array.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu


def transfer(conductance: np.ndarray, segment: float) -> np.ndarray:
    """T (rows, columns) in S of cells ``conductance`` (rows, columns) in S, ``segment`` in ohm.

    Raises ValueError for a negative or infinite ``segment``, or conductances that are not finite
    or below 0.
    """
    conductance = np.asarray(conductance, float)
    if not 0 <= segment < np.inf:
        raise ValueError(f"a wire segment has 0 ohm or more, not {segment:g}")
    if conductance.ndim != 2 or not (np.isfinite(conductance).all() and (conductance >= 0).all()):
        raise ValueError("conductances are a matrix of finite numbers, 0 or more")
    if segment == 0:
        return conductance.copy()
    rows, columns = conductance.shape
    wire = 1 / segment
    above = np.arange(rows * columns).reshape(rows, columns)
    below = above + rows * columns
    first, second, between = (
        np.concatenate(parts)
        for parts in zip(
            (above.ravel(), below.ravel(), conductance.ravel()),
            (above[:, :-1].ravel(), above[:, 1:].ravel(), np.full(rows * (columns - 1), wire)),
            (below[:-1].ravel(), below[1:].ravel(), np.full((rows - 1) * columns, wire)),
            strict=True,
        )
    )
    ends = np.concatenate([above[:, 0], below[-1]])
    fixed = np.full(ends.size, wire)
    matrix = coo_matrix(
        (
            np.concatenate([between, between, fixed, -between, -between]),
            (
                np.concatenate([first, second, ends, first, second]),
                np.concatenate([first, second, ends, second, first]),
            ),
        ),
        shape=(2 * rows * columns,) * 2,
    )
    # The matrix is symmetric: a source at a row seen from a column's end, or the other way round.
    by_row = rows <= columns
    sources = np.zeros((matrix.shape[0], min(rows, columns)))
    started = above[:, 0] if by_row else below[-1]
    sources[started, np.arange(started.size)] = wire
    solved = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A").solve(sources)
    seen = solved[below[-1]] if by_row else solved[above[:, 0]]
    return np.asarray(wire * (seen.T if by_row else seen))
