"""How numbers of this room read in a sentence."""

from __future__ import annotations

_ROUNDING = 1e-12


def p_value(p: float) -> str:
    """ "p = 0.013", or "p < 1e-12" where only rounding is left."""
    return f"p = {p:.2g}" if p >= _ROUNDING else "p < 1e-12"


def steps(spacing: int) -> str:
    """ "cycle", or "step of 100 cycles" where only every 100th was read."""
    return "cycle" if spacing == 1 else f"step of {spacing} cycles"
