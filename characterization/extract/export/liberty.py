"""One Liberty library for each corner and temperature of cells.nc, for a digital flow.

Gates and the flip-flop are cells with pins, truth, leakage by state, transition energies and
delays. Cells made of gates (MACs, conventional references) are not in it: they are modules of
``macs.v``, and a flow adds up their gates. The SNG, and a MAC that is no composition of gates, are
macros with area and leakage. What had to be merged for the format is said in the library itself.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from pathlib import Path

import xarray as xr

from characterization.extract.export.energies import Arc, by_label, gate_arcs, register_arcs
from characterization.extract.export.liberty_text import Group, identifier, table
from characterization.extract.export.timing import LOWER, UPPER, add_timing, timing_template
from characterization.extract.export.truth import condition, expression
from circuits.logic.gates import GATES, Gate
from devices.technology import Technology
from formats.atomic import write_text
from formats.cells import Cells
from formats.errors import InputError

ZERO_CELSIUS = 273.15
SECOND, FARAD, WATT, JOULE, SQUARE_METRE = 1e9, 1e15, 1e12, 1e15, 1e12
"""Units of the library in one SI unit: ns, fF, pW, fJ (fF V2), um2."""
REMARKS = (
    "Simulated by ngspice with the technology's transistor cards; no wires. Numbers are those of "
    "cells.nc.",
    "internal_power: energy of one transition less 1/2 C V^2 of the switching input, which a tool "
    "adds for its net. Transitions of one input at a time, by the state of the others; those that "
    "move several inputs at once have no place in Liberty and are left out. Where a transition "
    "moves several outputs its energy is shared equally among them.",
    "capacitance: charge of the pin over a full swing by the supply, mean over the states of the "
    "other pins. cell_leakage_power: mean over the states.",
    "Scalar delays: the longest of the cell, with one inverter to drive. Set-up and hold times of "
    "the flip-flop are not measured.",
)
NO_CAPACITANCE = (
    "Input capacitances are not in cells.nc: the energies of internal_power hold the whole charge "
    "of the switching input."
)
_LOGIC = ("gate", "register")


def write_liberty(cells: Cells, technology: Technology, folder: Path) -> list[Path]:
    """Write ``<technology>_<corner>_<temperature>K.lib`` for each condition of ``cells`` that is
    not missing.

    ``technology`` is the one of cells.nc, in any condition. Returns the paths. Raises
    :class:`InputError` where it is another one or the gates do not share their conditions.
    """
    if cells.attributes["technology"] != technology.name:
        raise InputError(
            cells.path,
            f"holds cells of {cells.attributes['technology']!r}, not of {technology.name!r}",
        )
    paths = []
    for corner, temperature in conditions(cells):
        if cells.gap(temperature, corner) is not None:
            continue
        name = library_name(technology.name, corner, temperature)
        path = Path(folder) / f"{name}.lib"
        write_text(path, liberty(cells, technology.at(corner, temperature)))
        paths.append(path)
    return paths


def library_name(technology: str, corner: str, temperature: float) -> str:
    """The library's name, for example ``cmos40lp_tt_300K``.

    Raises ValueError for a technology whose name does not begin with a letter.
    """
    name = f"{technology}_{corner}_{temperature:g}K".replace(".", "p")
    return identifier(re.sub(r"\W", "_", name))


def conditions(cells: Cells) -> list[tuple[str, float]]:
    """(corner, temperature in K) of the gates; raises :class:`InputError` if they differ."""
    found = {}
    for name in logic_cells(cells):
        data = cells.groups[name]
        found[name] = [
            (str(corner), float(kelvin))
            for corner, kelvin in itertools.product(
                data["corner"].to_numpy(), data["temperature"].to_numpy()
            )
        ]
    if not found:
        return []
    first, wanted = next(iter(found.items()))
    for name, pairs in found.items():
        if pairs != wanted:
            raise InputError(
                cells.path, f"{name} is not at the same corners and temperatures as {first}"
            )
    return wanted


def logic_cells(cells: Cells) -> list[str]:
    """Names of the gates and registers."""
    return [name for name, data in cells.groups.items() if data.attrs["role"] in _LOGIC]


def liberty(cells: Cells, technology: Technology) -> str:
    """The text of one library; ``technology`` is at its corner and temperature."""
    library = _header(technology)
    here = {
        name: at(data, technology.corner, technology.temperature)
        for name, data in cells.groups.items()
    }
    gates = {name: here[name] for name in logic_cells(cells) if name in GATES}
    if not all("input_capacitance" in data for data in gates.values()):
        library.remark(NO_CAPACITANCE)
    templates = [timing_template(data, SECOND, FARAD) for data in gates.values()]
    for text in dict.fromkeys(template.text() for template in templates if template is not None):
        library.lines += text.splitlines()
    for name, data in here.items():
        if name in gates:
            library.add(_logic_cell(GATES[name], data, technology.supply))
        elif data.attrs["role"] != "reference" and not made_of_gates(data):
            library.add(_macro(name, data))
    return library.text()


def at(data: xr.Dataset, corner: str, temperature: float) -> xr.Dataset:
    """A group at one condition; dimensions it does not have are no matter."""
    wanted = {"corner": corner, "temperature": temperature}
    return data.sel({name: value for name, value in wanted.items() if name in data.dims})


def made_of_gates(data: xr.Dataset) -> bool:
    """Whether a group is a composition of gates, as its attribute ``cells`` (JSON counts) tells."""
    try:
        parts = json.loads(str(data.attrs.get("cells", "")))
    except ValueError:
        return False
    return isinstance(parts, dict) and bool(parts) and all(name in GATES for name in parts)


def _header(technology: Technology) -> Group:
    celsius = technology.temperature - ZERO_CELSIUS
    name = library_name(technology.name, technology.corner, technology.temperature)
    library = Group("library", (name,))
    library.lines.append("technology (cmos);")
    library.set("delay_model", "table_lookup", word=True)
    for remark in REMARKS:
        library.remark(remark)
    library.set("time_unit", "1ns")
    library.set("voltage_unit", "1V")
    library.set("current_unit", "1uA")
    library.set("pulling_resistance_unit", "1kohm")
    library.set("leakage_power_unit", "1pW")
    library.lines.append("capacitive_load_unit (1, ff);")
    library.set("nom_process", 1.0)
    library.set("nom_voltage", technology.supply)
    library.set("nom_temperature", celsius)
    for edge in ("rise", "fall"):
        library.set(f"input_threshold_pct_{edge}", 50.0)
        library.set(f"output_threshold_pct_{edge}", 50.0)
        library.set(f"slew_lower_threshold_pct_{edge}", LOWER)
        library.set(f"slew_upper_threshold_pct_{edge}", UPPER)
    library.set("slew_derate_from_library", 1.0)
    library.set("default_fanout_load", 1.0)
    for kind in ("input", "inout", "output"):
        library.set(f"default_{kind}_pin_cap", 0.0)
    library.set("default_cell_leakage_power", 0.0)
    point = Group("operating_conditions", (f"{technology.corner}",))
    point.set("process", 1.0)
    point.set("voltage", technology.supply)
    point.set("temperature", celsius)
    point.set("tree_type", "balanced_tree", word=True)
    library.add(point)
    library.set("default_operating_conditions", technology.corner, word=True)
    return library


def _logic_cell(gate: Gate, data: xr.Dataset, supply: float) -> Group:
    cell = Group("cell", (identifier(gate.name),))
    cell.set("area", float(data["area"]) * SQUARE_METRE)
    _add_leakage(cell, gate, data)
    pins = _capacitances(data)
    half = {pin: 0.5 * pins.get(pin, 0.0) * supply**2 for pin in gate.inputs}
    if gate.function is None:
        state = Group("ff", ("IQ", "IQN"))
        state.set("clocked_on", CLOCK)
        state.set("next_state", DATA)
        cell.add(state)
        arcs = register_arcs(gate, data, half)
    else:
        arcs = gate_arcs(gate, data["transition_energy"], half)
    for pin in gate.inputs:
        group = Group("pin", (identifier(pin),))
        group.set("direction", "input", word=True)
        if pin in pins:
            group.set("capacitance", pins[pin] * FARAD)
        if gate.function is None and pin == CLOCK:
            group.set("clock", True)
        _add_power(group, [arc for arc in arcs if arc.pin == pin])
        cell.add(group)
    for output in gate.outputs:
        group = Group("pin", (identifier(output),))
        group.set("direction", "output", word=True)
        group.set("function", "IQ" if gate.function is None else expression(gate, output))
        _add_power(group, [arc for arc in arcs if arc.pin == output])
        add_timing(group, gate, output, data, SECOND)
        cell.add(group)
    return cell


CLOCK, DATA = "clk", "d"
"""Pins of the flip-flop."""


def _capacitances(data: xr.Dataset) -> Mapping[str, float]:
    """Input capacitances (F) by pin, none where the group holds none."""
    if "input_capacitance" not in data:
        return {}
    return by_label(data["input_capacitance"])


def _add_leakage(cell: Group, gate: Gate, data: xr.Dataset) -> None:
    """By state where the group tells; a register's states are (clock, output, data)."""
    name = "state_leakage" if "state_leakage" in data else "leakage_power"
    leakage = data[name]
    pins = gate.inputs if gate.function is not None else (CLOCK, *gate.outputs, DATA)
    if "state" in leakage.dims:
        for state, value in by_label(leakage).items():
            group = Group("leakage_power")
            group.set("when", condition(pins, [int(bit) for bit in state]))
            group.set("value", value * WATT)
            cell.add(group)
    cell.set("cell_leakage_power", float(leakage.mean()) * WATT)


def _add_power(pin: Group, arcs: list[Arc]) -> None:
    """Groups of one ``when`` and ``related_pin``, with the energies of both edges."""
    for (related, when), edges in itertools.groupby(arcs, lambda arc: (arc.related, arc.when)):
        group = Group("internal_power")
        if related:
            group.set("related_pin", related)
        if when:
            group.set("when", when)
        for arc in edges:
            group.add(table(f"{arc.edge}_power", arc.energy * JOULE))
        pin.add(group)


def _macro(name: str, data: xr.Dataset) -> Group:
    """Area and leakage of the whole cell; those of a MAC are stored by product bit."""
    products = int(data.attrs.get("fan_in", 1))
    cell = Group("cell", (identifier(name),))
    cell.remark(str(data.attrs.get("description", name)))
    cell.set("area", float(data["area"]) * products * SQUARE_METRE)
    for word in ("is_macro_cell", "dont_use", "dont_touch"):
        cell.set(word, True)
    cell.set("cell_leakage_power", float(data["leakage_power"].mean()) * products * WATT)
    return cell
