"""Cells composed of characterised gates: what happens, gate by gate, after their inputs change.

Every input change of a gate costs what its table says and moves its outputs after the delay of
that transition at the load they drive. Changes that reach a gate one soon after the other are taken
from its table of skewed transitions, interpolated linearly in the skew: their energy, when the
output moves, and how wide a pulse comes out, if any. Where the table lacks a path, an output that
is called back before it moved stays (inertial delay). So skew and glitches are in the sum; what is
not: how a pulse's shape changes what the next gate does, and what a gate's inner nodes remember of
states before the last two.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

from characterization.extract.logic.placed import (
    Gates,
    PlacedGate,
    PlacedRegister,
    node_loads,
    placed_gate,
    placed_register,
)
from characterization.extract.logic.results import RegisterCharacter
from circuits.logic.cell import REGISTER, LogicCell
from circuits.logic.gates import GATES

TOGETHER = 1.0
"""Changes closer than this part of a gate's first tabled skew make one change with the next."""

_Earlier = tuple[float, int, float]
"""The change before: its time (s), the state it came from, the energy (J) booked for it."""


class EventCell:
    """A cell ready for event simulation.

    ``nodes`` numbers its nodes; values are lists of levels by that number. Raises KeyError where a
    gate was not characterised.
    """

    def __init__(
        self, cell: LogicCell, gates: Gates, register: RegisterCharacter | None = None
    ) -> None:
        self.cell = cell
        names = [node for _, nodes in cell.instances for node in nodes]
        self.nodes = {node: k for k, node in enumerate(dict.fromkeys([*cell.inputs, *names]))}
        loads = node_loads(cell, gates, register)
        self._readers: list[list[int]] = [[] for _ in self.nodes]
        self._parts: list[PlacedGate | PlacedRegister] = []
        for place, (name, nodes) in enumerate(cell.instances):
            numbers = tuple(self.nodes[node] for node in nodes)
            if name == REGISTER:
                if register is None:
                    raise KeyError(f"{cell.name} holds registers, so their character is needed")
                self._parts.append(placed_register(numbers, register, loads[nodes[2]]))
                reads = numbers[:2]
            else:
                count = len(GATES[name].inputs)
                self._parts.append(
                    placed_gate(name, numbers, gates[name], [loads[node] for node in nodes[count:]])
                )
                reads = numbers[:count]
            for node in set(reads):
                self._readers[node].append(place)

    def settled(self, values: Mapping[str, int]) -> list[int]:
        """Levels by node number from node values, as :meth:`LogicCell.evaluate` gives them."""
        return [int(values[node]) for node in self.nodes]

    def leakage(self, values: list[int]) -> float:
        """Leakage power (W) in a settled state."""
        total = 0.0
        for part in self._parts:
            if isinstance(part, PlacedRegister):
                total += part.leakage[values[part.clock]][values[part.output]][values[part.data]]
            else:
                total += part.leakage[_state(values, part.inputs)]
        return total

    def step(self, values: list[int], changes: Iterable[tuple[float, str, int]]) -> float:
        """Energy (J) until all is settled after input changes (time in s, pin, level).

        ``values`` holds the settled levels before and is changed to those after.
        """
        queue = _Queue(values)
        for time, pin, level in changes:
            queue.force(time, self.nodes[pin], level)
        stored: dict[int, int] = {}
        states: dict[int, int] = {}
        last: dict[int, _Earlier] = {}
        energy = 0.0
        while queue:
            now, before = queue.advance()
            touched = dict.fromkeys(place for node in before for place in self._readers[node])
            for place in touched:
                part = self._parts[place]
                if isinstance(part, PlacedRegister):
                    used, moves = _clocked(part, values, before, stored, place)
                    for node, level, delay in moves:
                        queue.move(node, level, now + delay)
                else:
                    new = _state(values, part.inputs)
                    old = states.get(place)
                    if old is None:
                        old = _state_before(values, before, part.inputs)
                    earlier = last.get(place)
                    used = _increment(part, earlier, old, new, now)
                    _react(queue, part, earlier, old, new, now)
                    if earlier is not None and now - earlier[0] < TOGETHER * part.skews[1]:
                        last[place] = (now, earlier[1], earlier[2] + used)
                    else:
                        last[place] = (now, old, used)
                    states[place] = new
                energy += used
        return energy


class _Queue:
    """Moves to come, by time; each node holds its own in order, so that they can be called back."""

    def __init__(self, values: list[int]) -> None:
        self._values = values
        self._heap: list[tuple[float, int, int, int]] = []
        self._pending: dict[int, list[tuple[int, int, float]]] = {}
        self._serial = 0
        self.moved: dict[int, float] = {}

    def __bool__(self) -> bool:
        return bool(self._heap)

    def advance(self) -> tuple[float, dict[int, int]]:
        """The next time, and the nodes that changed then with their levels before."""
        now = self._heap[0][0]
        before: dict[int, int] = {}
        while self._heap and self._heap[0][0] <= now:
            _, serial, node, level = heapq.heappop(self._heap)
            pending = self._pending.get(node)
            if not pending or pending[0][0] != serial:
                continue
            pending.pop(0)
            if self._values[node] != level:
                before.setdefault(node, self._values[node])
                self._values[node] = level
                self.moved[node] = now
        return now, before

    def level(self, node: int) -> int:
        """The present level."""
        return self._values[node]

    def pending(self, node: int) -> tuple[int, float] | None:
        """Level and time of the last move to come, None where there is none."""
        found = self._pending.get(node)
        return found[-1][1:] if found else None

    def force(self, time: float, node: int, level: int) -> None:
        """One move more, after those to come."""
        self._pending.setdefault(node, []).append((self._serial, level, time))
        heapq.heappush(self._heap, (time, self._serial, node, level))
        self._serial += 1

    def call_back(self, node: int) -> None:
        """Nothing of what was to come."""
        self._pending[node] = []

    def move(self, node: int, level: int, time: float) -> None:
        """Inertial: an opposite move to come is called back, and one to this level is kept."""
        coming = self.pending(node)
        if level == (coming[0] if coming else self._values[node]):
            return
        self.call_back(node)
        if level != self._values[node]:
            self.force(time, node, level)

    def replace(self, node: int, level: int, time: float) -> None:
        """This move instead of those to come."""
        self.call_back(node)
        if level != self._values[node]:
            self.force(time, node, level)


def _react(
    queue: _Queue,
    part: PlacedGate,
    earlier: _Earlier | None,
    old: int,
    new: int,
    now: float,
) -> None:
    """What the outputs of a gate do after a change of its inputs."""
    reaction = None
    if earlier is not None and now - earlier[0] < part.skews[-1]:
        reaction = part.reaction.get((earlier[1], old, new))
    for place, node in enumerate(part.outputs):
        level, delay = part.results[new][place], part.delay[old][new][place]
        kind, values = reaction[place] if reaction else ("none", [])
        if kind == "none" or earlier is None:
            begin, end = part.hazard[old][new][place]
            still = queue.pending(node) is None and queue.level(node) == level
            if reaction is None and still and begin < end:  # false where there is none (NaN)
                queue.force(now + begin, node, 1 - level)
                queue.force(now + end, node, level)
            else:
                queue.move(node, level, now + delay)
            continue
        then, first, _ = earlier
        value = _interpolated(now - then, part.skews, values)
        coming = queue.pending(node)
        if kind == "time":
            load = part.delay[first][new][place] - part.plain_delay[first][new][place]
            queue.replace(node, level, max(now, then + value + load))
        elif coming and coming[0] != level:
            if value > 0:
                queue.force(max(now, coming[1] + value), node, level)
            else:
                queue.replace(node, level, now + delay)
        elif not coming and value > 0 and node in queue.moved:
            queue.move(node, level, max(now, queue.moved[node] + value))
        else:
            queue.move(node, level, now + delay)


def _clocked(
    part: PlacedRegister,
    values: list[int],
    before: dict[int, int],
    stored: dict[int, int],
    place: int,
) -> tuple[float, list[tuple[int, int, float]]]:
    """Energy of a flip-flop whose clock, data or both changed, and what its output will do."""
    used = 0.0
    clock = before.get(part.clock, values[part.clock])
    data = before.get(part.data, values[part.data])
    q = stored.get(place, values[part.output])
    moves = []
    if part.clock in before:  # data that change with the clock come after it
        used += part.energy[clock][q][data][0]
        clock = 1 - clock
        if clock:
            q = data
            moves.append((part.output, q, part.delays[q]))
    if part.data in before:
        used += part.energy[clock][q][data][1]
    stored[place] = q
    return used, moves


def _state(values: list[int], nodes: tuple[int, ...]) -> int:
    state = 0
    for node in nodes:
        state = 2 * state + values[node]
    return state


def _state_before(values: list[int], before: dict[int, int], nodes: tuple[int, ...]) -> int:
    state = 0
    for node in nodes:
        state = 2 * state + before.get(node, values[node])
    return state


def _increment(part: PlacedGate, earlier: _Earlier | None, old: int, new: int, now: float) -> float:
    """Energy (J) of one change of a gate's inputs, given the one before it in the same step."""
    if earlier is None:
        return part.energy[old][new]
    then, first, booked = earlier
    skew = now - then
    load = part.energy[old][new] - part.plain[old][new]
    row = part.skewed.get((first, old, new))
    if row is not None:
        return _interpolated(skew, part.skews, row) - booked + load
    share = _interpolated(skew, part.skews, part.overlap[first == new])
    merged = part.plain[first][new] - booked
    return merged + share * (part.plain[old][new] - merged) + load


def _interpolated(x: float, xs: list[float], ys: list[float]) -> float:
    if x >= xs[-1]:
        return ys[-1]
    k = 1
    while xs[k] < x:
        k += 1
    return ys[k - 1] + (ys[k] - ys[k - 1]) * (x - xs[k - 1]) / (xs[k] - xs[k - 1])
