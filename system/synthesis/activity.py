"""How often the gates of a mapped netlist see each input transition, for energies of cells.nc.

Values are compared where they have settled, clock by clock: glitches are left out, so an energy
from these counts is a lower bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from formats.seeds import generator
from system.synthesis.designs import Design
from system.synthesis.netlist import GATES, Netlist, Stage

CLOCKS, LANES = 32, 256
WARM = 4
"""Clocks before the counted ones, which fill the accumulator."""


@dataclass(frozen=True)
class Activity:
    """Mean events of one clock: ``transitions`` of the gates' inputs by gate and transition
    ("01>11": from, to), and the share of flip-flops that ``toggling``."""

    transitions: dict[str, dict[str, float]]
    toggling: float


def activity(netlist: Netlist, design: Design, seed: int) -> Activity:
    """Events under the design's typical operands."""
    rng = generator(seed, "synthesis", design.name)
    tables = {stage.gate: np.zeros(4 ** len(GATES[stage.gate][0])) for stage in netlist.stages}
    values, toggled = netlist.start(LANES), 0.0
    for clock in range(WARM + CLOCKS):
        before = values.copy()
        netlist.clock(values)
        for port, words in design.typical(rng, LANES).items():
            netlist.drive(values, port, words)
        netlist.settle(values)
        if clock >= WARM:
            for stage in netlist.stages:
                _count(tables[stage.gate], before, values, stage)
            toggled += float(np.sum(before[netlist.stored] != values[netlist.stored]))
    events = CLOCKS * LANES
    return Activity(
        {gate: _named(gate, table / events) for gate, table in sorted(tables.items())},
        toggled / events / max(1, netlist.stored.size),
    )


def _count(table: np.ndarray, before: np.ndarray, after: np.ndarray, stage: Stage) -> None:
    states = 2 ** stage.inputs.shape[0]
    pairs = _state(before, stage).astype(np.int16) * states + _state(after, stage)
    table += np.bincount(pairs.ravel(), minlength=table.size)


def _state(values: np.ndarray, stage: Stage) -> np.ndarray:
    """Input state of every gate as a number, the first pin its highest bit."""
    code = values[stage.inputs[0]]
    for row in stage.inputs[1:]:
        code = (code << 1) | values[row]
    return np.asarray(code)


def _named(gate: str, table: np.ndarray) -> dict[str, float]:
    """Transitions that occur and change something, by the labels of cells.nc."""
    width = len(GATES[gate][0])
    states = 2**width
    return {
        f"{index // states:0{width}b}>{index % states:0{width}b}": float(f"{rate:.4g}")
        for index, rate in enumerate(table)
        if rate > 0 and index // states != index % states
    }
