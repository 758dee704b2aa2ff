"""A crossbar of resistances with wires as an ngspice deck, and its column currents.

The circuit that :mod:`devices.crossbar` solves, in another simulator: sources drive the rows from
the left, sources of 0 V end the columns below and measure their currents.
"""

from __future__ import annotations

import numpy as np

from circuits.simulator import Simulator

_LEAST_WIRE = 1e-3
"""ohm; ngspice takes no resistor of 0, and a wire of this size moves nothing."""


def crossbar_deck(conductance: np.ndarray, segment: float, voltages: np.ndarray) -> str:
    """Deck of cells ``conductance`` (rows, columns) in S, wires of ``segment`` ohm, rows at
    ``voltages`` (rows,) in V."""
    rows, columns = conductance.shape
    wire = max(segment, _LEAST_WIRE)
    lines = [f"* crossbar of {rows} x {columns} cells"]
    for i in range(rows):
        lines.append(f"vr{i} r{i}_in 0 {voltages[i]:.16g}")
        for j in range(columns):
            before = f"r{i}_{j - 1}" if j else f"r{i}_in"
            after = f"c{i + 1}_{j}" if i + 1 < rows else f"c{j}_out"
            lines += [
                f"rw{i}_{j} {before} r{i}_{j} {wire:.16g}",
                f"rb{i}_{j} c{i}_{j} {after} {wire:.16g}",
            ]
            if conductance[i, j] > 0:
                lines.append(f"rm{i}_{j} r{i}_{j} c{i}_{j} {1 / conductance[i, j]:.16g}")
    lines += [f"vc{j} c{j}_out 0 0" for j in range(columns)]
    lines += [
        ".options reltol=1e-9 abstol=1e-18 vntol=1e-15 gmin=1e-18",
        ".save " + " ".join(f"i(vc{j})" for j in range(columns)),
        ".tran 1n 1n",
        ".end",
    ]
    return "\n".join(lines) + "\n"


def column_currents(
    simulator: Simulator, conductance: np.ndarray, segment: float, voltages: np.ndarray
) -> np.ndarray:
    """Currents (columns,) in A out of the columns, by ngspice.

    Raises :class:`circuits.simulator.SimulationError`.
    """
    found = simulator.run(crossbar_deck(conductance, segment, voltages))
    return np.array([found[f"i(vc{j})"][-1] for j in range(conductance.shape[1])])
