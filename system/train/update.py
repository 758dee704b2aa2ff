"""The update of the parameters: on streams, or by a binary unit.

SGD with momentum holds a leaky sum m of the gradients g, summed over a batch, and moves by it:

    m <- m - leak m + g,    w <- w - rate m,    leak = 1 - momentum

(plain SGD has leak 1, which needs no product). On streams both products are made as all others
are: the SNG of the parameter encodes m, a second SNG the constant, and the product bits are
counted. The constants' exponents are shifts, so that their streams carry 7/16 to 7/8. Taking the
leak instead of the momentum matters: a device whose bit probability is off by some per cent changes
the leak's 0.1 by as much, but would change the 1/(1 - 0.9) of a momentum many times.

The sums are binary. w and m stand in registers on the grid of their scale, which they enter by
stochastic rounding: random bits below the last place are added, and what is below is cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from system.arithmetic import Arithmetic, Dense, Deviation, Devices, Operand
from system.arithmetic.noise import Counter, Tape
from system.arithmetic.products import shares_beyond
from system.networks import Layer

RULES = ("sgd", "momentum", "adam")
RATES = {"sgd": 0.1, "momentum": 0.02, "adam": 0.001}
"""Peak rates where none is given; chosen on MNIST in floating point."""
LEAK = 0.1
WARM_UP = 0.1
"""Share of the steps over which the rate rises linearly from a tenth of its peak."""
ROUNDING_BITS = 16
"""Random bits of one stochastic rounding."""
HIGHEST = 0.875
"""Constants are shifted to lie within (``HIGHEST``/2, ``HIGHEST``]: SNGs do not reach P = 1."""
CONSTANTS = {"sgd": 1, "momentum": 2, "adam": 0}
"""Products of a parameter's update that run on streams, each with a constant."""


@dataclass(frozen=True)
class Rule:
    """What the update is, whoever makes it.

    ``rate`` is the peak for the mean gradient of a batch of ``batch`` images; it rises, then falls
    as a cosine to 0 over ``steps``. ``weight_bits`` and ``state_bits`` are the widths of the
    registers of w and m, with sign; None holds them as they are.
    """

    name: str
    rate: float
    steps: int
    batch: int
    weight_bits: int | None = None
    state_bits: int | None = None

    def rate_at(self, number: jax.Array) -> jax.Array:
        """Rate for the mean gradient at step ``number``."""
        schedule = optax.warmup_cosine_decay_schedule(
            init_value=self.rate / 10,
            peak_value=self.rate,
            warmup_steps=max(1, int(WARM_UP * self.steps)),
            decay_steps=max(2, self.steps),
        )
        return jnp.asarray(schedule(number), jnp.float32)

    @property
    def leak(self) -> float:
        """Part of the memory that each step forgets."""
        return LEAK if self.name == "momentum" else 1.0

    def describe(self) -> str:
        """The update in words."""
        name = {"sgd": "SGD", "momentum": f"SGD, momentum {1 - LEAK:g}", "adam": "Adam"}[self.name]
        return (
            f"{name}, rate {self.rate / 10:g} to {self.rate:g} over the first {WARM_UP:.0%} of "
            "the steps, then cosine to 0"
        )


class Memory(NamedTuple):
    """What the update keeps of a layer's weights and biases.

    ``second`` are Adam's means of squares (None in the other rules).
    """

    weight: jax.Array
    bias: jax.Array
    second: tuple[jax.Array, jax.Array] | None = None


class Updated(NamedTuple):
    """A layer after its update.

    ``over`` and ``above`` (4,) are the shares beyond the scales of w, m, bias and the biases'
    memory and beyond their halves; ``levels`` the sums over the rule's products of P(bit = 1) of
    the parameters' generators, weights then biases, and the constants' P(bit = 1).
    """

    layer: Layer
    memory: Memory
    over: jax.Array
    above: jax.Array
    levels: jax.Array
    constants: jax.Array


def fresh(layer: Layer, rule: Rule) -> Memory:
    """An empty memory."""
    zeros = jnp.zeros_like(layer.weight), jnp.zeros_like(layer.bias)
    return Memory(*zeros, zeros if rule.name == "adam" else None)


def words_of(rule: Rule, arithmetic: Arithmetic | None, count: int) -> int:
    """Random words of the update of ``count`` parameters."""
    tape = Counter()
    if rule.weight_bits is not None:
        tape.take((count,))

    def counted() -> None:
        if arithmetic is None:
            return
        one = Operand(jnp.ones((1, 1)), jnp.ones((1, 1)), jnp.ones(()))
        many = Operand(jnp.ones((1, count)), jnp.ones((1, count)), jnp.ones(()))
        for _ in range(CONSTANTS[rule.name]):
            arithmetic.forward(Dense(1, count), one, many, tape)

    jax.eval_shape(counted)
    return tape.used


def updated(
    rule: Rule,
    arithmetic: Arithmetic | None,
    layer: Layer,
    memory: Memory,
    gradient: tuple[jax.Array, jax.Array],
    scales: jax.Array,
    devices: Devices,
    number: jax.Array,
    tape: Tape,
) -> Updated:
    """One step from the ``gradient`` of weights and biases, summed over the batch.

    ``arithmetic`` None is the binary unit. ``scales`` (4,) are those of w, m, bias and its memory.
    """
    sizes = layer.weight.size, layer.bias.size
    w, m, g = (_row(*pair) for pair in ((layer.weight, layer.bias), memory[:2], gradient))
    w_scale, m_scale = (
        jnp.concatenate(
            [jnp.broadcast_to(scales[index + 2 * part], size) for part, size in enumerate(sizes)]
        )
        for index in (0, 1)
    )
    rounding = tape.take((w.size,)) if rule.weight_bits is not None else None
    rate = rule.rate_at(number) / rule.batch
    levels, constants = jnp.zeros(w.size), jnp.zeros(max(1, CONSTANTS[rule.name]))
    second = None if memory.second is None else _row(*memory.second)
    if rule.name == "adam":
        assert second is not None
        held, second, moved = _adam(m, second, g / rule.batch, number, rule.rate_at(number))
        wanted = held
    elif arithmetic is None:
        wanted = m + (g - rule.leak * m)
        held = _held(m, g - rule.leak * m, m_scale, rule.state_bits, rounding, 0)
        moved = rate * held
    else:
        streams = _Streams(arithmetic, _of_parameters(devices), devices.constants, tape)
        leaked = jnp.zeros(())
        if rule.leak < 1:
            leaked, levels, constants = streams.times(m, m_scale, jnp.asarray(rule.leak), 1)
        kept = m if rule.leak < 1 else jnp.zeros_like(m)
        wanted = kept + (g - leaked)
        held = _held(kept, g - leaked, m_scale, rule.state_bits, rounding, 0)
        moved, level, constant = streams.times(held, m_scale, rate, 0)
        levels = levels + level
        constants = constant + constants if rule.leak < 1 else constant[:1]
    changed = w - moved
    settled = _held(w, -moved, w_scale, rule.weight_bits, rounding, 16)
    cut = sizes[0]
    shares = jnp.stack(
        [
            shares_beyond(values, scales[index])
            for index, values in enumerate(
                (changed[:cut], wanted[:cut], changed[cut:], wanted[cut:])
            )
        ]
    )
    weight, bias = _parts(settled, layer)
    return Updated(
        eqx.tree_at(lambda own: (own.weight, own.bias), layer, (weight, bias)),
        Memory(*_parts(held, layer), None if second is None else _parts(second, layer)),
        shares[:, 0],
        shares[:, 1],
        levels,
        constants,
    )


class _Streams(NamedTuple):
    """Products of the memory with a constant: the constant's stream meets every parameter's."""

    arithmetic: Arithmetic
    parameters: Deviation | None
    constants: Deviation | None
    tape: Tape

    def times(
        self, values: jax.Array, scale: jax.Array, constant: jax.Array, which: int
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Estimates of values x constant, P(bit = 1) of the parameters' streams and constants'."""
        mantissa, exponent = jnp.frexp(constant)
        large = mantissa > HIGHEST
        mantissa, exponent = jnp.where(large, mantissa / 2, mantissa), exponent + large
        own = jax.tree.map(lambda part: part[which].reshape(1), self.constants)
        a = self.arithmetic.encode(mantissa.reshape(1, 1), own, jnp.ones(()))
        b = self.arithmetic.encode(values[None], self.parameters, scale)
        linear = Dense(1, values.size)
        made = self.arithmetic.forward(linear, a, b, self.tape)[0]
        shift = jnp.ldexp(jnp.ones(()), exponent)
        place = jnp.zeros(2).at[which].set(a.probability.reshape(()))
        return made * shift, b.probability[0], place


def _of_parameters(devices: Devices) -> Deviation | None:
    """Generators of a layer's parameters in a row: the weights' (of their first use), biases'."""
    if devices.w is None or devices.bias is None:
        return None
    assert devices.bias is not None
    size = devices.bias.ln_tau.size

    def joined(w: jax.Array, bias: jax.Array) -> jax.Array:
        first = w.reshape(-1, *w.shape[-2:])[0]
        return jnp.concatenate([first.reshape(-1), bias.reshape(size)])

    return jax.tree.map(joined, devices.w, devices.bias)


def _held(
    values: jax.Array,
    change: jax.Array,
    scale: jax.Array,
    bits: int | None,
    words: jax.Array | None,
    shift: int,
) -> jax.Array:
    """``values`` + ``change`` in registers of ``bits`` with sign: rounded by 16 bits, saturated.

    A 1 stands below the random bits, so that nothing drifts; changes below 2^-17 places vanish.
    """
    if bits is None or words is None:
        return values + change
    level = ((words >> shift) & (2**ROUNDING_BITS - 1)).astype(jnp.float32) + 0.5
    level = level * 2.0**-ROUNDING_BITS
    most = 2.0 ** (bits - 1)
    places = values * (most / scale)
    whole = jnp.floor(places)
    # The parts below a place by themselves: added to large numbers, they would be rounded away.
    part = (places - whole) + change * (most / scale)
    below = part - jnp.floor(part)
    places = whole + jnp.floor(part) + jnp.floor(below + level)
    return jnp.clip(places, 1 - most, most - 1) * (scale / most)


def _adam(
    first: jax.Array, second: jax.Array, g: jax.Array, number: jax.Array, rate: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Kingma and Ba, ICLR 2015, algorithm 1, with its constants."""
    first, second = 0.9 * first + 0.1 * g, 0.999 * second + 0.001 * g * g
    count = number + 1
    root = jnp.sqrt(second / (1 - 0.999**count))
    return first, second, rate * first / (1 - 0.9**count) / (root + 1e-8)


def _row(weight: jax.Array, bias: jax.Array) -> jax.Array:
    return jnp.concatenate([weight.reshape(-1), bias.reshape(-1)])


def _parts(row: jax.Array, layer: Layer) -> tuple[jax.Array, jax.Array]:
    cut = layer.weight.size
    return row[:cut].reshape(layer.weight.shape), row[cut:].reshape(layer.bias.shape)
