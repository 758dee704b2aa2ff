"""What can be chosen about a stochastic number generator, and when its phases are."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from circuits.part import vt_sigma
from circuits.sng.parts import cell_parts
from devices.technology import Technology

EDGE = 10e-9
"""s; rise and fall time of the control lines."""
SHORTEST_GAP = 8 * EDGE
"""s; in which the lines are discharged between two phases."""
SENSE_EDGE = 1e-9
"""s; rise and fall time of the sense clock."""
PHASES = ("reset", "write", "read")
"""Phases of a cycle by name; every result by phase is in this order, whatever the one in time."""
ORDERS = (("reset", "write", "read"), ("write", "read", "reset"))
"""Orders in time; in both the read follows its write at once."""
TERMINALS = ("inert", "active")
"""Electrodes that may meet the access transistor."""
PATHS = ("io", "core")
"""Transistors the device's path may be made of."""


@dataclass(frozen=True)
class SngDesign:
    """Voltages (V), times (s) and sizes (m) of the cell; all are choices of ours (assumed).

    ``order`` is that of the phases in time, ``first_state`` the device's before the first cycle (1
    LRS, 0 HRS), which the output latch holds as well. ``conditional_reset``: only a device last
    read as 1 gets the RESET pulse (``circuits.sng.chain`` says what that does to the bits).

    ``terminal``: the electrode at the access transistor. "inert": in SET the transistor is a
    common-source compliance device, in RESET a source follower; ``compliance_gate`` is the word
    line's voltage of the write phase, which limits the LRS current. "active": the other way round,
    and the word line is at ``gate_on`` in every phase, since a lower one would take the difference
    from the SET voltage.

    ``path`` "core" makes access transistor and drivers from core transistors, for a device whose
    voltages these bear. ``gate_on`` None is the nominal supply of the path's transistors;
    ``read_voltage`` None the core supply. ``reference`` is the comparator's, ``sense_bias`` the
    gate of the current sink that the device reads against; the trip resistance is about
    (read_voltage - reference) over that current. ``sense_time`` is how long the comparator decides
    before the read pulse ends. ``write_resistance`` (ohm) is the output resistance of the DAC that
    gives the write voltage, ``line_capacitance`` (F) that of bit line and source line each: 25 um
    of wire at 0.2 fF/um.

    Raises ValueError for a choice that is not one.
    """

    write_time: float = 100e-6
    reset_time: float = 1e-6
    read_time: float = 1e-6
    gap: float = 0.2e-6
    reset_voltage: float = 1.5
    compliance_gate: float = 1.0
    gate_on: float | None = None
    io_width: float = 0.5e-6
    order: tuple[str, ...] = ORDERS[0]
    first_state: int = 0
    conditional_reset: bool = False
    terminal: str = TERMINALS[0]
    path: str = PATHS[0]
    write_resistance: float = 1e3
    line_capacitance: float = 5e-15
    read_voltage: float | None = None
    reference: float = 0.3
    sense_time: float = 30e-9
    sense_bias: float = 0.8
    sink_width: float = 0.12e-6
    sink_length: float = 1e-6
    input_width: float = 0.5e-6
    input_length: float = 0.1e-6

    def __post_init__(self) -> None:
        choices = {
            "order": ORDERS,
            "first_state": (0, 1),
            "terminal": TERMINALS,
            "path": PATHS,
        }
        for name, allowed in choices.items():
            value = getattr(self, name)
            if value not in allowed:
                raise ValueError(f"{name} {value!r}: expected one of {allowed}")
        if not 0.0 < self.sense_time < self.read_time:
            raise ValueError(
                f"sense_time {self.sense_time:g} s: expected less than read_time, "
                f"{self.read_time:g} s"
            )
        if self.gap < SHORTEST_GAP:
            raise ValueError(f"gap {self.gap:g} s: expected at least {SHORTEST_GAP:g} s")

    def resolved(self, technology: Technology) -> SngDesign:
        """The design with the voltages that follow from the technology filled in."""
        highest = technology.io_supply if self.path == "io" else technology.supply
        return replace(
            self,
            gate_on=highest if self.gate_on is None else self.gate_on,
            read_voltage=technology.supply if self.read_voltage is None else self.read_voltage,
        )

    @property
    def phase_times(self) -> tuple[float, float, float]:
        """Duration (s) of RESET, write and read with their edges and gaps."""
        times = (self.reset_time, self.write_time, self.read_time)
        reset, write, read = (time + 2 * EDGE + self.gap for time in times)
        return reset, write, read

    @property
    def cycle_time(self) -> float:
        """Duration (s) of one bit."""
        return sum(self.phase_times)

    @property
    def electrodes(self) -> tuple[str, str]:
        """Nodes of the active and the inert electrode: V_cell is the difference."""
        return ("bl", "be") if self.terminal == "inert" else ("te", "sl")

    def windows(self, cycle: int = 0) -> tuple[tuple[float, float], ...]:
        """Start and end (s) of RESET, write and read of a cycle (not in the order of time)."""
        lengths = [self.phase_times[PHASES.index(phase)] for phase in self.order]
        edges = cycle * self.cycle_time + np.concatenate([[0.0], np.cumsum(lengths)])
        spans = [(float(a), float(b)) for a, b in itertools.pairwise(edges)]
        return tuple(spans[self.order.index(phase)] for phase in PHASES)

    def sense_start(self, cycle: int = 0) -> float:
        """Time (s) at which the sense clock starts the comparator, the end of the read pulse."""
        return self.windows(cycle)[2][0] + EDGE + self.read_time - self.sense_time

    def sample_time(self, cycle: int) -> float:
        """Time (s) at which the bit of a cycle is taken: after the read, from the latch."""
        return self.windows(cycle)[2][1] - 1e-9

    def vt_sigmas(self, technology: Technology) -> dict[str, float]:
        """Standard deviation (V) of the threshold of every transistor of the cell, by its name."""
        return {part.name: vt_sigma(technology, part) for part in cell_parts(self, technology)}

    def change_times(self) -> Mapping[str, float]:
        """Times (s, from a cycle's start) at which its SET and RESET thresholds come into force.

        SET's in the midst of the RESET pulse before the write, RESET's in the midst of the write
        pulse before the RESET: a threshold changes while its exposure is clear.
        """
        reset, write, _ = (start for start, _ in self.windows())
        middle_reset = reset + EDGE + self.reset_time / 2
        middle_write = write + EDGE + self.write_time / 2
        if reset < write:
            return {"set": middle_reset, "reset": middle_write - self.cycle_time}
        return {"set": middle_reset - self.cycle_time, "reset": middle_write}
