"""The column's transistors as seen from a cell: on-resistance, leakage, switches in series.

One quasi-static ramp gives all of it; cells are then solved in series with these curves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySpice.Spice.Netlist import Circuit

from circuits.mac.column import ColumnDesign
from circuits.mac.column_write import RAMP_TIME, ramp_deck
from circuits.simulator import Simulator
from circuits.transistors import add_mosfet
from devices.technology import Technology

COMPLIANCE_CURRENT = 7e-6
"""A; what an I/O access transistor lets through after SET: one to which the filament of the default
LRS, 100 kohm, answers; assumed."""
COMPLIANCE_VOLTAGE = 1.0
"""V across the access transistor at which that current is meant."""
SMALL = 5e-3
"""V across a switch whose resistance is taken."""


@dataclass(frozen=True)
class Access:
    """Curves of the simulated transistors.

    ``voltage`` (V) with ``read_current`` and ``write_current`` (A): drain current of the access
    transistor with its word line at the read and at the write level, source at ground.
    ``off_current`` (A): with the word line at ground. ``level`` (V) with ``isolation`` (ohm): the
    isolation switch by the voltage it passes. ``ground`` (ohm): the source line's switch.
    """

    voltage: np.ndarray
    read_current: np.ndarray
    write_current: np.ndarray
    off_current: np.ndarray
    level: np.ndarray
    isolation: np.ndarray
    ground: float

    def cell_current(self, line: np.ndarray, resistance: float, write: bool = False) -> np.ndarray:
        """Current (A) of a cell whose device is a resistance (ohm), by line voltage (V)."""
        current = self.write_current if write else self.read_current
        return np.interp(line, self.voltage + resistance * current, current)

    def on_resistance(self, line: float, resistance: float) -> float:
        """Resistance (ohm) of the access transistor in a read of a cell at ``line`` (V)."""
        current = float(self.cell_current(np.array([line]), resistance)[0])
        return line / current - resistance

    def leakage(self, line: float, resistance: float) -> float:
        """Conductance (S) of a cell with its word line off."""
        across = self.voltage + resistance * self.off_current
        return float(np.interp(line, across, self.off_current)) / line


def compliance_gate(simulator: Simulator, technology: Technology, design: ColumnDesign) -> float:
    """Word-line voltage (V) at which the access transistor passes the compliance current.

    Raises ValueError where it does not within its rating.
    """
    circuit = Circuit("compliance of an access transistor")
    circuit.raw_spice = technology.models_text() + "\n"
    rating = technology.transistors[design.access_role].ratings.lowest
    circuit.V("g", "g", circuit.gnd, f"PWL(0 0 {RAMP_TIME:g} {rating:.6g})")
    circuit.V("d", "d", circuit.gnd, COMPLIANCE_VOLTAGE)
    nodes = ("d", "g", "0", "0")
    add_mosfet(circuit, technology, design.access_role, "a", nodes, design.access_width)
    run = simulator.run(ramp_deck(circuit))
    current = np.maximum.accumulate(-run["i(vd)"])
    if current[-1] < COMPLIANCE_CURRENT:
        raise ValueError(
            f"an access transistor {design.access_width:.3g} m wide passes {current[-1]:.3g} A, "
            f"less than the compliance current {COMPLIANCE_CURRENT:g} A; make it wider"
        )
    return round(float(np.interp(COMPLIANCE_CURRENT, current, run["v(g)"])), 3)


def access_curves(
    simulator: Simulator, technology: Technology, design: ColumnDesign, highest: float
) -> Access:
    """Simulate the transistors up to ``highest`` (V) across the access transistor."""
    circuit = Circuit("transistors of a column")
    circuit.raw_spice = technology.models_text() + "\n"
    d = design

    def ramp(name: str, end: float, start: float = 0.0) -> None:
        circuit.V(name, name, circuit.gnd, f"PWL(0 {start:.9g} {RAMP_TIME:g} {end:.9g})")

    ramp("x", highest)
    gates = (("r", d.gate_on), ("w", d.compliance_gate), ("f", 0.0))
    for name, gate in gates:
        circuit.V(f"g{name}", f"g{name}", circuit.gnd, gate)
        circuit.V(f"m{name}", "x", f"d{name}", 0.0)
        nodes = (f"d{name}", f"g{name}", "0", "0")
        add_mosfet(circuit, technology, d.access_role, name, nodes, d.access_width)
    ramp("lo", d.read_voltage)
    ramp("hi", d.read_voltage + SMALL, SMALL)
    circuit.V("mi", "hi", "di", 0.0)
    width = d.isolation_width * d.cells
    add_mosfet(circuit, technology, d.access_role, "i", ("di", "gr", "lo", "0"), width)
    circuit.V("io", "io", circuit.gnd, technology.io_supply)
    circuit.V("mg", "small", "dg", 0.0)
    circuit.V("small", "small", circuit.gnd, SMALL)
    add_mosfet(circuit, technology, "nmos_io", "g", ("dg", "io", "0", "0"), d.ground_width)
    waveforms = simulator.run(ramp_deck(circuit))
    order = np.flatnonzero(np.diff(waveforms.time, prepend=-1.0) > 0)
    currents = {name: waveforms[f"i(vm{name})"][order] for name in ("r", "w", "f", "i", "g")}
    return Access(
        voltage=waveforms["v(x)"][order],
        # The series solution needs curves that rise.
        read_current=np.maximum.accumulate(currents["r"]),
        write_current=np.maximum.accumulate(currents["w"]),
        off_current=np.maximum.accumulate(np.maximum(currents["f"], 0.0)),
        level=waveforms["v(lo)"][order],
        isolation=SMALL / currents["i"],
        ground=float(SMALL / currents["g"][-1]),
    )
