"""Bit-exact arithmetic behind the interface of all arithmetics, so that networks train in it.

JAX hands probabilities and a key of two random words to numpy and gets the results back.
"""

from __future__ import annotations

from typing import Protocol

import jax
import numpy as np

from system.arithmetic.base import Arithmetic, Operand
from system.arithmetic.exact.callback import call_numpy
from system.arithmetic.exact.gather import ProductName
from system.arithmetic.exact.layer import ExactLayers
from system.arithmetic.linear import Linear
from system.arithmetic.noise import Tape
from system.arithmetic.operands import Deviation, Generators
from system.bitstream.encodings import Encoded
from system.bitstream.ownership import StreamRules
from system.bitstream.sources.base import BitSource
from system.bitstream.sources.bernoulli import Bernoulli
from system.bitstream.sources.device import DeviceSource


class Streamed(Protocol):
    """A stochastic arithmetic: its words, its streams' length, its generators and encoding."""

    encoding: str
    adder: str
    length: int
    rules: StreamRules
    generators: Generators

    def encode(self, values: jax.Array, devices: Deviation | None, scale: jax.Array) -> Operand:
        """Give each number to its generator."""


class BitExact(Arithmetic):
    """Every bit of every stream, in numpy.

    ``like`` is an arithmetic of the same encoding: numbers are encoded as it does, streams are as
    long as its. ``adder`` and ``rules`` may differ from its (None: the same), ``source`` from its
    devices (None: those). Raises ValueError as :class:`ExactLayers` does.
    """

    def __init__(
        self,
        like: Streamed,
        *,
        adder: str | None = None,
        source: BitSource | None = None,
        rules: StreamRules | None = None,
    ) -> None:
        self.like = like
        self.encoding = like.encoding
        self.adder = like.adder if adder is None else adder
        self.layers = ExactLayers(
            self.encoding,
            self.adder,
            like.length,
            source_of(like.generators) if source is None else source,
            like.rules if rules is None else rules,
        )

    def encode(self, values: jax.Array, devices: Deviation | None, scale: jax.Array) -> Operand:
        return self.like.encode(values, devices, scale)

    def forward(self, linear: Linear, x: Operand, w: Operand, tape: Tape) -> jax.Array:
        return self._called("forward", linear, x, w, tape)

    def input_gradient(self, linear: Linear, d: Operand, w: Operand, tape: Tape) -> jax.Array:
        return self._called("input_gradient", linear, d, w, tape)

    def weight_gradient(self, linear: Linear, x: Operand, d: Operand, tape: Tape) -> jax.Array:
        return self._called("weight_gradient", linear, x, d, tape)

    def _called(
        self, product: ProductName, linear: Linear, a: Operand, b: Operand, tape: Tape
    ) -> jax.Array:
        images = a.probability.shape[0]
        shapes = {
            "forward": (images, *linear.output_shape),
            "input_gradient": (images, *linear.input_shape),
            "weight_gradient": linear.weight_shape,
        }

        def work(*arguments: np.ndarray) -> np.ndarray:
            p, s, q, t, key = arguments
            return self.layers.values(linear, product, Encoded(p, s), Encoded(q, t), key)

        streams = a.probability, a.sign, b.probability, b.sign
        values = call_numpy(work, shapes[product], *streams, tape.take((2,)))
        return a.scale * b.scale * values


def source_of(generators: Generators) -> BitSource:
    """The source of streams that stands for the devices of ``generators``.

    Where no cycle knows of the one before, these are ideal bits: each device's own deviation and
    the read errors are in the probability already.
    """
    devices = DeviceSource.of(generators)
    return Bernoulli() if devices.independent else devices
