"""Plain floating-point arithmetic: the yardstick beside the stochastic ones."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from system.arithmetic.base import Arithmetic, Operand
from system.arithmetic.linear import Linear
from system.arithmetic.noise import Tape
from system.arithmetic.operands import Deviation


class Float(Arithmetic):
    """No streams: every product is the real one."""

    encoding = "float"
    adder = "float"

    def encode(self, values: jax.Array, devices: Deviation | None, scale: jax.Array) -> Operand:
        return Operand(values, jnp.ones(()), jnp.ones(()))

    def forward(self, linear: Linear, x: Operand, w: Operand, tape: Tape) -> jax.Array:
        return linear.forward(linear.unfold(x.sign), w.sign)

    def input_gradient(self, linear: Linear, d: Operand, w: Operand, tape: Tape) -> jax.Array:
        return linear.input_gradient(d.sign, w.sign)

    def weight_gradient(self, linear: Linear, x: Operand, d: Operand, tape: Tape) -> jax.Array:
        return linear.weight_gradient(linear.unfold(x.sign), d.sign)
