"""A cell composed of logic gates: instances and their nodes, with or without registers.

One description serves the transistor netlist, the truth, the area and every sum over gates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from PySpice.Spice.Netlist import SubCircuit

from circuits.logic.gates import GATES, Gate
from devices.technology import Technology

Instance = tuple[str, tuple[str, ...]]
"""(gate, nodes in the gate's symbol order without rails)."""
REGISTER = "dff"


@dataclass(frozen=True, kw_only=True)
class LogicCell:
    """Gates and their nodes.

    ``instances`` stand in an order in which every gate follows those that drive it; registers,
    whose outputs are stored, may stand anywhere. ``inputs`` and ``outputs`` are the cell's pins;
    ``clock`` is the input that clocks its registers, None where it holds none.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    instances: tuple[Instance, ...]
    description: str
    clock: str | None = None

    @property
    def gates(self) -> dict[str, int]:
        """How many of each gate the cell holds."""
        names = [gate for gate, _ in self.instances]
        return {name: names.count(name) for name in sorted(set(names))}

    @property
    def pins(self) -> tuple[str, ...]:
        """Pins in symbol order."""
        return (*self.inputs, *self.outputs, "vdd", "vss")

    @property
    def data_inputs(self) -> tuple[str, ...]:
        """The inputs without the clock."""
        return tuple(pin for pin in self.inputs if pin != self.clock)

    @cached_property
    def registers(self) -> dict[str, str]:
        """Node of the stored bit to node of its data, by register."""
        return {nodes[2]: nodes[0] for gate, nodes in self.instances if gate == REGISTER}

    def subcircuit(self) -> SubCircuit:
        """The cell as a PySpice subcircuit; the circuit must also hold its gates."""
        circuit = SubCircuit(self.name, *self.pins)
        for index, (gate, nodes) in enumerate(self.instances):
            circuit.X(f"{gate}{index}", gate, *nodes, "vdd", "vss")
        return circuit

    def evaluate(
        self, bits: Mapping[str, Any], stored: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """All node values for input bits and stored bits (0 where not given), without delay.

        Values are 0 or 1, or integer arrays of one shape; then many vectors are evaluated at once.
        """
        values: dict[str, Any] = {**dict.fromkeys(self.registers, 0), **(stored or {}), **bits}
        for name, nodes in self.instances:
            gate: Gate = GATES[name]
            if gate.function is None:
                continue
            inputs = nodes[: len(gate.inputs)]
            results = gate.function(*(values[node] for node in inputs))
            values.update(zip(nodes[len(gate.inputs) :], results, strict=True))
        return values

    def next_stored(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The stored bits after the next rising clock, from the node values before it."""
        return {q: values[d] for q, d in self.registers.items()}

    def run(self, vectors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Node values clock by clock: inputs of each clock with what was stored before it.

        The registers start at 0 and take their data at the end of each vector.
        """
        stored: dict[str, Any] = {}
        history = []
        for vector in vectors:
            history.append(self.evaluate(vector, stored))
            stored = self.next_stored(history[-1])
        return history

    def area(self, technology: Technology) -> float:
        """Sum of its gates' areas (m2); no wires."""
        return sum(technology.gate_areas[name] * count for name, count in self.gates.items())


def number(values: Mapping[str, Any], nodes: Sequence[str]) -> Any:
    """The binary number on nodes, least significant first."""
    return sum(values[node] << place for place, node in enumerate(nodes))


def digits(value: int, nodes: Sequence[str]) -> dict[str, int]:
    """Bits of a number by node, least significant first."""
    return {node: (value >> place) & 1 for place, node in enumerate(nodes)}
