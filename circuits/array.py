"""Many 1T1R cells written by one pulse in one netlist, each with its own SET threshold.

For Monte Carlo: a netlist of some ten cells costs ngspice less per cell than a netlist each, and
every cell sees the same time points. The cells share ideal sources only, so none feels another.

How a switching time is found: until it switches a cell's exposure is what the trapezoidal rule
integrates, without error while the voltage stands still, so the largest step may be long and the
error control is put to rest (``trtol``). The step in which the state changes brackets the switch,
and the exposure before it, continued at its rate, meets the threshold at the switching time. It
does not depend on the step (to 1 ns of a 10-us pulse between steps of 5 ns and 2 us).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from circuits.ngspice.waveforms import Waveforms
from circuits.simulator import Progress, Simulator
from devices.cbram import CBRAM, NEVER
from devices.subcircuit import subcircuit

CELLS_PER_NETLIST = 25
"""Beyond some twenty cells a netlist the time per cell no longer falls, and past some hundred it
rises (``benchmarks/throughput.py`` measures it)."""


@dataclass(frozen=True)
class ArrayCell:
    """Voltages (V), times (s) and transistor of the cells; all assumed.

    A level-1 NMOS (threshold ``vto``, transconductance ``kp`` in A/V^2, ``channel_modulation`` in
    1/V, ``gate_width`` and ``gate_length`` in m) between the inert electrode and ground, its gate
    at ``gate_voltage``; one pulse on the bit line.
    """

    write_voltage: float = 3.75
    pulse_width: float = 10e-6
    edge: float = 10e-9
    delay: float = 100e-9
    gate_voltage: float = 3.3
    vto: float = 0.6
    kp: float = 200e-6
    channel_modulation: float = 0.02
    gate_width: float = 1e-6
    gate_length: float = 0.35e-6

    @property
    def stop(self) -> float:
        """End (s) of the transient, shortly after the pulse."""
        return self.delay + self.pulse_width + 2 * self.edge + 100e-9


@dataclass(frozen=True)
class Outcomes:
    """What one pulse did to n cells.

    ``switched`` (n,) bool; ``times`` (n,): s from the start of the pulse's rise to the switch, NaN
    where the cell did not switch.
    """

    switched: np.ndarray
    times: np.ndarray


def array_deck(
    device: CBRAM,
    cell: ArrayCell,
    set_thresholds: np.ndarray,
    parameters: Mapping[str, np.ndarray] | None = None,
    largest_step: float | None = None,
) -> str:
    """Deck of n cells, all in HRS at first.

    ``set_thresholds`` (n,) are exposures. ``parameters`` gives each cell its own values (n,) of
    the subcircuit's parameters (``tau_set``, ``v0_set``, ``r_lrs``, ``r_hrs``, SI).
    ``largest_step`` (s) is a twentieth of the pulse unless given.
    """
    step = cell.pulse_width / 20 if largest_step is None else largest_step
    size = f"w={cell.gate_width:g} l={cell.gate_length:g}"
    lines = [
        f"* {len(set_thresholds)} cells of {device.name} under one write pulse",
        subcircuit(device, near=False),
        f".model access nmos level=1 vto={cell.vto:g} kp={cell.kp:g} "
        f"lambda={cell.channel_modulation:g}",
        f"vbl bl 0 PULSE(0 {cell.write_voltage:.10g} {cell.delay:g} {cell.edge:g} {cell.edge:g} "
        f"{cell.pulse_width:.12g} 1)",
        f"vwl wl 0 {cell.gate_voltage:g}",
        f"vyr yr 0 {NEVER:g}",
    ]
    own = parameters or {}
    for index, threshold in enumerate(set_thresholds):
        values = " ".join(f"{name}={value[index]:.12g}" for name, value in own.items())
        lines += [
            f"vy{index} ys{index} 0 {threshold:.16g}",
            f"x{index} bl be{index} ys{index} yr cbram {values}",
            f"m{index} be{index} wl 0 0 access {size}",
        ]
    lines += [
        ".options trtol=1000",
        ".save " + " ".join(f"v(x{i}.s) v(x{i}.us)" for i in range(len(set_thresholds))),
        f".tran {step:g} {cell.stop:.12g} 0 {step:g} uic",
        ".end",
    ]
    return "\n".join(lines) + "\n"


def outcomes(waveforms: Waveforms, cell: ArrayCell, set_thresholds: np.ndarray) -> Outcomes:
    """Which cells of an :func:`array_deck` switched, and when."""
    return _judged(_last_points(waveforms), cell, set_thresholds)


def write_cells(
    simulator: Simulator,
    device: CBRAM,
    cell: ArrayCell,
    set_thresholds: np.ndarray,
    parameters: Mapping[str, np.ndarray] | None = None,
    cells_per_netlist: int = CELLS_PER_NETLIST,
    progress: Progress | None = None,
) -> Outcomes:
    """One write pulse on every cell (arguments as of :func:`array_deck`), in parallel netlists.

    The outcome does not depend on ``cells_per_netlist`` nor on the simulator's jobs. Decks and
    waveforms live only while they are run; ``progress`` counts the netlists. Raises
    :class:`circuits.simulator.SimulationError`.
    """
    own, count = parameters or {}, len(set_thresholds)

    def decks() -> Iterator[str]:
        for start in range(0, count, cells_per_netlist):
            part = slice(start, start + cells_per_netlist)
            mine = {name: values[part] for name, values in own.items()}
            yield array_deck(device, cell, set_thresholds[part], mine)

    points = simulator.map(decks(), progress, then=_last_points)
    return _judged(np.concatenate(points, axis=1), cell, set_thresholds)


def _last_points(waveforms: Waveforms) -> np.ndarray:
    """State changed (1 or 0), time (s), exposure and its rate (1/s) just before, shape (4, cells).

    Where the state never changes, the last three are those near the start.
    """
    count = len(waveforms.vectors) // 2
    states = np.array([waveforms[f"v(x{index}.s)"] for index in range(count)]) > 0.5
    exposures = np.array([waveforms[f"v(x{index}.us)"] for index in range(count)])
    last = np.maximum(states.argmax(axis=1) - 1, 1)
    each, time = np.arange(count), waveforms.time
    gain = exposures[each, last] - exposures[each, last - 1]
    return np.array(
        [
            states.any(axis=1),
            time[last],
            exposures[each, last],
            gain / (time[last] - time[last - 1]),
        ]
    )


def _judged(points: np.ndarray, cell: ArrayCell, set_thresholds: np.ndarray) -> Outcomes:
    changed, time, exposure, rate = points
    with np.errstate(divide="ignore", invalid="ignore"):
        times = time + (set_thresholds - exposure) / rate - cell.delay
    # A step that found a switch and was given up can leave the state behind, early; the exposure
    # tells whether the pulse would have sufficed.
    switched = (changed > 0) & (times <= cell.pulse_width + 2 * cell.edge)
    return Outcomes(switched, np.where(switched, times, np.nan))
