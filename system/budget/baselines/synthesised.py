"""MACs mapped by Yosys, priced with the gates of a cells.nc: like with like."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from formats.cells import Cells, at_nominal
from system.synthesis import mapped_designs
from system.synthesis.netlist import GATES, REGISTER


@dataclass(frozen=True)
class GateFigures:
    """Areas (m2), leakages (W) and delays (s) by gate, energies (J) by gate and transition, and a
    flip-flop's energies of a clock (hold, toggle), all at the nominal environment."""

    area: dict[str, float]
    leakage: dict[str, float]
    delay: dict[str, float]
    energy: dict[str, dict[str, float]]
    hold: float
    toggle: float


@dataclass(frozen=True)
class Synthesised:
    """One mapped design (SI units): ``energy`` of one clock is that of settled
    values, a lower bound: glitches are left out."""

    name: str
    kind: str
    description: str
    products: int
    stream: bool
    area: float
    energy: float
    leakage: float
    delay: float
    source: str


def gate_figures(cells: Cells) -> GateFigures | None:
    """What the gates cost, or None where cells.nc lacks one of those the mapping uses."""
    if not all(name in cells.groups for name in (*GATES, REGISTER)):
        return None
    nominal = {name: at_nominal(cells.groups[name]) for name in (*GATES, REGISTER)}
    register = nominal[REGISTER]
    return GateFigures(
        area={name: float(data["area"]) for name, data in nominal.items()},
        leakage={name: float(data["leakage_power"].mean()) for name, data in nominal.items()},
        delay={name: float(nominal[name]["delay"]) for name in GATES},
        energy={
            name: {
                str(label): float(value)
                for label, value in zip(
                    nominal[name]["transition"].to_numpy(),
                    nominal[name]["transition_energy"].to_numpy(),
                    strict=True,
                )
            }
            for name in GATES
        },
        hold=float(register["energy_hold"]),
        toggle=float(register["energy_toggle"]),
    )


def synthesised(cells: Cells) -> tuple[str, tuple[Synthesised, ...]] | None:
    """Tool and preset, and the kept designs at this file's prices; None where it lacks a gate."""
    gates = gate_figures(cells)
    if gates is None:
        return None
    kept = mapped_designs()
    made = f"{kept['tool']} onto the cells of preset {kept['technology']}"
    return made, tuple(price(n, d, gates, made) for n, d in kept["designs"].items())


def price(name: str, design: Mapping[str, Any], gates: GateFigures, made: str = "") -> Synthesised:
    """A record of mapped.json with these gates; wires, clock tree and placement are left out."""
    counts = design["gates"]
    registers = counts.get(REGISTER, 0) * (
        design["toggling"] * gates.toggle + (1 - design["toggling"]) * gates.hold
    )

    switching = math.fsum(
        rate * gates.energy[gate][label]
        for gate, rates in design["transitions"].items()
        for label, rate in rates.items()
    )
    return Synthesised(
        name=name,
        kind=design["kind"],
        description=design["description"],
        products=design["products"],
        stream=design["stream"],
        area=math.fsum(gates.area[gate] * count for gate, count in counts.items()),
        energy=registers + switching,
        leakage=math.fsum(gates.leakage[gate] * count for gate, count in counts.items()),
        delay=math.fsum(gates.delay[gate] * n for gate, n in design["longest_path"].items()),
        source=f"derived: {name} synthesised by {made}, priced with the gates of cells.nc; no "
        "wires, clock tree or placement",
    )
