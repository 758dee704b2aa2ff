"""The cells beside the SNG: which there are, what each needs, and their characters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from characterization.extract.logic.compose import (
    CompositionCheck,
    composition_check,
    random_vectors,
    transistor_count,
)
from characterization.extract.logic.gate import characterise_gate
from characterization.extract.logic.register import characterise_flip_flop
from characterization.extract.logic.results import GateCharacter, RegisterCharacter, Timing
from characterization.extract.logic.timing import characterise_timing
from circuits.logic.cell import REGISTER, LogicCell
from circuits.logic.gates import GATES
from circuits.logic.stimulus import Pace, measured_pace
from circuits.mac.base import Mac
from circuits.mac.bit_cells import MACS
from circuits.mac.counter import counter_mac
from circuits.mac.mux_tree import mux_tree
from circuits.reference.binary import adder, binary_mac, multiplier
from circuits.reference.lfsr import lfsr_sng
from circuits.simulator import SimulationError, Simulator
from devices.technology import Technology
from formats.errors import InputError
from formats.seeds import generator

DEFAULT_MAC = "sign_magnitude_counter"
COLUMN = "in_memory_column"
STREAM_LENGTH = 256
"""Bits that the accumulators of the counters hold."""
FAN_IN = 8
"""Products of the larger MAC cells."""
CHECK_VECTORS = 64
CHECKED_TRANSISTORS = 100
"""Cells up to this size are checked by a transient at every extraction; larger ones take minutes
and are checked by benchmarks/cells_logic.py."""


def logic_cells() -> dict[str, LogicCell]:
    """MACs and conventional CMOS made of gates, by name."""
    cells: tuple[LogicCell, ...] = (
        *MACS.values(),
        mux_tree("bipolar", FAN_IN, shared_select=True),
        counter_mac("sign-magnitude", FAN_IN, "exact-counter", STREAM_LENGTH),
        counter_mac("unipolar", FAN_IN, "approximate-counter", STREAM_LENGTH),
        lfsr_sng(8),
        adder(8),
        multiplier(8),
        binary_mac(8, STREAM_LENGTH),
    )
    return {cell.name: cell for cell in cells}


def chosen(names: Sequence[str] | None) -> tuple[dict[str, LogicCell], bool]:
    """The cells of these names (None: all) with the default MAC, and whether the column is wanted.

    Raises :class:`InputError` for a name there is not.
    """
    known = logic_cells()
    if names is None:
        return known, True
    for name in names:
        if name not in known and name != COLUMN and name not in GATES:  # gates are always there
            raise InputError(
                "--cells", f"{name!r} is unknown; there is {', '.join([*known, COLUMN])}"
            )
    wanted = {DEFAULT_MAC, *names}
    return {name: cell for name, cell in known.items() if name in wanted}, COLUMN in wanted


@dataclass(frozen=True, eq=False)
class Library:
    """All gates at one corner and temperature, with the checks of cells composed from them.

    ``unchecked`` says why a check could not be simulated.
    """

    technology: Technology
    gates: Mapping[str, GateCharacter]
    register: RegisterCharacter
    checks: Mapping[str, CompositionCheck]
    pace: Pace
    unchecked: Mapping[str, SimulationError] = field(default_factory=dict)


def characterise_timings(
    simulator: Simulator, library: Library, nominal: Library
) -> dict[str, Timing]:
    """Delay and slew tables of every gate, at the slews and loads of the ``nominal`` library."""
    inverter = float(nominal.gates["inv"].pin_capacitance[0])
    return {
        name: characterise_timing(
            simulator, library.technology, GATES[name], nominal.pace, inverter
        )
        for name in library.gates
    }


def characterise_library(
    simulator: Simulator,
    technology: Technology,
    checked: Sequence[LogicCell],
    seed: int,
    progress: Callable[[str], None],
) -> Library:
    """Every gate and the flip-flop; the small ones of ``checked`` against a transient each."""
    where = f"{technology.corner}, {technology.temperature:g} K"
    pace = measured_pace(simulator, technology)
    gates = {}
    for name, gate in GATES.items():
        progress(f"{where}: {name}")
        if name != REGISTER:
            gates[name] = characterise_gate(simulator, technology, gate, pace)
    register = characterise_flip_flop(simulator, technology, pace)
    checks: dict[str, CompositionCheck] = {}
    unchecked: dict[str, SimulationError] = {}
    for cell in checked:
        progress(f"{where}: {cell.name}")
        if transistor_count(cell, technology) <= CHECKED_TRANSISTORS:
            vectors = random_vectors(
                cell, generator(seed, "extract", "vectors", cell.name), CHECK_VECTORS
            )
            try:
                checks[cell.name] = composition_check(
                    simulator, technology, pace, cell, gates, register, vectors
                )
            except SimulationError as error:
                unchecked[cell.name] = error
    return Library(technology, gates, register, checks, pace, unchecked)


def is_mac(cell: LogicCell) -> bool:
    """Whether it multiplies and accumulates streams (the others are conventional CMOS)."""
    return isinstance(cell, Mac)


def cell_area(cell: LogicCell, technology: Technology) -> float:
    """Area (m2): the sum of its gates."""
    return float(np.sum([technology.gate_areas[name] * n for name, n in cell.gates.items()]))


def cell_leakage(cell: LogicCell, library: Library) -> float:
    """Leakage (W): each gate's mean over its input states."""
    total = 0.0
    for name, count in cell.gates.items():
        if name == REGISTER:
            total += library.register.leakage * count
        else:
            total += float(library.gates[name].leakage.mean()) * count
    return total
