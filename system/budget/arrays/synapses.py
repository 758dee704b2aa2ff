"""The bill of a network trained on synapses: counts and pulses of synapses.nc."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formats.errors import InputError
from formats.synapse_training import SynapseTraining
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
"""Bits of a sum that leaves a column (assumed)."""
_CELLS = {"pair": 2, "single": 1}


@dataclass(frozen=True)
class Array:
    """One crossbar; ``first`` where no error passes through it. ``positions`` are those of an
    image, ``pulses`` and ``first_pulses`` the mean on a device."""

    name: str
    devices: float
    positions: float
    sums: float
    conductance: float
    first_pulses: float
    pulses: float
    first: bool
    cells: int

    @property
    def is_weight(self) -> bool:
        """Whether it holds weights: it has sums of its own."""
        return self.sums > 0

    @property
    def columns(self) -> float:
        """Outputs of the crossbar."""
        return self.sums / self.positions

    @property
    def backward(self) -> float:
        """Errors that leave it for an image, each a sum over outputs."""
        if self.first or not self.is_weight:
            return 0.0
        return self.devices / self.cells / self.columns * self.positions


def images_of(training: SynapseTraining) -> float:
    """Images that a seed was trained on, each as often as it was met."""
    return float(training.attributes["train_images"]) * training.data.sizes["epoch"]


def arrays_of(training: SynapseTraining) -> tuple[Array, ...]:
    """The crossbars; raises :class:`InputError` where a count is none."""
    data, cells = training.data, _CELLS.get(str(training.attributes["cells"]))
    if cells is None:
        raise InputError(
            training.path, f"cells is {training.attributes['cells']!r}; expected pair or single"
        )
    names = [str(name) for name in data["crossbar"].to_numpy()]
    rows = {}
    for key in ("devices", "reads", "sums", "conductance", "first_pulses", "pulses"):
        rows[key] = np.asarray(data[key].to_numpy(), float)
        if not np.isfinite(rows[key]).all() or np.any(rows[key] < 0):
            raise InputError(training.path, f"{key} holds negative or infinite values, or none")
    if np.any(rows["devices"] == 0) or np.any(rows["reads"] == 0):
        raise InputError(training.path, "has a crossbar without devices or without reads")
    weights = [number for number, sums in enumerate(rows["sums"]) if sums > 0]
    return tuple(
        Array(
            name,
            rows["devices"][k],
            rows["reads"][k] / rows["devices"][k],
            rows["sums"][k],
            rows["conductance"][k],
            rows["first_pulses"][k],
            rows["pulses"][k],
            k == weights[0],
            cells,
        )
        for k, name in enumerate(names)
    )


def synapses_bill(training: SynapseTraining, unit: Units) -> ArrayBill:
    """The bill; raises :class:`InputError` for a synapses.nc without counts."""
    arrays, images = arrays_of(training), images_of(training)
    sums = sum(array.sums for array in arrays)
    columns = sum(array.columns for array in arrays)
    learning = sums + sum(array.backward for array in arrays)
    lines = [line for array in arrays for line in _lines(array, unit, images)]
    lines.append(
        gate_line(
            f"output registers, {WORD} bits",
            "dff",
            unit.register,
            columns * WORD,
            Events(sums * WORD, sums * WORD),
            f"derived: synapses.nc sums over positions, {WORD} bits each (assumed)",
        )
    )
    lines += converter_lines(
        unit,
        columns,
        Events(sums, learning),
        "derived: one for each output of a crossbar (assumed), synapses.nc sums over positions",
    )
    return ArrayBill(
        tuple(lines),
        unit.read.time * sum(array.positions for array in arrays if array.is_weight),
        True,
        _assumptions(training, unit),
        (*converters_left_out(unit, columns, sums, learning), *_LEFT_OUT),
    )


def _lines(array: Array, unit: Units, images: float) -> list[ArrayLine]:
    mean = Conductance(array.conductance, "simulated: synapses.nc conductance, at last")
    reads = array.devices * array.positions
    found = [
        read_line(
            f"devices of {array.name}",
            unit,
            array.devices,
            Events(reads, reads),
            mean,
            "derived: synapses.nc devices",
        )
    ]
    if array.backward:
        found.append(
            read_line(
                f"backward reads of {array.name}",
                unit,
                0.0,
                Events(training_image=reads),
                mean,
                "",
            )
        )
    pulses = Events(
        training_image=array.devices * array.pulses / images,
        programming=array.devices * array.first_pulses,
    )
    return [*found, pulse_line(f"pulses on {array.name}", unit, pulses, mean)]


def _assumptions(training: SynapseTraining, unit: Units) -> tuple[str, ...]:
    return (
        "Crossbars of 1T1R cells of cells.nc, without the tiles that a real array is cut into; the "
        "layout is an assumption of this project and no statement of a publication.",
        f"Every device is read at {unit.read.voltage:.4g} V for {unit.read.time:.4g} s at each "
        f"position, with {DRIVEN:.2g} of the energy of a fully driven row (assumed). "
        "The conductance is the mean at the "
        "end of the training.",
        "Errors pass backward through the same devices, read once more at each position, in all "
        "layers but the first.",
        f"Every programming pulse is {unit.write.voltage:.4g} V for {unit.write.time:.4g} s over a "
        "device of the mean conductance: the SNG's highest write voltage and pulse, which need not "
        "be those of the synapse whose steps were simulated.",
        f"Pulses are those that the training sent ({training.attributes['rule']} rule), by image "
        f"the mean over {images_of(training):,.0f} images; means over its seeds.",
    )


_LEFT_OUT = (
    "Update logic: what makes the random pulses of the gradient (streams or comparators, their "
    "random numbers), what keeps activations and errors until then, and the registers of errors.",
    "Row drivers and their input converters, decoders, level shifters, write supplies and their "
    "losses, wires, sense stages before the converters.",
    "Activation functions, pooling, softmax and loss; control, clock tree, image input and output.",
    "Disturb of devices by their reads, drift and retention of conductances.",
)
