"""What a run puts on the devices: sums of bit probabilities, bits, and SET + RESET cycles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from system.arithmetic import Generators
from system.bitstream import StreamRules
from system.networks import Layer
from system.train.plan import Plan

RANK_ENDS = (
    *(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
    *(0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 1.0),
)
"""Ends of the classes that devices are put in by their rank: finer where the first ones fail."""


class Levels(NamedTuple):
    """Sums of P(bit = 1), generator by generator, of one layer.

    Of activations and errors over the images of an epoch, of weights over its steps, of the
    parameters (weights, then biases) in the update over steps and products; of ``constants`` over
    steps. ``second`` are those of x, w and d in an operand's second product, where that encodes it
    otherwise (else None).
    """

    x: Any
    w: Any
    d: Any
    parameters: Any
    constants: Any
    second: tuple[Any, Any, Any] = (None, None, None)


class Bits(NamedTuple):
    """Bits made (numbers) and ones expected among them (by generator) of one layer, float64.

    Those of weights are for one stream a step; a step makes more of them, as the rules say.
    """

    x: np.ndarray
    w: np.ndarray
    d: np.ndarray
    parameters: np.ndarray
    made: np.ndarray


def no_bits(levels: Levels) -> Bits:
    """Before the first epoch."""
    x, w, d, parameters = (np.zeros(np.shape(part)) for part in levels[:4])
    return Bits(x, w, d, parameters, np.zeros(4))


def with_epoch(
    bits: Sequence[Bits],
    levels: Sequence[Levels],
    plan: Plan,
    layers: Sequence[Layer],
    steps: int,
    batch: int,
    constants: int,
) -> tuple[Bits, ...]:
    """The bits after one more epoch with this plan; ``constants`` are the products of an update."""
    found = []
    for layer, before, level in zip(layers, bits, levels, strict=True):
        forward, behind, weight, update = (
            plan[layer.name, product].length
            for product in ("forward", "input_gradient", "weight_gradient", "update")
        )
        behind = 0 if layer.from_image else behind
        lengths = (forward, weight), (forward, behind), (behind, weight), (update, 0)
        times = steps * batch, steps, steps * batch, steps * constants
        x, w, d, parameters = (
            old + _ones(first, second, *both)
            for old, first, second, both in zip(
                before[:4], level[:4], (*level.second, None), lengths, strict=True
            )
        )
        made = before.made + np.multiply([sum(both) for both in lengths], times)
        found.append(Bits(x, w, d, parameters, made))
    return tuple(found)


def _ones(first: Any, second: Any, length: int, other: int) -> np.ndarray:
    """Ones expected in an operand's two products, of streams of ``length`` and ``other`` bits."""
    levels = np.asarray(first, float)
    return length * levels + other * (levels if second is None else np.asarray(second, float))


def cycles(
    bits: Bits, generators: Generators, rules: StreamRules, batch: int
) -> dict[str, np.ndarray]:
    """SET + RESET cycles of each generator of the operands "x", "w" and "d" of one layer.

    Those of "w" are the weights' and the biases'. A stream of a weight is made as often as the
    rules say for each batch; the update's on its generator (of its first use).
    """
    reset = generators.read_out

    def events(ones: np.ndarray, made: float) -> np.ndarray:
        contrast = 1 - reset.e01 - reset.e10
        return np.maximum(0.0, (ones - made * reset.e01) / contrast) * reset.reset

    each_step = batch * rules.made_per_image(batch)
    weights = events(bits.w, bits.made[1]) * each_step
    update = events(bits.parameters, bits.made[3])
    size = int(np.prod(weights.shape[-2:]))
    per_use: np.ndarray = weights.reshape(-1, size)
    per_use[0] += update[:size]
    if rules.kind == "turns":
        per_use = np.bincount(rules.generator_of(size), per_use[0]).reshape(1, -1)
    return {
        "x": events(bits.x, bits.made[0]),
        "w": np.concatenate([per_use.reshape(-1), update[size:]]),
        "d": events(bits.d, bits.made[2]),
    }


def by_rank(cycles_of: np.ndarray) -> np.ndarray:
    """Mean over the devices between each two of ``RANK_ENDS``, in rising order of use.

    A device on an end counts in both classes by its parts, so that the sum is that of all devices.
    """
    ordered = np.sort(np.ravel(cycles_of))
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    ends = np.array(RANK_ENDS) * ordered.size
    reached = np.interp(ends, np.arange(ordered.size + 1), sums)
    return np.asarray(np.diff(reached) / np.diff(ends))


def mean_levels(
    levels: Sequence[Levels], steps: int, batch: int, constants: int
) -> Mapping[str, np.ndarray]:
    """Mean P(bit = 1) of an epoch, (layers,) by the first five fields of :class:`Levels`.

    "x2", "w2" and "d2" are those in an operand's second product.
    """
    times = steps * batch, steps, steps * batch, steps * max(1, constants), steps

    def mean(part: Any, count: int) -> float:
        return float(np.mean(np.asarray(part, float))) / count

    found = {
        name: np.array([mean(row[k], times[k]) for row in levels])
        for k, name in enumerate(Levels._fields[:5])
    }
    for k, name in enumerate("xwd"):
        other = [row[k] if row.second[k] is None else row.second[k] for row in levels]
        found[f"{name}2"] = np.array([mean(part, times[k]) for part in other])
    return found
