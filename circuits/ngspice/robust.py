"""What is tried with a deck that hung, crashed or did not converge, in this order.

0. As written. Where the process dies, the same once more in a new one: the fault may have been the
   machine's (memory, a kill), and the result is that of an undisturbed run. So at every step.
1. With :data:`STEADY_OPTIONS`: the same circuit and tolerances, another integration rule.
2. With :data:`ROBUST_OPTIONS`: these and a small capacitance at every node, another circuit.

A deck that is wrong is tried once. A process that dies twice at one step ends the trying: options
do not mend that.
"""

from __future__ import annotations

import re

STEADY_OPTIONS = "method=gear maxord=2 itl1=1000 itl2=500 itl4=200"
"""Gear's rule, which does not ring on the cut of an inductor as the trapezoidal one does until its
steps vanish; and many more iterations for the operating point and for a time point, which a
characteristic that snaps back needs. The tolerances stay those of the deck. Choices of ours."""
ROBUST_OPTIONS = f"{STEADY_OPTIONS} cshunt=1e-16"
"""The same with 0.1 fF from every node to ground, without which the voltage of a node without
capacitance may jump. At 0.1 fF, gates of 40 nm (about 1 fF a node) become up to a tenth slower, so
such a result is marked."""
LADDER = ("", STEADY_OPTIONS, ROBUST_OPTIONS)
"""Options of one attempt after the other."""

_END = re.compile(r"^\s*\.end\s*$", re.MULTILINE | re.IGNORECASE)


def with_options(deck: str, options: str) -> str:
    """The deck with ``options`` in front of its ``.end``, where they overrule others."""
    if not options:
        return deck
    line = f".options {options}\n"
    found = list(_END.finditer(deck))
    if not found:
        return f"{deck.rstrip()}\n{line}"
    return f"{deck[: found[-1].start()]}{line}{deck[found[-1].start() :]}"
