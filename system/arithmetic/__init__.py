"""The products of training as the hardware would make them.

``operands`` turns numbers into bit probabilities of real devices, ``linear`` says which numbers
meet in which product, and ``floating``, ``counter`` and ``mux`` are the arithmetics, one a file
beside ``base``; ``products`` hangs an arithmetic into JAX's differentiation.
"""

from system.arithmetic.base import Arithmetic, Operand
from system.arithmetic.choice import arithmetic_of
from system.arithmetic.counter import SignMagnitudeCounter
from system.arithmetic.floating import Float
from system.arithmetic.linear import Convolution, Dense, Linear
from system.arithmetic.mux import BipolarMux
from system.arithmetic.operands import Deviation, Generators
from system.arithmetic.products import Devices, Product

__all__ = [
    "Arithmetic",
    "BipolarMux",
    "Convolution",
    "Dense",
    "Deviation",
    "Devices",
    "Float",
    "Generators",
    "Linear",
    "Operand",
    "Product",
    "SignMagnitudeCounter",
    "arithmetic_of",
]
