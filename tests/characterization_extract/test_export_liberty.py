"""Liberty: every number of cells.nc comes back, by our own reader and by an independent one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from characterization.extract.export.liberty import liberty, write_liberty
from characterization.extract.export.liberty_text import Group
from characterization.extract.export.truth import bits_of, expression, outputs_of, states
from circuits.logic.gates import GATES
from devices.technology import CMOS40LP
from formats.cells import Cells, read_cells, write_cells
from formats.errors import InputError
from tests.characterization_extract.export_cells import rich_cells, without

FF_HOT = {"corner": "ff", "temperature": 398.15}
Node = dict[str, Any]
"""Of a parsed library: attribute name to value, group name to a list of (arguments, node)."""


@pytest.fixture(scope="module")
def cells() -> Cells:
    return rich_cells()


@pytest.fixture(scope="module")
def library(cells: Cells) -> Node:
    return parsed(liberty(cells, CMOS40LP.at("ff", 398.15)))


def parsed(text: str) -> Node:
    """A reader of the Liberty syntax of our own; fails on braces, quotes or a missing semicolon."""
    bare = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    tokens = re.findall(r'"[^"\n]*"|[A-Za-z0-9_.+-]+|[(){}:;,]', bare)
    assert "".join(tokens) == re.sub(r'\s+(?=(?:[^"]*"[^"]*")*[^"]*$)', "", bare)
    place = 0

    def value() -> Any:
        nonlocal place
        place += 1
        return tokens[place - 1].strip('"')

    def body() -> Node:
        nonlocal place
        node: Node = {}
        while place < len(tokens) and tokens[place] != "}":
            name = value()
            if tokens[place] == ":":
                place += 1
                node[name] = value()
                assert tokens[place] == ";", name
                place += 1
                continue
            assert tokens[place] == "(", name
            place += 1
            arguments = []
            while tokens[place] != ")":
                if tokens[place] != ",":
                    arguments.append(tokens[place].strip('"'))
                place += 1
            place += 1
            if tokens[place] == ";":
                place += 1
                node[name] = arguments
                continue
            assert tokens[place] == "{", name
            place += 1
            node.setdefault(name, []).append((arguments, body()))
            assert tokens[place] == "}", name
            place += 1
        return node

    top = body()
    assert place == len(tokens)
    ((_, library),) = top["library"]
    return library


def named(node: Node, kind: str) -> dict[str, Node]:
    return {arguments[0]: inner for arguments, inner in node[kind]}


def one(node: Node, name: str) -> float:
    """The number of a scalar table."""
    ((arguments, inner),) = node[name]
    assert arguments == ["scalar"]
    return float(inner["values"][0])


def test_what_is_tested_is_a_cells_file(cells: Cells, tmp_path: Path) -> None:
    """One group of each kind; the others are made alike."""
    kinds = ("sng", "xor2", "dff", "sign_magnitude_counter", "lfsr_sng8")
    groups = {name: cells.groups[name] for name in kinds}
    write_cells(tmp_path / "cells.nc", cells.attributes, groups)
    assert set(read_cells(tmp_path / "cells.nc").groups) == set(kinds)


def test_header_states_units_and_conditions(library: Node) -> None:
    assert library["time_unit"] == "1ns"
    assert library["voltage_unit"] == "1V"
    assert library["leakage_power_unit"] == "1pW"
    assert library["capacitive_load_unit"] == ["1", "ff"]
    assert float(library["nom_voltage"]) == CMOS40LP.supply
    assert float(library["nom_temperature"]) == pytest.approx(125.0)
    point = named(library, "operating_conditions")[library["default_operating_conditions"]]
    assert float(point["temperature"]) == pytest.approx(125.0)
    assert library["delay_model"] == "table_lookup"


def test_gates_registers_and_macros_are_there_and_what_is_made_of_gates_is_not(
    library: Node, cells: Cells
) -> None:
    logic = {n for n, d in cells.groups.items() if d.attrs["role"] in ("gate", "register")}
    assert set(named(library, "cell")) == logic | {"sng", "column", "in_memory_column"}
    column = named(library, "cell")["column"]
    held = cells.groups["column"]
    assert float(column["area"]) == pytest.approx(16e12 * float(held["area"]))  # per product bit
    assert column["dont_use"] == "true"


def test_areas_capacitances_and_leakages_come_back_equal(library: Node, cells: Cells) -> None:
    for name, cell in named(library, "cell").items():
        data = cells.groups[name]
        if data.attrs["role"] not in ("gate", "register"):
            continue
        here = data.sel(FF_HOT)
        assert float(cell["area"]) == pytest.approx(1e12 * float(data["area"]), rel=1e-11)
        pins = named(cell, "pin")
        for pin in GATES[name].inputs:
            wanted = 1e15 * float(here["input_capacitance"].sel(pin=pin))
            assert float(pins[pin]["capacitance"]) == pytest.approx(wanted, rel=1e-11)
        key = "leakage_power" if data.attrs["role"] == "gate" else "state_leakage"
        found = {inner["when"]: float(inner["value"]) for _, inner in cell["leakage_power"]}
        assert len(found) == here.sizes["state"]
        order = GATES[name].inputs if key == "leakage_power" else ("clk", "q", "d")
        for state in here["state"].to_numpy():
            bits = zip(order, str(state), strict=True)
            when = " & ".join(pin if bit == "1" else f"!{pin}" for pin, bit in bits)
            assert found[when] == pytest.approx(1e12 * float(here[key].sel(state=state)), rel=1e-11)
        assert float(cell["cell_leakage_power"]) == pytest.approx(np.mean(list(found.values())))


def truth(expression: str, values: dict[str, int]) -> bool:
    """The value of an expression of Liberty."""
    words = re.sub(r"!", " not ", expression).replace("&", " and ").replace("|", " or ")
    words = words.replace("^", " != ")
    # `!(a ^ b ^ c)` would be a chain of comparisons: our own expressions have three at most.
    if words.count("!=") == 2:
        a, b, c = (word.strip() for word in words.split("!="))
        words = f"({a} != {b}) != {c}"
    return bool(eval(words, {}, {pin: bool(bit) for pin, bit in values.items()}))


def counted(cell: Node, moved: dict[str, str], pins: dict[str, int], cause: str) -> float:
    """Energy (fJ) a power tool books for one event: all groups of moved pins whose ``when`` holds.

    ``moved`` are pins with their edge, ``pins`` all levels, of the moved ones before the event.
    """
    total = 0.0
    for name, edge in moved.items():
        for _, group in named(cell, "pin")[name].get("internal_power", []):
            own = group.get("related_pin") in (None, cause)
            if own and truth(group.get("when", "True"), pins) and f"{edge}_power" in group:
                total += one(group, f"{edge}_power")
    return total


def switching(cell: Node, pin: str) -> float:
    """Energy (fJ) a tool books for the net of a pin at each edge."""
    return 0.5 * float(named(cell, "pin")[pin]["capacitance"]) * CMOS40LP.supply**2


@pytest.mark.parametrize("name", ["and2", "xor2", "mux2", "full_adder"])
def test_what_a_tool_books_for_one_switching_input_is_its_transition_energy(
    name: str, library: Node, cells: Cells
) -> None:
    gate, cell = GATES[name], named(library, "cell")[name]
    energy = cells.groups[name].sel(FF_HOT)["transition_energy"]
    checked = 0
    for before in states(len(gate.inputs)):
        for place, pin in enumerate(gate.inputs):
            after = tuple(1 - b if i == place else b for i, b in enumerate(before))
            y0, y1 = outputs_of(gate, before), outputs_of(gate, after)
            moved = {pin: "rise" if after[place] else "fall"}
            for out, a, b in zip(gate.outputs, y0, y1, strict=True):
                if a != b:
                    moved[out] = "rise" if b else "fall"
            levels = dict(zip(gate.inputs, before, strict=True))
            booked = counted(cell, moved, levels, pin) + switching(cell, pin)
            wanted = float(energy.sel(transition=f"{bits_of(before)}>{bits_of(after)}"))
            assert booked == pytest.approx(1e15 * wanted, rel=1e-9), (before, after)
            checked += 1
    assert checked == len(gate.inputs) * 2 ** len(gate.inputs)


def test_what_a_tool_books_for_the_flip_flop_is_its_transition_energy(
    library: Node, cells: Cells
) -> None:
    cell = named(library, "cell")["dff"]
    energy = cells.groups["dff"].sel(FF_HOT)["transition_energy"]
    for transition in energy["transition"].to_numpy():
        before, after = (
            dict(zip(("clk", "q", "d"), map(int, word), strict=True))
            for word in str(transition).split(">")
        )
        cause = next(pin for pin in ("clk", "d") if before[pin] != after[pin])
        moved = {
            pin: "rise" if after[pin] else "fall" for pin in before if before[pin] != after[pin]
        }
        booked = counted(cell, moved, before, cause) + switching(cell, cause)
        wanted = 1e15 * float(energy.sel(transition=transition))
        assert booked == pytest.approx(wanted, rel=1e-9), transition
    assert named(cell, "ff")["IQ"] == {"clocked_on": "clk", "next_state": "d"}
    assert named(cell, "pin")["q"]["function"] == "IQ"
    assert named(cell, "pin")["clk"]["clock"] == "true"


def test_means_alone_give_the_energies_of_a_clock(cells: Cells) -> None:
    """Hold: two edges of the clock. Toggle: those, one edge of the data, one of the output."""
    bare = without(cells, "transition_energy")
    cell = named(parsed(liberty(only_register(bare), CMOS40LP.at("ff", 398.15))), "cell")["dff"]
    data = cells.groups["dff"].sel(FF_HOT)
    levels = {"clk": 0, "q": 0, "d": 0}
    clock = sum(counted(cell, {"clk": edge}, levels, "clk") for edge in ("rise", "fall"))
    hold = clock + 2 * switching(cell, "clk")
    assert hold == pytest.approx(1e15 * float(data["energy_hold"]))
    for edge in ("rise", "fall"):
        toggle = hold + counted(cell, {"q": edge}, levels, "clk") + switching(cell, "d")
        assert toggle == pytest.approx(1e15 * float(data["energy_toggle"]))


def only_register(cells: Cells) -> Cells:
    groups = {name: cells.groups[name] for name in ("sng", "dff")}
    return Cells(cells.path, cells.sha256, cells.attributes, groups)


@pytest.mark.parametrize("name", [name for name in GATES if GATES[name].function is not None])
def test_functions_are_the_truth(name: str) -> None:
    gate = GATES[name]
    for place, output in enumerate(gate.outputs):
        text = expression(gate, output)
        for state in states(len(gate.inputs)):
            levels = dict(zip(gate.inputs, state, strict=True))
            assert truth(text, levels) == bool(outputs_of(gate, state)[place]), (text, state)


def test_delay_tables_come_back_equal_with_their_index(library: Node, cells: Cells) -> None:
    here = cells.groups["full_adder"].sel(FF_HOT)
    cell = named(library, "cell")["full_adder"]
    template = named(library, "lu_table_template")["slew_load_2x3"]
    assert [float(x) for x in template["index_1"][0].split(",")] == [0.01, 0.04]
    assert [float(x) for x in template["index_2"][0].split(",")] == [1, 4, 16]
    seen = 0
    for output in ("s", "co"):
        for _, group in named(cell, "pin")[output]["timing"]:
            related, way = group["related_pin"], group["timing_sense"]
            for edge in ("rise", "fall"):
                other = {"rise": "fall", "fall": "rise"}[edge]
                incoming = edge if way == "positive_unate" else other
                arc = here.sel(arc=f"{related} {incoming} > {output} {edge}")
                for word, key in (
                    (f"cell_{edge}", "arc_delay"),
                    (f"{edge}_transition", "arc_slew"),
                ):
                    ((arguments, inner),) = group[word]
                    assert arguments == ["slew_load_2x3"]
                    rows = [[float(x) for x in row.split(",")] for row in inner["values"]]
                    assert np.array(rows) == pytest.approx(1e9 * arc[key].to_numpy(), rel=1e-11)
                    seen += 1
    assert seen == here.sizes["arc"] * 2


def test_scalar_delays_where_there_are_no_tables(cells: Cells) -> None:
    bare = without(cells, "arc_delay", "arc_slew")
    cell = named(parsed(liberty(bare, CMOS40LP.at("ff", 398.15))), "cell")["mux2"]
    groups = {group["related_pin"]: group for _, group in named(cell, "pin")["y"]["timing"]}
    assert {pin: group["timing_sense"] for pin, group in groups.items()} == {
        "a": "positive_unate",
        "b": "positive_unate",
        "sel": "non_unate",
    }
    wanted = 1e9 * float(cells.groups["mux2"].sel(FF_HOT)["delay"])
    assert one(groups["a"], "cell_rise") == pytest.approx(wanted)


def test_without_capacitances_the_library_says_so_and_keeps_the_whole_energy(cells: Cells) -> None:
    text = liberty(without(cells, "input_capacitance"), CMOS40LP.at("ff", 398.15))
    assert "hold the whole charge of the switching input" in text
    cell = named(parsed(text), "cell")["and2"]
    assert "capacitance" not in named(cell, "pin")["a"]
    energy = cells.groups["and2"].sel(FF_HOT)["transition_energy"]
    booked = counted(cell, {"a": "rise", "y": "rise"}, {"a": 0, "b": 1}, "a")
    assert booked == pytest.approx(1e15 * float(energy.sel(transition="01>11")))


def test_one_file_a_condition_the_same_bytes_twice_and_no_paths(
    cells: Cells, tmp_path: Path
) -> None:
    first = write_liberty(cells, CMOS40LP, tmp_path / "a")
    again = write_liberty(cells, CMOS40LP, tmp_path / "b")
    assert [path.name for path in first] == [
        "cmos40lp_tt_300K.lib",
        "cmos40lp_tt_398p15K.lib",
        "cmos40lp_ff_300K.lib",
        "cmos40lp_ff_398p15K.lib",
    ]
    for one_path, other in zip(first, again, strict=True):
        assert one_path.read_bytes() == other.read_bytes()
        assert "/tmp" not in one_path.read_text()
        assert str(tmp_path) not in one_path.read_text()
        assert parsed(one_path.read_text())
    assert len({path.read_bytes() for path in first}) == 4


def test_another_technology_is_refused(cells: Cells, tmp_path: Path) -> None:
    other = Cells(
        cells.path, cells.sha256, {**cells.attributes, "technology": "mine"}, cells.groups
    )
    with pytest.raises(InputError, match="'mine', not of 'cmos40lp'"):
        write_liberty(other, CMOS40LP, tmp_path)


def test_texts_that_liberty_cannot_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot stand in the quotes"):
        Group("cell").set("when", 'a"b')
    with pytest.raises(ValueError, match="no name of Liberty"):
        Group("cell").set("direction", "in put", word=True)


def test_an_independent_parser_reads_the_same_numbers(cells: Cells) -> None:
    """The liberty-parser of T. Kramer (GPL-3.0-or-later), where it is installed."""
    parser = pytest.importorskip(
        "liberty.parser", reason="liberty-parser is not installed (pip install liberty-parser)"
    )
    library = parser.parse_liberty(liberty(cells, CMOS40LP.at("ff", 398.15)))
    groups = {group.args[0]: group for group in library.get_groups("cell")}
    here = cells.groups["xor2"].sel(FF_HOT)
    assert set(groups) == set(named(parsed(liberty(cells, CMOS40LP.at("ff", 398.15))), "cell"))
    for pin in groups["xor2"].get_groups("pin"):
        name = str(pin.args[0])
        if name == "y":
            (power, *_) = pin.get_groups("internal_power")
            (rise,) = power.get_groups("rise_power")
            capacitance = float(here["input_capacitance"].sel(pin="a"))
            wanted = float(here["transition_energy"].sel(transition="00>10"))
            wanted -= 0.5 * capacitance * CMOS40LP.supply**2
            assert rise.get_array("values")[0][0] == pytest.approx(1e15 * wanted)
            assert str(power["when"]).strip('"') == "!b"
        else:
            wanted = 1e15 * float(here["input_capacitance"].sel(pin=name))
            assert float(pin["capacitance"]) == pytest.approx(wanted)
