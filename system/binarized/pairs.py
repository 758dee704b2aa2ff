"""Weights on pairs of binary memristors: how they are mapped, and one chip drawn from a seed.

A weight w = -1, 0 or 1 of a plane (:meth:`Representation.planes`) lies, for each of its ``copies``,

    differential: in two devices of neighbouring columns, w > 0 in the first one ON, w < 0 in the
        second one ON, w = 0 in none; the difference of the columns' currents is read;
    reference: in one device, ON for 1 and OFF for -1; from twice its column's current the currents
        of two columns that a tile's outputs share are taken away, one all ON, one all OFF.

Both give (E G_on - E G_off) sum_i w_i V_i in the mean. A device is drawn once and then stays: its
conductance is log-normal in its state, and a stuck device is in the other state or in its own,
whichever it is stuck in. Wires are solved exactly in tiles (:mod:`devices.crossbar`). What is
left is an array of effective conductances, in units of E G_on - E G_off, that the products are
made with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from devices.binary_states import BinaryStates
from devices.crossbar import transfer
from formats.seeds import generator
from system.binarized.network import Binarized
from system.binarized.representation import Representations

MAPPINGS = ("differential", "reference")


LARGEST_SEGMENT = 1e6
"""ohm of a wire from cell to cell."""


@dataclass(frozen=True)
class Pairs:
    """Devices, mapping and periphery of a chip. Raises ValueError for values out of range.

    ``copies`` of a weight are read at once, their currents adding; ``first_copies`` are those of
    the first layer, which has few weights, each of which many outputs stand on. ``stuck_on`` and
    ``stuck_off`` are shares of all devices. ``read_noise`` is the relative
    standard deviation of a device's current from read to read. ``segment`` (ohm) is the resistance
    of a wire from cell to cell. ``adc_bits`` None is an ideal converter; one reads the current of
    each output of each tile of ``tile_rows`` rows. ``tile_columns`` counts devices.
    """

    states: BinaryStates
    mapping: str = "differential"
    copies: int = 1
    first_copies: int = 1
    stuck_on: float = 0.0
    stuck_off: float = 0.0
    read_noise: float = 0.0
    segment: float = 0.0
    adc_bits: int | None = None
    tile_rows: int = 128
    tile_columns: int = 128

    def __post_init__(self) -> None:
        if self.mapping not in MAPPINGS:
            raise ValueError(f"mapping is {self.mapping!r}; expected {' or '.join(MAPPINGS)}")
        shares = (self.stuck_on, self.stuck_off)
        if not (min(shares) >= 0 and sum(shares) <= 1):  # NaN is neither
            raise ValueError("shares of stuck devices are 0 or more, and no more than 1 together")
        if min(self.copies, self.first_copies, self.tile_rows) < 1 or self.tile_columns < 4:
            raise ValueError("copies and rows of a tile are 1 or more, its columns 4 or more")
        if max(self.copies, self.first_copies) > 1000:
            raise ValueError("copies of a weight are 1000 at most")
        if not (0 <= self.read_noise < np.inf and 0 <= self.segment <= LARGEST_SEGMENT):
            raise ValueError(
                f"read noise is 0 or more, wire resistance 0 to {LARGEST_SEGMENT:g} ohm a cell"
            )
        if self.adc_bits is not None and not 2 <= self.adc_bits <= 16:
            raise ValueError("an ADC has 2 to 16 bits")
        _ = self.states.unit

    def of_layer(self, index: int) -> Pairs:
        """With ``copies`` those of the layer of this index."""
        return self if index else replace(self, copies=self.first_copies)

    @property
    def differential(self) -> bool:
        """Whether a weight has two devices of its own."""
        return self.mapping == "differential"


class Mapped(NamedTuple):
    """One layer on a chip, in units of the mean difference between ON and OFF.

    ``weights`` and ``squares`` (planes, taps, outputs): the effective weights, and the sums of
    squared conductances that the variance of read noise is proportional to; ``scales`` (planes,)
    multiply the planes after conversion.
    """

    weights: jax.Array
    squares: jax.Array
    scales: jax.Array


class Count(NamedTuple):
    """Devices of a layer, and how many of them are stuck ON and stuck OFF."""

    devices: int
    stuck_on: int
    stuck_off: int


class Chip(NamedTuple):
    """A network with its layers on devices, by name, and their counts; the others are digital."""

    model: Binarized
    layers: dict[str, Mapped]
    counts: dict[str, Count]


def refuse(pairs: Pairs, representations: Representations) -> None:
    """ValueError where weights have no form on these pairs: 0 needs two devices."""
    kinds = (representations.first, representations.inner, representations.last)
    if not pairs.differential and any(kind.levels == 3 for kind in kinds):
        raise ValueError("ternary weights need differential pairs: one device has no state for 0")


def draw_chip(model: Binarized, representations: Representations, pairs: Pairs, seed: int) -> Chip:
    """The network on the chip of a seed; layers with floating-point weights stay digital.

    The same seed draws the same normal numbers for any states, so that chips of different spreads
    are alike. Raises ValueError as :func:`refuse`.
    """
    refuse(pairs, representations)
    layers, found, counts = model.layers, {}, {}
    for index, layer in enumerate(layers):
        kind = representations.weights_of(index, len(layers))
        if kind.is_float:
            continue
        scales, planes = kind.planes(kind.weights(layer.weight))
        own = pairs.of_layer(index)
        drawn = [
            draw_plane(np.asarray(plane), own, generator(seed, "chip", layer.name, number))
            for number, plane in enumerate(planes)
        ]
        weights, squares, plane_counts = zip(*drawn, strict=True)
        found[layer.name] = Mapped(
            jnp.asarray(np.stack(weights), jnp.float32),
            jnp.asarray(np.stack(squares), jnp.float32),
            jnp.asarray(scales),
        )
        counts[layer.name] = Count(*np.sum(plane_counts, axis=0).tolist())
    return Chip(model, found, counts)


def no_chip(model: Binarized) -> Chip:
    """The network without devices."""
    return Chip(model, {}, {})


def draw_plane(
    plane: np.ndarray, pairs: Pairs, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, Count]:
    """Effective weights and squares (taps, outputs) of one plane of -1, 0, 1, and its devices."""
    draw = _differential if pairs.differential else _reference
    return draw(plane, pairs, random)


def _differential(
    plane: np.ndarray, pairs: Pairs, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, Count]:
    taps, outputs = plane.shape
    on = np.stack([plane > 0, plane < 0], axis=2).reshape(taps, 2 * outputs)
    on = np.broadcast_to(on, (pairs.copies, *on.shape))
    drawn, count = _drawn(on, pairs, random)
    seen = np.stack([_through_wires(copy, pairs) for copy in drawn])
    seen = seen.reshape(pairs.copies, taps, outputs, 2)
    unit = pairs.states.unit
    weights = (seen[..., 0] - seen[..., 1]).mean(axis=0) / unit
    squares = (seen**2).sum(axis=(0, 3)) / (pairs.copies * unit) ** 2
    return weights, squares, count


def _reference(
    plane: np.ndarray, pairs: Pairs, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, Count]:
    """Tiles end with their two columns of references."""
    taps, unit = plane.shape[0], pairs.states.unit
    ends = np.broadcast_to([True, False], (taps, 2))
    parts, total = [], Count(0, 0, 0)
    width = pairs.tile_columns - 2
    for start in range(0, plane.shape[1], width):
        on = np.concatenate([plane[:, start : start + width] > 0, ends], axis=1)
        on = np.broadcast_to(on, (pairs.copies, *on.shape))
        drawn, count = _drawn(on, pairs, random)
        seen = np.stack([_through_wires(copy, pairs) for copy in drawn])
        cells, references = 2 * seen[..., :-2], seen[..., -2:].sum(axis=2, keepdims=True)
        noise = cells**2 + (seen[..., -2:] ** 2).sum(axis=2, keepdims=True)
        parts.append(((cells - references).mean(axis=0), noise.sum(axis=0)))
        total = Count(*(a + b for a, b in zip(total, count, strict=True)))
    weights, squares = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
    return weights / unit, squares / (pairs.copies * unit) ** 2, total


def _drawn(on: np.ndarray, pairs: Pairs, random: np.random.Generator) -> tuple[np.ndarray, Count]:
    """Conductances (S) of devices meant to be ``on``, and how many are stuck."""
    normal = random.standard_normal(on.shape)
    if not (pairs.stuck_on or pairs.stuck_off):
        return pairs.states.conductances(on, normal), Count(on.size, 0, 0)
    fate = random.random(on.shape)
    stuck_on = fate < pairs.stuck_on
    stuck_off = ~stuck_on & (fate < pairs.stuck_on + pairs.stuck_off)
    conductances = pairs.states.conductances((on & ~stuck_off) | stuck_on, normal)
    return conductances, Count(on.size, int(stuck_on.sum()), int(stuck_off.sum()))


def _through_wires(conductance: np.ndarray, pairs: Pairs) -> np.ndarray:
    """Conductances (rows, columns) as seen from the ends of the wires, tile by tile."""
    if not pairs.segment:
        return conductance
    seen = np.empty_like(conductance)
    for rows in tiles(conductance.shape[0], pairs.tile_rows):
        for columns in tiles(conductance.shape[1], pairs.tile_columns):
            seen[rows, columns] = transfer(conductance[rows, columns], pairs.segment)
    return seen


def tiles(length: int, size: int) -> Sequence[slice]:
    """Parts of at most ``size``."""
    return [slice(start, min(start + size, length)) for start in range(0, length, size)]
