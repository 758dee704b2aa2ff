"""From terminal to cell voltage of a 1T1R cell: the transistor takes its part of the voltage.

The cell lies between bit line and transistor, the transistor between cell and source line. For
SET (bit line high) the transistor's source is grounded; for RESET (source line high) the cell is
at its source, and a source follower leaves the cell at most V_WL - V_th.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characterization.fit.conduction.transistor import Transistor
from devices.conduction import HrsSinh
from formats.errors import InputError

_BISECTIONS = 60


@dataclass(frozen=True)
class CellVoltage:
    """Per row: signed V_cell (V), current (A), and whether the transistor limits.

    ``limited`` is where the cell sees less than half of the terminal voltage.
    """

    voltage: np.ndarray
    current: np.ndarray
    limited: np.ndarray
    sentences: tuple[str, ...]


def cell_voltage(
    terminal: np.ndarray,
    word_line: np.ndarray,
    cell: np.ndarray | float | HrsSinh,
    transistor: Transistor,
) -> CellVoltage:
    """V_cell of each row from the circuit in series, before the device switches.

    ``terminal`` (V) is bit line minus source line, positive for SET and negative for RESET, the
    lower of the two at 0 V; ``word_line`` (V); ``cell`` the resistance (ohm) of the starting
    state (HRS for SET, LRS for RESET), or its sinh law. Raises :class:`InputError` for a
    resistance that is not positive, or rows a tabulated transistor does not cover.
    """
    v, gate = np.broadcast_arrays(np.asarray(terminal, float), np.asarray(word_line, float))
    if not np.all(np.isfinite(v)) or not np.all(np.isfinite(gate)):
        raise InputError("de-embedding", "found a terminal or word-line voltage that is no number")
    if not isinstance(cell, HrsSinh):
        resistance = np.broadcast_to(np.asarray(cell, float), v.shape)
        if not np.all(np.isfinite(resistance) & (resistance > 0)):
            raise InputError("de-embedding", "found a cell resistance that is not above 0 ohm")
    total = np.abs(v)
    at_drain = v > 0
    zero = np.zeros_like(total)

    def through_cell(across: np.ndarray) -> np.ndarray:
        return cell.current(across) if isinstance(cell, HrsSinh) else across / resistance

    def through_transistor(across: np.ndarray) -> np.ndarray:
        # SET: drain below the cell, source at 0. RESET: drain at the source line, cell at source.
        drain = np.where(at_drain, total - across, total)
        return transistor.current(gate, drain, np.where(at_drain, zero, across))

    low, high = zero, total
    for _ in range(_BISECTIONS):
        half = (low + high) / 2
        more = through_transistor(half) > through_cell(half)
        low, high = np.where(more, half, low), np.where(more, high, half)
    across = (low + high) / 2
    limited = across < total / 2
    share = np.median(across[total > 0] / total[total > 0]) if np.any(total > 0) else np.nan
    sentences = (
        f"De-embedded: the cell sees {100 * share:.0f} % of the terminal voltage in the median "
        f"row; in {int(np.sum(limited))} of {v.size} rows the transistor takes more than half.",
        "The cell's resistance is that of its starting state; once it switches, the division "
        "changes.",
    )
    return CellVoltage(np.sign(v) * across, through_cell(across), limited, sentences)
