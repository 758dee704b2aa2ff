"""The write voltage's DAC: codes to voltages, in equal steps."""

from __future__ import annotations

import numpy as np

MOST_BITS = 16


def dac_voltages(low: float, high: float, bits: int) -> np.ndarray:
    """Output (V) of each code 0 ... 2^bits - 1, from ``low`` to ``high`` inclusive.

    Raises ValueError for a number of bits below 1 or above 16, and for ``high`` not above ``low``.
    """
    if not 1 <= bits <= MOST_BITS:
        raise ValueError(f"bits {bits}: expected 1 to {MOST_BITS}")
    if not low < high:
        raise ValueError(f"low {low:g} V, high {high:g} V: expected low < high")
    return np.linspace(low, high, 2**bits)


def dac_code(voltages: np.ndarray, low: float, high: float, bits: int) -> np.ndarray:
    """The code whose output is nearest each voltage (V); those beyond the range take its ends."""
    levels = dac_voltages(low, high, bits)
    position = (np.asarray(voltages, float) - low) / (high - low) * (levels.size - 1)
    return np.clip(np.rint(position), 0, levels.size - 1).astype(int)
