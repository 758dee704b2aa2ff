"""Energies of the SNG's phases from a transient's source currents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuits.simulator import Waveforms
from circuits.sng.design import SngDesign

RAILS = ("vdd", "vrs", "vrd", "vbias", "vref", "vw")
"""Constant supplies and the write-voltage source: what they deliver, less what comes back."""
PAIR_RAILS = ("vdd", "vrs", "vrd", "vbias", "vw", "vw_b")
"""Those of the differential pair, which compares its two devices instead of a reference."""
LINES = ("wl", "upb", "dn", "wrb", "bz", "rd", "clkb")
"""Control lines: charge drawn at the line's highest level."""


def phase_energies(
    waveforms: Waveforms,
    design: SngDesign,
    cycles: int,
    first: int = 0,
    rails: Sequence[str] = RAILS,
) -> np.ndarray:
    """Energy (J) by phase of each of ``cycles`` from cycle ``first`` on, shape (cycles, 3).

    The phases are RESET, write and read, whatever their order in time. What the sense clock, the
    reference, the sink's bias and a level shifter (on ``vrs``) take is in it. ``rails`` are those
    of the circuit: :data:`RAILS` or :data:`PAIR_RAILS`.
    A control line's driver draws V_high x Q for the charge Q it lifts; the charge it takes back
    at the falling edge is lost in the driver.
    """
    time = waveforms.time
    power = np.zeros_like(time)
    for rail in rails:
        delivered = -waveforms[f"v({rail})"] * waveforms[f"i(v{rail})"]
        power += np.maximum(delivered, 0.0) if rail.startswith("vw") else delivered
    for line in LINES:
        highest = float(np.max(waveforms[f"v({line})"]))
        power += highest * np.maximum(-waveforms[f"i(v{line})"], 0.0)
    total = np.concatenate([[0.0], np.cumsum(np.diff(time) * (power[1:] + power[:-1]) / 2)])
    energies = np.empty((cycles, 3))
    for cycle in range(cycles):
        for phase, (start, end) in enumerate(design.windows(first + cycle)):
            low, high = np.interp([start, end], time, total)
            energies[cycle, phase] = high - low
    return energies


def resting_power(waveforms: Waveforms, rails: Sequence[str] = RAILS) -> float:
    """Power (W) all sources deliver at the first point of a transient."""
    delivered = (
        -waveforms[f"v({name})"][0] * waveforms[f"i(v{name})"][0] for name in (*rails, *LINES)
    )
    return float(sum(max(0.0, power) for power in delivered))
