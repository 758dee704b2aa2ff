"""The arrays of devices that hold a network: one for the weights of each layer, one for its biases.

A weight is span (G+ - G-) / (Gmax - Gmin) on a differential pair, or span (2 G - Gmax - Gmin) /
(Gmax - Gmin) on one device against a fixed reference, Gmax and Gmin being those of the median
device: periphery knows no device of its own. ``span`` is the largest weight, a gain of the
periphery. The training's whole state is ``Conductances``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from devices.synapse import Drawn, Synapse, draw, initial
from formats.seeds import generator
from system.networks import Layer, layers_of, with_layers

PAIR, SINGLE = "pair", "single"
CELLS = {PAIR: 2, SINGLE: 1}
WEIGHT_SPAN = 2.0
"""Largest weight over the bound of He's uniform first weights (tuned on images held out of the
training set)."""
BIAS_SPAN = 1.0
"""Largest bias (the same)."""

Devices = tuple[jax.Array, ...]
"""Of one crossbar, for each device of a weight (plus and minus, or one): an array (taps, outputs),
or (outputs) for biases."""
Conductances = tuple[Devices, ...]
"""Of all crossbars, S."""


@dataclass(frozen=True)
class Crossbar:
    """One array: ``part`` "weight" or "bias" of ``layer``."""

    layer: str
    part: str
    shape: tuple[int, ...]
    span: float
    cells: str

    @property
    def name(self) -> str:
        """Such as ``conv1.weight``."""
        return f"{self.layer}.{self.part}"

    @property
    def devices(self) -> int:
        """How many it has."""
        return int(np.prod(self.shape)) * CELLS[self.cells]


class Ends(NamedTuple):
    """End states (S) of all devices; scalars where all are alike."""

    low: Conductances
    high: Conductances


def crossbars_of(network: Any, cells: str) -> tuple[Crossbar, ...]:
    """The arrays of a network, weights before biases in each layer."""
    found = []
    for layer in layers_of(network):
        bound = float(np.sqrt(6 / layer.weight.shape[0]))
        found.append(Crossbar(layer.name, "weight", layer.weight.shape, WEIGHT_SPAN * bound, cells))
        found.append(Crossbar(layer.name, "bias", layer.bias.shape, BIAS_SPAN, cells))
    return tuple(found)


def values_of(network: Any) -> list[jax.Array]:
    """Weights and biases in the order of :func:`crossbars_of`."""
    return [part for layer in layers_of(network) for part in (layer.weight, layer.bias)]


def network_of(
    template: Any, crossbars: Sequence[Crossbar], synapse: Synapse, conductances: Conductances
) -> Any:
    """The network that the conductances are; nothing of the template but its structure."""
    parts = iter(zip(crossbars, conductances, strict=True))
    layers: list[Layer] = []
    for layer in layers_of(template):
        weight, bias = (
            read(crossbar, synapse, held) for crossbar, held in (next(parts), next(parts))
        )
        layers.append(replace(layer, weight=weight, bias=bias))
    return with_layers(template, layers)


def read(crossbar: Crossbar, synapse: Synapse, held: Devices) -> jax.Array:
    """The weights of a crossbar."""
    low, high = synapse.g_min.value, synapse.g_max.value
    gain = crossbar.span / (high - low)
    if crossbar.cells == PAIR:
        return gain * (held[0] - held[1])
    return (2 * gain) * (held[0] - (high + low) / 2)


def step_of(crossbar: Crossbar, synapse: Synapse) -> float:
    """What one nominal pulse on one device changes a weight by (mean of both directions)."""
    steps = [1 / branch.pulses for branch in synapse.branches]
    return crossbar.span * float(np.mean(steps)) * (2 / CELLS[crossbar.cells])


@dataclass(frozen=True)
class Programmed:
    """Devices of a seed after their first programming; ``writes`` as pulses on each."""

    ends: Ends
    conductances: Conductances
    writes: Conductances


def programmed(
    network: Any, crossbars: Sequence[Crossbar], synapse: Synapse, seed: int
) -> Programmed:
    """Draw the devices and bring them, open loop, near the first weights of ``network``.

    The pulses are potentiating ones on devices fresh at their low end; their number is rounded
    at random, so that it is right on average.
    """
    low, high, first, writes = [], [], [], []
    varied = _varied(synapse)
    for crossbar, value in zip(crossbars, values_of(network), strict=True):
        signs = (1.0, -1.0)[: CELLS[crossbar.cells]]
        made = [
            _one(crossbar, sign * np.asarray(value), synapse, seed, k)
            for k, sign in enumerate(signs)
        ]
        drawn = [part[0] for part in made]
        low.append(tuple(_held(part.low, varied) for part in drawn))
        high.append(tuple(_held(part.high, varied) for part in drawn))
        first.append(tuple(jnp.asarray(part[1], jnp.float32) for part in made))
        writes.append(tuple(jnp.asarray(part[2], jnp.int32) for part in made))
    return Programmed(Ends(tuple(low), tuple(high)), tuple(first), tuple(writes))


def _one(
    crossbar: Crossbar, value: np.ndarray, synapse: Synapse, seed: int, number: int
) -> tuple[Drawn, np.ndarray, np.ndarray]:
    """One of the devices of each weight: what it is, its conductance, its pulses."""
    random = generator(seed, "synapses", crossbar.name, number)
    drawn = draw(synapse, crossbar.shape, random)
    target = (0.5 + 0.5 * value / crossbar.span).clip(0, 1)
    pulses = synapse.potentiation.branch.pulses_to(target)
    counts = np.floor(pulses + random.random(value.shape)).astype(int)
    return drawn, initial(synapse, drawn, counts, random), counts


def _varied(synapse: Synapse) -> bool:
    """Whether devices have ends of their own."""
    spread = synapse.sigma_ln_g_max, synapse.sigma_ln_g_min, synapse.stuck_low, synapse.stuck_high
    return any(part.value for part in spread)


def _held(ends: np.ndarray, varied: bool) -> jax.Array:
    return jnp.asarray(ends if varied else ends.flat[0], jnp.float32)
