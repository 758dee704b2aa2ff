"""The groups of gates, flip-flop, MACs and conventional CMOS."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import xarray as xr

from characterization.extract.conditions import Conditions
from characterization.extract.library import Library, cell_area, cell_leakage
from characterization.extract.logic.operands import operand_energy, operation_energy
from characterization.extract.logic.path import longest_path
from characterization.extract.logic.results import Timing
from circuits.logic.cell import LogicCell
from circuits.logic.gates import GATES
from circuits.mac.base import Mac
from formats.cells import ENVIRONMENT, variable

SIMULATED = "simulated: ngspice transients, driven and loaded by gates"
SUMMED = "derived: events of simulated gates, with their delays"
UNCHECKED_ERROR = 0.05
"""Relative error of the energy of cells that are too large for a transient at each extraction."""
DFF_STATES = [f"{k:03b}" for k in range(8)]
"""States of the flip-flop as clk, q, d."""
Over = Callable[..., xr.Variable]


def gate_group(
    name: str,
    libraries: Sequence[Library],
    timings: Sequence[Mapping[str, Timing]],
    conditions: Conditions,
) -> xr.Dataset:
    """A ``gate`` group: energy by input transition, leakage by state, delays, input capacitance."""
    over, gate = _over(libraries, conditions), GATES[name]
    states = [format(state, f"0{len(gate.inputs)}b") for state in range(2 ** len(gate.inputs))]
    data = {
        "transition_energy": over(
            lambda x: x.gates[name].energy.ravel(),
            "J",
            f"{SIMULATED}, one inverter to drive, without leakage",
            "transition",
        ),
        "leakage_power": over(lambda x: x.gates[name].leakage, "W", SIMULATED, "state"),
        "delay": over(lambda x: x.gates[name].delay, "s", f"{SIMULATED}, the longest"),
        "input_capacitance": over(lambda x: x.gates[name].pin_capacitance, "F", SIMULATED, "pin"),
        "area": _gate_area(name, libraries[0]),
    }
    timing = timings[0][name]
    arcs = [arc for arc in timing.arcs if all(arc in each[name].arcs for each in timings)]
    for place, variable_name in enumerate(("arc_delay", "arc_slew")):
        values = [np.array([each[name].arcs[arc][place] for arc in arcs]) for each in timings]
        data[variable_name] = variable(
            (*ENVIRONMENT, "arc", "input_slew", "output_load"),
            conditions.over_environments(values),
            "s",
            "simulated: ngspice transients with input ramps and output capacitors, the worst over "
            "the states of the other inputs; slews 10 to 90 %",
        )
    coordinates = {
        **conditions.environment_coordinates(),
        "arc": [f"{pin} {edge} > {out} {result}" for pin, out, result, edge in arcs],
        "input_slew": ("input_slew", [0.8 * slew for slew in timing.slews], {"units": "s"}),
        "output_load": ("output_load", list(timing.loads), {"units": "F"}),
        "transition": [f"{before}>{after}" for before in states for after in states],
        "state": states,
        "pin": list(gate.inputs),
    }
    attributes = {
        "role": "gate",
        "description": f"{name}, inputs {' '.join(gate.inputs)}",
        "worst_stress": str(
            max(
                (x.gates[name].worst for x in libraries),
                key=lambda stress: stress.voltage / stress.rating,
            )
        ),
    }
    return xr.Dataset(data, coordinates, attributes)


def register_group(libraries: Sequence[Library], conditions: Conditions) -> xr.Dataset:
    """The ``dff`` group: energy by toggle of clock or data, by stored bit and data."""
    over = _over(libraries, conditions)
    # energy[clk, q, d, event]: event 0 toggles the clock (a rising one stores d), 1 the data.
    toggles = [
        (clk, q, d, event) for clk in (0, 1) for q in (0, 1) for d in (0, 1) for event in (0, 1)
    ]
    names = [f"{clk}{q}{d}>{_after(clk, q, d, event)}" for clk, q, d, event in toggles]
    data = {
        "energy_hold": over(lambda x: x.register.hold, "J", SIMULATED),
        "energy_toggle": over(lambda x: x.register.toggle, "J", SIMULATED),
        "transition_energy": over(
            lambda x: [x.register.energy[toggle] for toggle in toggles],
            "J",
            f"{SIMULATED}, without leakage",
            "transition",
        ),
        "leakage_power": over(lambda x: x.register.leakage, "W", SIMULATED),
        "state_leakage": over(lambda x: x.register.state_leakage.ravel(), "W", SIMULATED, "state"),
        "clock_to_output": over(lambda x: x.register.clock_to_output[:, 0], "s", SIMULATED, "edge"),
        "input_capacitance": over(lambda x: x.register.pin_capacitance, "F", SIMULATED, "pin"),
        "area": _gate_area("dff", libraries[0]),
    }
    coordinates = {
        **conditions.environment_coordinates(),
        "transition": names,
        "state": DFF_STATES,
        "edge": ["rise", "fall"],
        "pin": list(GATES["dff"].inputs),
    }
    attributes = {
        "role": "register",
        "description": "transmission-gate flip-flop, states clk q d",
        "worst_stress": str(libraries[0].register.worst),
    }
    return xr.Dataset(data, coordinates, attributes)


def mac_group(
    mac: Mac, libraries: Sequence[Library], conditions: Conditions, seed: int
) -> xr.Dataset:
    """A ``mac`` group: energy of one product bit over the operands' bit probabilities."""
    over = _over(libraries, conditions)
    energies = {id(x): operand_energy(mac, x.gates, x.register, seed) for x in libraries}
    errors = [x.checks[mac.name].events for x in libraries if mac.name in x.checks]
    error = max(map(abs, errors)) if errors else UNCHECKED_ERROR
    grid = energies[id(libraries[0])][2]
    operands = ("a_probability", "b_probability")

    def stderr(x: Library) -> np.ndarray:
        energy, sampled, _ = energies[id(x)]
        return np.hypot(sampled, error * energy)

    data = {
        "energy": over(lambda x: energies[id(x)][0], "J", SUMMED, *operands),
        "energy_stderr": over(
            stderr,
            "J",
            "derived: distance from one transient of the whole cell"
            if errors
            else f"assumed: {UNCHECKED_ERROR:.0%}, what cells of this kind and half the size are "
            "off by (benchmarks/cells_logic.py), and the streams' standard error",
            *operands,
        ),
        **_common(mac, libraries, over, mac.fan_in),
    }
    attributes = {
        "role": "mac",
        "description": mac.description,
        "encoding": mac.encoding,
        "adder": mac.adder,
        "fan_in": mac.fan_in,
        "signalling": mac.signalling,
        "accumulator_bits": mac.width,
        "cells": json.dumps(mac.gates),
        **({"composition_error": error} if errors else {}),
    }
    coordinates = {
        **conditions.environment_coordinates(),
        "a_probability": grid,
        "b_probability": grid,
    }
    return xr.Dataset(data, coordinates, attributes)


def reference_group(
    cell: LogicCell, libraries: Sequence[Library], conditions: Conditions, seed: int
) -> xr.Dataset:
    """A ``reference`` group: energy of one operation with random operands."""
    over = _over(libraries, conditions)
    energies = {id(x): operation_energy(cell, x.gates, x.register, seed) for x in libraries}
    data = {
        "energy": over(lambda x: energies[id(x)][0], "J", SUMMED),
        "energy_stderr": over(
            lambda x: energies[id(x)][1], "J", "derived: standard error over random operands"
        ),
        **_common(cell, libraries, over, 1),
    }
    attributes = {
        "role": "reference",
        "description": cell.description,
        "cells": json.dumps(cell.gates),
    }
    return xr.Dataset(data, conditions.environment_coordinates(), attributes)


def _common(
    cell: LogicCell, libraries: Sequence[Library], over: Over, share: int
) -> dict[str, xr.Variable]:
    """Leakage, delay and area; leakage and area of one of ``share`` products."""
    technology = libraries[0].technology
    return {
        "leakage_power": over(
            lambda x: cell_leakage(cell, x) / share, "W", "derived: mean over the gates' states"
        ),
        "delay": over(
            lambda x: longest_path(cell, x.gates, x.register).delay,
            "s",
            "derived: longest path through the gates' delays at their loads",
        ),
        "area": variable(
            (), cell_area(cell, technology) / share, "m2", technology.gate_area_source
        ),
    }


def _gate_area(name: str, library: Library) -> xr.Variable:
    technology = library.technology
    return variable((), technology.gate_areas[name], "m2", technology.gate_area_source)


def _over(libraries: Sequence[Library], conditions: Conditions) -> Over:
    """Makes a variable of one quantity of each library, over the environments."""

    def over(
        pick: Callable[[Library], object], units: str, source: str, *extra: str
    ) -> xr.Variable:
        values = [np.asarray(pick(library), float) for library in libraries]
        return variable((*ENVIRONMENT, *extra), conditions.over_environments(values), units, source)

    return over


def _after(clk: int, q: int, d: int, event: int) -> str:
    if event:
        return f"{clk}{q}{1 - d}"
    return f"{1 - clk}{q if clk else d}{d}"
