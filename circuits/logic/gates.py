"""Static CMOS logic cells at transistor level, as PySpice subcircuits of any technology.

Every cell lists its pins in symbol order, inputs first, then output, ``vdd``, ``vss``. Widths are
those of X1 drive; transistors in series keep the single width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySpice.Spice.Netlist import SubCircuit

from circuits.transistors import add_mosfet
from devices.technology import Technology


@dataclass(frozen=True)
class Gate:
    """A logic cell: pins, truth, transistor netlist.

    ``function`` maps input bits (integers, or integer arrays of one shape) to output bits; it is
    None for the flip-flop.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    build: Callable[[SubCircuit, Technology], None]
    function: Callable[..., tuple[int, ...]] | None

    @property
    def pins(self) -> tuple[str, ...]:
        """Pins in symbol order."""
        return (*self.inputs, *self.outputs, "vdd", "vss")

    def subcircuit(self, technology: Technology) -> SubCircuit:
        """The cell as a PySpice subcircuit called like the gate."""
        circuit = SubCircuit(self.name, *self.pins)
        self.build(circuit, technology)
        return circuit


def _networks(
    circuit: SubCircuit,
    technology: Technology,
    tag: str,
    output: str,
    down: list[list[str]],
    up: list[list[str]],
) -> None:
    """Pull-down branches (NMOS in series from output to vss) and pull-up branches (PMOS)."""
    for role, rail, branches in (("nmos", "vss", down), ("pmos", "vdd", up)):
        for i, branch in enumerate(branches):
            upper = output
            for j, gate in enumerate(branch):
                last = j == len(branch) - 1
                lower = rail if last else f"{tag}{role[0]}{i}{j}"
                add_mosfet(
                    circuit, technology, role, f"{tag}{role[0]}{i}{j}", (upper, gate, lower, rail)
                )
                upper = lower


def _inverter(c: SubCircuit, t: Technology, tag: str, a: str, y: str) -> None:
    _networks(c, t, tag, y, [[a]], [[a]])


def _inv(c: SubCircuit, t: Technology) -> None:
    _inverter(c, t, "i", "a", "y")


def _nand2(c: SubCircuit, t: Technology) -> None:
    _networks(c, t, "g", "y", [["a", "b"]], [["a"], ["b"]])


def _and2(c: SubCircuit, t: Technology) -> None:
    _networks(c, t, "g", "yb", [["a", "b"]], [["a"], ["b"]])
    _inverter(c, t, "o", "yb", "y")


def _or2(c: SubCircuit, t: Technology) -> None:
    _networks(c, t, "g", "yb", [["a"], ["b"]], [["a", "b"]])
    _inverter(c, t, "o", "yb", "y")


def _xor2(c: SubCircuit, t: Technology) -> None:
    _inverter(c, t, "ia", "a", "an")
    _inverter(c, t, "ib", "b", "bn")
    _networks(c, t, "g", "y", [["a", "b"], ["an", "bn"]], [["an", "b"], ["a", "bn"]])


def _xnor2(c: SubCircuit, t: Technology) -> None:
    _inverter(c, t, "ia", "a", "an")
    _inverter(c, t, "ib", "b", "bn")
    _networks(c, t, "g", "y", [["a", "bn"], ["an", "b"]], [["an", "bn"], ["a", "b"]])


def _mux2(c: SubCircuit, t: Technology) -> None:
    _inverter(c, t, "is", "sel", "seln")
    _networks(c, t, "g", "yb", [["a", "seln"], ["b", "sel"]], [["a", "sel"], ["b", "seln"]])
    _inverter(c, t, "o", "yb", "y")


def _full_adder(c: SubCircuit, t: Technology) -> None:
    # The mirror adder of 24 transistors, with its two output inverters 28. A transistor that
    # several branches need stands once: ci (a + b) + a b, and con (a + b + ci) + a b ci.
    for role, rail in (("nmos", "vss"), ("pmos", "vdd")):
        x = role[0]
        for tag, output, shared, parallel, series in (
            ("c", "con", "ci", ("a", "b"), ("a", "b")),
            ("s", "sn", "con", ("a", "b", "ci"), ("a", "b", "ci")),
        ):
            joint = f"{tag}{x}j"
            add_mosfet(c, t, role, f"{tag}{x}0", (output, shared, joint, rail))
            for gate in parallel:
                add_mosfet(c, t, role, f"{tag}{x}p{gate}", (joint, gate, rail, rail))
            upper = output
            for place, gate in enumerate(series):
                lower = rail if place == len(series) - 1 else f"{tag}{x}s{place}"
                add_mosfet(c, t, role, f"{tag}{x}s{gate}", (upper, gate, lower, rail))
                upper = lower
    _inverter(c, t, "oc", "con", "co")
    _inverter(c, t, "os", "sn", "s")


def _pass(c: SubCircuit, t: Technology, tag: str, a: str, y: str, on: str, off: str) -> None:
    """A transmission gate, conducting while ``on`` is high and ``off`` low."""
    add_mosfet(c, t, "nmos", f"{tag}n", (a, on, y, "vss"))
    add_mosfet(c, t, "pmos", f"{tag}p", (a, off, y, "vdd"))


def _dff(c: SubCircuit, t: Technology) -> None:
    # Master and slave latches of transmission gates; takes d at the rising clock.
    _inverter(c, t, "k1", "clk", "cn")
    _inverter(c, t, "k2", "cn", "cp")
    _pass(c, t, "t1", "d", "m", "cn", "cp")
    _inverter(c, t, "m1", "m", "mn")
    _inverter(c, t, "m2", "mn", "mf")
    _pass(c, t, "t2", "mf", "m", "cp", "cn")
    _pass(c, t, "t3", "mn", "r", "cp", "cn")
    _inverter(c, t, "s1", "r", "q")
    _inverter(c, t, "s2", "q", "rf")
    _pass(c, t, "t4", "rf", "r", "cn", "cp")


GATES: dict[str, Gate] = {
    gate.name: gate
    for gate in (
        Gate("inv", ("a",), ("y",), _inv, lambda a: (1 - a,)),
        Gate("nand2", ("a", "b"), ("y",), _nand2, lambda a, b: (1 - (a & b),)),
        Gate("and2", ("a", "b"), ("y",), _and2, lambda a, b: (a & b,)),
        Gate("or2", ("a", "b"), ("y",), _or2, lambda a, b: (a | b,)),
        Gate("xor2", ("a", "b"), ("y",), _xor2, lambda a, b: (a ^ b,)),
        Gate("xnor2", ("a", "b"), ("y",), _xnor2, lambda a, b: (1 - (a ^ b),)),
        Gate("mux2", ("a", "b", "sel"), ("y",), _mux2, lambda a, b, s: ((a & (1 - s)) | (b & s),)),
        Gate(
            "full_adder",
            ("a", "b", "ci"),
            ("s", "co"),
            _full_adder,
            lambda a, b, c: (a ^ b ^ c, (a & b) | (c & (a ^ b))),
        ),
        Gate("dff", ("d", "clk"), ("q",), _dff, None),
    )
}
