"""The emitted Verilog, parsed and evaluated, does what the cells do."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from characterization.extract.export.verilog import (
    composed_modules,
    gate_modules,
    write_verilog,
)
from circuits.logic.cell import LogicCell
from circuits.logic.gates import GATES
from circuits.mac.bit_cells import MACS
from circuits.mac.counter import counter_mac
from circuits.mac.mux_tree import mux_tree
from circuits.reference.binary import binary_mac
from circuits.reference.lfsr import lfsr_sng

CELLS = [
    *MACS.values(),
    mux_tree("bipolar", 8, shared_select=True),
    counter_mac("sign-magnitude", 4, "exact-counter", 16),
    counter_mac("unipolar", 8, "approximate-counter", 16),
    lfsr_sng(8),
    binary_mac(4, terms=8),
]
CLOCKS = 40


@dataclass(frozen=True)
class Module:
    """A module of the subset: ports, assignments or a register, instances."""

    inputs: list[str]
    outputs: list[str]
    wires: list[str]
    assigns: dict[str, str]
    registers: dict[str, tuple[str, str]]
    instances: list[tuple[str, str, dict[str, str]]]


def modules(text: str) -> dict[str, Module]:
    """A parser of that subset; everything in a module must be understood."""
    text = re.sub(r"//[^\n]*", "", text)
    found = {}
    for name, ports, body in re.findall(
        r"\bmodule\s+(\w+)\s*\((.*?)\)\s*;(.*?)\bendmodule\b", text, flags=re.DOTALL
    ):
        inputs = re.findall(r"\binput\s+(\w+)", ports)
        outputs = re.findall(r"\boutput\s+(?:reg\s+)?(\w+)", ports)
        clocked = r"always @\(posedge (\w+)\) (\w+) <= (\w+);"
        registers = {q: (clock, d) for clock, q, d in re.findall(clocked, body)}
        rest = re.sub(clocked, "", body)
        statements = [part.strip() for part in rest.split(";") if part.strip()]
        module = Module(inputs, outputs, [], {}, registers, [])
        for statement in statements:
            if statement.startswith("wire "):
                module.wires.append(statement.removeprefix("wire ").strip())
            elif statement.startswith("assign "):
                left, right = statement.removeprefix("assign ").split("=", 1)
                module.assigns[left.strip()] = right.strip()
            else:
                match = re.fullmatch(r"(\w+)\s+(\w+)\s*\((.*)\)", statement, flags=re.DOTALL)
                assert match, statement
                pins = dict(re.findall(r"\.(\w+)\(([^)]*)\)", match[3]))
                module.instances.append((match[1], match[2], pins))
        found[name] = module
    return found


LIBRARY = modules(gate_modules())


def logic(expression: str, levels: dict[str, np.ndarray]) -> np.ndarray:
    """Value of an assignment over arrays of bits."""
    return np.asarray(eval(expression.replace("!", "~"), {}, levels)) & 1


def level(node: str, values: dict[str, np.ndarray]) -> np.ndarray:
    return np.array(int(node[-1])) if node.startswith("1'b") else values[node]


def evaluated(module: Module, bits: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All nodes of a structural module: inputs and stored bits in, gates until nothing is left."""
    values, left = dict(bits), list(module.instances)
    while left:
        later = []
        for gate, name, pins in left:
            inner = LIBRARY[gate]
            if inner.registers:
                continue
            nodes = [pins[pin] for pin in inner.inputs]
            if not all(node.startswith("1'b") or node in values for node in nodes):
                later.append((gate, name, pins))
                continue
            levels = {pin: level(pins[pin], values) for pin in inner.inputs}
            for output, expression in inner.assigns.items():
                assert pins[output] not in values, f"{pins[output]} has two drivers"
                values[pins[output]] = logic(expression, levels)
        assert len(later) < len(left), "a loop, or a node without a driver"
        left = later
    return values


def test_gate_modules_have_the_truth_of_the_gates() -> None:
    assert set(LIBRARY) == set(GATES)
    for name, gate in GATES.items():
        module = LIBRARY[name]
        assert tuple(module.inputs) == gate.inputs
        assert tuple(module.outputs) == gate.outputs
        if gate.function is None:
            assert module.registers == {"q": ("clk", "d")}
            continue
        for number in range(2 ** len(gate.inputs)):
            word = format(number, f"0{len(gate.inputs)}b")
            levels = dict(zip(gate.inputs, (np.array(int(bit)) for bit in word), strict=True))
            found = tuple(int(logic(module.assigns[pin], levels)) for pin in gate.outputs)
            assert found == gate.function(*(int(bit) for bit in word)), (name, word)


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: str(cell.name))
def test_structure_computes_what_the_cell_computes(cell: LogicCell) -> None:
    """All inputs of unclocked cells with up to 12; of others 64 drawn streams of 40 bits."""
    module = modules(composed_modules([cell]))[cell.name]
    assert tuple(module.inputs) == cell.inputs
    assert tuple(module.outputs) == cell.outputs
    assert len({name for _, name, _ in module.instances}) == len(cell.instances)
    if cell.clock is None and len(cell.inputs) <= 12:
        every = np.arange(2 ** len(cell.inputs))
        vectors = [{pin: (every >> place) & 1 for place, pin in enumerate(cell.inputs)}]
    else:
        vectors = drawn_streams(cell)
    flops = [pins for gate, _, pins in module.instances if LIBRARY[gate].registers]
    assert {pins["clk"] for pins in flops} == ({cell.clock} if cell.clock else set())
    size = next(iter(vectors[0].values())).size
    stored = {pins["q"]: np.zeros(size, int) for pins in flops}
    for vector, wanted in zip(vectors, cell.run(vectors), strict=True):
        found = evaluated(module, {**vector, **stored})
        for pin in cell.outputs:
            assert np.array_equal(found[pin], np.broadcast_to(wanted[pin], size)), pin
        stored = {pins["q"]: level(pins["d"], found) for pins in flops}


def drawn_streams(cell: LogicCell) -> list[dict[str, np.ndarray]]:
    """Fair bits; ``run``, which clears a register at 0, is 1 in nine of ten."""
    random = np.random.default_rng(3)
    drawn = random.random((CLOCKS, len(cell.data_inputs), 64)) < 0.5
    if "run" in cell.data_inputs:
        drawn[:, cell.data_inputs.index("run")] = random.random((CLOCKS, 64)) < 0.9
    return [dict(zip(cell.data_inputs, row.astype(int), strict=True)) for row in drawn]


def test_pins_at_the_rails_become_constants() -> None:
    tied = LogicCell(
        name="tied",
        inputs=("a",),
        outputs=("y", "z"),
        instances=(("and2", ("a", "vdd", "y")), ("or2", ("a", "vss", "z"))),
        description="pins at the rails",
    )
    found = evaluated(modules(composed_modules([tied]))["tied"], {"a": np.array([0, 1])})
    assert found["y"].tolist() == found["z"].tolist() == [0, 1]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: str(cell.name))
def test_every_net_is_declared_once_and_driven_once(cell: LogicCell) -> None:
    module = modules(composed_modules([cell]))[cell.name]
    nets = [*module.inputs, *module.outputs, *module.wires]
    assert len(set(nets)) == len(nets)
    driven = [
        pins[pin] for gate, _, pins in module.instances for pin in LIBRARY[gate].outputs
    ] + module.inputs
    assert sorted(set(driven)) == sorted(driven)
    assert set(driven) == set(nets)


def test_a_name_that_verilog_does_not_take_is_refused() -> None:
    bad = LogicCell(
        name="table",
        inputs=("a",),
        outputs=("y",),
        instances=(("inv", ("a", "y")),),
        description="",
    )
    with pytest.raises(ValueError, match="'table' is no identifier of Verilog"):
        composed_modules([bad])


def test_files_are_the_same_every_time(tmp_path: Path) -> None:
    first, again = (write_verilog(tmp_path / name, CELLS) for name in "ab")
    assert [path.name for path in first] == ["cells.v", "macs.v"]
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("tool", ["iverilog", "yosys"])
def test_a_verilog_tool_takes_the_files(tool: str, tmp_path: Path) -> None:
    program = shutil.which(tool)
    if program is None:
        pytest.skip(f"{tool} is not installed")
    files = [str(path) for path in write_verilog(tmp_path, CELLS)]
    commands = {
        "iverilog": [program, "-t", "null", "-Wall", *files],
        "yosys": [program, "-q", "-p", f"read_verilog {' '.join(files)}; hierarchy -check; check"],
    }
    run = subprocess.run(commands[tool], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
