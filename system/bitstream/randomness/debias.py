"""Fair bits from biased ones, after von Neumann (1951; recalled)."""

from __future__ import annotations

import numpy as np


def von_neumann(bits: np.ndarray) -> np.ndarray:
    """01 gives 0, 10 gives 1, 00 and 11 give nothing: about p (1 - p) n of n bits are left.

    Independent bits of any constant P(1) become independent fair ones. Of dependent bits it hides
    the dependence (a pair that repeats itself is thrown away): test independence before, not after.
    """
    whole = np.asarray(bits)[: len(bits) // 2 * 2].reshape(-1, 2)
    return np.ascontiguousarray(whole[whole[:, 0] != whole[:, 1], 0])
