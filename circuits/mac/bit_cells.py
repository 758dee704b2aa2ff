"""The multiply-accumulate cells: one product bit, multiplied and added, from the logic gates.

- ``sign_magnitude_counter``: XOR of the operands' signs, AND of the magnitude bits, XOR of both,
  one full adder of the parallel counter. With t = (a AND b) XOR s the signed sum is the count of
  t minus the number of negative products, so one counter serves both signs.
- ``bipolar_mux``: XNOR of the bipolar bits, one MUX2 of the scaled-adder tree.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySpice.Spice.Netlist import SubCircuit

from circuits.logic.gates import GATES, Gate


@dataclass(frozen=True)
class Mac:
    """A MAC cell as gates and their nodes.

    ``instances`` lists (gate, nodes in the gate's symbol order without rails); ``inputs`` and
    ``outputs`` are the cell's pins. An n-input sum takes n such cells (an exact parallel counter
    needs slightly fewer full adders, a MUX tree n - 1 multiplexers).
    """

    name: str
    encoding: str
    adder: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    instances: tuple[tuple[str, tuple[str, ...]], ...]
    description: str

    @property
    def gates(self) -> dict[str, int]:
        """How many of each gate the cell holds."""
        names = [gate for gate, _ in self.instances]
        return {name: names.count(name) for name in sorted(set(names))}

    @property
    def pins(self) -> tuple[str, ...]:
        """Pins in symbol order."""
        return (*self.inputs, *self.outputs, "vdd", "vss")

    def subcircuit(self) -> SubCircuit:
        """The cell as a PySpice subcircuit; the circuit must also hold its gates."""
        circuit = SubCircuit(self.name, *self.pins)
        for index, (gate, nodes) in enumerate(self.instances):
            circuit.X(f"{gate}{index}", gate, *nodes, "vdd", "vss")
        return circuit

    def evaluate(self, bits: dict[str, int]) -> dict[str, int]:
        """All node values for input bits, by the gates' truth."""
        values = dict(bits)
        for name, nodes in self.instances:
            gate: Gate = GATES[name]
            assert gate.function is not None
            inputs = nodes[: len(gate.inputs)]
            results = gate.function(*(values[node] for node in inputs))
            values.update(zip(nodes[len(gate.inputs) :], results, strict=True))
        return values


MACS: dict[str, Mac] = {
    mac.name: mac
    for mac in (
        Mac(
            "sign_magnitude_counter",
            "sign-magnitude",
            "exact-counter",
            ("a", "b", "sa", "sb", "x", "ci"),
            ("s", "co"),
            (
                ("xor2", ("sa", "sb", "sgn")),
                ("and2", ("a", "b", "p")),
                ("xor2", ("p", "sgn", "t")),
                ("full_adder", ("t", "x", "ci", "s", "co")),
            ),
            "AND of magnitudes, XOR of signs, XOR of both, one full adder of the parallel counter",
        ),
        Mac(
            "bipolar_mux",
            "bipolar",
            "mux",
            ("a", "b", "x", "sel"),
            ("y",),
            (("xnor2", ("a", "b", "t")), ("mux2", ("t", "x", "sel", "y"))),
            "XNOR of bipolar bits, one MUX2 of the scaled-adder tree",
        ),
    )
}
