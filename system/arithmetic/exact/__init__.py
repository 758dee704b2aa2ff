"""The exact mode: layers computed bit by bit, for every source, adder and stream rule.

``gather`` says which streams meet, ``addresses`` which bits they are, ``layer`` meets and counts
them in numpy (``definition``: the same, written plainly), ``bit_exact`` is the arithmetic.
"""

from system.arithmetic.exact.bit_exact import BitExact
from system.arithmetic.exact.layer import PAIRS, ExactLayers

__all__ = ["PAIRS", "BitExact", "ExactLayers"]
