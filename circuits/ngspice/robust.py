"""The second attempt at a deck that hung, crashed or did not converge."""

from __future__ import annotations

import re

ROBUST_OPTIONS = "method=gear maxord=2 itl1=1000 itl2=500 itl4=200 cshunt=1e-16"
"""Gear's rule instead of the trapezoidal one; many more iterations for the operating point and for
a time point; and 0.1 fF from every node to ground, without which the voltage of a node without
capacitance may jump. The tolerances stay those of the deck. Choices of ours. At 0.1 fF, gates of
40 nm (about 1 fF a node) become up to a tenth slower, so a rescued result is marked."""

_END = re.compile(r"^\s*\.end\s*$", re.MULTILINE | re.IGNORECASE)


def with_robust_options(deck: str) -> str:
    """The deck with :data:`ROBUST_OPTIONS` in front of its ``.end``, where they overrule others."""
    line = f".options {ROBUST_OPTIONS}\n"
    found = list(_END.finditer(deck))
    if not found:
        return f"{deck.rstrip()}\n{line}"
    return f"{deck[: found[-1].start()]}{line}{deck[found[-1].start() :]}"
