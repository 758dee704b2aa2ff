"""What an arithmetic is: how it encodes numbers, and the three products of a linear layer.

An operand is a real tensor x, held by a scale s (a power of two from a register; what is beyond
saturates) and, in stochastic arithmetics, by the bit probability of each of its generators. A bit
stream belongs to (operand, product, image): it is drawn anew for each product. Adding the bias and
the activation functions are binary and exact.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import jax

from system.arithmetic.linear import Linear
from system.arithmetic.noise import Tape
from system.arithmetic.operands import Deviation


class Operand(NamedTuple):
    """An encoded tensor.

    ``probability`` is P(bit = 1) of each generator, ``sign`` +-1 (the value itself, with
    probability 1 and scale 1, in exact arithmetic; 1 where the encoding has no sign).
    """

    sign: jax.Array
    probability: jax.Array
    scale: jax.Array


class Arithmetic(ABC):
    """How one layer's forward, input-gradient and weight-gradient products are made.

    ``encoding`` and ``adder`` are the words of the MAC group in cells.nc. The results are in real
    units; the weight gradient is summed over the images of the batch in binary.
    """

    encoding: str
    adder: str

    @abstractmethod
    def encode(self, values: jax.Array, devices: Deviation | None, scale: jax.Array) -> Operand:
        """Give each number to its generator; the trailing axes are those of ``devices``.

        Numbers beyond +-``scale`` saturate.
        """

    @abstractmethod
    def forward(self, linear: Linear, x: Operand, w: Operand, tape: Tape) -> jax.Array:
        """Outputs of the layer before the bias."""

    @abstractmethod
    def input_gradient(self, linear: Linear, d: Operand, w: Operand, tape: Tape) -> jax.Array:
        """Gradient with respect to the activations."""

    @abstractmethod
    def weight_gradient(self, linear: Linear, x: Operand, d: Operand, tape: Tape) -> jax.Array:
        """Gradient with respect to the weights, summed over the batch."""
