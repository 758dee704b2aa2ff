"""The stochastic number generator: CBRAM, 3.3-V access transistor, drivers and sense stage.

One cycle makes one bit: RESET (source line high), write (bit line at the write voltage), read (bit
line at the core supply through the device into a current sink, two core inverters). The active
electrode ``te`` is the bit line; the inert electrode ``be`` meets the access transistor's drain,
so SET sees it as a common-source compliance device and RESET as a source follower.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySpice.Spice.Netlist import Circuit

from circuits.sources import pwl
from circuits.transistors import add_mosfet
from devices.cbram import CBRAM
from devices.subcircuit import subcircuit
from devices.technology import Technology

NEVER = 1e12
"""Threshold of a device that must not switch."""
EDGE = 10e-9
"""s; rise and fall time of the control lines."""


@dataclass(frozen=True)
class SngDesign:
    """Voltages (V), times (s) and widths (m) of the cell; all are choices of ours (assumed).

    ``compliance_gate`` is the word-line voltage of the write phase, which limits the LRS current.
    """

    write_time: float = 100e-6
    reset_time: float = 1e-6
    read_time: float = 1e-6
    gap: float = 0.2e-6
    reset_voltage: float = 1.5
    compliance_gate: float = 1.0
    gate_on: float = 3.3
    sense_bias: float = 0.65
    io_width: float = 0.5e-6
    sink_width: float = 0.12e-6
    sink_length: float = 0.2e-6

    @property
    def phase_times(self) -> tuple[float, float, float]:
        """Duration (s) of RESET, write and read with their edges and gaps."""
        return (
            self.reset_time + 2 * EDGE + self.gap,
            self.write_time + 2 * EDGE + self.gap,
            self.read_time + 2 * EDGE + self.gap,
        )

    @property
    def cycle_time(self) -> float:
        """Duration (s) of one bit."""
        return sum(self.phase_times)

    def windows(self, cycle: int = 0) -> tuple[tuple[float, float], ...]:
        """Start and end (s) of RESET, write and read of a cycle."""
        edges = cycle * self.cycle_time + np.concatenate([[0.0], np.cumsum(self.phase_times)])
        return tuple((float(a), float(b)) for a, b in itertools.pairwise(edges))

    def sample_time(self, cycle: int) -> float:
        """Time (s) at which the bit of a cycle is taken, at the end of the read pulse."""
        return self.windows(cycle)[2][0] + EDGE + self.read_time - 1e-9


IO_TRANSISTORS = ("acc", "dn", "up", "iso", "wr", "bz", "rdv")
CORE_TRANSISTORS = ("sink", "i1n", "i1p", "i2n", "i2p")


def sng_circuit(
    device: CBRAM,
    technology: Technology,
    design: SngDesign,
    write_voltages: Sequence[float],
    set_thresholds: Sequence[float],
    reset_thresholds: Sequence[float],
    initial_state: int = 0,
    r_lrs: float | None = None,
    r_hrs: float | None = None,
) -> Circuit:
    """The cell over as many cycles as there are write voltages (V).

    The thresholds (exposures) are those in force in each cycle. The transient is not included.
    Raises ValueError where the lengths differ.
    """
    count = len(write_voltages)
    if not count or len(set_thresholds) != count or len(reset_thresholds) != count:
        raise ValueError("write voltages and thresholds need the same length, of at least one")
    circuit = Circuit(f"stochastic number generator, {device.name}, {technology.name}")
    circuit.raw_spice = subcircuit(device) + technology.models_text()
    d, ground = design, circuit.gnd

    def supply(name: str, value: str | float) -> None:
        circuit.V(name, name, ground, value)

    supply("vdd", technology.supply)
    supply("vrs", d.reset_voltage)
    supply("vrd", technology.supply)
    supply("vbias", d.sense_bias)
    supply("vw", pwl(_per_cycle(d, write_voltages, 0.0)))
    # A threshold changes while its exposure is clear: SET's in the midst of the RESET pulse,
    # RESET's in the midst of the write pulse before it.
    supply("ys", pwl(_per_cycle(d, set_thresholds, EDGE + d.reset_time / 2)))
    before = d.phase_times[1] + d.phase_times[2] - EDGE - d.write_time / 2
    supply("yr", pwl(_per_cycle(d, reset_thresholds, -before)))
    for name, (rest, pulses) in _control_lines(d, max(write_voltages)).items():
        # One periodic source a pulse, in series: long PWL lists make ngspice slow.
        node = name
        for index, (start, width, level) in enumerate(pulses):
            last = index == len(pulses) - 1
            below = "0" if last else f"{name}_{index}"
            base = rest if last else 0.0
            source = "" if index == 0 else f"_{index}"
            circuit.V(
                f"{name}{source}",
                node,
                below,
                f"PULSE({base:.10g} {base + level - rest:.10g} {start:.12g} {EDGE:g} {EDGE:g} "
                f"{width:.12g} {d.cycle_time:.12g})",
            )
            node = below

    overrides = {"state0": initial_state, "r_lrs": r_lrs, "r_hrs": r_hrs}
    given = {key: value for key, value in overrides.items() if value is not None}
    circuit.X("dev", "cbram", "bl", "be", "ys", "yr", **given)

    def io(name: str, drain: str, gate: str, source: str, role: str = "nmos_io") -> None:
        bulk = "0" if role == "nmos_io" else source
        add_mosfet(circuit, technology, role, name, (drain, gate, source, bulk), d.io_width)

    io("acc", "be", "wl", "sl")
    io("dn", "sl", "dn", "0")
    io("up", "sl", "upb", "vrs", "pmos_io")
    io("wr", "bl", "wrb", "vw", "pmos_io")
    io("bz", "bl", "bz", "0")
    io("rdv", "vrd", "rd", "bl")
    io("iso", "sl", "rd", "sn")
    add_mosfet(
        circuit,
        technology,
        "nmos",
        "sink",
        ("sn", "vbias", "0", "0"),
        d.sink_width,
        d.sink_length,
    )
    for name, a, y in (("i1", "sn", "qb"), ("i2", "qb", "q")):
        add_mosfet(circuit, technology, "nmos", f"{name}n", (y, a, "0", "0"))
        add_mosfet(circuit, technology, "pmos", f"{name}p", (y, a, "vdd", "vdd"))
    return circuit


def sng_deck(circuit: Circuit, design: SngDesign, cycles: int, saved: Sequence[str] = ()) -> str:
    """The circuit with its transient over ``cycles``; all voltages and currents, or ``saved``."""
    stop = cycles * design.cycle_time
    save = " ".join(saved) if saved else "all"
    step = design.write_time / 100
    return (
        f"{circuit}\n.options method=gear gmin=1e-15\n"
        f".save {save}\n.tran {step:.6g} {stop:.12g} 0 {step:.6g} uic\n.end\n"
    )


def _per_cycle(
    design: SngDesign, values: Sequence[float], offset: float
) -> list[tuple[float, float]]:
    """A value a cycle, changed within a nanosecond, ``offset`` (s) after the cycle's start."""
    points = [(0.0, float(values[0]))]
    for cycle in range(1, len(values)):
        if values[cycle] != values[cycle - 1]:
            start = cycle * design.cycle_time + offset
            points += [(start, float(values[cycle - 1])), (start + 1e-9, float(values[cycle]))]
    return points


def _control_lines(
    design: SngDesign, highest: float
) -> dict[str, tuple[float, list[tuple[float, float, float]]]]:
    """Control lines as (rest level, pulses of (start, width, level)), the same in each cycle.

    ``wrb`` and ``upb`` are active low; ``wrb`` rests at the highest write voltage.
    """
    d = design
    reset, write, read = (window[0] for window in d.windows())
    # The access path stays open while the bit line discharges after the write: a floating inert
    # electrode would follow the bit line and put the device under the opposite polarity.
    open_time = d.write_time + d.gap
    discharge = write + 2 * EDGE + d.write_time
    return {
        "wl": (
            0.0,
            [
                (reset, d.reset_time, d.gate_on),
                (write, open_time, d.compliance_gate),
                (read, d.read_time, d.gate_on),
            ],
        ),
        "upb": (d.reset_voltage, [(reset, d.reset_time, 0.0)]),
        "dn": (0.0, [(write, open_time, d.gate_on)]),
        "wrb": (highest, [(write, d.write_time, 0.0)]),
        "bz": (
            0.0,
            [(reset, d.reset_time, d.gate_on), (discharge, d.gap - 3 * EDGE, d.gate_on)],
        ),
        "rd": (0.0, [(read, d.read_time, d.gate_on)]),
    }
