"""The cells as Verilog (IEEE 1364-2001): gates as behaviour, what is made of them as structure.

``cells.v`` models every gate for a simulator; ``macs.v`` composes the MACs from them, so that a
flow with the Liberty file takes the gates from there and leaves ``cells.v`` out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from characterization.extract.export.truth import expression
from circuits.logic.cell import LogicCell
from circuits.logic.gates import GATES, Gate
from formats.atomic import write_text

CONSTANTS = {"vdd": "1'b1", "vss": "1'b0", "0": "1'b0", "1": "1'b1"}
"""What a pin tied to a rail reads in Verilog."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_RESERVED = """
always and assign begin buf case default end endcase endmodule for function if initial inout input
integer module nand negedge nor not or output parameter posedge reg supply0 supply1 table task time
tri wand while wire wor xnor xor
"""
_KEYWORDS = frozenset(_RESERVED.split())


def write_verilog(folder: Path, cells: Iterable[LogicCell]) -> list[Path]:
    """Write ``cells.v`` (all gates) and ``macs.v`` (``cells``); returns their paths.

    Raises ValueError for a name that Verilog does not take.
    """
    texts = {"cells.v": gate_modules(), "macs.v": composed_modules(cells)}
    paths = [Path(folder) / name for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        write_text(path, text)
    return paths


def gate_modules(gates: Mapping[str, Gate] = GATES) -> str:
    """A behavioural module for each gate, without delays."""
    title = "// Gates by their truth, without delays, for simulation.\n"
    return "\n".join([title, *(_behaviour(gate) for gate in gates.values())])


def composed_modules(cells: Iterable[LogicCell]) -> str:
    """A structural module for each cell that is made of gates."""
    title = "// Cells composed of the gates of cells.v or of the Liberty file.\n"
    return "\n".join([title, *(_structure(cell) for cell in cells)])


def _behaviour(gate: Gate) -> str:
    if gate.function is None:
        data, clock = gate.inputs
        (output,) = gate.outputs
        body = [f"  always @(posedge {clock}) {output} <= {data};"]
    else:
        body = [f"  assign {output} = {expression(gate, output)};" for output in gate.outputs]
    registers = gate.outputs if gate.function is None else ()
    return _module(gate.name, gate.inputs, gate.outputs, body, registers)


def _structure(cell: LogicCell) -> str:
    ports = {*cell.inputs, *cell.outputs}
    wires: list[str] = []
    body = []
    for index, (name, nodes) in enumerate(cell.instances):
        gate = GATES[name]
        pins = []
        for pin, node in zip((*gate.inputs, *gate.outputs), nodes, strict=True):
            if node in CONSTANTS and node not in ports:
                pins.append(f".{pin}({CONSTANTS[node]})")
                continue
            if node not in ports and node not in wires:
                wires.append(_checked(node))
            pins.append(f".{pin}({node})")
        body.append(f"  {name} {name}_{index} ({', '.join(pins)});")
    declared = [f"  wire {wire};" for wire in wires]
    return f"// {cell.description}\n" + _module(
        cell.name, cell.inputs, cell.outputs, declared + body
    )


def _module(
    name: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    body: Sequence[str],
    registers: Sequence[str] = (),
) -> str:
    ports = [f"input {_checked(pin)}" for pin in inputs]
    ports += [f"output {'reg ' if pin in registers else ''}{_checked(pin)}" for pin in outputs]
    lines = [f"module {_checked(name)} (", ",\n".join(f"  {port}" for port in ports), ");"]
    return "\n".join([*lines, *body, "endmodule\n"])


def _checked(name: str) -> str:
    """``name`` if Verilog takes it as an identifier; raises ValueError otherwise."""
    if not _NAME.fullmatch(name) or name in _KEYWORDS:
        raise ValueError(f"{name!r} is no identifier of Verilog; rename the pin or node")
    return name
