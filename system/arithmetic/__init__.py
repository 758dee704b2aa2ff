"""The products of training as the hardware would make them.

``operands`` turns numbers into bit probabilities of real devices, ``linear`` says which numbers
meet in which product, and ``floating``, ``counter``, ``bipolar_counter`` and ``mux`` are the
arithmetics, one a file beside ``base``, by their ``moments``; ``exact`` makes every bit instead,
and ``choice`` takes one or the other. ``products`` hangs an arithmetic into JAX's differentiation.
"""

from system.arithmetic.base import Arithmetic, Operand
from system.arithmetic.bipolar_counter import BipolarCounter
from system.arithmetic.choice import arithmetic_of, mode_of
from system.arithmetic.counter import SignMagnitudeCounter
from system.arithmetic.exact import BitExact, ExactLayers
from system.arithmetic.floating import Float
from system.arithmetic.linear import Convolution, Dense, Linear
from system.arithmetic.mux import BipolarMux
from system.arithmetic.operands import Deviation, Generators
from system.arithmetic.products import Devices, Product, Scales, Seen

__all__ = [
    "Arithmetic",
    "BipolarCounter",
    "BipolarMux",
    "BitExact",
    "Convolution",
    "Dense",
    "Deviation",
    "Devices",
    "ExactLayers",
    "Float",
    "Generators",
    "Linear",
    "Operand",
    "Product",
    "Scales",
    "Seen",
    "SignMagnitudeCounter",
    "arithmetic_of",
    "mode_of",
]
