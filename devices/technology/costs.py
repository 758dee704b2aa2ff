"""What a high-voltage write path needs beside its transistors: level shifters and charge pumps.

Named costs by rule, for a budget; a circuit simulated at transistor level replaces them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from devices.technology.base import Technology

WIRES_AND_JUNCTIONS = 2.0
"""Node capacitance over its gate capacitance; assumed."""
BOTTOM_PLATE = 0.1
"""Parasitic share of a pump capacitor to ground; assumed, typical of a MOS capacitor (recalled)."""
PUMP_FREQUENCY = 50e6
"""Hz; assumed."""
MOST_STAGES = 12


@dataclass(frozen=True)
class LevelShifter:
    """Core logic level to I/O level: area (m2), energy of one output transition (J)."""

    area: float
    energy_per_transition: float
    source: str


@dataclass(frozen=True)
class ChargePump:
    """DC voltage above the core supply: stages, efficiency (out over in), area (m2)."""

    stages: int
    efficiency: float
    area: float
    source: str


def level_shifter(
    technology: Technology, voltage: float | None = None, width: float = 1e-6
) -> LevelShifter:
    """Cost of a cross-coupled level shifter of the present I/O class.

    ``voltage`` (V) is its high level (None: the nominal supply of the class), ``width`` (m) that
    of its two NMOS; its two cross-coupled PMOS are half as wide. Area: four I/O transistors and
    one core inverter. Energy: a transition charges one of two complementary nodes, each a gate of
    either type and twice that again for junctions and wires. Raises ValueError where the class
    does not bear the voltage.
    """
    voltage = technology.io_supply if voltage is None else voltage
    n, p = (technology.transistors[role] for role in ("nmos_io", "pmos_io"))
    if voltage > min(n.ratings.lowest, p.ratings.lowest):
        raise ValueError(
            f"level shifter to {voltage:g} V: the {technology.io_class}-V transistors of "
            f"{technology.name} are rated {min(n.ratings.lowest, p.ratings.lowest):g} V"
        )
    gates = sum(t.oxide_capacitance * t.length * w for t, w in ((n, width), (p, width / 2)))
    return LevelShifter(
        area=2 * technology.io_area(width)
        + 2 * technology.io_area(width / 2)
        + technology.gate_areas["inv"],
        energy_per_transition=WIRES_AND_JUNCTIONS * gates * voltage**2,
        source=(
            "derived from the I/O oxide, length and area rule; assumed: cross-coupled, "
            f"W = {width * 1e6:g} um, node capacitance {WIRES_AND_JUNCTIONS:g} x its gates"
        ),
    )


def charge_pump(
    technology: Technology,
    voltage: float,
    current: float,
    frequency: float = PUMP_FREQUENCY,
) -> ChargePump:
    """Cost of a Dickson charge pump from the core supply.

    ``voltage`` (V) out at a mean ``current`` (A). N stages of ideal switches give
    V = (N + 1) Vdd - N I/(f C); a parasitic share a of every C takes N a f C Vdd from the supply,
    so the efficiency is V / (Vdd (N + 1 + a N^2 Vdd / ((N + 1) Vdd - V))) (Palumbo and Pappalardo,
    IEEE Circuits and Systems Magazine 10(1), 31 (2010), recalled and re-derived). N is the one of
    highest efficiency; the capacitors are I/O gate oxide. Raises ValueError for a voltage that the
    I/O class does not bear or that is not above the supply.
    """
    supply = technology.supply
    n = technology.transistors["nmos_io"]
    if not supply < voltage <= n.ratings.lowest:
        raise ValueError(
            f"charge pump to {voltage:g} V: expected above the supply, {supply:g} V, and at most "
            f"{n.ratings.lowest:g} V, the rating of the {technology.io_class}-V class of "
            f"{technology.name}"
        )

    def efficiency(stages: int) -> float:
        headroom = (stages + 1) * supply - voltage
        if headroom <= 0:
            return 0.0
        drawn = stages + 1 + BOTTOM_PLATE * stages**2 * supply / headroom
        return voltage / (supply * drawn)

    fewest = math.ceil(voltage / supply) - 1
    stages = max(range(max(1, fewest), max(1, fewest) + MOST_STAGES), key=efficiency)
    capacitance = stages**2 * current / (frequency * ((stages + 1) * supply - voltage))
    return ChargePump(
        stages=stages,
        efficiency=efficiency(stages),
        area=capacitance / n.oxide_capacitance,
        source=(
            f"derived: Dickson pump of {stages} stages at {frequency / 1e6:g} MHz; assumed: ideal "
            f"switches, parasitic share {BOTTOM_PLATE:g}, capacitors of I/O oxide at full density"
        ),
    )
