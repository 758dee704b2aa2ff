"""From the characters of the cells to the groups of cells.nc, each number with unit and source."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from characterization.extract.logic.character import (
    GateCharacter,
    RegisterCharacter,
    mac_delay,
    mac_energy,
)
from characterization.extract.sng.character import (
    SngCharacter,
    area,
    interpolated_exposure,
    transistor_count,
)
from circuits.logic.gates import GATES
from circuits.mac.bit_cells import Mac
from devices.cbram import CBRAM
from devices.law import SwitchingLaw, normal_quadrature
from devices.technology import Technology
from formats.cells import CONDITIONS, ENVIRONMENT, OUTCOMES, PHASES, variable

CORNER = "tt"
OPERAND_GRID = np.linspace(0.0, 1.0, 11)
SIMULATED = "simulated: ngspice transient of the cell"
EXACT = "derived: from the simulated V_cell(t) and the fitted law, without sampling"


def sng_group(
    character: SngCharacter, device: CBRAM, technology: Technology, dac_bits: int
) -> xr.Dataset:
    """The ``sng`` group."""
    law, v, u = device.set, character.voltages, character.exposure
    stderr = _standard_error(law, _device_voltage(law, character), u)
    p = law.probability_of_exposure(u)
    population = _population(law, character)
    pr = character.reset_probability
    stored = p / (p + pr * (1 - p))
    codes = np.concatenate([[0.0], np.linspace(v[0], v[-1], 2**dac_bits - 1)])
    code_exposure = np.concatenate([[0.0], interpolated_exposure(v, u, codes[1:])])
    design = character.design

    def over_voltage(values: np.ndarray, units: str, source: str) -> xr.Variable:
        return variable(CONDITIONS, np.asarray(values)[:, None, None, None], units, source)

    def over_phase(values: np.ndarray, source: str) -> xr.Variable:
        shaped = values[:, None, None, None, :, :]
        return variable((*CONDITIONS, "phase", "outcome"), shaped, "J", source)

    def one(value: float, units: str, source: str) -> xr.Variable:
        return variable(ENVIRONMENT, [[value]], units, source)

    ideal = "assumed: ideal RESET" if device.reset is None else EXACT
    sense = "derived: simulated flip resistance and the device's log-normal resistances"
    data = {
        "exposure": over_voltage(u, "1", EXACT),
        "Ps": over_voltage(p, "1", EXACT),
        "Ps_stderr": over_voltage(stderr, "1", "fitted: covariance of the fit"),
        "Ps_population_mean": over_voltage(population[0], "1", "derived: D2D and R_HRS spread"),
        "Ps_population_p05": over_voltage(population[1], "1", "derived: D2D spread"),
        "Ps_population_p95": over_voltage(population[2], "1", "derived: D2D spread"),
        "pi": over_voltage(stored, "1", "derived: Ps/(Ps + Pr (1 - Ps))"),
        "lag1": over_voltage((1 - p) * (1 - pr), "1", "derived: (1 - Ps)(1 - Pr)"),
        "Pr": one(pr, "1", ideal),
        "e01": one(character.read_one_of_hrs, "1", sense),
        "e10": one(character.read_zero_of_lrs, "1", sense),
        "energy": over_phase(
            character.energy, "simulated: transients at quantiles of the switching time"
        ),
        "energy_stderr": over_phase(
            character.energy_error, "derived: change of the quadrature when its nodes are halved"
        ),
        "phase_time": variable(("phase",), list(design.phase_times), "s", "assumed: cell timing"),
        "code_voltage": variable(("code",), codes, "V", "derived: equal steps of the DAC"),
        "code_exposure": variable(("code",), code_exposure, "1", EXACT),
        "leakage_power": one(character.leakage, "W", SIMULATED),
        "area": variable((), area(technology, design), "m2", technology.io_area_source),
    }
    example = character.example
    signals = {
        "bl": ("v(bl)", "bit line (active electrode)", "V"),
        "be": ("v(be)", "inert electrode", "V"),
        "sense": ("v(sn)", "sense node", "V"),
        "bit": ("v(q)", "output bit", "V"),
        "state": ("v(xdev.s)", "device state (1 LRS, 0 HRS)", "1"),
        "exposure": ("v(xdev.us)", "SET exposure u", "1"),
    }
    for name, (vector, label, units) in signals.items():
        data[f"waveform_{name}"] = variable(("waveform_time",), example[vector], units, SIMULATED)
        data[f"waveform_{name}"].attrs["long_name"] = label
    coordinates = {
        "write_voltage": ("write_voltage", v, {"units": "V"}),
        "pulse_width": ("pulse_width", [design.write_time], {"units": "s"}),
        "temperature": ("temperature", [technology.temperature], {"units": "K"}),
        "corner": [CORNER],
        "phase": list(PHASES),
        "outcome": list(OUTCOMES),
        "code": np.arange(codes.size),
        "waveform_time": ("waveform_time", example.time, {"units": "s"}),
    }
    worst = character.worst[0]
    attributes = {
        "role": "sng",
        "description": f"1T1R CBRAM with drivers and sense stage, {transistor_count()} transistors",
        "interpolation_error_P": character.interpolation_error,
        "flip_resistance_ohm": character.flip_resistance,
        "hrs_nodes": character.exposure_weights.size,
        "dac_bits": dac_bits,
        "worst_stress": str(worst),
    }
    return xr.Dataset(data, coordinates, attributes)


def gate_group(name: str, gate: GateCharacter, technology: Technology) -> xr.Dataset:
    """A ``gate`` group: energy by input transition, leakage by state."""
    width = len(GATES[name].inputs)
    states = [format(state, f"0{width}b") for state in range(2**width)]
    transitions = [f"{before}>{after}" for before in states for after in states]
    data = {
        "transition_energy": variable(
            (*ENVIRONMENT, "transition"), gate.energy.reshape(1, 1, -1), "J", SIMULATED
        ),
        "leakage_power": variable(
            (*ENVIRONMENT, "state"), gate.leakage.reshape(1, 1, -1), "W", SIMULATED
        ),
        "delay": variable(ENVIRONMENT, [[gate.delay]], "s", f"{SIMULATED}, unloaded"),
        "area": variable((), technology.gate_areas[name], "m2", technology.gate_area_source),
    }
    coordinates = {**_environment(technology), "transition": transitions, "state": states}
    inputs = " ".join(GATES[name].inputs)
    return xr.Dataset(
        data,
        coordinates,
        {
            "role": "gate",
            "description": f"{name}, inputs {inputs}",
            "worst_stress": str(gate.worst),
        },
    )


def register_group(register: RegisterCharacter, technology: Technology) -> xr.Dataset:
    """The ``dff`` group."""

    def one(value: float, units: str) -> xr.Variable:
        return variable(ENVIRONMENT, [[value]], units, SIMULATED)

    data = {
        "energy_hold": one(register.hold, "J"),
        "energy_toggle": one(register.toggle, "J"),
        "leakage_power": one(register.leakage, "W"),
        "area": variable((), technology.gate_areas["dff"], "m2", technology.gate_area_source),
    }
    return xr.Dataset(
        data,
        _environment(technology),
        {
            "role": "register",
            "description": "transmission-gate flip-flop, one clock",
            "worst_stress": str(register.worst),
        },
    )


def mac_group(
    mac: Mac, gates: dict[str, GateCharacter], composition_error: float, technology: Technology
) -> xr.Dataset:
    """A ``mac`` group: energy of one product bit over the operands' bit probabilities."""
    parts = np.array(
        [[mac_energy(mac, gates, pa, pb) for pb in OPERAND_GRID] for pa in OPERAND_GRID]
    )
    energy = parts / (1.0 + composition_error)
    leakage = sum(float(gates[name].leakage.mean()) * n for name, n in mac.gates.items())
    total = sum(technology.gate_areas[name] * n for name, n in mac.gates.items())
    operands = ("a_probability", "b_probability")
    data = {
        "energy": variable(
            operands,
            energy,
            "J",
            "derived: sum of simulated gate transitions, times "
            f"{1 / (1 + composition_error):.3f} from one transient of the whole cell (glitches)",
        ),
        "energy_stderr": variable(
            operands,
            np.abs(composition_error) * energy,
            "J",
            "derived: gates' sum against one transient of the whole cell",
        ),
        "leakage_power": variable((), leakage, "W", "derived: mean over the gates' states"),
        "delay": variable((), mac_delay(mac, gates), "s", "derived: sum of the gates' delays"),
        "area": variable((), total, "m2", technology.gate_area_source),
    }
    attributes = {
        "role": "mac",
        "description": mac.description,
        "encoding": mac.encoding,
        "adder": mac.adder,
        "fan_in": 1,
        "signalling": "held",
        "cells": json.dumps(mac.gates),
        "composition_error": composition_error,
    }
    grid = {"a_probability": OPERAND_GRID, "b_probability": OPERAND_GRID}
    return xr.Dataset(data, grid, attributes)


def _environment(technology: Technology) -> dict[str, object]:
    return {"temperature": [technology.temperature], "corner": [CORNER]}


def _device_voltage(law: SwitchingLaw, character: SngCharacter) -> np.ndarray:
    """The voltage (V) left for the device at each write voltage, from its exposure."""
    return law.voltage_of_exposure(character.exposure, character.design.write_time)


def _population(law: SwitchingLaw, character: SngCharacter) -> np.ndarray:
    """Mean, 5 % and 95 % of Ps over devices; D2D by quadrature, R_HRS by its nodes."""
    sigma = law.sigma_ln_tau_d2d(_device_voltage(law, character))
    z, w = normal_quadrature(31)
    mean = np.zeros(character.voltages.size)
    for node, weight in zip(z, w, strict=True):
        own = law.probability_of_exposure(character.exposure_nodes, sigma * node)
        mean += weight * (character.exposure_weights @ own)
    low = law.probability_of_exposure(character.exposure, 1.6449 * sigma)
    high = law.probability_of_exposure(character.exposure, -1.6449 * sigma)
    return np.array([mean, low, high])


def _standard_error(law: SwitchingLaw, voltages: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """Standard error of Ps from the fit's covariance of logarithms; NaN where there is none."""
    if not law.covariance_order:
        return np.full(voltages.size, np.nan)
    step = 1e-4
    slope = (
        law.probability_of_exposure(exposure * np.exp(step)) - law.probability_of_exposure(exposure)
    ) / step
    by_parameter = dict(zip(("tau_ref", "V0"), -slope * law.ln_tau_gradient(voltages), strict=True))
    # At the reference temperature, where the cells are, tau does not depend on Ea.
    by_parameter["Ea"] = np.zeros(voltages.size)
    if law.shape is not None:
        bent = law.with_values(
            law.tau_ref.value, law.v0.value, law.shape.value * float(np.exp(step))
        )
        change = bent.probability_of_exposure(exposure) - law.probability_of_exposure(exposure)
        by_parameter["shape"] = change / step
    gradient = np.array([by_parameter[name] for name in law.covariance_order])
    return np.sqrt(
        np.maximum(np.einsum("iv,ij,jv->v", gradient, np.array(law.covariance), gradient), 0.0)
    )
