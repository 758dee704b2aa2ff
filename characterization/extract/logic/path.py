"""The longest path through a composed cell, by the delays of its gates at the loads they drive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from characterization.extract.logic.placed import Gates, node_loads, placed_delay, register_delays
from characterization.extract.logic.results import RegisterCharacter
from circuits.logic.cell import REGISTER, LogicCell
from circuits.logic.gates import GATES


@dataclass(frozen=True)
class LongestPath:
    """``delay`` (s) and ``depth`` (gates) of the longest path, and the nodes along it.

    It starts at an input or a register (whose delay from the clock is in it) and ends at an output
    or the data of a register (whose set-up time is not).
    """

    delay: float
    depth: int
    nodes: tuple[str, ...]


def longest_path(
    cell: LogicCell, gates: Gates, register: RegisterCharacter | None = None
) -> LongestPath:
    """By the worst delay of every gate over its transitions; an upper bound, as no path is false.

    Raises KeyError where a gate was not characterised.
    """
    loads = node_loads(cell, gates, register)
    reached: dict[str, tuple[float, tuple[str, ...]]] = {pin: (0.0, (pin,)) for pin in cell.inputs}
    for name, nodes in cell.instances:
        if name == REGISTER:
            assert register is not None  # node_loads has looked
            reached[nodes[2]] = (max(register_delays(register, loads[nodes[2]])), (nodes[2],))
    for name, nodes in cell.instances:
        if name == REGISTER:
            continue
        count = len(GATES[name].inputs)
        table = placed_delay(gates[name], [loads[node] for node in nodes[count:]])
        before, way = max((reached[node] for node in nodes[:count]), key=lambda found: found[0])
        for place, node in enumerate(nodes[count:]):
            reached[node] = (before + float(np.nanmax(table[:, :, place])), (*way, node))
    ends = {*cell.outputs, *cell.registers.values()}
    delay, way = max((reached[node] for node in ends), key=lambda found: found[0])
    return LongestPath(delay, len(way) - 1, way)
