"""The bill of a binarized network on pairs of binary devices: counts of binarized.nc."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from devices.binary_states import BinaryStates
from devices.cbram import CBRAM
from formats.binarized import BinarizedResult
from formats.cells import Cells
from formats.device import parse_device
from formats.errors import InputError
from system.budget.arrays.bill import ArrayBill
from system.budget.arrays.inputs import DRIVEN
from system.budget.arrays.lines import ArrayLine, Events
from system.budget.arrays.parts import (
    Conductance,
    converter_lines,
    converters_left_out,
    gate_line,
    pulse_line,
    read_line,
)
from system.budget.arrays.units import Units

WORD = 8
"""Bits of a conversion where the chip's converters are ideal (assumed)."""
CARRY = 8
"""More bits of an accumulator, for sums of up to 256 conversions (assumed)."""


@dataclass(frozen=True)
class Mapped:
    """One layer on devices; ``conversions`` and ``positions`` are those of an image."""

    name: str
    devices: float
    positions: float
    conversions: float

    @property
    def columns(self) -> float:
        """Sums that are converted at a position: one an output, plane and tile."""
        return self.conversions / self.positions


def layers_of(result: BinarizedResult) -> tuple[tuple[Mapped, ...], dict[str, float]]:
    """Layers on devices, and the products of an image in digital ones by name; raises
    :class:`InputError` where none is on devices."""
    data, mapped, digital = result.data, [], {}
    rows: dict[str, Any] = {
        key: np.asarray(data[key].to_numpy(), float)
        for key in ("devices", "device_reads", "conversions", "macs")
    }
    for k, name in enumerate(str(name) for name in data["layer"].to_numpy()):
        devices, reads = rows["devices"][k], rows["device_reads"][k]
        if not devices:
            digital[name] = float(rows["macs"][k])
            continue
        if not reads:
            raise InputError(result.path, f"layer {name} has devices that are never read")
        mapped.append(Mapped(name, devices, reads / devices, rows["conversions"][k]))
    if not mapped:
        raise InputError(result.path, "has no layer on devices: all weights are floating point")
    return tuple(mapped), digital


def states_of(result: BinarizedResult) -> BinaryStates:
    """The first states that chips were drawn with."""
    where = f"{result.path}, attribute device_json"
    device = CBRAM.from_dict(parse_device(str(result.attributes["device_json"]), where))
    first = result.data.isel(condition=0)
    spread = float(first["spread_on"]), float(first["spread_off"])
    return BinaryStates.of_spread(device.conduction.r_lrs.value, float(first["ratio"]), *spread)


def binarized_bill(result: BinarizedResult, cells: Cells, unit: Units) -> ArrayBill:
    """The bill; raises :class:`InputError` for a network without devices."""
    layers, digital = layers_of(result)
    states, chip = states_of(result), _chip(result)
    bits = chip["adc_bits"] or WORD
    mean = Conductance(
        (states.mean_on + states.mean_off) / 2,
        "assumed: half of the devices ON; states of binarized.nc, the first ones: ratio "
        f"{states.ratio:g}, spreads {states.spreads[0]:.3g} and {states.spreads[1]:.3g}",
    )
    columns = sum(layer.columns for layer in layers)
    conversions = sum(layer.conversions for layer in layers)
    lines = [line for layer in layers for line in _lines(layer, unit, mean)]
    width = bits + CARRY
    said = f"derived: binarized.nc conversions over positions, {width} bits each (assumed)"
    lines += [
        gate_line(item, gate, of, columns * width, Events(conversions * width), said)
        for item, gate, of in (
            (f"accumulators' adders, {width} bits", "full_adder", unit.adder),
            (f"accumulators' registers, {width} bits", "dff", unit.register),
        )
    ]
    lines += converter_lines(
        unit,
        columns,
        Events(conversions),
        "derived: one for each output, plane and tile (assumed), binarized.nc conversions over "
        "positions",
    )
    return ArrayBill(
        tuple(lines),
        unit.read.time * sum(layer.positions for layer in layers),
        False,
        _assumptions(chip, unit),
        (*converters_left_out(unit, columns, conversions), *_digital(digital), *_LEFT_OUT),
        _warnings(result, cells),
    )


def _chip(result: BinarizedResult) -> dict[str, Any]:
    """What all chips share; raises :class:`InputError` where it is not said."""
    found = json.loads(str(result.attributes["chip"]))
    for key in ("mapping", "tile_rows", "tile_columns", "adc_bits"):
        if not isinstance(found, dict) or key not in found:
            raise InputError(f"{result.path}, attribute chip", f"lacks {key}")
    return dict(found)


def _lines(layer: Mapped, unit: Units, mean: Conductance) -> list[ArrayLine]:
    reads = layer.devices * layer.positions
    said = "derived: binarized.nc devices"
    return [
        read_line(f"devices of {layer.name}", unit, layer.devices, Events(reads), mean, said),
        pulse_line(f"programming of {layer.name}", unit, Events(programming=layer.devices), mean),
    ]


def _assumptions(chip: dict[str, Any], unit: Units) -> tuple[str, ...]:
    return (
        f"Devices are 1T1R cells of cells.nc in tiles of {chip['tile_rows']} x "
        f"{chip['tile_columns']} ({chip['mapping']} mapping), each layer on its own; the layout is "
        "an assumption of this project and no statement of a publication.",
        f"Every device is read at {unit.read.voltage:.4g} V for {unit.read.time:.4g} s at each "
        f"position, with {DRIVEN:.2g} of the energy of a fully driven row (assumed). "
        "Half of them are ON.",
        f"Every device is programmed once, offline, by one pulse of {unit.write.voltage:.4g} V for "
        f"{unit.write.time:.4g} s at the mean conductance, without verification.",
        "One accumulator, as wide as a conversion and 8 bits more, for every converted sum; its "
        "inputs make equally likely transitions, half of its flip-flops toggle at a conversion.",
    )


def _digital(layers: dict[str, float]) -> tuple[str, ...]:
    if not layers:
        return ()
    return (
        f"Layers with floating-point weights ({', '.join(layers)}) are digital: their "
        f"{sum(layers.values()):,.0f} products of an image and their weights are in no line.",
    )


def _warnings(result: BinarizedResult, cells: Cells) -> tuple[str, ...]:
    own, other = (
        json.loads(str(text))
        for text in (result.attributes["device_json"], cells.attributes["device_json"])
    )
    if own == other:
        return ()
    return (
        f"The chips were drawn from the device {own.get('name')!r} of {result.path.name}, cells.nc "
        f"is of another device.json ({other.get('name')!r}): read and write voltages are those of "
        "cells.nc.",
    )


_LEFT_OUT = (
    "Batch normalisation (gains, offsets), activation functions, pooling, softmax: digital logic "
    "on finished sums; memory of activations between layers.",
    "Row drivers and their input converters, decoders, level shifters, write supplies and their "
    "losses, wires, sense stages before the converters.",
    "The training, which is offline in floating point, and what calibration and tuning of a chip "
    "take; write-verify and replacement of stuck devices.",
    "Control, clock tree, image input and output; disturb of devices by their reads, drift and "
    "retention.",
)
