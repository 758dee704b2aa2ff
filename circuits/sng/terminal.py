"""What the path takes from the drive: V_cell against the write and the RESET voltage.

An access transistor at the inert electrode is a source follower in RESET and loses about a
threshold there; at the active electrode it does so in SET.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from circuits.simulator import Simulator, Waveforms
from circuits.sng.cell import sng_circuit, sng_deck
from circuits.sng.design import EDGE, SngDesign
from devices.cbram import CBRAM, NEVER
from devices.technology import Technology

PULSE = 1e-6
"""s; write and RESET pulse of the measurement."""


@dataclass(frozen=True)
class DriveLoss:
    """Drive and magnitude of V_cell (V) at the end of a pulse: SET in HRS, RESET in LRS."""

    set_drive: np.ndarray
    set_cell: np.ndarray
    reset_drive: np.ndarray
    reset_cell: np.ndarray

    @property
    def set_loss(self) -> np.ndarray:
        """Drive less V_cell (V) in SET."""
        return self.set_drive - self.set_cell

    @property
    def reset_loss(self) -> np.ndarray:
        """Drive less V_cell (V) in RESET."""
        return self.reset_drive - self.reset_cell


def drive_loss(
    simulator: Simulator,
    device: CBRAM,
    technology: Technology,
    design: SngDesign,
    write_voltages: Sequence[float],
    reset_voltages: Sequence[float],
) -> DriveLoss:
    """Measure V_cell of a device that does not switch, for each write and RESET voltage (V)."""
    short = replace(design, write_time=PULSE, reset_time=PULSE, conditional_reset=False)
    count = len(write_voltages)
    never = [NEVER] * count
    circuit = sng_circuit(device, technology, short, write_voltages, never, never, 0)
    decks = [sng_deck(circuit, short, count)]
    for voltage in reset_voltages:
        other = replace(short, reset_voltage=voltage)
        circuit = sng_circuit(device, technology, other, [technology.supply], [NEVER], [NEVER], 1)
        decks.append(sng_deck(circuit, other, 1))
    writes, *resets = simulator.map(decks)
    return DriveLoss(
        set_drive=np.asarray(write_voltages, float),
        set_cell=np.array([_cell(writes, short, cycle, 1) for cycle in range(count)]),
        reset_drive=np.asarray(reset_voltages, float),
        reset_cell=np.array([-_cell(waveforms, short, 0, 0) for waveforms in resets]),
    )


def _cell(waveforms: Waveforms, design: SngDesign, cycle: int, phase: int) -> float:
    """V_cell (V) at the end of the top of a pulse."""
    te, be = design.electrodes
    at = design.windows(cycle)[phase][0] + EDGE + PULSE - 1e-9
    return float(np.interp(at, waveforms.time, waveforms[f"v({te})"] - waveforms[f"v({be})"]))
