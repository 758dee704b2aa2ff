"""The SPICE library: plain ngspice and PySpice take it, and its cells compute."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySpice.Spice.Library import SpiceLibrary
from PySpice.Spice.Netlist import Circuit

from characterization.extract.export.subcircuits import subcircuits, write_subcircuits
from circuits.logic.gates import GATES
from circuits.mac.bit_cells import MACS
from circuits.simulator import Simulator, run_batch
from devices.technology import CMOS40LP

STEP = 1e-9
"""s; between input changes."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_subcircuits(CMOS40LP, tmp_path_factory.mktemp("spice"), MACS.values())


def test_plain_ngspice_runs_a_deck_that_includes_it(library: Path) -> None:
    """A full adder through all states: the bits ngspice prints are those of the truth table."""
    gate, supply = GATES["full_adder"], CMOS40LP.supply
    lines = ["full adder from cells.lib", f".include {library.name}", f"vdd vdd 0 {supply}"]
    for place, pin in enumerate(gate.inputs):
        half = STEP * 2**place  # a counts fastest
        lines.append(
            f"v{pin} {pin} 0 pulse(0 {supply} {half:g} 40p 40p {half - 40e-12:g} {2 * half:g})"
        )
    lines += [f"x1 {' '.join(gate.inputs)} {' '.join(gate.outputs)} vdd 0 full_adder"]
    lines.append(f".tran 10p {8 * STEP:g}")
    for state in range(8):
        for pin in gate.outputs:
            lines.append(f".meas tran {pin}{state} find v({pin}) at={(state + 0.95) * STEP:g}")
    deck = library.with_name("adder.cir")
    deck.write_text("\n".join([*lines, ".end\n"]))
    printed = run_batch(deck)
    assert gate.function is not None
    for state in range(8):
        wanted = gate.function(*((state >> place) & 1 for place in range(3)))
        for pin, bit in zip(gate.outputs, wanted, strict=True):
            match = re.search(rf"^{pin}{state}\s*=\s*(\S+)", printed, flags=re.MULTILINE)
            assert match, f"{pin}{state} was not measured"
            assert (float(match[1]) > supply / 2) == bool(bit), (state, pin)


def test_pyspice_finds_the_cells_and_runs_them(library: Path) -> None:
    """PySpice's library search lists them; a circuit of one instance gives the truth."""
    found = SpiceLibrary(library.parent)
    for name in (*GATES, *MACS):
        assert Path(str(found[name])) == library
    mac, supply = MACS["bipolar_mux"], CMOS40LP.supply
    circuit = Circuit("MAC from cells.lib")
    circuit.include(found["bipolar_mux"])
    circuit.V("dd", "vdd", circuit.gnd, supply)
    levels = {"a": 1, "b": 0, "x": 1, "sel": 0}
    for pin, bit in levels.items():
        circuit.V(pin, pin, circuit.gnd, supply * bit)
    circuit.X("1", "bipolar_mux", *mac.inputs, *mac.outputs, "vdd", circuit.gnd)
    with Simulator() as simulator:
        waveforms = simulator.run(f"{circuit}\n.save all\n.tran 10p 1n\n.end\n")
    bit = int(waveforms["v(y)"][-1] > supply / 2)
    assert bit == mac.evaluate(levels)["y"] == 0
    assert np.all(np.isfinite(waveforms["v(y)"]))


def test_every_cell_is_defined_once_with_its_pins(library: Path) -> None:
    text = library.read_text()
    for cell in (*GATES.values(), *MACS.values()):
        (pins,) = re.findall(rf"^\.subckt {cell.name} (.*)$", text, flags=re.MULTILINE)
        assert tuple(pins.split()) == cell.pins
    assert str(library.parent) not in text
    assert text == subcircuits(CMOS40LP, MACS.values())


def test_corner_and_temperature_are_the_decks() -> None:
    hot = subcircuits(CMOS40LP.at("ss", 398.15), [])
    assert ".temp 125" in hot
    assert hot != subcircuits(CMOS40LP.at("tt", 398.15), [])


def test_models_that_may_not_be_given_to_others_are_not_written() -> None:
    closed = subcircuits(replace(CMOS40LP, redistributable=False), [])
    assert ".model" not in closed
    assert "vth0" not in closed
    assert "not redistributable" in closed
    assert ".subckt nand2" in closed
