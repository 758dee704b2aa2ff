"""The scales of the operands: powers of two in registers, moved between batches by counters.

For every operand tensor of a layer two counters go through a batch with its numbers, as hardware
can: one counts those beyond the scale (they saturate), one those beyond half of it. Too many of the
first double the scale for the next batch, too few of the second halve it. Weights, biases and the
update's memory stand in registers on the grid of their scale; theirs is halved only where nothing
would be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import jax
import jax.numpy as jnp
import numpy as np

from formats.errors import InputError
from formats.training import SCALED

REGISTERS = (False, True, False, True, True, True)
LOWEST, HIGHEST = -32, 31
"""Exponents that a register of 6 bits holds."""
OVERFLOW = 2.0**-10
"""Share of numbers beyond the scale above which it doubles (assumed)."""
HYSTERESIS = 4.0
"""The scale halves where fewer than ``OVERFLOW`` over this would be beyond its half (assumed)."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """How the scales of (layer, operand) move: tables of that shape.

    ``overflow`` is the share tolerated, ``fixed`` the exponent of those that never move (NaN: moved
    by counters).
    """

    overflow: np.ndarray
    fixed: np.ndarray

    @classmethod
    def parse(cls, rules: Sequence[str], layers: Sequence[str]) -> Scaling:
        """From texts ``LAYER.OPERAND=EXPONENT`` or ``LAYER.OPERAND=overflow:SHARE``; * for all.

        Later ones win. Raises :class:`InputError`.
        """
        shape = len(layers), len(SCALED)
        overflow, fixed = np.full(shape, OVERFLOW), np.full(shape, np.nan)
        for rule in rules:
            place, _, text = rule.partition("=")
            layer, _, operand = place.partition(".")
            rows = [fnmatchcase(name, layer) for name in layers]
            columns = [fnmatchcase(name, operand) for name in SCALED]
            if not any(rows) or not any(columns):
                raise InputError(
                    "--scale",
                    f"{rule!r} is for no operand; there are the layers {', '.join(layers)} with "
                    f"{', '.join(SCALED)}, as in conv1.x=0 or *.d=overflow:0.01",
                )
            share = text.removeprefix("overflow:")
            try:
                number = float(share)
            except ValueError:
                number = np.nan
            chosen = np.ix_(rows, columns)
            if share != text and 0 <= number < 1:
                overflow[chosen], fixed[chosen] = number, np.nan
            elif share == text and LOWEST <= number <= HIGHEST and number == int(number):
                fixed[chosen] = number
            else:
                raise InputError(
                    "--scale",
                    f"{rule!r}: expected a whole exponent from {LOWEST} to {HIGHEST}, or "
                    "overflow:SHARE with a share from 0 to below 1",
                )
        return cls(overflow, fixed)

    def start(self) -> jax.Array:
        """Exponents (layers, operands) int32 before anything was seen: scales of 1."""
        return jnp.asarray(np.where(np.isnan(self.fixed), 0, self.fixed), jnp.int32)

    def moved(self, exponents: jax.Array, over: jax.Array, above: jax.Array) -> jax.Array:
        """Exponents for the next batch from the shares beyond each scale and beyond its half."""
        allowed = jnp.asarray(self.overflow, jnp.float32)
        kept = jnp.where(jnp.asarray(REGISTERS), 0.0, allowed / HYSTERESIS)
        up, down = over > allowed, (over <= allowed) & (above <= kept)
        free = jnp.asarray(np.isnan(self.fixed))
        step = jnp.where(free, up.astype(jnp.int32) - down.astype(jnp.int32), 0)
        return jnp.clip(exponents + step, LOWEST, HIGHEST)


def scale_of(exponent: jax.Array) -> jax.Array:
    """2^exponent."""
    return jnp.ldexp(jnp.ones(jnp.shape(exponent)), exponent)
