"""Mapped netlists: what their gates do, what Yosys makes of our Verilog, what it costs."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuits.logic.gates import GATES as CIRCUITS
from circuits.logic.gates import Gate
from formats.errors import InputError
from system.budget.baselines.synthesised import GateFigures, price
from system.synthesis import mapped_designs, yosys
from system.synthesis.activity import activity
from system.synthesis.designs import DESIGNS, Design
from system.synthesis.netlist import GATES, REGISTER, parse
from system.synthesis.smallest import disagreements

COUNTER = Design(
    "counter",
    "int8",
    "counts clocks in which a is 1",
    {"run": 1, "a": 1},
    "q",
    True,
    1,
    False,
    lambda state, words: np.where(words["run"] == 1, (state + words["a"]) % 4, 0),
    lambda rng, lanes: {"a": np.ones(lanes, np.uint64), "run": np.ones(lanes, np.uint64)},
    "ones",
)
LIBERTY = """library (tests) {
  time_unit : "1ns";
  capacitive_load_unit (1, ff);
"""


def counter(sum_gate: str = "xor2") -> dict[str, Any]:
    """Two bits: a half adder of gates, a full adder, AND with run, two flip-flops."""

    def cell(kind: str, **pins: int | str) -> dict[str, Any]:
        return {"type": kind, "connections": {pin: [net] for pin, net in pins.items()}}

    cells = {
        "half": cell(sum_gate, a=2, b=4, y=6),
        "carry": cell("and2", a=2, b=4, y=7),
        "full": cell("full_adder", a=5, b="0", ci=7, s=8, co=9),
        "keep0": cell("and2", a=6, b=3, y=10),
        "keep1": cell("and2", a=8, b=3, y=11),
        "q0": cell("dff", d=10, clk=1, q=4),
        "q1": cell("dff", d=11, clk=1, q=5),
    }
    ports = {"a": [2], "run": [3], "clk": ["1"], "q": [4, 5]}
    return {
        "modules": {
            "counter": {"ports": {k: {"bits": v} for k, v in ports.items()}, "cells": cells}
        }
    }


def test_gates_do_what_the_circuits_do() -> None:
    assert {*GATES, REGISTER} == set(CIRCUITS)
    for name, (inputs, outputs, truth) in GATES.items():
        gate: Gate = CIRCUITS[name]
        assert (inputs, outputs) == (gate.inputs, gate.outputs)
        assert gate.function is not None
        for bits in itertools.product((0, 1), repeat=len(inputs)):
            levels = truth(*(np.array([bit], np.uint8) for bit in bits))
            assert tuple(int(level[0]) for level in levels) == gate.function(*bits)


def test_a_counter_counts_and_a_wrong_gate_is_found() -> None:
    assert disagreements(parse(counter(), "counter"), COUNTER, 500, 1) == 0
    assert disagreements(parse(counter("or2"), "counter"), COUNTER, 500, 1) > 0


def test_counts_path_and_events_of_the_counter() -> None:
    netlist = parse(counter(), "counter")
    assert netlist.counts == {"and2": 3, "dff": 2, "full_adder": 1, "xor2": 1}
    delay = dict.fromkeys(GATES, 1.0) | {"full_adder": 3.0}
    assert netlist.longest_path(delay) == {"and2": 2, "full_adder": 1}
    seen = activity(netlist, COUNTER, 1)
    # Counting every clock: bit 0 toggles always, bit 1 half of the time.
    assert seen.toggling == pytest.approx(0.75)
    assert sum(seen.transitions["xor2"].values()) == pytest.approx(1.0)


def test_unknown_cells_and_loops_are_refused() -> None:
    content = counter()
    content["modules"]["counter"]["cells"]["half"]["type"] = "nor3"
    with pytest.raises(InputError, match="'nor3', which the library does not have"):
        parse(content, "counter")
    content = counter()
    content["modules"]["counter"]["cells"]["carry"]["connections"]["b"] = [9]
    with pytest.raises(InputError, match="form a loop"):
        parse(content, "counter")


def figures(factor: dict[str, float]) -> GateFigures:
    """Every unit 1 but for one gate's, multiplied."""
    names = (*GATES, REGISTER)
    ones = {name: factor.get(name, 1.0) for name in names}
    energy = {}
    for name, (inputs, _, _) in GATES.items():
        states = [format(i, f"0{len(inputs)}b") for i in range(2 ** len(inputs))]
        energy[name] = {f"{a}>{b}": ones[name] for a in states for b in states}
    return GateFigures(ones, ones, ones, energy, ones[REGISTER], ones[REGISTER])


@pytest.mark.parametrize("design", sorted(DESIGNS))
def test_prices_of_the_kept_mappings_are_sums_over_gates(design: str) -> None:
    kept = mapped_designs()["designs"][design]
    assert kept["checked_vectors"] >= 10_000
    before = price(design, kept, figures({}))
    assert before.area == sum(kept["gates"].values())
    for gate, count in kept["gates"].items():
        after = price(design, kept, figures({gate: 2.0}))
        assert after.area - before.area == pytest.approx(count)
        assert after.leakage - before.leakage == pytest.approx(count)
        events = count if gate == REGISTER else sum(kept["transitions"].get(gate, {}).values())
        assert after.energy - before.energy == pytest.approx(events)
        on_path = kept["longest_path"].get(gate, 0)
        assert after.delay - before.delay == pytest.approx(on_path)


def test_without_yosys_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yosys.shutil, "which", lambda *_, **__: None)
    with pytest.raises(InputError, match=r"pip install 'stochram\[yosys\]'"):
        yosys.required()


def liberty(folder: Path) -> Path:
    """A small Liberty file of the gates."""
    functions = {
        "inv": ("!a", 0.4),
        "nand2": ("!(a & b)", 0.6),
        "and2": ("(a & b)", 0.8),
        "or2": ("(a | b)", 0.8),
        "xor2": ("(a ^ b)", 1.4),
        "xnor2": ("!(a ^ b)", 1.4),
        "mux2": ("((a & !sel) | (b & sel))", 1.4),
    }
    text = LIBERTY
    for name, (function, area) in functions.items():
        pins = "".join(f"pin ({p}) {{ direction : input; }} " for p in GATES[name][0])
        text += f"  cell ({name}) {{ area : {area}; {pins}"
        text += f'pin (y) {{ direction : output; function : "{function}"; }} }}\n'
    pins = "".join(f"pin ({p}) {{ direction : input; }} " for p in ("a", "b", "ci"))
    text += f"  cell (full_adder) {{ area : 3.3; {pins}"
    text += 'pin (s) { direction : output; function : "(a ^ b ^ ci)"; } '
    text += 'pin (co) { direction : output; function : "((a & b) | (ci & (a | b)))"; } }\n'
    text += '  cell (dff) { area : 3.6; ff (IQ, IQN) { clocked_on : "clk"; next_state : "d"; } '
    text += "pin (d) { direction : input; } pin (clk) { direction : input; clock : true; } "
    text += 'pin (q) { direction : output; function : "IQ"; } }\n}\n'
    path = folder / "cells.lib"
    path.write_text(text)
    return path


@pytest.mark.timeout(900)  # Yosys in WebAssembly compiles itself when it is run first
@pytest.mark.parametrize("name", sorted(DESIGNS))
def test_mapped_verilog_computes_what_numpy_does(name: str, tmp_path: Path) -> None:
    program = yosys.program()
    if program is None:
        pytest.skip("yosys is not installed (extra yosys)")
    design = DESIGNS[name]
    netlist = parse(yosys.mapped(program, name, liberty(tmp_path), yosys.COVERS[2]), name)
    assert disagreements(netlist, design, 5_000, 7) == 0
